"""What an awaited call, deploy or stretch of time came to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from plot_nb.engine.limits import Limits
from plot_nb.errors import ExecutionFailed
from plot_nb.journal import frames
from plot_nb.journal.reader import id_list, rows
from plot_nb.twist import superjson

if TYPE_CHECKING:
    import pandas as pd

    from plot_nb.view.tables import RunTables

_FIRST = """
SELECT a.outcome, a.error, a.traceback, a.line, p.body, i.twist, a.method, a.execution, i.id
FROM attempts a JOIN instances i ON i.id = a.instance LEFT JOIN payloads p ON p.digest = a.result
WHERE a.execution = (SELECT execution FROM attempts WHERE id = (SELECT min(value) FROM json_each(?)))
ORDER BY a.id DESC LIMIT 1
"""


class Run:
    """An execution and the chain of immediate work that it set off; or all that ran in a stretch of time.

    In a notebook it draws itself. `outcome`, `value` and `error` are those of the first execution.

    Attributes:
        title: What was run.
        paused: Why the chain waits to be resumed, and how; None while it does not.
    """

    def __init__(
        self,
        path: Path,
        title: str,
        attempts: list[int],
        limits: Limits,
        paused: str | None,
        value: str | None = None,
    ) -> None:
        self._path = path
        self._attempts = attempts
        self._limits = limits
        self._value = value
        self.title = title
        self.paused = paused
        found = rows(path, _FIRST, id_list(attempts))
        self._first = found[0] if found else None

    @property
    def outcome(self) -> str | None:
        """`ok`, `error`, `over_requests`, … (SPEC 11); None if nothing ran."""
        return self._first[0] if self._first else None

    @property
    def ok(self) -> bool:
        """Whether the first execution ended well, or nothing ran."""
        return self.outcome in {None, "ok"}

    @property
    def value(self) -> Any:
        """What the first execution returned; None unless it ended well."""
        return superjson.loads(self._value) if self._value is not None and self.ok else None

    @property
    def error(self) -> str | None:
        """What went wrong in the first execution, as one line; None if nothing did."""
        return self._first[1] if self._first else None

    @property
    def traceback(self) -> str | None:
        """The twist's own traceback of that."""
        return self._first[2] if self._first else None

    @property
    def line(self) -> int | None:
        """The line of the cell where it went wrong."""
        return self._first[3] if self._first else None

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
        return frames.tasks(self._path, attempts=self._attempts)

    @property
    def logs(self) -> pd.DataFrame:
        """What was printed and logged, and what the runtime noted."""
        return frames.logs(self._path, self._attempts)

    def progress(self, key: str) -> pd.DataFrame:
        """One row per write of a Store key during this run.

        Args:
            key: A key of the twist that ran first.
        """
        instance = self._first[8] if self._first else -1
        return frames.progress(self._path, key, instance=instance, attempts=self._attempts)

    def tables(self) -> RunTables:
        """What its picture is drawn from."""
        from plot_nb.view.tables import RunTables

        return RunTables(
            title=self.title,
            executions=self.executions,
            requests=self.requests,
            tasks=self.tasks,
            logs=self.logs,
            limits=self._limits,
            paused=self.paused,
            value=self._shown_value(),
        )

    def _shown_value(self) -> str | None:
        """The value as the journal has it: options masked, and cut where it is long."""
        text = self._first[4] if self._first and self.ok else None
        if text is None:
            return None
        try:
            value = superjson.loads(text)
        except ValueError:  # cut in the middle
            return str(text)
        return None if value is None else repr(value)

    def __repr__(self) -> str:
        count = len(self._attempts)
        return f"<Run {self.title}: {self.outcome or 'nothing ran'}, {count} execution{'s' * (count != 1)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from plot_nb.view import bundle

        return bundle(self.tables())
