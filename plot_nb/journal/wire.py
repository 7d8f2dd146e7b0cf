"""What crosses from the kernel to a picture, under the names of `labextension/src/charts/wire.ts`.

A test holds both sides to the same names. What the fields mean is told there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict

Kind = Literal["store", "network", "callbacks", "tasks", "plot", "other"]
Panel = Literal["inspector", "budget", "chain", "store", "execution", "progress"]

MIME_TYPE = "application/vnd.plot-nb.picture+json"
COMM_TARGET = "plot_nb.picture"
KINDS: tuple[Kind, ...] = ("store", "network", "callbacks", "tasks", "plot", "other")


class Words(TypedDict):
    """A column of texts of which few are different."""

    words: list[str]
    at: list[int]


class Cursor(TypedDict):
    """Up to which attempt and which write rows have been given."""

    attempt: int
    write: int


class Limits(TypedDict):
    """The budget of each attempt."""

    requests: int
    cpu: float
    memory: int
    time: float
    chain: int


class ExecutionRows(TypedDict):
    """One row an attempt."""

    id: list[int]
    execution: list[int]
    attempt: list[int]
    parent: list[int | None]
    twist: Words
    version: list[int]
    method: Words
    cause: Words
    outcome: Words
    requests: list[int]
    spent: dict[Kind, list[int]]
    cpu_ms: list[float | None]
    wall_ms: list[float | None]
    memory_peak: list[int | None]
    queued: list[float | None]
    started: list[float]
    ended: list[float | None]
    line: list[int | None]
    error: Words


class ScheduledRows(TypedDict):
    """One row a task that has not begun."""

    execution: list[int]
    parent: list[int | None]
    method: Words
    key: Words
    due: list[float]
    every_ms: list[float | None]
    total: int


class WriteRows(TypedDict):
    """One row a write or clear of a key."""

    id: list[int]
    twist: Words
    key: Words
    version: list[int]
    type: Words
    bytes: list[int]
    updated: list[float]
    by: list[int | None]
    text: list[str | None]


class ProgressRows(TypedDict):
    """One row a write of the key."""

    key: str
    field: str
    expected: float | None
    id: list[int]
    by: list[int | None]
    updated: list[float]
    items: list[float]
    total: list[float]
    rate: list[float | None]
    requests_per_item: list[float | None]
    left_ms: list[float | None]


class LineRows(TypedDict):
    """Requests of one attempt by line and operation."""

    line: list[int | None]
    tool: Words
    operation: Words
    requests: list[int]


class RequestRows(TypedDict):
    """One row a metered request."""

    seq: list[int]
    tool: Words
    operation: Words
    detail: list[str]
    line: list[int | None]
    started: list[float]
    duration_ms: list[float | None]
    bytes_in: list[int | None]
    bytes_out: list[int | None]
    cpu_ms: list[float | None]
    error: Words


class LogRows(TypedDict):
    """One row a log line."""

    seq: list[int]
    time: list[float]
    level: Words
    line: list[int | None]
    text: list[str]


class Detail(TypedDict):
    """All about one attempt."""

    id: int
    arguments: str | None
    result: str | None
    traceback: str | None
    lines: LineRows
    requests: RequestRows
    logs: LogRows
    logs_left_out: int


class Source(TypedDict):
    """The text of a version."""

    twist: str
    version: int
    filename: str
    text: str


# `from` is a word of Python's own, so this one cannot be a class.
Rows = TypedDict(
    "Rows",
    {
        "origin": float,
        "now": float,
        "running": bool,
        "paused": str | None,
        "rate": str | None,
        "limits": Limits,
        "value": str | None,
        "executions": ExecutionRows,
        "scheduled": ScheduledRows,
        "writes": WriteRows,
        "progress": ProgressRows | None,
        "details": list[Detail],
        "sources": list[Source],
        "left_out": int,
        "writes_left_out": int,
        "from": Cursor | None,
        "to": Cursor | None,
    },
)


class Picture(TypedDict):
    """A picture as it is saved in a notebook."""

    format: Literal[1]
    panel: Panel
    title: str
    source: str | None
    selected: int | None
    live: bool
    rows: Rows


Cell = str | float | None


class StateTable(TypedDict):
    """The first rows of what a runtime holds of one kind."""

    name: str
    columns: list[str]
    rows: list[list[Cell]]
    total: int


def words(texts: Iterable[str]) -> Words:
    """A column of texts, each different one kept once."""
    places: dict[str, int] = {}
    at = [places.setdefault(text, len(places)) for text in texts]
    return {"words": list(places), "at": at}


def milliseconds(moment: int, origin: int) -> float:
    """A moment in microseconds as milliseconds since `origin`; whole ones without a fraction, which would be longer."""
    whole, rest = divmod(moment - origin, 1000)
    return whole + rest / 1000 if rest else whole


def optional_milliseconds(moment: int | None, origin: int) -> float | None:
    """The same for a moment that may not have come."""
    return None if moment is None else milliseconds(moment, origin)


def shortened(number: float, digits: int = 3) -> float:
    """A number with no more digits than anybody looks at."""
    rounded = round(number, digits)
    return int(rounded) if rounded == int(rounded) else rounded
