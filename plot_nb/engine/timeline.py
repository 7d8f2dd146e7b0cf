"""What is going to happen, in order of the runtime's time; at the same moment, in order of asking."""

from __future__ import annotations

import heapq
import itertools
from typing import Any, Literal

from plot_nb.engine.attempt import Attempt
from plot_nb.engine.model import Execution

Kind = Literal["due", "begin", "answer", "timer", "deadline"]


Event = tuple[int, int, Kind, Execution | Attempt, Any]


class Timeline:
    """The events to come. One whose subject has ended meanwhile is skipped and does not move the clock.

    Those of attempts stand apart, so that what an attempt leaves is let go when it ends, whatever waits before it.
    """

    def __init__(self) -> None:
        self._due: list[Event] = []
        self._of_attempts: list[Event] = []
        self._order = itertools.count()

    def add_due(self, execution: Execution) -> None:
        """An execution falls due at its own time."""
        heapq.heappush(self._due, (execution.due, next(self._order), "due", execution, execution.due))

    def add(self, moment: int, kind: Kind, attempt: Attempt, data: Any = None) -> None:
        """Something concerns an attempt."""
        heapq.heappush(self._of_attempts, (moment, next(self._order), kind, attempt, data))

    def forget(self, attempt: Attempt) -> None:
        """Nothing concerns it any more: it has ended."""
        self._of_attempts = [event for event in self._of_attempts if event[3] is not attempt]
        heapq.heapify(self._of_attempts)

    def next_moment(self) -> int | None:
        """When the next event is; None without any."""
        events = self._soonest()
        return events[0][0] if events else None

    def last_retry(self) -> int | None:
        """When the last execution that was attempted before falls due again; None if there is none."""
        retries = (
            event[0]
            for event in self._due
            if isinstance(event[3], Execution) and event[3].attempts and not _is_stale(event)
        )
        return max(retries, default=None)

    def pop(self) -> tuple[Kind, Execution | Attempt, Any]:
        """Take the event that `next_moment` spoke of."""
        _, _, kind, subject, data = heapq.heappop(self._soonest())
        return kind, subject, data

    def _soonest(self) -> list[Event]:
        """The heap whose first event is the next one."""
        due, own = self._due, self._of_attempts
        while due and _is_stale(due[0]):
            heapq.heappop(due)
        while own and _is_stale(own[0]):
            heapq.heappop(own)
        return due if not own or (due and due[0] < own[0]) else own


def _is_stale(event: Event) -> bool:
    _, _, kind, subject, data = event
    if isinstance(subject, Execution):
        return subject.state != "queued" or subject.due != data  # coalesced to an earlier time
    if subject.ended or subject.why_stopped is not None:
        return True
    return kind == "timer" and (not subject.waiting or subject.crossing != data)
