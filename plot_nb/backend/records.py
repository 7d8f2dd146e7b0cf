"""What goes into the backend, and what it says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Origin:
    """Who makes a write: the attempt, its request, and when."""

    instance: int
    attempt_id: int | None
    seq: int | None
    now: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, and what the journal keeps of it.

    Attributes:
        requests: Rows (seq, tool, operation, detail, line, started, duration, bytes_in, bytes_out, error, cpu_ms,
            payload).
        logs: Rows (seq, time, level, line, text).
        cost: Dollars.
    """

    outcome: str
    ended: int
    used: int
    cpu_ms: float | None
    wall_ms: float | None
    memory_peak: int | None
    error: str | None = None
    line: int | None = None
    traceback: str | None = None
    result: str | None = None
    requests: Sequence[tuple[Any, ...]] = ()
    logs: Sequence[tuple[Any, ...]] = ()
    events: Sequence[tuple[str, str]] = field(default=())
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of an execution that was to be queued.

    Attributes:
        added: False if its id is known, or if it was coalesced.
        replaced: The pending execution whose key it took over.
        kept: The pending execution that it was coalesced with.
    """

    added: bool
    replaced: str | None = None
    kept: str | None = None


class Webhook(NamedTuple):
    """What the token in a webhook's URL stands for.

    Attributes:
        args: The extra arguments, as superjson text of a list.
        version: Which version made it.
        sync: Whether who posts waits for what the method returns.
        derived: Whether the token follows from the seed.
    """

    token: str
    instance: int
    method: str
    args: str
    version: int
    sync: int
    derived: int


class InstanceRow(NamedTuple):
    """An instance and its version in force, as the file has them; `options`, `former` and `manifest` are JSON."""

    id: int
    twist: str
    name: str
    version: int
    options: str
    former: str
    active: int
    suspended: str | None
    counted_from: int
    digest: str
    program: str
    manifest: str
