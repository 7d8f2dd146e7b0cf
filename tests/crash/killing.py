"""Commit points: how a program of the crash tests learns which ones it passes, and kills itself at one."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plot_nb.backend.sqlite import SqliteBackend

HARMLESS = {"SELECT", "PRAGMA", "BEGIN", "ROLLBACK", "EXPLAIN", "ATTACH", "DETACH"}
"""Statements that make nothing durable."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One passing of a commit point.

    Attributes:
        step: The step of the program in which it was.
        point: The point's side and name: `before claim`.
        nth: Which passing of that point in that step, from 1.
    """

    step: str
    point: str
    nth: int


@dataclass(slots=True)
class Passage:
    """Counts the commit points that this process passes, step by step, and kills it at one.

    What falls due in a step follows from how long those before it took, and that from where they were cut off. So a
    process that does not come to its place in its step dies at the next commit point there is.

    Attributes:
        steps: All steps, in order.
        tell: Told of the place where this process dies, before it does.
        deadly: Where this process dies; None to go on to the end.
        step: The step that the program is in.
        passed: All places so far, in order.
        unannounced: What changed a database at no commit point.
    """

    steps: list[str]
    tell: Callable[[Place], object]
    deadly: Place | None = None
    step: str = "open"
    passed: list[Place] = field(default_factory=list)
    unannounced: list[str] = field(default_factory=list)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def watch(self) -> None:
        """Begin."""
        on_commit_points(self._pass)
        connect = sqlite3.connect

        def traced(*given: Any, **settings: Any) -> sqlite3.Connection:
            database: sqlite3.Connection = connect(*given, **settings)
            database.set_trace_callback(lambda sql: self._execute(database, sql))
            return database

        sqlite3.connect = traced  # type: ignore[assignment]

    def _pass(self, point: str) -> None:
        self._counts[self.step, point] += 1
        place = Place(self.step, point, self._counts[self.step, point])
        if place == self.deadly or self._is_late():
            self.tell(place)
            die()
        self.passed.append(place)

    def _is_late(self) -> bool:
        """Whether the step of the deadly place is over."""
        return self.deadly is not None and self.steps.index(self.step) > self.steps.index(self.deadly.step)

    def _execute(self, database: sqlite3.Connection, sql: str) -> None:
        """See whether a statement makes something durable between a `before` and its `after`, as it must."""
        verb = sql.split(maxsplit=1)[0].rstrip(";").upper()
        commits = verb == "COMMIT" or not (database.in_transaction or verb in HARMLESS)
        if commits and not (self.passed and self.passed[-1].point.startswith("before ")):
            self.unannounced.append(f"{self.step}: {sql[:200]}")

    def as_record(self) -> dict[str, Any]:
        """What was passed, for `Record`."""
        passed = [(place.step, place.point, place.nth) for place in self.passed]
        return {"passed": passed, "unannounced": self.unannounced}


def kill_at(point: str, nth: int) -> None:
    """Have this process kill itself at a commit point."""
    seen = 0

    def count(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            die()

    on_commit_points(count)


def on_commit_points(call: Callable[[str], None]) -> None:
    """Have `call` told of each commit point that this process passes."""

    def commit_point(_: SqliteBackend, name: str) -> None:
        call(name)

    setattr(SqliteBackend, "commit_point", commit_point)  # noqa: B010  mypy takes no assignment here


def die() -> None:
    """Kill this process, as a machine that is switched off would."""
    os.kill(os.getpid(), signal.SIGKILL)
