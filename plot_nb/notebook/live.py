"""While a cell runs something for longer than a moment, it shows the picture of it; what stays in the end is static.

A front end with the plot_nb extension asks the kernel for what changes; any other shows a line of text meanwhile.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from plot_nb.notebook.showing import Shown, run_bundle, running_bundle

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from plot_nb.runtime import Run, Runtime

_log = logging.getLogger("plot_nb")

PATIENCE_S = 0.3
"""What is over sooner is shown when it is."""


@dataclass(slots=True, eq=False)
class _Cell:
    """A cell that runs, or that left something running.

    Attributes:
        message: The id of the request to run it: where its output goes.
        depth: A cell can run another.
        over: Whether it has ended.
        display: The id of its picture; None while it has none.
        shown: What that is of.
        final: Whether it is the static one.
        late: What runs for longer than a moment beside what is shown.
    """

    message: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    depth: int = 1
    over: bool = False
    display: str | None = None
    shown: Run | None = None
    final: bool = False
    late: list[Run] = field(default_factory=list)


_cell: ContextVar[_Cell | None] = ContextVar("the cell that runs", default=None)


class LiveCells:
    """The cells of one kernel; also a watcher of runtimes.

    Args:
        shell: Whose.
        patience: Seconds before something is shown.
    """

    def __init__(self, shell: InteractiveShell, patience: float = PATIENCE_S) -> None:
        self._shell = shell
        self._patience = patience
        self._cells: dict[str, _Cell] = {}
        self._begun: dict[Run, tuple[_Cell, asyncio.TimerHandle]] = {}
        self._hooked = threading.local()
        self.cell_begins()  # the one that loads the extension
        loading = _cell.get()
        if loading is not None:
            loading.depth = 0  # it has begun, or begins yet, if its `%%twist` is what loads

    # as IPython tells

    def cell_begins(self, *_: object) -> None:
        """A cell begins on this thread."""
        self._hook()
        message = self._message()
        if message is None:
            _cell.set(None)
            return
        found = self._cells.get(message)
        if found is None:
            found = self._cells[message] = _Cell(message)
        else:
            found.depth += 1
        _cell.set(found)

    def cell_ends(self, *_: object) -> None:
        """It ends: its picture becomes static."""
        found = self._cells.get(self._message() or "")
        if found is None:
            return
        found.depth -= 1
        if found.depth > 0:
            return
        del self._cells[found.message]
        with found.lock:
            found.over = True
            self._settle(found)

    def shows(self, run: Run | None) -> bool:
        """Whether the picture of the cell that runs here is of that run, so that another would say it twice."""
        found = _cell.get()
        if found is None or run is None or found.message != self._message():
            return False
        with found.lock:
            return found.shown is run

    # as a runtime tells

    def began(self, run: Run) -> None:
        """Something begins; it is shown if it takes long."""
        found = _cell.get()
        if found is None or found.over or found.message != self._message():
            return
        loop = asyncio.get_running_loop()
        self._begun[run] = found, loop.call_later(self._patience, self._apart, self._show, found, run)

    def ended(self, run: Run) -> None:
        """It has ended."""
        begun = self._begun.pop(run, None)
        if begun is None:
            return
        found, timer = begun
        timer.cancel()
        if found.shown is run and (found.late or found.over):
            self._apart(self._next, found)

    def changed(self, runtime: Runtime) -> None:
        """State is another: that is not for a cell to show."""

    # the picture

    def _apart(self, work: Any, *given: Any) -> None:
        """On a thread of its own: making a picture takes time, and the engine has none."""
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(work, *given), name="plot_nb live picture", daemon=True
        ).start()

    def _show(self, found: _Cell, run: Run) -> None:
        with found.lock:
            if found.over or not run.running:
                return
            if found.shown is not None and found.shown.running:
                found.late.append(run)
                return
            try:
                self._publish(found, running_bundle(self._shell, run))
            except Exception:
                _log.exception("what runs cannot be shown while it runs")
                return
            found.shown, found.final = run, False
            if not run.running:  # it ended while its picture was made
                self._next(found)

    def _next(self, found: _Cell) -> None:
        """What was shown has ended: show what runs beside it, or settle where nobody else will."""
        with found.lock:
            while found.late:
                run = found.late.pop(0)
                if run.running and not found.over:
                    self._show(found, run)
                    return
            if found.over:
                self._settle(found)

    def _settle(self, found: _Cell) -> None:
        if found.shown is None or found.shown.running or found.final:
            return
        found.final = True
        try:
            bundle = run_bundle(self._shell, found.shown)
        except Exception:  # a file that is being removed, say; the cell has its own result to show
            _log.debug("what ran cannot be shown", exc_info=True)
            bundle = {"text/plain": repr(found.shown)}, {}
        self._publish(found, bundle)

    def _publish(self, found: _Cell, shown: Shown) -> None:
        update = found.display is not None
        found.display = found.display or uuid4().hex
        data, metadata = shown
        self._shell.display_pub.publish(
            data, metadata, transient={"display_id": found.display}, update=update
        )

    def close(self) -> None:
        """Show nothing any more."""
        for _, timer in list(self._begun.values()):  # the engine's thread adds to them
            timer.cancel()
        unregister = getattr(self._shell.display_pub, "unregister_hook", None)
        if unregister is not None:
            unregister(self._sent)

    # around it

    def _message(self) -> str | None:
        """The id of the request that runs a cell here; None where none does."""
        header = getattr(self._shell.display_pub, "parent_header", None) or {}
        return header.get("msg_id") if header.get("msg_type") == "execute_request" else None

    def _hook(self) -> None:
        """Hear when a cell clears its output: its picture is gone then. IPython keeps these hooks by thread."""
        register = getattr(self._shell.display_pub, "register_hook", None)
        if register is not None and not getattr(self._hooked, "done", False):
            self._hooked.done = True
            register(self._sent)

    def _sent(self, message: dict[str, Any]) -> dict[str, Any]:
        found = _cell.get()
        if found is not None and message.get("header", {}).get("msg_type") == "clear_output":
            with found.lock:
                found.display = found.shown = None
        return message
