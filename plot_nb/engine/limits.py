"""What an attempt may use, and what things take on the runtime's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

_LONGEST = 10**9

_MOST_ATTEMPTS = 20
"""Each waits twice as long as the one before it: with more, the last would be after the end of time."""

_MOST_AT_ONCE = 64
"""Each has a process of its own, of about 85 MB."""


def is_whole(value: object) -> bool:
    """Whether it is an int, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one attempt, and of one chain (SPEC 2 and 7).

    Attributes:
        requests: Metered requests an attempt.
        cpu: Seconds that the guest computes, an attempt.
        memory: Bytes of the guest's whole heap, the interpreter included (about 24 MiB of it).
        time: Seconds on the runtime's clock, an attempt.
        chain: Executions after which a chain of tasks pauses.
        rate: What happens to a twist that runs so often, or costs so much, that Plot would suspend it (SPEC 10): `warn`
            says so in the logs, `enforce` suspends it.
        attempts: How often a task is attempted in all, before it is a dead letter.
    """

    requests: int = 1000
    cpu: float = 60.0
    memory: int = 128 * 2**20
    time: float = 900.0
    chain: int = 2000
    rate: Literal["warn", "enforce"] = "warn"
    attempts: int = 3

    def __post_init__(self) -> None:
        for name in ("requests", "memory", "chain"):
            if not is_whole(getattr(self, name)) or getattr(self, name) < 1:
                raise ValueError(f"Limits({name}={getattr(self, name)!r}): give a whole number above zero")
        for name in ("cpu", "time"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST:
                raise ValueError(f"Limits({name}={value!r}): give seconds, above zero and up to {_LONGEST:,}")
        if not is_whole(self.attempts) or not 1 <= self.attempts <= _MOST_ATTEMPTS:
            raise ValueError(
                f"Limits(attempts={self.attempts!r}): give a whole number from 1 to {_MOST_ATTEMPTS}"
            )
        if self.rate not in {"warn", "enforce"}:
            raise ValueError(f"Limits(rate={self.rate!r}): give 'warn' or 'enforce'")
        if self.memory < 48 * 2**20:
            raise ValueError(
                f"Limits(memory={self.memory}): an interpreter alone needs {48 * 2**20} bytes; give at least that"
            )


@dataclass(frozen=True, slots=True)
class Latency:
    """Modelled times on the virtual clock (SPEC 7); on the real clock all but `retry` take what they take.

    Attributes:
        start: From the event to the first line of the method.
        request: A request of the store or another tool. Requests made together overlap.
        fetch: A `fetch` that a mounted app answers without saying `x-latency-ms`, at the least.
        retry: From a task's first failed attempt to its second; each further one waits twice as long.
    """

    start: timedelta = field(default=timedelta(milliseconds=20))
    request: timedelta = field(default=timedelta(milliseconds=5))
    fetch: timedelta = field(default=timedelta(milliseconds=50))
    retry: timedelta = field(default=timedelta(seconds=1))

    def __post_init__(self) -> None:
        for name in ("start", "request", "fetch", "retry"):
            value = getattr(self, name)
            if not isinstance(value, timedelta) or value < timedelta(0):
                raise ValueError(f"Latency({name}={value!r}): give a timedelta of zero or more")
        if self.retry > timedelta(days=1):
            raise ValueError(f"Latency(retry={self.retry!r}): give a timedelta of at most a day")


_LATEST = datetime(9000, 1, 1, tzinfo=UTC)

ClockKind = Literal["virtual", "real"]


def check_settings(
    limits: object,
    latency: object,
    clock: object,
    seed: object,
    concurrency: object,
    durability: object,
    retention: object,
) -> None:
    """Check what a runtime is made with, before anything is.

    Raises:
        TypeError: Naming the setting and what to give.
        ValueError: The same, where the type is right.
    """
    if limits is not None and not isinstance(limits, Limits):
        raise TypeError(f"limits={limits!r}: give Limits(...), such as Limits(requests=500)")
    if latency is not None and not isinstance(latency, Latency):
        raise TypeError(f"latency={latency!r}: give Latency(...), such as Latency(request=timedelta(0))")
    if clock not in {"virtual", "real"}:
        raise ValueError(f"clock={clock!r}: give 'virtual' or 'real'")
    if seed is not None and not (is_whole(seed) and isinstance(seed, int) and abs(seed) < 2**63):
        raise ValueError(f"seed={seed!r}: give a whole number of at most 63 bits, or None")
    if not is_whole(concurrency) or not isinstance(concurrency, int) or not 1 <= concurrency <= _MOST_AT_ONCE:
        raise ValueError(f"concurrency={concurrency!r}: give a whole number from 1 to {_MOST_AT_ONCE}")
    if durability not in {"process", "full"}:
        raise ValueError(f"durability={durability!r}: give 'process' or 'full'")
    if retention is not None and not isinstance(retention, timedelta):
        raise TypeError(f"retention={retention!r}: give a timedelta, such as timedelta(days=30), or None")
    if isinstance(retention, timedelta) and retention <= timedelta(0):
        raise ValueError(f"retention={retention!r}: give a timedelta above zero, or None to keep everything")


def check_span(what: str, span: object, now: datetime) -> None:
    """Check how much time shall pass.

    Raises:
        TypeError: If it is no timedelta.
        ValueError: If time would go back, or beyond where a clock can follow.
    """
    if not isinstance(span, timedelta):
        raise TypeError(f"{what} takes a timedelta, such as timedelta(hours=1), not {span!r}")
    if span < timedelta(0):
        raise ValueError(f"time cannot go back ({what} by {span})")
    if span > _LATEST - now:
        raise ValueError(f"{what} by {span} would go past the year 9000, where no clock can follow")
