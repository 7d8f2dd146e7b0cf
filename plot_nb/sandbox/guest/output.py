"""`print` and everything else that writes to standard output or error, as entries of the log."""

from __future__ import annotations

import io
from collections.abc import Callable

PENDING_LIMIT = 64 * 2**10
"""Text without a line's end is written after this many characters."""


class Output(io.TextIOBase):
    """Gathers what one `print` writes, and logs it as one entry."""

    def __init__(self, level: str, log: Callable[[str, str], None]) -> None:
        super().__init__()
        self._level = level
        self._log = log
        self._pending = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What text is taken to be in."""
        return "utf-8"

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str, /) -> int:
        """Take text; a line's end at its end completes the entry."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        pending = self._pending + text if self._pending else text
        if pending.endswith("\n"):
            self._pending = ""
            self._log(self._level, pending[:-1])
        elif len(pending) > PENDING_LIMIT:
            self._pending = ""
            self._log(self._level, pending)
        else:
            self._pending = pending
        return len(text)

    def finish(self) -> None:
        """Log what has no line's end."""
        if self._pending:
            pending, self._pending = self._pending, ""
            self._log(self._level, pending)
