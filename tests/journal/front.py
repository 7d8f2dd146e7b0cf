"""The other side of the wire, as simple as can be: applies rows, and asks for more."""

from __future__ import annotations

from typing import Any

from plot_nb.journal.changes import START, changes
from plot_nb.journal.progress import Tracker
from plot_nb.journal.scope import Scope
from plot_nb.journal.wire import Cursor, Rows
from tests.journal.files import LIMITS, File


class Front:
    """A picture's journal: rows by their id."""

    def __init__(self, file: File, scope: Scope, progress: Tracker | None = None) -> None:
        self.file, self.scope, self.tracker = file, scope, progress
        self.executions: dict[int, dict[str, Any]] = {}
        self.writes: dict[int, dict[str, Any]] = {}
        self.progress: dict[int, dict[str, Any]] = {}
        self.field = ""
        self.scheduled: Any = None
        self.writes_left_out = 0
        self.cursor: Cursor = START
        self.messages = 0
        self.origin: float | None = None
        self.timed = False

    def ask(self, **bounds: Any) -> Rows:
        """Take one piece."""
        rows = changes(
            self.file.path,
            self.scope,
            limits=LIMITS,
            after=self.cursor,
            running=self.unfinished(),
            progress=self.tracker,
            **bounds,
        )
        assert rows["from"] == self.cursor
        assert rows["to"] is not None
        self.cursor = rows["to"]
        self.messages += 1
        times = rows["executions"]["started"] + rows["writes"]["updated"]
        assert self.origin is None or not self.timed or rows["origin"] == self.origin, "times begin elsewhere"
        self.origin, self.timed = rows["origin"], self.timed or bool(times)
        self.executions |= by_id(rows["executions"])
        self.writes |= by_id(rows["writes"])
        self.scheduled = rows["scheduled"]
        self.writes_left_out += rows["writes_left_out"]
        if rows["progress"] is not None:
            if rows["progress"]["field"] != self.field:
                self.progress, self.field = {}, rows["progress"]["field"]
            self.progress |= by_id(rows["progress"])
        return rows

    def drain(self, **bounds: Any) -> None:
        """Take all that there is."""
        before = None
        while self.ask(**bounds)["running"] and self.cursor != before:
            before = self.cursor

    def unfinished(self) -> set[int]:
        """What it believes running."""
        return {number for number, row in self.executions.items() if row["outcome"] == "running"}

    def seen(self) -> dict[str, Any]:
        """All of it."""
        return {
            "executions": self.executions,
            "writes": self.writes,
            "progress": self.progress,
            "field": self.field,
            "scheduled": self.scheduled,
        }


def by_id(rows: Any) -> dict[int, dict[str, Any]]:
    """Columns as rows by their id."""
    found: dict[int, dict[str, Any]] = {number: {} for number in rows["id"]}
    assert len(found) == len(rows["id"]), "an id twice in one message"
    for name, column in rows.items():
        if name == "spent":
            for kind, counts in column.items():
                for number, count in zip(rows["id"], counts, strict=True):
                    if count:
                        found[number].setdefault("spent", {})[kind] = count
            continue
        texts = isinstance(column, dict)
        if texts or isinstance(column, list):
            cells = [column["words"][place] for place in column["at"]] if texts else column
            for number, value in zip(rows["id"], cells, strict=True):
                found[number][name] = value
    return found
