"""The compiled component: made once per user and machine, in the background, and kept in a private cache."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from plot_nb.sandbox import build
from plot_nb.sandbox.process import command, environment

_LONGEST_COMPILE = 3600

KEPT = 4
"""Compiled components that the cache keeps: for other versions and environments of the same user."""


class CompileError(Exception):
    """The component could not be compiled, or there is none."""


class Compilation:
    """The making of the machine code that workers load.

    A child process does it, so the kernel stays free; several at once do no harm, each renames its own file.

    Attributes:
        result: The compiled component's path, or a `CompileError`.
    """

    def __init__(self) -> None:
        self.result: Future[Path] = Future()
        self._started = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def done(self) -> bool:
        """Whether workers can start, or never will."""
        return self.result.done()

    @property
    def elapsed(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    def wait(self, timeout: float | None = None) -> Path:
        """Block until it is there.

        Raises:
            TimeoutError: If `timeout` seconds pass before.
            CompileError: If it cannot be made.
        """
        return self.result.result(timeout)

    def _run(self) -> None:
        try:
            self.result.set_result(self._make())
        except BaseException as error:
            self.result.set_exception(error)

    def _make(self) -> Path:
        source = component()
        folder = cache_folder()
        target = folder / f"{_key(source)}.cwasm"
        if _is_private(target):
            # Marks it as in use, for `_prune`.
            os.utime(target)
            return target
        fresh = folder / f"{target.stem}.{os.getpid()}.{threading.get_ident()}.tmp"
        self._process = subprocess.Popen(
            command("plot_nb.sandbox.compile", str(source), str(fresh)),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        atexit.register(self._abandon)
        _, complaint = self._process.communicate()
        atexit.unregister(self._abandon)
        if self._process.returncode:
            fresh.unlink(missing_ok=True)
            tail = complaint.decode(errors="replace")[-2000:]
            raise CompileError(f"compiling {source} ended with {self._process.returncode}:\n{tail}")
        fresh.replace(target)
        _prune(folder)
        return target

    def _abandon(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()


_lock = threading.Lock()
_current: Compilation | None = None


def compilation() -> Compilation:
    """The one of this process; started in the background by the first call, and anew after a failure."""
    global _current  # noqa: PLW0603  # one per process is the point
    with _lock:
        failed = _current is not None and _current.done and _current.result.exception() is not None
        if _current is None or failed:
            _current = Compilation()
            threading.Thread(target=_current._run, name="plot_nb compile", daemon=True).start()
        return _current


def component() -> Path:
    """The component that the wheel carries; in a checkout it is built when it is missing or old.

    Raises:
        CompileError: If there is none and it cannot be built.
    """
    folder = Path(__file__).resolve().parent
    try:
        return build.build(folder)
    except (build.BuildError, OSError) as error:
        if (folder / build.NAME).exists():
            return folder / build.NAME
        raise CompileError(str(error)) from error


def cache_folder() -> Path:
    """The user's private folder for compiled components, `PLOT_NB_CACHE` if that is set.

    Raises:
        CompileError: If it belongs to somebody else: what lies in it is run as native code.
    """
    given = os.environ.get("PLOT_NB_CACHE")
    folder = Path(given) if given else _user_cache() / "plot_nb"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if hasattr(os, "getuid"):
            if found.st_uid != os.getuid():
                raise CompileError(
                    f"{folder} belongs to another user: set PLOT_NB_CACHE to a folder of yours"
                )
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise CompileError(
            f"cannot use {folder} ({error}): set PLOT_NB_CACHE to a folder of yours"
        ) from error
    return folder


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _prune(folder: Path) -> None:
    """Remove what has not been used for longest, and what a killed compile left; who has it mapped keeps it."""
    with contextlib.suppress(OSError):
        found = sorted(folder.glob("*.cwasm"), key=lambda path: path.stat().st_mtime, reverse=True)
        left = [
            path for path in folder.glob("*.tmp") if path.stat().st_mtime < time.time() - _LONGEST_COMPILE
        ]
        for path in found[KEPT:] + left:
            path.unlink(missing_ok=True)


def _is_private(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or found.st_uid == os.getuid()


def _key(source: Path) -> str:
    from plot_nb.sandbox import machine

    return "-".join([_version(), _digest(source, source.stat().st_mtime_ns), machine.KEY])


@functools.cache
def _version() -> str:
    return importlib.metadata.version("wasmtime")


@functools.cache
def _digest(source: Path, mtime_ns: int) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
