"""What a runtime holds at a moment: what waits, what was given up, and what the twists made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from plot_nb.engine.clock import to_datetime
from plot_nb.engine.masking import Mask
from plot_nb.journal.instances import Instances
from plot_nb.journal.reader import reading
from plot_nb.journal.wire import Cell, StateTable
from plot_nb.twist import superjson

LISTED = 200
"""Rows of a table that a picture gets; it says how many there are."""

_TEXT = 200
"""Characters of a cell."""


class _Query(NamedTuple):
    """What a table is made from.

    Attributes:
        columns: The table's, beside whose a row is.
        select: An expression each.
        source: Tables, and which rows of them; `instance` is that of the first.
        order: What comes first.
    """

    columns: tuple[str, ...]
    select: str
    source: str
    order: str
    instance: str = "instance"


_QUERIES = {
    "Tasks": _Query(
        ("method", "key", "cause", "state", "run at", "every, s", "attempts", "queued"),
        "method, key, cause, state, due, every / 1000000.0, attempts, queued",
        "executions WHERE state IN ('queued', 'running') AND NOT awaited AND cause != 'lifecycle'",
        "due, number",
    ),
    "Dead letters": _Query(
        ("method", "key", "cause", "attempts", "outcome", "error", "line", "died", "execution"),
        "e.method, e.key, e.cause, e.attempts, a.outcome, a.error, a.line, a.ended, e.id",
        """executions e JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE execution = e.id)
        WHERE e.state = 'dead'""",
        "a.id DESC",
        "e.instance",
    ),
    "Callbacks": _Query(
        ("method", "args", "version", "created", "callback"),
        "method, args, version, created, token",
        "callbacks WHERE deleted IS NULL",
        "created DESC, token",
    ),
    "Webhooks": _Query(
        ("method", "kind", "posts", "version", "created", "token"),
        "method, iif(sync, 'answers', 'queues'), posts, version, created, token",
        "webhooks WHERE deleted IS NULL",
        "created DESC, token",
    ),
    "Activities": _Query(
        ("id", "key", "type", "title", "notes", "updated"),
        """id, key, json_extract(document, '$.json.type'), json_extract(document, '$.json.title'),
        (SELECT count(*) FROM notes n WHERE n.instance = activities.instance AND n.activity = activities.id),
        updated""",
        "activities WHERE true",
        "number DESC",
    ),
}

_TIMES = frozenset({"run at", "queued", "died", "created", "updated"})


def state(path: Path, instance: int | None) -> list[StateTable]:
    """The tables of one instance, or of all; options masked.

    Raises:
        RuntimeClosed: If the file is gone.
    """
    with reading(path) as connection:
        instances = Instances(connection)
        return [_table(connection, instances, instance, name) for name in _QUERIES]


def _table(
    connection: sqlite3.Connection, instances: Instances, instance: int | None, name: str
) -> StateTable:
    columns, select, source, order, owner = _QUERIES[name]
    chosen = f"{source} AND {owner} = coalesce(?, {owner})"
    total = connection.execute(f"SELECT count(*) FROM {chosen}", (instance,)).fetchone()[0]
    found = connection.execute(
        f"SELECT {owner}, {select} FROM {chosen} ORDER BY {order} LIMIT {LISTED}", (instance,)
    )
    rows: list[list[Cell]] = [
        [instances.labels.get(whose, ""), *_cells(columns, row, instances.mask(whose))]
        for whose, *row in found
    ]
    return {"name": name, "columns": ["twist", *columns], "rows": rows, "total": total}


def _cells(columns: Iterable[str], row: Iterable[Any], mask: Mask) -> list[Cell]:
    return [_cell(name, value, mask) for name, value in zip(columns, row, strict=True)]


def _cell(name: str, value: Any, mask: Mask) -> Cell:
    if value is None:
        return None
    if name in _TIMES:
        return f"{to_datetime(value):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    if isinstance(value, int | float):
        return value
    shown = mask(str(value)) or ""
    if name == "args":
        shown = _arguments(shown)
    return shown if len(shown) <= _TEXT else f"{shown[:_TEXT]}…"


def _arguments(text: str) -> str:
    """As Python writes them; the text itself where it was masked to no value."""
    try:
        return ", ".join(map(repr, superjson.loads(text)))
    except (TypeError, ValueError):
        return text
