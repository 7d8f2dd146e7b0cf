"""One attempt in full, the source that it ran, and the values that were written."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plot_nb.engine.masking import Mask
from plot_nb.journal.cells import masked_cell
from plot_nb.journal.instances import Instances
from plot_nb.journal.reader import id_list, reading
from plot_nb.journal.wire import (
    Detail,
    LineRows,
    LogRows,
    RequestRows,
    Source,
    milliseconds,
    shortened,
    words,
)
from plot_nb.twist import superjson

SOURCE = 200_000
"""Characters of a source that are given."""

_DETAIL = 300
_ERROR = 500
_LOG = 2000
_VALUES = 200
_VALUE_BYTES = 2 * 2**20

_ATTEMPT = """
SELECT a.instance, a.traceback, args.body, kwargs.body, result.body, a.outcome FROM attempts a
LEFT JOIN payloads args ON args.digest = a.args LEFT JOIN payloads kwargs ON kwargs.digest = a.kwargs
LEFT JOIN payloads result ON result.digest = a.result WHERE a.id = ?
"""
_LINES = """
SELECT line, tool, operation, count(*) FROM requests WHERE attempt_id = ? AND seq <= ?
GROUP BY line, tool, operation ORDER BY line, count(*) DESC, tool, operation
"""
_REQUESTS = """
SELECT seq, tool, operation, detail, line, started, duration, bytes_in, bytes_out, cpu_ms, error
FROM requests WHERE attempt_id = ?1 AND seq <= ?2 + 1 ORDER BY seq LIMIT ?3
"""
_LOGS = """
SELECT seq, time, level, line, text, position FROM logs WHERE attempt_id = ?1
ORDER BY level NOT IN ('warning', 'error'), position LIMIT ?2
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of an attempt is given.

    Attributes:
        requests: Rows of requests; the totals by line count all.
        logs: Rows of logs; warnings and errors are the last to be left out.
        log_text: Characters of all logs together.
        text: Characters of arguments, result and traceback, each.
    """

    requests: int = 2000
    logs: int = 1000
    log_text: int = 100_000
    text: int = 20_000


FULL = Bounds()


def details(path: Path, attempt: int, *, limit: int, origin: int, bounds: Bounds = FULL) -> Detail | None:
    """All about one attempt; None if the file has no such attempt (any more).

    Args:
        path: The state file.
        attempt: The attempt's id.
        limit: Requests that an attempt may make: what is above was refused.
        origin: Where times begin, in microseconds.
        bounds: How much of it.
    """
    with reading(path) as connection:
        return detail_of(
            connection, Instances(connection), attempt, limit=limit, origin=origin, bounds=bounds
        )


def detail_of(
    connection: sqlite3.Connection,
    instances: Instances,
    attempt: int,
    *,
    limit: int,
    origin: int,
    bounds: Bounds = FULL,
) -> Detail | None:
    """The same over a connection."""
    found = connection.execute(_ATTEMPT, (attempt,)).fetchone()
    if found is None:
        return None
    instance, traceback, args, kwargs, result, outcome = found
    mask = instances.mask(instance)
    logs, left_out = _logs(connection, attempt, origin, bounds, mask)
    return {
        "id": attempt,
        "arguments": _cut(_arguments(mask(args), mask(kwargs)), bounds.text),
        "result": _cut(_shown(mask(result)), bounds.text) if outcome == "ok" else None,
        "traceback": _cut(mask(traceback), bounds.text),
        "lines": _lines(connection, attempt, limit),
        "requests": _requests(connection, attempt, limit, origin, bounds, mask),
        "logs": logs,
        "logs_left_out": left_out,
    }


def _arguments(args: str | None, kwargs: str | None) -> str | None:
    """As in a call: `1, name='x'`; as text where masking or cutting left no value."""
    positional, named = _decoded(args), _decoded(kwargs)
    parts = []
    if isinstance(positional, list):
        parts += [repr(each) for each in positional]
    elif args is not None:
        parts.append(args)
    if isinstance(named, dict):
        parts += [f"{name}={each!r}" for name, each in named.items()]
    elif kwargs is not None:
        parts.append(kwargs)
    return ", ".join(parts) or None


def _shown(text: str | None) -> str | None:
    """A value as Python writes it; as text where masking or cutting left none."""
    if text is None:
        return None
    try:
        value = superjson.loads(text)
    except ValueError:
        return text
    return None if value is None else repr(value)


def _decoded(text: str | None) -> Any:
    try:
        return None if text is None else superjson.loads(text)
    except ValueError:
        return None


def _cut(text: str | None, most: int) -> str | None:
    """Its beginning and its end, which says what happened."""
    if text is None or len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… ({len(text) - 2 * half:,} characters left out)\n{text[-half:]}"


def _counted(text: str) -> str:
    return text if len(text) <= _LOG else f"{text[:_LOG]}… ({len(text):,} characters)"


def _ellipsis(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _lines(connection: sqlite3.Connection, attempt: int, limit: int) -> LineRows:
    """Totals by line; of many operations on one line, which only a twist can make up, those that are most."""
    found = connection.execute(_LINES, (attempt, limit)).fetchall()
    if len(found) > 2000:
        by_line: Counter[int | None] = Counter()
        for line, _, _, number in found:
            by_line[line] += number
        found = [(line, "other", "", number) for line, number in by_line.items()]
    return {
        "line": [row[0] for row in found],
        "tool": words(_ellipsis(row[1], 40) for row in found),
        "operation": words(_ellipsis(row[2], 40) for row in found),
        "requests": [row[3] for row in found],
    }


def _requests(
    connection: sqlite3.Connection, attempt: int, limit: int, origin: int, bounds: Bounds, mask: Mask
) -> RequestRows:
    found = connection.execute(_REQUESTS, (attempt, limit, bounds.requests)).fetchall()
    return {
        "seq": [row[0] for row in found],
        "tool": words(_ellipsis(row[1], 40) for row in found),
        "operation": words(_ellipsis(row[2], 40) for row in found),
        "detail": [_ellipsis(mask(row[3]) or "", _DETAIL) for row in found],
        "line": [row[4] for row in found],
        "started": [milliseconds(row[5], origin) for row in found],
        "duration_ms": [None if row[6] is None else milliseconds(row[6], 0) for row in found],
        "bytes_in": [row[7] for row in found],
        "bytes_out": [row[8] for row in found],
        "cpu_ms": [None if row[9] is None else shortened(row[9], 1) for row in found],
        "error": words(_ellipsis(mask(row[10]) or "", _ERROR) for row in found),
    }


def _logs(
    connection: sqlite3.Connection, attempt: int, origin: int, bounds: Bounds, mask: Mask
) -> tuple[LogRows, int]:
    """The logs in their order, and how many are left out."""
    total = connection.execute("SELECT count(*) FROM logs WHERE attempt_id = ?", (attempt,)).fetchone()[0]
    chosen: list[tuple[Any, ...]] = []
    used = 0
    for row in connection.execute(_LOGS, (attempt, bounds.logs)):
        used += min(len(row[4]), _LOG) + 40
        if used > bounds.log_text and chosen:
            break
        chosen.append(row)
    chosen.sort(key=lambda row: row[5])
    rows: LogRows = {
        "seq": [row[0] for row in chosen],
        "time": [milliseconds(row[1], origin) for row in chosen],
        "level": words(row[2] for row in chosen),
        "line": [row[3] for row in chosen],
        "text": [_counted(mask(row[4]) or "") for row in chosen],
    }
    return rows, total - len(chosen)


def source_for(path: Path, attempt: int) -> Source | None:
    """The text that an attempt ran."""
    with reading(path) as connection:
        found = connection.execute(
            "SELECT instance, version FROM attempts WHERE id = ?", (attempt,)
        ).fetchone()
        return None if found is None else source_in(connection, Instances(connection), *found)


def source_in(
    connection: sqlite3.Connection, instances: Instances, instance: int, version: int, most: int = SOURCE
) -> Source | None:
    """The text of an instance's version over a connection: the user's own cell, options masked."""
    found = connection.execute(
        "SELECT program FROM versions WHERE instance = ? AND version = ?", (instance, version)
    ).fetchone()
    if found is None:
        return None
    program = json.loads(found[0])
    # Half a surrogate pair, which JSON can hold, can be in no message and in no notebook.
    text = masked_cell(program["source"].encode(errors="replace").decode(), instances.mask(instance))
    return {
        "twist": instances.labels.get(instance, "?"),
        "version": version,
        "filename": _ellipsis(program["filename"], 200),
        "text": text if len(text) <= most else f"{text[:most]}\n# … ({len(text):,} characters)",
    }


def values(path: Path, ids: Iterable[int]) -> list[tuple[int, str]]:
    """Writes by id with their superjson text, options masked; clears and unknown ones are left out.

    At most 200, and about 2 MiB: who gets fewer than asked for asks for the rest.
    """
    with reading(path) as connection:
        instances = Instances(connection)
        found = connection.execute(
            "SELECT v.id, v.instance, v.value FROM json_each(?) j CROSS JOIN store_versions v ON v.id = j.value"
            " WHERE v.value IS NOT NULL",
            (id_list(list(ids)[:_VALUES]),),
        )
        given: list[tuple[int, str]] = []
        used = 0
        for write, instance, text in found:
            used += len(text)
            if given and used > _VALUE_BYTES:
                break
            given.append((write, instances.mask(instance)(text) or ""))
        return given


def instance_of(path: Path, twist: str) -> int | None:
    """The id of the instance that rows name `twist`; None if there is none."""
    with reading(path) as connection:
        return Instances(connection).of(twist)
