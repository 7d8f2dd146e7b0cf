"""What an attempt may use, and what things take on the runtime's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one attempt, and of one chain (SPEC 2 and 7).

    Attributes:
        requests: Metered requests an attempt.
        cpu: Seconds that the guest computes, an attempt.
        memory: Bytes of the guest's whole heap, the interpreter included (about 24 MiB of it).
        time: Seconds on the runtime's clock, an attempt.
        chain: Executions after which a chain of tasks pauses.
    """

    requests: int = 1000
    cpu: float = 60.0
    memory: int = 128 * 2**20
    time: float = 900.0
    chain: int = 2000

    def __post_init__(self) -> None:
        for name in ("requests", "cpu", "memory", "time", "chain"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ValueError(f"Limits({name}={value!r}): give a number above zero")
        if self.memory < 48 * 2**20:
            raise ValueError(
                f"Limits(memory={self.memory}): an interpreter alone needs {48 * 2**20} bytes; give at least that"
            )


@dataclass(frozen=True, slots=True)
class Latency:
    """Modelled times on the virtual clock (SPEC 7).

    Attributes:
        start: From the event to the first line of the method.
        request: A request of the store or another tool. Requests made together overlap.
        fetch: A `fetch` that a mounted app answers without saying `x-latency-ms`, at the least.
    """

    start: timedelta = field(default=timedelta(milliseconds=20))
    request: timedelta = field(default=timedelta(milliseconds=5))
    fetch: timedelta = field(default=timedelta(milliseconds=50))

    def __post_init__(self) -> None:
        for name in ("start", "request", "fetch"):
            value = getattr(self, name)
            if not isinstance(value, timedelta) or value < timedelta(0):
                raise ValueError(f"Latency({name}={value!r}): give a timedelta of zero or more")
