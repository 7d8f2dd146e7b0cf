"""A browser's side of the wire, as `labextension/src/charts/link.ts` and `journal.ts` have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plot_nb.widgets.asks import Answer
from plot_nb.widgets.connection import Connection
from plot_nb.widgets.following import Following
from plot_nb.widgets.source import Source

PUSHES_PER_FOLLOW = 25
MISSED = 5


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Page:
    """One picture in a browser.

    Attributes:
        loses: Says of each message whether it gets lost on the way.
        attempts: Outcomes by attempt's id.
        writes: Texts by write's id.
        totals: How far a sync had come, by write's id.
        answers: All but rows.
        times: When each message came.
    """

    source: Source | None
    following: Following
    clock: Clock
    view: str = "v"
    keeps: bool = True
    loses: Callable[[], bool] = lambda: False
    attempts: dict[int, str] = field(default_factory=dict)
    writes: dict[int, str | None] = field(default_factory=dict)
    totals: dict[int, float] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    running: bool = True
    lost: int = 0
    follows: int = 0
    rows: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cursor = {"attempt": 0, "write": 0}
        self.pushes = self.missed = 0
        self.number = 0
        self.connection = Connection(self.source, self.hear, keeps=self.keeps, following=self.following)

    def follow(self) -> None:
        self.pushes = 0
        self.follows += 1
        running = [attempt for attempt, outcome in self.attempts.items() if outcome == "running"]
        self.say(ask="follow", after=self.cursor, running=running)

    def say(self, **ask: Any) -> None:
        self.connection.hear(json.loads(json.dumps({"view": self.view, **ask})))

    def ask(self, **ask: Any) -> Answer:
        """An ask that is answered at once."""
        self.number += 1
        self.say(number=self.number, **ask)
        answer = self.answers.pop()
        assert answer.get("number", self.number) == self.number
        assert answer["view"] == self.view
        return answer

    def hear(self, answer: Answer) -> None:
        answer = json.loads(json.dumps(answer))
        if answer["view"] not in {None, self.view}:
            return
        if "rows" not in answer:
            self.answers.append(answer)
            return
        self.times.append(self.clock.now)
        self.sizes.append(len(json.dumps(answer, separators=(",", ":"))))
        if self.loses():
            self.lost += 1
            return
        self.take(answer["rows"])

    def take(self, rows: dict[str, Any]) -> None:
        if rows["from"]["attempt"] > self.cursor["attempt"] or rows["from"]["write"] > self.cursor["write"]:
            self.follow()
            return
        self.rows = rows
        self.running = rows["running"]
        executions, writes = rows["executions"], rows["writes"]
        outcomes = executions["outcome"]
        for attempt, at in zip(executions["id"], outcomes["at"], strict=True):
            self.attempts[attempt] = outcomes["words"][at]
            self.cursor["attempt"] = max(self.cursor["attempt"], attempt)
        for write, text in zip(writes["id"], writes["text"], strict=True):
            self.writes[write] = text
            self.cursor["write"] = max(self.cursor["write"], write)
        if (progress := rows["progress"]) is not None:
            self.totals |= dict(zip(progress["id"], progress["total"], strict=True))
        self.cursor = {kind: max(self.cursor[kind], rows["to"][kind]) for kind in self.cursor}
        self.pushes += 1
        self.missed = 0 if rows["running"] else self.missed + 1
        misses_an_end = self.missed <= MISSED and "running" in self.attempts.values()
        if self.pushes >= PUSHES_PER_FOLLOW if rows["running"] else misses_an_end:
            self.follow()
