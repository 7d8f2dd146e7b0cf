"""What an awaited call, deploy or stretch of time came to."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plot_nb.engine.chains import Drive
from plot_nb.engine.masking import Mask
from plot_nb.engine.outcomes import Verdict
from plot_nb.errors import ExecutionFailed, RuntimeClosed
from plot_nb.journal import frames
from plot_nb.twist import superjson

if TYPE_CHECKING:
    import pandas as pd

    from plot_nb.journal.wire import Panel, Picture
    from plot_nb.runtime.runtime import Runtime
    from plot_nb.view.tables import RunTables


class Run:
    """An execution and the chain of immediate work that it set off; or all that ran in a stretch of time.

    In a notebook it draws itself. `outcome`, `value` and `error` are those of the first execution.

    Attributes:
        title: What was run.
        running: Whether it grows still. Who awaits a run gets it when it has ended; others may look before.
    """

    def __init__(self, runtime: Runtime, title: str, drive: Drive) -> None:
        self._runtime = weakref.ref(runtime)
        self._installed = runtime._instances  # another dict after a reset, where numbers begin anew
        self._path = runtime.path
        self._limits = runtime.limits
        self._drive = drive
        self._ended: tuple[int | None, Mask] | None = None
        self.title = title
        self.running = True

    def end(self) -> None:
        """Grow no more, and let go of what is the engine's."""
        self._ended = self._instance, self._mask
        self._drive = replace(self._drive, ended=_nothing, chain=None, first=None)
        self.running = False

    @property
    def _instance(self) -> int | None:
        """Of the first execution; of a run whose first one has not begun, that is not known."""
        if self._ended is not None:
            return self._ended[0]
        first = self._drive.first
        return first.instance if first is not None else None

    @property
    def _mask(self) -> Mask:
        if self._ended is not None:
            return self._ended[1]
        installed = list(self._installed.values())  # what runs in a stretch of time is of any of them
        if self._drive.chain is not None:
            installed = [each for each in installed if each.id == self._instance]
        return Mask({str(each.id): each.secrets for each in installed})

    @property
    def _attempts(self) -> list[int]:
        return self._drive.attempts

    @property
    def _verdict(self) -> Verdict | None:
        return self._drive.verdict

    @property
    def paused(self) -> str | None:
        """Why the chain waits to be resumed, and how; None while it does not."""
        return self._drive.paused

    def _why_held(self) -> str | None:
        """Why it waits, or why a call of a suspended twist ran nothing."""
        return self.error if self.outcome == "suspended" else self.paused

    @property
    def outcome(self) -> str | None:
        """`ok`, `error`, `over_requests`, … (SPEC 11); None if nothing ran."""
        return self._verdict.outcome if self._verdict else None

    @property
    def ok(self) -> bool:
        """Whether the first execution ended well, or nothing ran."""
        return self.outcome in {None, "ok"}

    @property
    def value(self) -> Any:
        """What the first execution returned; None unless it ended well."""
        return superjson.loads(self._drive.value) if self._drive.value is not None and self.ok else None

    @property
    def error(self) -> str | None:
        """What went wrong in the first execution, as one line; None if nothing did."""
        return self._verdict.error if self._verdict else None

    @property
    def traceback(self) -> str | None:
        """The twist's own traceback of that."""
        return self._verdict.traceback if self._verdict else None

    @property
    def line(self) -> int | None:
        """The line of the cell where it went wrong."""
        return self._verdict.line if self._verdict else None

    def raise_for_outcome(self) -> None:
        """Do nothing if the first execution ended well.

        Raises:
            ExecutionFailed: Otherwise.
        """
        if not self.ok:
            where = f" at line {self.line}" if self.line else ""
            raise ExecutionFailed(
                f"{self.title} ended {self.outcome}{where}: {self.error or 'no message'}",
                outcome=str(self.outcome),
                detail=self.traceback or "",
            )

    @property
    def executions(self) -> pd.DataFrame:
        """One row per attempt."""
        return frames.executions(self._path, attempts=self._attempts)

    @property
    def requests(self) -> pd.DataFrame:
        """One row per request that was performed."""
        return frames.requests(self._path, self._attempts)

    @property
    def tasks(self) -> pd.DataFrame:
        """One row per task that ran or was queued."""
        return frames.tasks(self._path, attempts=self._attempts, also=self._drive.dropped, mask=self._mask)

    @property
    def logs(self) -> pd.DataFrame:
        """What was printed and logged, and what the runtime noted."""
        return frames.logs(self._path, self._attempts, also=self._drive.dropped, mask=self._mask)

    def progress(
        self, key: str, *, items: str | None = None, expected: float | str | None = None
    ) -> pd.DataFrame:
        """One row per write of a Store key during this run, and how the sync got on, where the value tells it.

        Beside the value's own entries stand `items` (what this execution added), `rate` (items a second on the
        runtime's clock, since the first write), `requests_per_item` and `left_ms`; where an entry has that name, then
        as `progress.items` and so on.

        Args:
            key: A key of the twist that ran first.
            items: The entry of the value that counts items; unless given, it is found.
            expected: How many items there will be, or the entry that says so.

        Raises:
            ValueError: If an entry is named that no value has.
        """
        from plot_nb.journal.progress import progress

        return progress(
            self._path,
            key,
            instance=self._instance or -1,
            attempts=self._attempts,
            items=items,
            expected=expected,
        )

    def tables(self) -> RunTables:
        """What its picture is drawn from.

        Raises:
            RuntimeClosed: If its runtime was closed or reset, and what it journaled is gone.
        """
        from plot_nb.view.tables import RunTables

        runtime = self._runtime()
        if runtime is not None and runtime._instances is not self._installed:
            raise RuntimeClosed("the runtime was reset since this ran, and what it journaled is gone")
        return RunTables(
            title=self.title,
            executions=self.executions,
            requests=self.requests,
            tasks=self.tasks,
            logs=self.logs,
            limits=self._limits,
            paused=self._why_held(),
            value=self._shown_value(),
        )

    def picture(self, panel: Panel = "inspector", *, source: str | None = None) -> Picture:
        """What a notebook keeps of it, to be looked into without a kernel.

        Args:
            panel: Which picture.
            source: Under which key this process answers for it.
        """
        from plot_nb.journal.scope import Scope
        from plot_nb.view.picture import picture

        return picture(
            self._path,
            Scope(attempts=self._attempts),
            title=self.title,
            limits=self._limits,
            panel=panel,
            source=source,
            active=self.running,
            paused=self._why_held(),
            value=self._shown_value(),
        )

    def _shown_value(self) -> str | None:
        """The value with options masked; as text where masking left no value."""
        if self._verdict is None or self._verdict.value is None:
            return None
        try:
            value = superjson.loads(self._verdict.value)
        except ValueError:
            return self._verdict.value
        return None if value is None else repr(value)

    def __repr__(self) -> str:
        count = len(self._attempts)
        state = "running" if self.running else self.outcome or "nothing ran"
        return f"<Run {self.title}: {state}, {count} execution{'s' * (count != 1)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from plot_nb.journal.wire import MIME_TYPE
        from plot_nb.view import bundle
        from plot_nb.view.picture import picture_text

        try:
            return {**bundle(self.tables()), MIME_TYPE: picture_text(self.picture())}
        except RuntimeClosed as error:
            return {"text/plain": f"{self!r}: {error}"}


def nothing_ran(runtime: Runtime, title: str) -> Run:
    """A run in which nothing ran."""
    run = Run(runtime, title, Drive(_nothing))
    run.end()
    return run


def _nothing() -> None:
    pass
