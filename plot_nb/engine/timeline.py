"""What is going to happen, in order of the runtime's time; at the same moment, in order of asking."""

from __future__ import annotations

import heapq
import itertools
from typing import Any, Literal

from plot_nb.engine.attempt import Attempt
from plot_nb.engine.model import Execution

Kind = Literal["due", "begin", "answer", "timer", "deadline"]


class Timeline:
    """The events to come. One whose subject has ended meanwhile is skipped and does not move the clock."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Kind, Execution | Attempt, Any]] = []
        self._order = itertools.count()

    def add_due(self, execution: Execution) -> None:
        """An execution falls due at its own time."""
        heapq.heappush(self._events, (execution.due, next(self._order), "due", execution, execution.due))

    def add(self, moment: int, kind: Kind, attempt: Attempt, data: Any = None) -> None:
        """Something concerns an attempt."""
        heapq.heappush(self._events, (moment, next(self._order), kind, attempt, data))

    def next_moment(self) -> int | None:
        """When the next event is; None without any."""
        while self._events:
            moment, _, kind, subject, data = self._events[0]
            if not _is_stale(kind, subject, data):
                return moment
            heapq.heappop(self._events)
        return None

    def last_retry(self) -> int | None:
        """When the last execution that was attempted before falls due again; None if there is none."""
        moments = (
            moment
            for moment, _, kind, subject, data in self._events
            if isinstance(subject, Execution) and subject.attempts and not _is_stale(kind, subject, data)
        )
        return max(moments, default=None)

    def pop(self) -> tuple[Kind, Execution | Attempt, Any]:
        """Take the event that `next_moment` spoke of."""
        _, _, kind, subject, data = heapq.heappop(self._events)
        return kind, subject, data


def _is_stale(kind: Kind, subject: Execution | Attempt, data: Any) -> bool:
    if isinstance(subject, Execution):
        return subject.state != "queued" or subject.due != data  # coalesced to an earlier time
    if subject.ended or subject.why_stopped is not None:
        return True
    return kind == "timer" and (not subject.waiting or subject.crossing != data)
