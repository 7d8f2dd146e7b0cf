"""How a program of the crash tests kills itself."""

from __future__ import annotations

import os
import signal

from plot_nb.backend.sqlite import SqliteBackend


def kill_at(point: str, nth: int) -> None:
    """Have this process kill itself at a commit point."""
    seen = 0

    def commit_point(_: SqliteBackend, name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(SqliteBackend, "commit_point", commit_point)  # noqa: B010  mypy takes no assignment here
