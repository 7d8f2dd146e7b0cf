"""What a picture is made from: the journal's tables about one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pandas import DataFrame


class Limits(Protocol):
    """The part of an attempt's budget that is drawn."""

    @property
    def requests(self) -> int:
        """Metered requests."""

    @property
    def cpu(self) -> float:
        """Seconds of computing."""

    @property
    def memory(self) -> int:
        """Bytes."""


@dataclass(frozen=True, slots=True)
class RunTables:
    """One run as the journal has it.

    Attributes:
        title: What was run, such as `CalendarSync.start_sync`.
        executions: One row an attempt.
        requests: One row a metered request.
        tasks: One row a task that the run queued.
        logs: One row a print, a log line or a notice of the runtime.
        limits: The budget of each attempt.
        paused: Why the chain waits to be resumed; None while it does not.
        value: The first execution's result, as its repr.
    """

    title: str
    executions: DataFrame
    requests: DataFrame
    tasks: DataFrame
    logs: DataFrame
    limits: Limits
    paused: str | None = None
    value: str | None = None
