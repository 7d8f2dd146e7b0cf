"""All that a state file holds, read with SQLite alone and not with the code that wrote it."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.witness import Witness

Row = dict[str, Any]

LOCKS = "__lock__:"
VOLATILE = ("volatile:", LOCKS)
"""Keys whose values count what happened, cuts included."""

PAST = {
    "versions": ["created"],
    "store_versions": ["updated"],
    "callbacks": ["created", "deleted"],
    "webhooks": ["created", "deleted"],
    "activities": ["created", "updated"],
    "notes": ["created", "updated"],
    "executions": ["queued"],
    "attempts": ["started", "ended"],
    "requests": ["started"],
    "logs": ["time"],
    "events": ["time"],
}
"""Columns of times that have passed."""


@dataclass(frozen=True, slots=True)
class State:
    """All tables of a state file, and what a witness saw of it."""

    tables: dict[str, list[Row]]
    facts: list[tuple[str, str, Any]]
    damage: list[str]

    @staticmethod
    def copy_of(path: Path, witness: Witness) -> State:
        """Read a copy, so that the file stays as it is: who opens it next finds it as a killed process left it."""
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ("", "-wal"):
                if Path(f"{path}{suffix}").exists():
                    shutil.copy(f"{path}{suffix}", f"{folder}/copy.db{suffix}")
            database = sqlite3.connect(f"{folder}/copy.db")
            try:
                return State._read(database, witness.facts())
            finally:
                database.close()

    @staticmethod
    def _read(database: sqlite3.Connection, facts: list[tuple[str, str, Any]]) -> State:
        damage = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {}
        for name in names:
            cursor = database.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in cursor.description]
            tables[name] = [dict(zip(columns, row, strict=True)) for row in cursor]
        return State(tables, facts, damage)

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    @property
    def attempts(self) -> dict[str, list[Row]]:
        """Attempts by execution, in order."""
        found: dict[str, list[Row]] = defaultdict(list)
        for attempt in sorted(self["attempts"], key=lambda row: int(row["id"])):
            found[attempt["execution"]].append(attempt)
        return found

    @property
    def is_complete(self) -> bool:
        """Whether retention has not dropped anything yet."""
        return ("client", "step", "look") not in self.facts

    @property
    def latest(self) -> int:
        """The latest moment that it speaks of as past."""
        times = [row["value"] for row in self["meta"] if row["key"] == "now"]
        for table, columns in PAST.items():
            times += [row[column] for row in self[table] for column in columns]
        return max((time for time in times if time is not None), default=0)

    @property
    def twists(self) -> dict[int, str]:
        """Names of twists by instance."""
        return {row["id"]: row["twist"] for row in self["instances"]}

    def seen(self, what: str) -> list[tuple[str, Any]]:
        """(who, item) of all facts of a kind."""
        return [(who, item) for who, fact, item in self.facts if fact == what]

    def final_store(self) -> dict[str, str]:
        """What the Stores hold in the end, but for what counts cuts, and what there is of activities and notes."""
        versions = {row["id"]: row["value"] for row in self["store_versions"]}
        documents = {
            f"{self.twists[row['instance']]}, {table} {row['key']}: {row['document']}": "there"
            for table in ("activities", "notes")
            for row in self[table]
        }
        return documents | {
            f"{self.twists[row['instance']]}/{row['key']}": versions[row["head"]]
            for row in self["store"]
            if not row["key"].startswith(VOLATILE)
        }

    def work(self) -> list[list[str]]:
        """What was to be done and what became of it: twist, cause, method, arguments, state; each once.

        What a user's edit tells a twist has the times of the activity, which cuts change.
        """
        found = {
            (
                self.twists[row["instance"]],
                row["cause"],
                row["method"],
                "" if row["cause"] == "event" else row["args"],
                row["state"],
            )
            for row in self["executions"]
        }
        return [list(each) for each in sorted(found)]
