"""The log of a twist."""

from __future__ import annotations

from plot_nb.twist.wall import current


class Log:
    """Writes entries with a level and the line they come from; costs no request."""

    def info(self, *values: object) -> None:
        """Write what is good to know."""
        current().log("info", " ".join(map(str, values)))

    def warning(self, *values: object) -> None:
        """Write what may be wrong."""
        current().log("warning", " ".join(map(str, values)))

    def error(self, *values: object) -> None:
        """Write what is wrong."""
        current().log("error", " ".join(map(str, values)))
