"""One runtime owns a state file. The lock is the operating system's: a dead owner frees it."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from plot_nb.errors import RuntimeOwned

_mine: set[Path] = set()  # POSIX locks do not hold between two openers in one process
_guard = threading.Lock()


class Ownership:
    """Holds `path` for this process until `release`.

    Raises:
        RuntimeOwned: If another runtime has it; the message names the owner.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        with _guard:
            if self._path in _mine:
                raise RuntimeOwned(
                    f"{path} is already open in this process (pid {os.getpid()}): use that runtime, "
                    "or close it first with `await rt.aclose()`"
                )
            self._descriptor: int | None = self._lock(path)
            _mine.add(self._path)

    @staticmethod
    def _lock(path: Path) -> int:
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(descriptor, 100, 0).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            raise RuntimeOwned(
                f"{path} belongs to {owner}: stop that notebook or program, or open another file"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"the process with pid {os.getpid()}\n".encode(), 0)
        return descriptor

    def release(self) -> None:
        """Give the file free. More than once is no error."""
        with _guard:
            if self._descriptor is not None:
                _mine.discard(self._path)
                os.close(self._descriptor)
                self._descriptor = None
