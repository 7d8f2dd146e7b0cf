"""What the engine passes around: instances' versions, executions, tasks' callbacks."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from plot_nb.engine.masking import Mask
from plot_nb.sandbox.pool import Program
from plot_nb.tools.network import Patterns

Cause = Literal["lifecycle", "call", "task", "schedule", "webhook", "event"]

Suspension = Literal["user", "rate"]
State = Literal["queued", "running", "done", "dead", "dropped", "cancelled"]


@dataclass(frozen=True, slots=True)
class Method:
    """A method that an event may run.

    Attributes:
        line: Where it stands in the source.
        required: Positional arguments that it must be given, `self` aside.
        maximum: How many it takes at most; None without end.
        names: Their names.
        keywords: Those that it must be given by name, which no event does.
    """

    line: int
    required: int
    maximum: int | None
    names: tuple[str, ...]
    doc: str
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One deployed source of an instance.

    Attributes:
        methods: By name; those of tools as `tool.method`, at any depth.
        lifecycle: The lifecycle events for which the twist or one of its tools runs anything.
        scopes: The tools that have a Store of their own, as paths of names.
    """

    number: int
    digest: str
    source: str
    program: Program
    methods: dict[str, Method]
    urls: Patterns
    lifecycle: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    def runs(self, execution: Execution) -> bool:
        """Whether it has the method of an execution."""
        return execution.method in (self.lifecycle if execution.cause == "lifecycle" else self.methods)


@dataclass(slots=True)
class Instance:
    """One installed twist.

    Attributes:
        former: Options of earlier deploys: they may stand in the Store or in arguments, and stay secret.
        suspended: Who suspended it; None while it runs.
        counted_from: Attempts up to this id count in no rate window.
    """

    id: int
    twist: str
    name: str
    version: Version
    options: dict[str, Any] = field(default_factory=dict)
    active: bool = True
    former: list[dict[str, Any]] = field(default_factory=list)
    suspended: Suspension | None = None
    counted_from: int = 0
    _mask: tuple[dict[str, Any], list[dict[str, Any]], Mask] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @property
    def mask(self) -> Mask:
        """Hides them; made anew where another deploy has changed them."""
        made = self._mask
        if made is None or made[0] is not self.options or made[1] is not self.former:
            made = self._mask = self.options, self.former, Mask(self.secrets)
        return made[2]

    @property
    def secrets(self) -> dict[str, Any]:
        """All options that it ever had: what no journal and no picture shows."""
        return {"now": self.options, "before": self.former} if self.former else self.options


@dataclass(frozen=True, slots=True)
class Callback:
    """What an opaque token stands for."""

    token: str
    instance: int
    method: str
    args: str
    version: int
    deleted: bool


@dataclass(slots=True)
class Execution:
    """One invocation of one method for one event; its attempts share its id.

    Attributes:
        number: Order of queueing; unique in a runtime.
        chain: The id of the execution that the event itself set off.
        failures: Attempts that raised or died; a process that was killed does not count.
        due: When it may run, in microseconds.
        key: Of a keyed task: at most one with it is pending.
        every: Of a recurring task: microseconds to its next occurrence.
        awaited: Whether somebody waits for its value: it is never tried again, and ends with who awaited it.
    """

    number: int
    id: str
    instance: int
    cause: Cause
    method: str
    callback: str | None
    args: str
    kwargs: str
    parent: str | None
    chain: str
    due: int
    queued: int
    attempts: int = 0
    failures: int = 0
    state: State = "queued"
    key: str | None = None
    every: int | None = None
    awaited: bool = False

    @property
    def scope(self) -> str:
        """The tool whose method it is, as a path of names; empty for the twist's own."""
        return self.method.rpartition(".")[0]

    @property
    def is_scheduled(self) -> bool:
        """Whether it is a task for later: those are chains of their own, and can be cancelled."""
        return self.cause in {"task", "schedule"} and self.chain == self.id

    @property
    def is_deactivation(self) -> bool:
        """Whether it is the last thing that its instance does: even a suspended one does that."""
        return self.cause == "lifecycle" and self.method == "deactivate"

    @property
    def runs_beside(self) -> bool:
        """Whether it waits for nothing that runs: a webhook whose sender waits for the answer (SPEC 9)."""
        return self.cause == "webhook" and self.awaited

    @property
    def has_ended(self) -> bool:
        """Whether it neither runs nor will run."""
        return self.state not in {"queued", "running"}

    @property
    def order(self) -> tuple[int, int, int]:
        """What waits for nothing first, then lifecycle, then by time, then first in first out (SPEC 7)."""
        at_once = self.runs_beside or self.is_deactivation
        return (0 if at_once else 1 if self.cause == "lifecycle" else 2, self.due, self.number)


def derive_id(*parts: object) -> str:
    """An id that is the same whenever it is derived from the same things (SPEC 7, a task's identity)."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=7).hexdigest()


def derive_uuid(*parts: object) -> str:
    """A UUID that is the same whenever it is derived from the same things."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))
