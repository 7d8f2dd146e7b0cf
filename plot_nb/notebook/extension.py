"""What `%load_ext plot_nb` puts into a shell, and `%unload_ext` takes out again."""

from __future__ import annotations

import asyncio
from types import TracebackType

from IPython.core.async_helpers import _asyncio_runner
from IPython.core.interactiveshell import InteractiveShell

from plot_nb.errors import PlotError
from plot_nb.notebook.awaiting import await_twist
from plot_nb.notebook.completion import TwistCompleter
from plot_nb.notebook.magics import TwistMagics
from plot_nb.notebook.pictures import KernelPictures
from plot_nb.notebook.problems import passed_through_here, shorten_in_plain_cell, shorten_stopped
from plot_nb.notebook.stopping import (
    CancellingRunner,
    remember_last_run,
    show_partial_run,
    wake_loop_on_signals,
)
from plot_nb.runtime import Run
from plot_nb.sandbox.component import compilation

_SHOWN = (PlotError, asyncio.CancelledError)


class _Extension:
    """What was put into one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._handled_before = shell.custom_exceptions
        self._handler_before = shell.CustomTB
        self._magics = TwistMagics(shell)
        shell.register_magics(self._magics)
        shell.input_transformers_post.append(self._transform)
        self._completer = TwistCompleter(shell)
        shell.events.register("pre_run_cell", remember_last_run)
        shell.set_custom_exc((*_SHOWN, *self._handled_before), self._show)
        self._waker = self._pictures = None
        # A kernel cancels a stopped cell by itself, and awaits only cells that have IPython's own runner.
        if getattr(shell, "kernel", None) is not None:
            self._waker = wake_loop_on_signals()
            self._pictures = KernelPictures(shell)
        elif shell.loop_runner is _asyncio_runner:
            shell.loop_runner = CancellingRunner()

    def remove(self) -> None:
        shell = self._shell
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("twist", None)
        shell.input_transformers_post.remove(self._transform)
        self._completer.remove()
        shell.events.unregister("pre_run_cell", remember_last_run)
        shell.custom_exceptions, shell.CustomTB = self._handled_before, self._handler_before
        if isinstance(shell.loop_runner, CancellingRunner):
            shell.loop_runner = _asyncio_runner
        if self._waker is not None:
            self._waker.remove()
        if self._pictures is not None:
            self._pictures.remove()

    def _transform(self, lines: list[str]) -> list[str]:
        self._magics.awaited = True
        return await_twist(lines)

    def _show(
        self,
        shell: InteractiveShell,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> None:
        """Show an exception that ended a cell."""
        if self._handled_before and isinstance(error, self._handled_before):
            self._handler_before(kind, error, trace, tb_offset)
            return
        if isinstance(error, PlotError):
            shorten_in_plain_cell(shell, error, trace)
        elif passed_through_here(trace):
            show_partial_run(self._is_shown)
            shorten_stopped(error)
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    def _is_shown(self, run: Run) -> bool:
        return self._pictures is not None and self._pictures.shows(run)


_loaded: dict[int, _Extension] = {}


def load(shell: InteractiveShell) -> None:
    """Put the magics into a shell, and have the sandbox compiled in the background."""
    if id(shell) not in _loaded:
        _loaded[id(shell)] = _Extension(shell)
        compilation()


def unload(shell: InteractiveShell) -> None:
    """Take them out. The runtime and what it holds stay."""
    found = _loaded.pop(id(shell), None)
    if found is not None:
        found.remove()
