"""What makes the pictures of a kernel live: it answers them, and shows them while a cell runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plot_nb.notebook.live import LiveCells
from plot_nb.notebook.showing import Shown, handle_bundle, run_bundle
from plot_nb.runtime import Run, TwistHandle
from plot_nb.runtime.watching import unwatch, watch
from plot_nb.widgets import comms

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class KernelPictures:
    """What was put into one kernel.

    Args:
        shell: The kernel's.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        import comm

        self._shell = shell
        self._live = LiveCells(shell)
        watch(self._live)
        shell.events.register("pre_run_cell", self._live.cell_begins)
        shell.events.register("post_run_cell", self._live.cell_ends)
        assert shell.display_formatter is not None
        self._formatter = shell.display_formatter.mimebundle_formatter
        self._formatter.for_type(Run, self._run)
        self._formatter.for_type(TwistHandle, self._handle)
        self._comms = comm.get_comm_manager()
        comms.register(self._comms)

    def remove(self) -> None:
        """Take it out again."""
        comms.unregister(self._comms)
        for shown in (Run, TwistHandle):
            self._formatter.pop(shown, None)
        self._shell.events.unregister("pre_run_cell", self._live.cell_begins)
        self._shell.events.unregister("post_run_cell", self._live.cell_ends)
        unwatch(self._live)
        self._live.close()

    def shows(self, run: Run) -> bool:
        """Whether the cell that runs here shows a run already."""
        return self._live.shows(run)

    def _run(self, run: Run) -> Shown:
        # The same picture again below itself would say nothing.
        return ({"text/plain": repr(run)}, {}) if self.shows(run) else run_bundle(self._shell, run)

    def _handle(self, twist: TwistHandle) -> Shown:
        run = twist._deployed
        if run is not None and self.shows(run):
            return {"text/plain": repr(twist)}, {}
        return handle_bundle(self._shell, twist)
