"""A run as a picture that can be looked into: what is saved in a notebook, within bounds."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from plot_nb.journal.changes import (
    Budget,
    Scope,
    attempt_rows,
    execution_rows,
    latest,
    limits_of,
    scheduled_rows,
)
from plot_nb.journal.details import Bounds, detail_of, source_in
from plot_nb.journal.instances import Instances
from plot_nb.journal.progress import Tracker
from plot_nb.journal.reader import reading
from plot_nb.journal.scope import View
from plot_nb.journal.synced import Search
from plot_nb.journal.wire import (
    Detail,
    ExecutionRows,
    LineRows,
    LogRows,
    Panel,
    Picture,
    ProgressRows,
    RequestRows,
    ScheduledRows,
    Source,
    Words,
    milliseconds,
)
from plot_nb.journal.writes import newest_writes, write_rows
from plot_nb.view.digest import choose, near
from plot_nb.view.hostile import block, line

ATTEMPTS = 5000
"""Attempts that are kept: of more, the first and the last half of that."""

REQUESTS = 200
"""Requests that are kept, of the whole picture (DESIGN, decision 6)."""

_SPENDER = 11_000
_OTHERS = 4_000
_WRITES = 4_000
_MOST_WRITES = 200
_SOURCE = 20_000
_SOURCES = 40_000
_SCHEDULED = 20
_ERRORS = 30_000
_EXACT = 1000
"""Attempts up to which times have fractions of a millisecond."""
_PROGRESS = 300
_TEXT = 2000
_LOGS = 40
_LOG_TEXT = 3000


def picture(
    path: Path,
    scope: Scope,
    *,
    title: str,
    limits: Budget,
    panel: Panel = "inspector",
    source: str | None = None,
    selected: int | None = None,
    live: bool = False,
    active: bool = False,
    paused: str | None = None,
    value: str | None = None,
    progress: str | None = None,
    instance: int | None = None,
    items: str | None = None,
    expected: float | str | None = None,
) -> Picture:
    """All of a scope that a saved notebook keeps.

    Args:
        path: The state file.
        scope: What is shown.
        title: What was run.
        limits: The budget of each attempt.
        panel: Which picture.
        source: Under which key the kernel answers for it.
        selected: The id of the attempt that is selected.
        live: Whether the kernel has more to say of it when nothing runs.
        active: Whether it goes on.
        paused: Why the chain waits to be resumed.
        value: What the first execution returned, as its repr.
        progress: A Store key whose writes are shown as the progress of a sync; unless given, it is looked for.
        instance: Whose key that is; unless given, that of the scope's first attempt.
        items: The entry of its value that counts items; unless given, it is found.
        expected: How many items there will be, or the entry that says so.
    """
    with reading(path) as connection:
        view = View(connection, scope)
        instances = Instances(connection)
        began = view.began()
        origin = view.origin() or 0
        ids = view.attempts_after(0, 10**9)
        kept = ids if len(ids) <= ATTEMPTS else [*ids[: ATTEMPTS // 2], *ids[-ATTEMPTS // 2 :]]
        found = attempt_rows(connection, kept)
        writes = newest_writes(view, instances, began, _WRITES, _MOST_WRITES)
        synced: ProgressRows | None = None
        whose = instance if instance is not None else scope.instance
        if progress is None and panel == "inspector":
            whose, progress = Search(scope).look(connection) or (whose, None)
        if progress is not None:
            if whose is None:
                whose = found[0][4] if found else -1
            tracker = Tracker(progress, whose, attempts=scope.attempts, items=items, expected=expected)
            tracker.read(connection)
            synced = tracker.sample(_PROGRESS, origin)
        return {
            "format": 1,
            "panel": panel,
            "title": line(title, 200),
            "source": source,
            "selected": selected,
            "live": live,
            "rows": {
                "origin": origin / 1000,
                "now": milliseconds(latest(connection), origin),
                "running": active or view.unfinished(),
                "paused": None if paused is None else line(paused, 400),
                "rate": None if (rate := view.rate()) is None else line(rate, 400),
                "limits": limits_of(limits),
                "value": None if value is None else block(value, _TEXT),
                "executions": _safe_executions(
                    execution_rows(connection, found, instances, limits.requests, origin)
                ),
                "scheduled": _safe_scheduled(scheduled_rows(view, instances, origin, _SCHEDULED)),
                "writes": write_rows(writes.writes, origin),
                "progress": synced,
                "details": _details(connection, instances, found, limits, origin),
                "sources": _sources(connection, instances, found),
                "left_out": len(ids) - len(kept),
                "writes_left_out": writes.left_out,
                "from": None,
                "to": None,
            },
        }


def picture_text(shown: Picture) -> str:
    """A picture as JSON on one line.

    A notebook is written with each entry of an array on a line of its own, which would make it several times as long.
    """
    return msgspec.json.encode(shown).decode()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An attempt, as far as it matters to which details are kept."""

    id: int
    method: str
    outcome: str
    requests: int
    line: int | None
    near: tuple[str, ...]

    @property
    def failed(self) -> bool:
        return self.outcome not in {"ok", "running", "suspended"}


def _candidates(found: list[tuple[Any, ...]], limits: Budget) -> list[_Candidate]:
    return [
        _Candidate(
            row[0],
            row[6],
            row[8] or "running",
            row[9] or 0,
            row[16],
            near(limits, row[8] or "running", row[9] or 0, row[10] or 0.0, row[12]),
        )
        for row in found
    ]


def _details(
    connection: sqlite3.Connection,
    instances: Instances,
    found: list[tuple[Any, ...]],
    limits: Budget,
    origin: int,
) -> list[Detail]:
    """Of the attempts that somebody would look for, as far as there is room: the one that spent most first."""
    candidates = _candidates(found, limits)
    if not candidates:
        return []
    over = next((each for each in candidates if each.outcome == "over_requests"), None)
    spender = over or max(candidates, key=lambda each: each.requests)
    others = [candidates[place] for place in choose(candidates).rows if candidates[place] is not spender]
    others.sort(key=lambda each: (not each.failed, each.id))

    def detail(attempt: int, requests: int, logs: int) -> Detail:
        bounds = Bounds(requests=requests, logs=_LOGS, log_text=logs, text=_TEXT)
        got = detail_of(connection, instances, attempt, limit=limits.requests, origin=origin, bounds=bounds)
        assert got is not None  # found at the same moment
        return _safe_detail(got)

    kept = [detail(spender.id, REQUESTS, _LOG_TEXT)]
    if (size := _size(kept[0])) > _SPENDER:
        kept = [detail(spender.id, REQUESTS * _SPENDER // size, _LOG_TEXT * _SPENDER // size)]
    requests, room = REQUESTS - len(kept[0]["requests"]["seq"]), _OTHERS
    for other in others:
        each = detail(other.id, min(requests, 20), 300)
        if (size := _size(each)) <= room:
            kept.append(each)
            room -= size
            requests -= len(each["requests"]["seq"])
    return sorted(kept, key=lambda each: each["id"])


def _size(detail: Detail) -> int:
    """Bytes on the wire, whatever the machine measured: what is kept must not depend on that."""
    requests = detail["requests"]
    cpu_ms = 6 * len(requests["seq"])
    return len(msgspec.json.encode({**detail, "requests": {**requests, "cpu_ms": []}})) + cpu_ms


def _sources(
    connection: sqlite3.Connection, instances: Instances, found: list[tuple[Any, ...]]
) -> list[Source]:
    """The texts that the attempts ran, the newest first as far as there is room."""
    versions = sorted({(row[4], row[5]) for row in found}, reverse=True)
    kept: list[Source] = []
    room = _SOURCES
    for instance, version in versions:
        source = source_in(connection, instances, instance, version, _SOURCE)
        if source is None or len(source["text"]) > room:
            continue
        room -= len(source["text"])
        kept.append({**source, "filename": line(source["filename"], 200)})
    return kept[::-1]


# What a twist has chosen, made safe for whatever shows the notebook. Keys, values and sources stay exact: they can be
# edited, and are shown as text alone.


def _lines(column: Words, limit: int) -> Words:
    return {"words": [line(word, limit) for word in column["words"]], "at": column["at"]}


def _safe_executions(rows: ExecutionRows) -> ExecutionRows:
    longest = min(300, max(30, _ERRORS // max(1, len(rows["error"]["words"]))))
    if len(rows["id"]) > _EXACT:
        rows = {
            **rows,
            "queued": [None if each is None else round(each) for each in rows["queued"]],
            "started": [round(each) for each in rows["started"]],
            "ended": [None if each is None else round(each) for each in rows["ended"]],
        }
    return {
        **rows,
        "method": _lines(rows["method"], 200),
        "cause": _lines(rows["cause"], 24),
        "outcome": _lines(rows["outcome"], 24),
        "error": _lines(rows["error"], longest),
    }


def _safe_scheduled(rows: ScheduledRows) -> ScheduledRows:
    return {**rows, "method": _lines(rows["method"], 200), "key": _lines(rows["key"], 200)}


def _safe_detail(detail: Detail) -> Detail:
    lines: LineRows = {
        **detail["lines"],
        "tool": _lines(detail["lines"]["tool"], 40),
        "operation": _lines(detail["lines"]["operation"], 40),
    }
    requests: RequestRows = {
        **detail["requests"],
        "tool": _lines(detail["requests"]["tool"], 40),
        "operation": _lines(detail["requests"]["operation"], 40),
        "detail": [line(text, 120) for text in detail["requests"]["detail"]],
        "error": _lines(detail["requests"]["error"], 200),
    }
    logs: LogRows = {
        **detail["logs"],
        "level": _lines(detail["logs"]["level"], 12),
        "text": [block(text, 400) for text in detail["logs"]["text"]],
    }
    return {
        **detail,
        "arguments": _block(detail["arguments"]),
        "result": _block(detail["result"]),
        "traceback": _block(detail["traceback"]),
        "lines": lines,
        "requests": requests,
        "logs": logs,
    }


def _block(text: str | None) -> str | None:
    return None if text is None else block(text, _TEXT + 60)
