"""What is durable in the model: facts, and commits of them.

Durable state is a dict of facts for each instance. A commit is a few facts that change at once; while a kill is armed
the commits are remembered, so that what a killed process left can be looked up among their prefixes.
All times are microseconds.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.model.attempt import Attempt

MS = 1_000
SECOND = 1_000_000
EPOCH = 1_767_225_600 * SECOND
START = 20 * MS
REQUEST = 5 * MS
RETRIED = frozenset({"task", "schedule", "webhook", "event"})
ATTEMPTS = 3
SANDBOXES = 2
LOCKS = "__lock__:"
DRAIN = "__drain__"

Fact = tuple[Any, ...]
Facts = dict[Fact, Any]
Script = list[list[Any]]
Steps = Generator[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A version: its methods with their number of arguments, and the scripts of its lifecycle methods."""

    methods: Mapping[str, int]
    lifecycle: Mapping[str, Script]
    salt: int = 0


@dataclass(frozen=True, slots=True)
class Installed:
    version: int
    source: Source
    active: bool = True
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    value: Any
    updated: int
    writer: int | None


@dataclass(frozen=True, slots=True)
class Callback:
    method: str
    args: list[Any]
    version: int
    maker: int
    created: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class CallbackToken:
    number: int


@dataclass(frozen=True, slots=True)
class Webhook:
    method: str
    args: list[Any]
    version: int
    maker: int
    sync: bool
    created: int
    deleted: bool = False
    posts: int = 0


@dataclass(frozen=True, slots=True)
class WebhookToken:
    number: int


@dataclass(frozen=True, slots=True)
class TaskToken:
    number: int


@dataclass(frozen=True, slots=True)
class Lock:
    holder: int
    until: int


@dataclass(frozen=True, slots=True)
class Work:
    """An execution: of a task, or of an event from outside."""

    number: int
    identity: tuple[Any, ...]
    cause: str
    method: str
    args: list[Any]
    chain: int
    due: int
    queued: int
    callback: int | None = None
    parent: int | None = None
    key: str | None = None
    every: int | None = None
    awaited: bool = False
    attempts: int = 0
    failures: int = 0
    state: str = "queued"

    @property
    def is_scheduled(self) -> bool:
        return self.cause in {"task", "schedule"} and self.chain == self.number

    @property
    def is_deactivation(self) -> bool:
        return self.cause == "lifecycle" and self.method == "deactivate"

    @property
    def runs_beside(self) -> bool:
        return self.cause == "webhook" and self.awaited

    @property
    def is_pending(self) -> bool:
        return self.state == "queued" and self.attempts == 0

    @property
    def is_task(self) -> bool:
        return self.cause != "lifecycle" and not self.awaited


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt, as the journal has it."""

    work: int
    attempt: int
    version: int
    started: int
    outcome: str = "running"
    requests: int = 0
    ended: int | None = None
    error: Any = None


@dataclass(slots=True)
class Chain:
    begun: int = 0
    held: list[int] = field(default_factory=list)
    paused: bool = False


@dataclass(slots=True)
class Drive:
    """Who awaits: a chain, or all that falls due until a moment."""

    chain: int | None = None
    until: int = 0
    alone: int | None = None
    first: int | None = None
    outcome: str | None = None
    error: Any = None
    value: Any = None
    paused: bool = False

    def lets_run(self, work: Work) -> bool:
        return self.chain is not None or work.due <= self.until

    def covers(self, work: Work) -> bool:
        return self.chain is None or self.chain == work.chain


class Place:
    """An instance."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: Facts = {}
        self.commits: list[Facts] | None = None
        self.before: Facts = {}
        self.running: Attempt | None = None
        self.beside: list[Attempt] = []
        self.ready: list[tuple[tuple[int, int, int], int]] = []

    def commit(self, changes: Facts) -> None:
        """Some facts change at once; None takes one away."""
        _apply(self.facts, changes)
        if self.commits is not None:
            self.commits.append(changes)

    def arm(self) -> None:
        self.before, self.commits = dict(self.facts), []

    def prefixes(self) -> list[Facts]:
        """The states that a kill may have left, the latest first."""
        states = [dict(self.before)]
        for changes in self.commits or []:
            states.append(dict(states[-1]))
            _apply(states[-1], changes)
        return states[::-1]

    @property
    def installed(self) -> Installed | None:
        found: Installed | None = self.facts.get(("installed",))
        return found

    def work(self, number: int) -> Work:
        found: Work = self.facts["work", number]
        return found

    def of(self, kind: str) -> dict[Any, Any]:
        return {fact[1]: value for fact, value in self.facts.items() if fact[0] == kind}

    def following(self, kind: str) -> Fact:
        """The next free number of a kind of fact."""
        return (kind, sum(fact[0] == kind for fact in self.facts))

    def store(self, key: str) -> Any:
        entry = self.facts.get(("store", key))
        return entry.value if entry else None

    def keys(self, prefix: str = "") -> list[str]:
        """Ascending; what is the runtime's own only where it was asked for."""
        found = (key for key in self.of("store") if key.startswith(prefix))
        return sorted(key for key in found if prefix.startswith("__") or not key.startswith("__"))

    @property
    def attempts(self) -> list[Attempt]:
        return [*self.beside, self.running] if self.running is not None else self.beside

    def written(self, values: Mapping[str, Any], now: int, writer: int | None) -> Facts:
        """The facts of a write; None clears."""
        changes: Facts = {}
        for key, value in values.items():
            fact: Fact = ("store", key)
            if value is None and fact not in self.facts:
                continue
            changes[fact] = None if value is None else Entry(value, now, writer)
            changes["writes", key] = self.facts.get(("writes", key), 0) + 1
        return changes


def _apply(facts: Facts, changes: Facts) -> None:
    for fact, value in changes.items():
        if value is None:
            facts.pop(fact, None)
        else:
            facts[fact] = value


def recovered(facts: Facts, now: int) -> Facts:
    """What the next process makes of what a killed one left."""
    found = dict(facts)
    for fact, value in facts.items():
        if fact[0] == "attempt" and value.outcome == "running":
            found[fact] = replace(value, outcome="crashed", ended=max(value.started, now))
        if fact[0] == "work" and (value.state == "running" or (value.state == "queued" and value.awaited)):
            found[fact] = replace(value, state="done" if value.awaited else "queued")
    return found


def latest(facts: Facts) -> int:
    """The latest moment that something durable speaks of."""
    moments = [EPOCH]
    for fact, value in facts.items():
        if fact[0] == "now":
            moments.append(value)
        elif fact[0] == "store":
            moments.append(value.updated)
        elif fact[0] == "work":
            moments.append(value.queued)
        elif fact[0] == "attempt":
            moments.append(value.ended or value.started)
        elif fact[0] in {"callback", "webhook"}:
            moments.append(value.created)
    return max(moments)


def shown(facts: Facts) -> Facts:
    """What a user sees of the facts, in the words of the tables."""
    works: list[Work] = sorted((v for f, v in facts.items() if f[0] == "work"), key=lambda work: work.number)
    rows: list[Row] = [v for _, v in sorted((f, v) for f, v in facts.items() if f[0] == "attempt")]
    by_number = {work.number: work for work in works}
    refs: dict[int | None, Any] = {None: None}
    refs.update({work.number: ("task", n) for n, work in enumerate(w for w in works if w.is_task)})
    for row in rows:
        refs.setdefault(
            row.work, ("event", sum(each is not None and each[0] == "event" for each in refs.values()))
        )

    def value_of(value: Any) -> Any:
        if isinstance(value, TaskToken):
            return refs[value.number]
        if isinstance(value, CallbackToken):
            return ("callback", facts["callback", value.number].method)
        if isinstance(value, WebhookToken):
            hook = facts["webhook", value.number]
            return ("webhook", hook.method, hook.sync)
        return ("lock", refs[value.holder], value.until) if isinstance(value, Lock) else value

    seen: Facts = {}
    for work in works:
        if work.is_task:
            seen[refs[work.number]] = (
                *(work.cause, work.method, work.state, work.due, work.queued),
                *(work.attempts, work.failures, work.key, work.every, refs[work.parent]),
            )
    for place, row in enumerate(rows):
        work = by_number[row.work]
        seen["attempt", place] = (
            *(refs[row.work], row.attempt, refs[work.parent], row.version, work.method, work.cause),
            *(row.outcome, row.requests, row.started, row.ended, row.error),
        )
    for fact, value in facts.items():
        if fact[0] == "store":
            written = facts["writes", fact[1]]
            seen[fact] = (value_of(value.value), written, value.updated, refs[value.writer])
    callbacks = [v for f, v in facts.items() if f[0] == "callback"]
    seen["callbacks",] = sorted(
        (
            each.created,
            each.method,
            args_of(each.method, each.args),
            each.version,
            refs[each.maker],
            each.deleted,
        )
        for each in callbacks
    )
    seen["webhooks",] = sorted(
        (each.created, each.method, each.sync, each.version, refs[each.maker], each.deleted, each.posts)
        for fact, each in facts.items()
        if fact[0] == "webhook"
    )
    return seen


def args_of(method: str, args: list[Any]) -> str:
    """What is compared of a callback's arguments: of a drain's pass not the form of its delay."""
    return repr(args[:2] if method == DRAIN else args)


def to_datetime(moment: int) -> datetime:
    """A moment as a twist sees it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment // MS * MS)
