"""Who is told when something begins to run, ends, or is changed by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from plot_nb.runtime.run import Run
    from plot_nb.runtime.runtime import Runtime

_log = logging.getLogger("plot_nb")


class Watcher(Protocol):
    """Whoever shows what runs while it runs.

    The engine waits for it: it must be quick, and must not wait for the engine in turn.
    """

    def began(self, run: Run) -> None:
        """Something begins; on the engine's thread, in the context of who awaits it. The run grows until it ends."""

    def ended(self, run: Run) -> None:
        """It has come to its end, whichever."""

    def changed(self, runtime: Runtime) -> None:
        """State was written by hand, or the runtime was reset or closed; on any thread."""


_watchers: list[Watcher] = []
"""Of all runtimes of the process."""


def watch(watcher: Watcher) -> None:
    """Tell `watcher` from now on; twice is no error."""
    if watcher not in _watchers:
        _watchers.append(watcher)


def unwatch(watcher: Watcher) -> None:
    """Tell it no more."""
    if watcher in _watchers:
        _watchers.remove(watcher)


def tell_began(run: Run) -> None:
    """Tell all that a run begins."""
    _tell(lambda watcher: watcher.began(run))


def tell_ended(run: Run) -> None:
    """Tell all that it has ended."""
    _tell(lambda watcher: watcher.ended(run))


def tell_changed(runtime: Runtime) -> None:
    """Tell all that state is another."""
    _tell(lambda watcher: watcher.changed(runtime))


def _tell(of: Callable[[Watcher], None]) -> None:
    for watcher in _watchers.copy():
        try:
            of(watcher)
        except Exception:  # a picture that fails must not fail what it shows
            _log.exception("what runs cannot be shown while it runs")
