"""Stop and Ctrl-C: the cell's chain is cancelled at once, and what ran of it is shown."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from IPython.core.async_helpers import get_asyncio_loop
from IPython.display import display

from plot_nb.runtime import opened

if TYPE_CHECKING:
    from plot_nb.runtime import Run

_run_before: ContextVar[Run | None] = ContextVar("the last run when a cell began", default=None)


def remember_last_run(*_: Any) -> None:
    """Note, when a cell begins, what ran before it."""
    runtime = opened()
    _run_before.set(runtime.last_run if runtime is not None else None)


def show_partial_run(is_shown: Callable[[Run], bool]) -> None:
    """Show the run that a stopped cell leaves, if it has come to one, and the cell does not show it yet."""
    runtime = opened()
    run = runtime.last_run if runtime is not None else None
    if run is not None and run is not _run_before.get() and not is_shown(run):
        display(run)


class CancellingRunner:
    """Runs an asynchronous cell of a terminal such that Ctrl-C cancels it.

    IPython's own runner leaves the cell's task behind unfinished, and with it the chain that it awaits.
    """

    def __call__(self, cell: Coroutine[Any, Any, Any]) -> Any:
        """Run a cell to its end."""
        loop = get_asyncio_loop()
        task = loop.create_task(cell)
        try:
            return loop.run_until_complete(task)
        except KeyboardInterrupt:
            if not task.cancel():
                raise
        return loop.run_until_complete(task)

    def __str__(self) -> str:
        return "asyncio"


class SignalWaker:
    """Wakes a kernel's event loop when a signal comes.

    Stop is a signal, and its handler (ipykernel 7, tornado 6) only adds a callback to the loop, which sleeps on until
    something else happens: a cell that awaits a long run would not hear of it.

    Args:
        loop: The running loop of the main thread.

    Raises:
        ValueError: On another thread.
        NotImplementedError: If the loop cannot watch sockets.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        try:
            loop.add_reader(self._ours, self._drain)
            signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        except BaseException:
            self._close()
            raise

    def remove(self) -> None:
        """Leave signals to themselves again."""
        signal.set_wakeup_fd(-1)
        self._loop.remove_reader(self._ours)
        self._close()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ours.recv(4096)

    def _close(self) -> None:
        self._ours.close()
        self._theirs.close()


def wake_loop_on_signals() -> SignalWaker | None:
    """Have signals wake the loop that runs here; None where they cannot, or wake something already."""
    try:
        loop = asyncio.get_running_loop()
        taken = signal.set_wakeup_fd(-1)
        if taken != -1:
            signal.set_wakeup_fd(taken)
            return None
        return SignalWaker(loop)
    except (RuntimeError, ValueError, NotImplementedError):
        return None
