"""State files with as many executions as one wants, made of a real chain's rows in no time."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from plot_nb import Limits, Runtime
from tests.runtime.twists import methods

CHAIN = """
async def page(self, left):
    await self.set("state", {"left": left, "at": now()})
    await self.set(f"item:{left % 50}", {"title": "x" * 40, "done": left % 2 == 0})
    await self.get("state")
    print("page", left)
    if left:
        await self.run_task(await self.callback(self.page, left - 1))
"""
LIMITS = Limits(chain=1_000_000)
TEMPLATE = 100
"""Executions of the real chain."""

_SAME = "{0}"
_LATER = "{0} + :k * :span"
_OTHER = "substr({0}, 1, length({0}) - 4) || printf('z%03x', :k)"
_IDS = ("execution", "parent", "chain", "callback", "token", "digest", "args", "kwargs", "result", "payload")
_MOMENTS = ("due", "queued", "started", "ended", "updated", "created", "time")
_NUMBERS = {
    ("executions", "number"): "executions",
    ("attempts", "id"): "attempts",
    ("requests", "attempt_id"): "attempts",
    ("logs", "attempt_id"): "attempts",
    ("callbacks", "attempt_id"): "attempts",
    ("store_versions", "attempt_id"): "attempts",
    ("store_versions", "id"): "store_versions",
    ("store_versions", "version"): "store_versions",
    ("events", "id"): "events",
}
"""Columns that count, and the table whose rows they count."""

_FILLED = ("executions", "attempts", "requests", "logs", "callbacks", "store_versions", "events", "payloads")


def filled(path: Path, executions: int) -> int:
    """Make a state file in which a chain of so many executions has run; returns how many they are.

    The rows are those of a chain of `TEMPLATE`, copied with ids, numbers and times of their own.
    """
    asyncio.run(_template(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        begun, ended = database.execute("SELECT min(queued), max(queued) FROM executions").fetchone()
        sizes = {"span": ended - begun + 100_000}
        statements = []
        for table in _FILLED:
            database.execute(f"CREATE TEMP TABLE one_{table} AS SELECT * FROM {table}")
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            key = "number" if table == "executions" else "id"
            sizes[table] = (
                database.execute(f"SELECT max({key}) FROM {table}").fetchone()[0] or 0
                if key in columns
                else 0
            )
            copies = ", ".join(_copied(table, column) for column in columns)
            statements.append(f"INSERT INTO {table} SELECT {copies} FROM one_{table}")
        database.execute("BEGIN")
        for number in range(1, executions // TEMPLATE):
            for statement in statements:
                database.execute(statement, {"k": number, **sizes})
        last = (executions // TEMPLATE - 1) * sizes["span"]
        database.execute("UPDATE meta SET value = value + ? WHERE key = 'now'", (last,))
        database.execute(
            "UPDATE store SET head = (SELECT max(id) FROM store_versions v"
            " WHERE v.instance = store.instance AND v.key = store.key)"
        )
        database.execute("COMMIT")
        return int(database.execute("SELECT count(*) FROM executions").fetchone()[0])


def _copied(table: str, column: str) -> str:
    if (table, column) in _NUMBERS:
        return f"{column} + :k * :{_NUMBERS[table, column]}"
    if (table, column) == ("executions", "id") or (column in _IDS and (table, column) not in _TEXTS):
        return _OTHER.format(column)
    return _LATER.format(column) if column in _MOMENTS else column


_TEXTS = {("executions", "args"), ("executions", "kwargs"), ("callbacks", "args")}
"""Columns of superjson, where others of the name hold the digest of a payload."""


async def _template(path: Path) -> None:
    async with Runtime(path, seed=1, limits=LIMITS) as runtime:
        twist = await runtime.deploy(methods(CHAIN))
        (await twist.page(TEMPLATE - 1)).raise_for_outcome()
