"""What is new in a state file, as rows for a picture: read while the engine goes on writing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from plot_nb.journal import passes, wire
from plot_nb.journal.instances import Instances
from plot_nb.journal.progress import Tracker
from plot_nb.journal.reader import id_list, reading
from plot_nb.journal.scope import Scope, View
from plot_nb.journal.wire import (
    KINDS,
    Cursor,
    ExecutionRows,
    Kind,
    Rows,
    ScheduledRows,
    milliseconds,
    optional_milliseconds,
    shortened,
    words,
)
from plot_nb.journal.writes import new_writes, write_rows

__all__ = [
    "START",
    "Budget",
    "Scope",
    "attempt_rows",
    "changes",
    "execution_rows",
    "latest",
    "limits_of",
    "origin_of",
    "scheduled_rows",
]

START: Cursor = {"attempt": 0, "write": 0}

SCHEDULED = 100
"""Tasks that wait, of which rows are given: the first by their time."""

ERROR = 300
"""Characters of an error beside its attempt; all of it is in the detail."""

_ROW = 130
"""Bytes of an attempt's row, its error aside."""

_ENDED = 500

_EXECUTIONS = """
SELECT a.id, e.number, a.attempt, p.number, a.instance, a.version, a.method, a.cause, a.outcome, a.requests,
       a.cpu_ms, a.wall_ms, a.memory_peak,
       CASE WHEN a.attempt > 1
            THEN (SELECT max(b.ended) FROM attempts b WHERE b.execution = a.execution AND b.id < a.id)
            WHEN NOT e.awaited AND a.cause != 'lifecycle' THEN e.queued END,
       a.started, a.ended, a.line, a.error,
       CASE WHEN a.method = '__drain__' OR a.method LIKE '%.!_!_drain!_!_' ESCAPE '!'
            THEN (SELECT body FROM payloads WHERE digest = a.args) END
FROM json_each(?) j CROSS JOIN attempts a ON a.id = j.value
LEFT JOIN executions e ON e.id = a.execution LEFT JOIN executions p ON p.id = a.parent
"""

# In the order of the primary key, so that nothing has to be sorted.
_SPENT = f"""
SELECT attempt_id, {", ".join(f"sum(tool = '{kind}')" for kind in KINDS[:-1])} FROM requests
WHERE attempt_id IN (SELECT value FROM json_each(?)) AND seq <= ? GROUP BY attempt_id
"""

# The first condition is the index's own: SQLite takes it for no other.
_SCHEDULED = """
SELECT e.number, p.number, e.method, coalesce(e.key, ''), e.due, e.every / 1000.0, e.parent, e.instance
FROM executions e LEFT JOIN executions p ON p.id = e.parent
WHERE e.state IN ('queued', 'running')
  AND e.state = 'queued' AND NOT e.awaited AND e.cause != 'lifecycle' AND e.attempts = 0 {where}
ORDER BY e.due, e.number
"""


class Budget(Protocol):
    """The limits that a picture shows: `plot_nb.Limits`."""

    @property
    def requests(self) -> int:
        """Metered requests."""

    @property
    def cpu(self) -> float:
        """Seconds of computing."""

    @property
    def memory(self) -> int:
        """Bytes."""

    @property
    def time(self) -> float:
        """Seconds on the runtime's clock."""

    @property
    def chain(self) -> int:
        """Executions after which a chain pauses."""


def changes(
    path: Path,
    scope: Scope,
    *,
    limits: Budget,
    after: Cursor = START,
    running: Collection[int] = (),
    origin: int | None = None,
    now: int | None = None,
    active: bool | None = None,
    paused: str | None = None,
    value: str | None = None,
    progress: Tracker | None = None,
    most: int = 800,
    size: int = 80_000,
) -> Rows:
    """What is in a scope after a cursor, a piece at a time.

    Args:
        path: The state file.
        scope: Which attempts, and with them which writes and tasks.
        limits: The budget of each attempt.
        after: Up to where the rows before went.
        running: Attempts that were given as running: they come again when they have ended.
        origin: Where times begin, in microseconds; unless given, as `origin_of` says.
        now: The runtime's time in microseconds; unless given, the latest that the file knows.
        active: Whether more may come though nothing runs at the moment; None: more comes only while an attempt runs.
        paused: Why a chain waits to be resumed.
        value: What the first execution returned, as its repr.
        progress: Follows one key.
        most: Attempts in one piece.
        size: Bytes of one piece, about.

    Returns:
        Rows; `running` is true also where there is more than fits in.
    """
    with reading(path) as connection:
        view = View(connection, scope)
        began = view.began()
        start = origin if origin is not None else view.origin() or 0
        going = active if active is not None else view.unfinished()
        instances = Instances(connection)
        ended = _ended(connection, {attempt for attempt in running if attempt <= after["attempt"]})
        fresh = view.attempts_after(after["attempt"], most)
        room = max(size * 3 // 8, size - _ROW * (len(fresh) + len(ended)))
        piece = new_writes(view, instances, after["write"], room, active=going, began=began)
        rest = size - sum(wire_size(write.key) + wire_size(write.text) + 60 for write in piece.writes)
        attempts = attempt_rows(connection, ended)
        attempts += _fitting(attempt_rows(connection, fresh[:most]), rest)
        to = _reached(fresh, attempts, after["attempt"])
        if progress is not None:
            progress.read(connection)
        return {
            "origin": start / 1000,
            "now": milliseconds(now if now is not None else latest(connection), start),
            "running": going or piece.more or bool(fresh and to < fresh[-1]),
            "paused": paused,
            "rate": view.rate(),
            "limits": limits_of(limits),
            "value": value,
            "executions": execution_rows(connection, attempts, instances, limits.requests, start),
            "scheduled": scheduled_rows(view, instances, start),
            "writes": write_rows(piece.writes, start),
            "progress": None
            if progress is None
            else progress.rows(after["write"], piece.to, {row[0] for row in attempts if row[8]}, start),
            "details": [],
            "sources": [],
            "left_out": 0,
            "writes_left_out": piece.left_out,
            "from": {"attempt": after["attempt"], "write": after["write"]},
            "to": {"attempt": to, "write": piece.to},
        }


def origin_of(path: Path, scope: Scope) -> int | None:
    """Where the times of a scope begin, in microseconds; None while nothing has happened in it."""
    with reading(path) as connection:
        return View(connection, scope).origin()


def latest(connection: Any) -> int:
    """The latest moment that the file knows of, in microseconds."""
    sources = (
        "SELECT value FROM meta WHERE key = 'now'",
        "SELECT started FROM attempts WHERE id = (SELECT max(id) FROM attempts)",
        "SELECT updated FROM store_versions WHERE id = (SELECT max(id) FROM store_versions)",
    )
    return max((row[0] for sql in sources for row in connection.execute(sql)), default=0)


def limits_of(limits: Budget) -> wire.Limits:
    """The limits as the wire has them."""
    return {
        "requests": limits.requests,
        "cpu": limits.cpu,
        "memory": limits.memory,
        "time": limits.time,
        "chain": limits.chain,
    }


def attempt_rows(connection: Any, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Attempts as the query above has them, ascending."""
    if not ids:
        return []
    return list(connection.execute(f"{_EXECUTIONS} ORDER BY a.id", (id_list(ids),)))


def _ended(connection: Any, ids: Collection[int]) -> list[int]:
    """Which of them run no more; of very many the first, the others come with the next piece."""
    found = connection.execute(
        "SELECT id FROM attempts WHERE id IN (SELECT value FROM json_each(?)) AND outcome IS NOT NULL"
        " ORDER BY id LIMIT ?",
        (id_list(ids), _ENDED),
    )
    return [attempt for (attempt,) in found]


def _fitting(rows: list[tuple[Any, ...]], size: int) -> list[tuple[Any, ...]]:
    """The first rows that fit in; one in any case."""
    errors = {""}
    used = 0
    for place, row in enumerate(rows):
        used += _ROW
        error = _error(row[17])
        if error not in errors:
            errors.add(error)
            used += wire_size(error)
        if used > size and place:
            return rows[:place]
    return rows


def _reached(fresh: list[int], attempts: list[tuple[Any, ...]], after: int) -> int:
    """Up to which attempt the rows go; one that is in the list but gone from the file holds nothing up."""
    found = [row[0] for row in attempts if row[0] > after]
    if not fresh:
        return after
    return max(found) if found else fresh[-1]


def wire_size(text: str | None) -> int:
    """Bytes of a text on the wire."""
    return len(msgspec.json.encode(text))


def execution_rows(
    connection: Any, attempts: list[tuple[Any, ...]], instances: Instances, limit: int, origin: int
) -> ExecutionRows:
    """Attempts as columns.

    Args:
        connection: To count their requests by kind.
        attempts: Rows of the query above.
        instances: Names.
        limit: Requests that an attempt may make: what is above was refused.
        origin: Where times begin.
    """
    counts = {
        attempt: kinds
        for attempt, *kinds in connection.execute(_SPENT, (id_list(row[0] for row in attempts), limit))
    }
    requests = [row[9] or 0 for row in attempts]
    none = [0] * (len(KINDS) - 1)
    spent = [_whole(counts.get(row[0], none), number) for row, number in zip(attempts, requests, strict=True)]
    by_kind: dict[Kind, list[int]] = {
        kind: [each[place] for each in spent] for place, kind in enumerate(KINDS)
    }
    return {
        "id": [row[0] for row in attempts],
        "execution": [row[1] if row[1] is not None else -row[0] for row in attempts],
        "attempt": [row[2] for row in attempts],
        "parent": [row[3] for row in attempts],
        "twist": words(instances.labels.get(row[4], "?") for row in attempts),
        "version": [row[5] for row in attempts],
        "method": words(_method(row, instances) for row in attempts),
        "cause": words(row[7] for row in attempts),
        "outcome": words(row[8] or "running" for row in attempts),
        "requests": requests,
        "spent": {kind: column for kind, column in by_kind.items() if any(column)},
        "cpu_ms": [_measured(row[10]) for row in attempts],
        "wall_ms": [_measured(row[11]) for row in attempts],
        "memory_peak": [row[12] for row in attempts],
        "queued": [optional_milliseconds(row[13], origin) for row in attempts],
        "started": [milliseconds(row[14], origin) for row in attempts],
        "ended": [optional_milliseconds(row[15], origin) for row in attempts],
        "line": [row[16] for row in attempts],
        "error": words(_error(row[17]) for row in attempts),
    }


def _method(row: tuple[Any, ...], instances: Instances) -> str:
    return row[6] if row[18] is None else passes.named(row[6], instances.mask(row[4])(row[18]))


def _whole(counts: Sequence[int], requests: int) -> list[int]:
    """Requests by kind such that they make up the metered total: it is the meter that counts."""
    parts = [*counts, requests - sum(counts)]
    while parts[-1] < 0:
        largest = max(range(len(parts) - 1), key=lambda place: parts[place])
        given = min(parts[largest], -parts[-1])
        parts[largest] -= given
        parts[-1] += given
    return parts


def _measured(number: float | None) -> float | None:
    return None if number is None else shortened(number, 1)


def _error(text: str | None) -> str:
    if text is None:
        return ""
    return text if len(text) <= ERROR else f"{text[:ERROR]}…"


def scheduled_rows(view: View, instances: Instances, origin: int, most: int = SCHEDULED) -> ScheduledRows:
    """The tasks that wait: those that the attempts of a run queued, or all of an instance or file."""
    where = "" if view.instance is None else "AND e.instance = ?"
    given = () if view.instance is None else (view.instance,)
    found = view.connection.execute(_SCHEDULED.format(where=where), given).fetchall()
    if view.ids is not None:
        queued_by = {parent: _is_of_run(view, parent) for parent in {row[6] for row in found}}
        found = [row for row in found if queued_by[row[6]]]
    rows = found[:most]
    return {
        "execution": [row[0] for row in rows],
        "parent": [row[1] for row in rows],
        "method": words(row[2] for row in rows),
        "key": words(instances.mask(row[7])(row[3]) or "" for row in rows),
        "due": [milliseconds(row[4], origin) for row in rows],
        "every_ms": [None if row[5] is None else shortened(row[5]) for row in rows],
        "total": len(found),
    }


def _is_of_run(view: View, execution: str | None) -> bool:
    found = view.connection.execute("SELECT id FROM attempts WHERE execution = ?", (execution,))
    return any(view.has(attempt) for (attempt,) in found)
