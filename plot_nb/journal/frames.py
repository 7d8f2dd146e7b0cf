"""The journal as DataFrames. Times are UTC on the runtime's clock; durations are milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plot_nb.engine.masking import Mask
from plot_nb.journal.reader import id_list, rows
from plot_nb.twist import superjson

if TYPE_CHECKING:
    import pandas as pd

_EXECUTIONS = """
SELECT a.execution, a.attempt, a.parent, i.twist, i.name, a.version, a.method, a.cause,
       coalesce(a.outcome, 'running'), coalesce(a.requests, 0), a.cpu_ms, a.wall_ms, a.memory_peak,
       a.started, a.ended, a.error, a.line, a.traceback, a.cost
FROM attempts a JOIN instances i ON i.id = a.instance WHERE {where} ORDER BY a.id
"""
_EXECUTION_COLUMNS = (
    "execution",
    "attempt",
    "parent",
    "twist",
    "instance",
    "version",
    "method",
    "cause",
    "outcome",
    "requests",
    "cpu_ms",
    "wall_ms",
    "memory_peak",
    "started",
    "ended",
    "error",
    "line",
    "traceback",
    "cost",
)

_REQUESTS = """
SELECT a.execution, a.attempt, r.seq, r.tool, r.operation, r.detail, r.line, r.started, r.duration / 1000.0,
       r.bytes_in, r.bytes_out, r.error, r.cpu_ms
FROM requests r JOIN attempts a ON a.id = r.attempt_id
WHERE r.attempt_id IN (SELECT value FROM json_each(?)) ORDER BY r.attempt_id, r.seq
"""
_REQUEST_COLUMNS = (
    "execution",
    "attempt",
    "seq",
    "tool",
    "operation",
    "detail",
    "line",
    "started",
    "duration_ms",
    "bytes_in",
    "bytes_out",
    "error",
    "cpu_ms",
)

_CHOSEN = "(SELECT execution FROM attempts WHERE id IN (SELECT value FROM json_each(?1)))"
_CHILDREN = f"(number > (SELECT min(number) FROM executions WHERE id IN {_CHOSEN}) AND parent IN {_CHOSEN})"
"""What an execution queued is numbered after it, so older executions are not looked at."""
_OF_RUN = f"""
SELECT number FROM executions WHERE id IN {_CHOSEN} OR id IN (SELECT value FROM json_each(?2))
UNION SELECT number FROM executions WHERE {_CHILDREN}
"""

_TASKS = """
SELECT id, parent, method, state, due, queued, attempts, failures, key, every / 1000.0, cause FROM executions
WHERE NOT awaited AND cause != 'lifecycle' AND {where} ORDER BY number
"""
_TASK_COLUMNS = (
    "execution",
    "parent",
    "method",
    "state",
    "run_at",
    "queued",
    "attempts",
    "failures",
    "key",
    "every_ms",
    "cause",
)

_LOGS = f"""
SELECT * FROM (
    SELECT a.execution, a.attempt, l.seq, l.time AS time, l.level, l.line, l.text, a.id AS place, l.position
    FROM logs l JOIN attempts a ON a.id = l.attempt_id WHERE l.attempt_id IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT e.execution, NULL, NULL, e.time, 'system', NULL, e.kind || ': ' || e.text, 1e18, e.id
    FROM events e WHERE e.execution IN (
        SELECT execution FROM attempts WHERE id IN (SELECT value FROM json_each(?1))
        UNION SELECT id FROM executions WHERE {_CHILDREN}
        UNION SELECT value FROM json_each(?2))
) ORDER BY time, place, position
"""
_LOG_COLUMNS = ("execution", "attempt", "seq", "time", "level", "line", "text")

_DEAD_LETTERS = """
SELECT e.id, i.twist, i.name, e.method, e.cause, e.key, e.attempts, a.outcome, a.error, a.line, a.ended
FROM executions e JOIN instances i ON i.id = e.instance
JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE execution = e.id)
WHERE e.state = 'dead' AND (?1 IS NULL OR e.instance = ?1) ORDER BY a.id
"""
_DEAD_LETTER_COLUMNS = (
    "execution",
    "twist",
    "instance",
    "method",
    "cause",
    "key",
    "attempts",
    "outcome",
    "error",
    "line",
    "died",
)

_STORE = """
SELECT s.key, v.value, v.version, v.updated, a.execution
FROM store s JOIN store_versions v ON v.id = s.head LEFT JOIN attempts a ON a.id = v.attempt_id
WHERE s.instance = ? ORDER BY s.key
"""
_HISTORY = """
SELECT v.key, v.value, v.version, v.updated, a.execution, a.attempt, v.seq, a.method, a.requests, a.outcome
FROM store_versions v LEFT JOIN attempts a ON a.id = v.attempt_id WHERE v.instance = ? {also} ORDER BY v.id
"""
_CALLBACKS = """
SELECT c.token, c.method, c.args, c.version, a.execution, c.created, c.deleted IS NOT NULL
FROM callbacks c LEFT JOIN attempts a ON a.id = c.attempt_id WHERE c.instance = ? ORDER BY c.created, c.token
"""
_CALLBACK_COLUMNS = ("callback", "method", "args", "version", "execution", "created", "deleted")

_WEBHOOKS = """
SELECT w.token, i.twist, i.name, w.method, w.sync, w.version, w.created, a.execution, w.deleted IS NOT NULL, w.posts
FROM webhooks w JOIN instances i ON i.id = w.instance LEFT JOIN attempts a ON a.id = w.attempt_id
WHERE w.instance = coalesce(?, w.instance) ORDER BY w.created, w.token
"""
_WEBHOOK_COLUMNS = (
    "url",
    "twist",
    "instance",
    "method",
    "sync",
    "version",
    "created",
    "execution",
    "deleted",
    "posts",
)

PROGRESS_COLUMNS = ("updated", "execution", "attempt", "method", "requests", "outcome")

_INTEGERS = frozenset({"memory_peak", "line", "bytes_in", "bytes_out", "attempt", "seq", "requests"})
_TEXTS = frozenset({"parent", "error", "traceback", "key", "execution", "outcome", "detail", "text", "args"})
_TIMES = frozenset({"started", "ended", "time", "run_at", "queued", "created", "updated", "died"})


def _frame(columns: Sequence[str], found: Iterable[Sequence[Any]]) -> pd.DataFrame:
    import pandas as pd  # a third of a second: who never looks at a table does not wait for it

    frame = pd.DataFrame.from_records([tuple(row) for row in found], columns=list(columns))
    for name in frame.columns:
        if name in _TIMES:
            frame[name] = pd.to_datetime(frame[name], unit="us", utc=True)
        elif name in _INTEGERS:
            frame[name] = frame[name].astype("Int64")
        elif name in {"cpu_ms", "wall_ms", "duration_ms", "every_ms"}:
            frame[name] = frame[name].astype("float64")
        elif name in _TEXTS or not len(frame):  # the same dtype, and None, whatever is in it
            texts = frame[name].astype(object)
            frame[name] = texts.where(texts.notna(), None)
    return frame


def executions(
    path: Path, *, attempts: Iterable[int] | None = None, instance: int | None = None
) -> pd.DataFrame:
    """One row per attempt, in the order in which they began."""
    if attempts is not None:
        where, arguments = "a.id IN (SELECT value FROM json_each(?))", (id_list(attempts),)
        found = rows(path, _EXECUTIONS.format(where=where), *arguments)
    else:
        found = rows(path, _EXECUTIONS.format(where="a.instance = ?"), instance)
    return _frame(_EXECUTION_COLUMNS, found)


def requests(path: Path, attempts: Iterable[int]) -> pd.DataFrame:
    """One row per metered request that was performed."""
    return _frame(_REQUEST_COLUMNS, rows(path, _REQUESTS, id_list(attempts)))


def tasks(
    path: Path,
    *,
    attempts: Iterable[int] | None = None,
    also: Iterable[str] = (),
    instance: int | None = None,
    mask: Mask | None = None,
) -> pd.DataFrame:
    """One row per task: those that the attempts queued or are and others by id, or all of an instance."""
    if attempts is not None:
        found = rows(path, _TASKS.format(where=f"number IN ({_OF_RUN})"), id_list(attempts), id_list(also))
    else:
        found = rows(path, _TASKS.format(where="instance = ?"), instance)
    return _frame(_TASK_COLUMNS, (mask.row(row) for row in found) if mask else found)


def logs(
    path: Path, attempts: Iterable[int], *, also: Iterable[str] = (), mask: Mask | None = None
) -> pd.DataFrame:
    """What the twist printed and the runtime noted, in time order; the runtime's own have the level `system`.

    Args:
        path: The state file.
        attempts: Whose logs.
        also: Executions whose notices belong to it, though they never began.
        mask: Of options: a notice may name the key of a task.
    """
    found = rows(path, _LOGS, id_list(attempts), id_list(also))
    shown = (row[: len(_LOG_COLUMNS)] for row in found)
    return _frame(_LOG_COLUMNS, map(mask.row, shown) if mask else shown)


def dead_letters(path: Path, *, instance: int | None, mask: Mask) -> pd.DataFrame:
    """One row per task that was given up, in the order in which they died; of one instance, or of all."""
    return _frame(_DEAD_LETTER_COLUMNS, map(mask.row, rows(path, _DEAD_LETTERS, instance)))


def store(path: Path, instance: int) -> pd.DataFrame:
    """One row per key, ascending, with the decoded value and the execution that wrote it (none: by hand)."""
    found = rows(path, _STORE, instance)
    columns = ("key", "type", "value", "bytes", "version", "updated", "execution")
    return _objects(
        columns,
        (
            (key, *decoded(text), version, updated, execution)
            for key, text, version, updated, execution in found
        ),
    )


def store_history(path: Path, instance: int) -> pd.DataFrame:
    """One row per write or clear of any key, in order. A clear has the type `cleared` and no value."""
    columns = ("key", "type", "value", "bytes", "version", "updated", "execution", "attempt", "seq")
    found = rows(path, _HISTORY.format(also=""), instance)
    return _objects(columns, ((row[0], *decoded(row[1]), *row[2:7]) for row in found))


def callbacks(path: Path, instance: int, mask: Mask) -> pd.DataFrame:
    """One row per callback."""
    return _frame(
        _CALLBACK_COLUMNS, ((*mask.row(row[:-1]), bool(row[-1])) for row in rows(path, _CALLBACKS, instance))
    )


def webhooks(path: Path, base: str, instance: int | None) -> pd.DataFrame:
    """One row per webhook of an instance, or of all."""
    found = rows(path, _WEBHOOKS, instance)
    return _frame(
        _WEBHOOK_COLUMNS,
        (
            (
                f"{base}/{token}",
                twist,
                name,
                method,
                bool(sync),
                version,
                created,
                execution,
                bool(deleted),
                posts,
            )
            for token, twist, name, method, sync, version, created, execution, deleted, posts in found
        ),
    )


def progress(path: Path, key: str, *, instance: int, attempts: Iterable[int] | None = None) -> pd.DataFrame:
    """One row per write of a key: which execution wrote it, what it spent, and the value.

    Where every value is a dict with str keys, its entries are columns; otherwise there is a column `value`.
    """
    also, arguments = "AND v.key = ?", [key]
    if attempts is not None:
        also += " AND v.attempt_id IN (SELECT value FROM json_each(?))"
        arguments.append(id_list(attempts))
    found = rows(path, _HISTORY.format(also=also), instance, *arguments)
    values = [decoded(row[1])[1] for row in found]
    base = [(row[3], row[4], row[5], row[7], row[8], row[9] or "running") for row in found]
    written = [value for row, value in zip(found, values, strict=True) if row[1] is not None]
    if not written or not all(
        isinstance(value, dict) and all(isinstance(k, str) for k in value) for value in written
    ):
        return _objects(
            (*PROGRESS_COLUMNS, "value"), ((*row, value) for row, value in zip(base, values, strict=True))
        )
    names = list(dict.fromkeys(name for value in written for name in value))
    frame = _frame(PROGRESS_COLUMNS, base)
    for name in names:
        column = f"{key}.{name}" if name in PROGRESS_COLUMNS else name
        frame[column] = _column([value.get(name) if isinstance(value, dict) else None for value in values])
    return frame


def _column(values: list[Any]) -> pd.Series:
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pd.Series(values, dtype="Int64")
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    return pd.Series(values, dtype="float64" if kinds == {float} else object)


def _objects(columns: Sequence[str], found: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """A frame whose column `value` keeps Python objects as they are, whatever their type."""
    import pandas as pd

    records = list(found)
    at = columns.index("value")
    frame = _frame(
        [name for name in columns if name != "value"], ((*row[:at], *row[at + 1 :]) for row in records)
    )
    values = pd.Series([None] * len(records), dtype=object)
    for place, row in enumerate(records):
        values.iat[place] = row[at]
    frame.insert(at, "value", values)
    return frame


def decoded(text: str | None) -> tuple[str, Any, int]:
    """Type, value and encoded bytes. A text that only a forged frame can have written stays text."""
    if text is None:
        return "cleared", None, 0
    size = len(text.encode())
    try:
        value = superjson.loads(text)
    except ValueError:
        return "invalid", text, size
    return type(value).__name__ if value is not None else "None", value, size
