"""A plain model of the runtime: what is durable, what is in flight, and a clock. It has the rules and none of the code.

Durable state is a dict of facts for each instance. A commit is a few facts that change at once; while a kill is armed
the commits are remembered, so that what a killed process left can be looked up among their prefixes.
All times are microseconds.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

MS = 1_000
SECOND = 1_000_000
EPOCH = 1_767_225_600 * SECOND
START = 20 * MS
REQUEST = 5 * MS
RETRIED = frozenset({"task", "schedule", "webhook", "event"})
ATTEMPTS = 3
SANDBOXES = 2
LOCKS = "__lock__:"

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


class Raised(Exception):
    """What a twist raises: the name of the type, and the two versions where the message names them."""

    def __init__(self, kind: str, *versions: int) -> None:
        super().__init__(kind)
        self.shown = (kind, *versions) if versions else kind


class OverRequests(BaseException):
    """The request after the last one."""


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


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
        return sorted(k for k in self.of("store") if k.startswith(prefix) and not k.startswith("__"))

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


class World:
    """The runtime."""

    def __init__(self, *, requests: int, time: int, chain: int) -> None:
        self.limits = {"requests": requests, "time": time, "chain": chain}
        self.now = EPOCH
        self.places: dict[str, Place] = {}
        self.meaning: Callable[[Attempt, Script], Steps]
        self._numbers = itertools.count(1)
        self._order = itertools.count()
        self._agenda: list[tuple[int, int, str, Any, Any]] = []
        self._chains: dict[int, Chain] = {}
        self._calls: dict[int, tuple[Place, Work]] = {}
        self._live: dict[int, Place] = {}
        self._drive = Drive()

    # what a user does

    def deploy(self, name: str, source: Source, *, armed: bool = False) -> Drive | None:
        place = self.places.setdefault(name, Place(name))
        if armed and place.commits is None:
            place.arm()
        before = place.installed
        if before and before.source == source:
            if before.active:
                waiting = [w for w in self._works(place) if w.cause == "lifecycle"]
                return self.drive(chain=waiting[0].chain) if waiting else None
            return self._lifecycle(place, replace(before, active=True), "activate")
        version = before.version + 1 if before else 1
        event = "upgrade" if before and before.active else "activate"
        return self._lifecycle(place, Installed(version, source), event)

    def _lifecycle(self, place: Place, installed: Installed, method: str) -> Drive | None:
        changes: Facts = {("installed",): installed}
        work = None
        if method in installed.source.lifecycle:
            work = self._event(place, "lifecycle", method, [])
            changes["work", work.number] = work
        place.commit(changes)
        if work is None:
            return None
        self._admit(place, work)
        return self.drive(chain=work.chain)

    def deactivate(self, name: str) -> Drive | None:
        place = self.places[name]
        assert place.installed is not None
        drive = self._lifecycle(place, place.installed, "deactivate")
        for work in self._works(place):
            if work.state == "queued":
                self._retire(place, work, "cancelled")
        gone = {("callback", n): replace(c, deleted=True) for n, c in place.of("callback").items()}
        place.commit(gone)
        assert place.installed is not None
        place.commit({("installed",): replace(place.installed, active=False)})
        return drive

    def call(self, name: str, method: str, args: list[Any]) -> Drive:
        place = self.places[name]
        work = replace(self._event(place, "call", method, args), awaited=True)
        self._calls[work.number] = place, work
        self._admit(place, work)
        return self.drive(chain=work.chain)

    def load(self, name: str, values: Mapping[str, Any]) -> None:
        place = self.places[name]
        place.commit(place.written(values, self.now, None))

    def advance(self, by: int) -> Drive:
        until = self.now + by
        drive = self.drive(until=until)
        self.now = max(self.now, until)
        return drive

    def idle(self, horizon: int) -> Drive:
        for chain in list(self._chains.values()):
            if chain.paused:
                held, chain.held = chain.held, []
                chain.paused, chain.begun = False, 0
                for number in held:
                    if number in self._live:
                        self._make_ready(self._live[number], self._work(number))
        return self.drive(until=self.now + horizon)

    def restart(self, now: int) -> None:
        """What a new process makes of the facts: cut attempts are closed, unfinished tasks offered again."""
        self._agenda, self._chains, self._calls, self._live = [], {}, {}, {}
        self.now = now
        for place in self.places.values():
            place.facts = recovered(place.facts, now)
            place.running, place.ready, place.commits = None, [], None
        waiting = [
            (w.number, p) for p in self.places.values() for w in p.of("work").values() if w.state == "queued"
        ]
        for number, place in sorted(waiting, key=lambda each: each[0]):
            self._admit(place, place.work(number))

    # time

    def drive(self, *, chain: int | None = None, until: int = 0) -> Drive:
        """Let things happen until what is awaited has come to its end."""
        drive = self._drive = Drive(chain, until)
        while not self._is_over(drive):
            if not self._start_one(drive):
                self._step()
        return drive

    def _is_over(self, drive: Drive) -> bool:
        if drive.chain is not None:
            chain = self._chains.get(drive.chain)
            drive.paused = chain is not None and chain.paused
            return chain is None or chain.paused
        if any(place.running or self._next(place, drive) for place in self.places.values()):
            return False
        moment = self._next_moment()
        if moment is not None and moment <= drive.until:
            return False
        drive.paused = any(chain.paused for chain in self._chains.values())
        return True

    def _next_moment(self) -> int | None:
        while self._agenda:
            moment, _, kind, subject, data = self._agenda[0]
            if kind == "due":
                work = self._work(data[0]) if data[0] in self._live else None
                stale = work is None or work.state != "queued" or work.due != data[1]
            else:
                stale = subject.ended
            if not stale:
                return moment
            heapq.heappop(self._agenda)
        return None

    def _step(self) -> None:
        """The next moment: all that is to happen in it, and then what the guests make of it."""
        moment = self._next_moment()
        assert moment is not None, "somebody waits for ever"
        self.now = max(self.now, moment)
        going: list[tuple[Attempt, Any]] = []
        while self._next_moment() == moment:
            _, _, kind, subject, data = heapq.heappop(self._agenda)
            if kind == "due":
                self._make_ready(self._live[data[0]], self._work(data[0]))
            elif kind == "deadline":
                self._finish(subject, "over_time")
            else:
                going.append((subject, data))
        for attempt, answer in going:
            if not attempt.ended:
                self._go_on(attempt, answer)

    def _at(self, moment: int, kind: str, subject: Any, data: Any = None) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), kind, subject, data))

    # what waits

    def _event(self, place: Place, cause: str, method: str, args: list[Any]) -> Work:
        number = next(self._numbers)
        return Work(number, ("event", number), cause, method, args, number, self.now, self.now)

    def _work(self, number: int) -> Work:
        return self._calls[number][1] if number in self._calls else self._live[number].work(number)

    def _works(self, place: Place) -> list[Work]:
        return [self._work(number) for number, at in self._live.items() if at is place]

    def _admit(self, place: Place, work: Work) -> None:
        self._live[work.number] = place
        self._chains.setdefault(work.chain, Chain())
        self._await_due(place, work)

    def _await_due(self, place: Place, work: Work) -> None:
        if work.due > self.now:
            self._at(work.due, "due", None, (work.number, work.due))
        else:
            self._make_ready(place, work)

    def _make_ready(self, place: Place, work: Work) -> None:
        order = (work.cause != "lifecycle", work.due, work.number)
        heapq.heappush(place.ready, (order, work.number))

    def _next(self, place: Place, drive: Drive) -> Work | None:
        while place.ready:
            number = place.ready[0][1]
            if number in self._live and self._work(number).state == "queued":
                work = self._work(number)
                return work if not work.is_scheduled or drive.lets_run(work) else None
            heapq.heappop(place.ready)
        return None

    def _forget(self, work: Work) -> None:
        del self._live[work.number]
        self._calls.pop(work.number, None)
        if not any(self._work(number).chain == work.chain for number in self._live):
            del self._chains[work.chain]

    def _retire(self, place: Place, work: Work, state: str) -> None:
        place.commit({("work", work.number): replace(work, state=state), ("now",): self.now})
        self._forget(work)

    # what runs

    def _start_one(self, drive: Drive) -> bool:
        if sum(place.running is not None for place in self.places.values()) >= SANDBOXES:
            return False
        for place in self.places.values():
            work = self._next(place, drive) if place.running is None else None
            if work is not None:
                heapq.heappop(place.ready)
                if self._admits(place, work):
                    self._start(place, work, drive)
                return True
        return False

    def _admits(self, place: Place, work: Work) -> bool:
        chain = self._chains[work.chain]
        if not chain.paused and chain.begun >= self.limits["chain"]:
            chain.paused = True
            place.commit({("now",): self.now})
        if chain.paused:
            chain.held.append(work.number)
            return False
        if work.callback is not None and place.facts["callback", work.callback].deleted:
            self._retire(place, work, "dropped")
            return False
        return True

    def _start(self, place: Place, work: Work, drive: Drive) -> None:
        assert place.installed is not None
        self._chains[work.chain].begun += 1
        work = replace(work, attempts=work.attempts + 1, state="running")
        row = place.following("attempt")
        changes: Facts = {("work", work.number): work}
        changes[row] = Row(work.number, work.attempts, place.installed.version, self.now)
        following = None
        if work.every is not None and work.attempts == 1:
            missed = (self.now - work.due) // work.every
            number = next(self._numbers)
            following = replace(
                work,
                number=number,
                identity=("occurrence", work.number),
                parent=work.number,
                chain=number,
                due=work.due + (missed + 1) * work.every,
                queued=self.now,
                attempts=0,
                failures=0,
                state="queued",
            )
            changes["work", number] = following
        self._calls.pop(work.number, None)
        place.commit(changes)
        if following is not None:
            self._admit(place, following)
        attempt = place.running = Attempt(self, place, work.number, row, place.installed)
        if drive.covers(work):
            drive.first = drive.first or work.number
        source = place.installed.source
        if work.method not in (source.lifecycle if work.cause == "lifecycle" else source.methods):
            gone = Raised("CallbackNotFound", *attempt.versions(work.callback))
            self._finish(attempt, "error", error=gone.shown)
            return
        self._at(self.now + START, "begin", attempt)
        self._at(self.now + self.limits["time"] * SECOND, "deadline", attempt)

    def _go_on(self, attempt: Attempt, answer: Any) -> None:
        """Let the guest compute until it asks or ends."""
        try:
            if attempt.steps is None:
                attempt.steps = attempt.begin()
                asked = next(attempt.steps)
            elif isinstance(answer, BaseException):
                asked = attempt.steps.throw(answer)
            else:
                asked = attempt.steps.send(answer)
        except StopIteration as stop:
            self._finish(attempt, "over_requests" if attempt.refused else "ok", value=stop.value)
        except Raised as error:
            self._finish(attempt, "over_requests" if attempt.refused else "error", error=error.shown)
        except OverRequests:
            self._finish(attempt, "over_requests")
        else:
            self._serve(attempt, asked)

    def _serve(self, attempt: Attempt, asked: Any) -> None:
        if isinstance(asked, Sleep):
            self._at(self.now + max(int(asked.seconds * SECOND), MS), "timer", attempt)
        elif attempt.used >= self.limits["requests"]:
            attempt.refused = True
            self._at(self.now, "answer", attempt, OverRequests())
        else:
            attempt.used += 1
            try:
                answer = asked()
            except Raised as error:
                answer = error
            self._at(self.now + REQUEST, "answer", attempt, answer)

    def _finish(self, attempt: Attempt, outcome: str, *, value: Any = None, error: Any = None) -> None:
        place, drive = attempt.place, self._drive
        attempt.ended, place.running = True, None
        work = self._settled(attempt.work, outcome)
        row = replace(
            place.facts[attempt.row],
            outcome=outcome,
            requests=attempt.used,
            ended=self.now,
            error=error if outcome == "error" else None,
        )
        place.commit({attempt.row: row, ("work", work.number): work, ("now",): self.now})
        if drive.first == work.number:
            drive.outcome, drive.error, drive.value = outcome, row.error, value
        if work.state == "queued":
            self._await_due(place, work)
        else:
            self._forget(work)

    def _settled(self, work: Work, outcome: str) -> Work:
        if outcome == "ok" or work.awaited or work.cause not in RETRIED:
            return replace(work, state="done")
        if outcome != "error":
            return replace(work, state="dead")
        failures = work.failures + 1
        if failures >= ATTEMPTS:
            return replace(work, failures=failures, state="dead")
        due = self.now + SECOND * 2 ** (failures - 1)
        return replace(work, failures=failures, state="queued", due=due)

    # what tasks do to each other

    def queue(
        self,
        attempt: Attempt,
        token: CallbackToken,
        *,
        due: int | None = None,
        key: str | None = None,
        every: int | None = None,
        coalesce: bool = False,
    ) -> TaskToken:
        place, parent = attempt.place, attempt.work
        callback: Callback = place.facts["callback", token.number]
        ordinal = attempt.queued.get(callback.method, 0)
        attempt.queued[callback.method] = ordinal + 1
        identity = ("task", parent.number, callback.method, ordinal)
        later = due is not None and due > self.now
        number = next(self._numbers)
        work = Work(
            number,
            identity,
            "task" if key is None else "schedule",
            callback.method,
            callback.args,
            number if later else parent.chain,
            due if due is not None and later else self.now,
            self.now,
            callback=token.number,
            parent=parent.number,
            key=key,
            every=every,
        )
        works = place.of("work").values()
        known = next((each for each in works if each.identity == identity), None)
        if known is not None:
            return TaskToken(known.number)
        pending = next((each for each in works if key is not None and each.key == key and each.is_pending), None)
        if pending is not None and coalesce:
            kept = replace(pending, due=min(pending.due, work.due))
            place.commit({("work", pending.number): kept})
            if kept.due < pending.due:
                self._await_due(place, kept)
            return TaskToken(pending.number)
        changes: Facts = {("work", number): work}
        if pending is not None:
            changes["work", pending.number] = replace(pending, state="cancelled")
        place.commit(changes)
        if pending is not None:
            self._forget(pending)
        self._admit(place, work)
        return TaskToken(number)

    def cancel(self, place: Place, *, number: int | None = None, key: str | None = None) -> None:
        for work in self._works(place):
            if work.is_pending and work.is_scheduled and number in {None, work.number} and key in {None, work.key}:
                self._retire(place, work, "cancelled")


class Attempt:
    """One run of a method, with what the method can ask for."""

    def __init__(self, world: World, place: Place, number: int, row: Fact, installed: Installed) -> None:
        self.world, self.place, self.row, self.installed = world, place, row, installed
        self._number = number
        self.steps: Steps | None = None
        self.used = 0
        self.queued: dict[str, int] = {}
        self.refused = self.ended = False

    @property
    def work(self) -> Work:
        return self.place.work(self._number)

    @property
    def now(self) -> int:
        return self.world.now

    def versions(self, callback: int | None) -> tuple[int, ...]:
        """The version that made a callback, and the one that runs."""
        if callback is None:
            return ()
        return (self.place.facts["callback", callback].version, self.installed.version)

    def begin(self) -> Steps:
        work, source = self.work, self.installed.source
        if work.cause == "lifecycle":
            return self.world.meaning(self, source.lifecycle[work.method])
        return self._method(work.method, work.args, work.callback)

    def _method(self, method: str, args: list[Any], callback: int | None) -> Steps:
        if len(args) != self.installed.source.methods[method]:
            raise Raised("TypeError", *self.versions(callback))
        return (yield from self.world.meaning(self, args[0]))

    # the API

    def get(self, key: str) -> Steps:
        return (yield lambda: self.place.store(key))

    def set_many(self, values: Mapping[str, Any]) -> Steps:
        return (yield lambda: self.place.commit(self.place.written(values, self.now, self.work.number)))

    def clear_many(self, keys: list[str]) -> Steps:
        yield from self.set_many(dict.fromkeys(keys))

    def clear_all(self) -> Steps:
        def clear() -> None:
            gone: dict[str, Any] = dict.fromkeys(self.place.keys())
            self.place.commit(self.place.written(gone, self.now, self.work.number))

        return (yield clear)

    def keys(self, prefix: str) -> Steps:
        return (yield lambda: self.place.keys(prefix))

    def callback(self, method: str, script: Script) -> Steps:
        if method not in self.installed.source.methods:
            raise Raised("ValueError")

        def make() -> CallbackToken:
            fact = self.place.following("callback")
            made = Callback(method, [script], self.installed.version, self.work.number, self.now)
            self.place.commit({fact: made})
            return CallbackToken(fact[1])

        return (yield make)

    def _found(self, token: CallbackToken) -> Callback:
        found: Callback = self.place.facts["callback", token.number]
        if found.deleted:
            raise Raised("CallbackDeleted")
        return found

    def run(self, token: CallbackToken) -> Steps:
        def resolve() -> Callback:
            found = self._found(token)
            if found.method not in self.installed.source.methods:
                raise Raised("CallbackNotFound", *self.versions(token.number))
            return found

        found = yield resolve
        if len(found.args) != self.installed.source.methods[found.method]:
            raise Raised("TypeError", *self.versions(token.number))
        return (yield from self.world.meaning(self, found.args[0]))

    def delete_callback(self, token: CallbackToken) -> Steps:
        def delete() -> None:
            fact: Fact = ("callback", token.number)
            self.place.commit({fact: replace(self.place.facts[fact], deleted=True)})

        return (yield delete)

    def delete_all_callbacks(self) -> Steps:
        def delete() -> None:
            found = self.place.of("callback").items()
            self.place.commit({("callback", number): replace(each, deleted=True) for number, each in found})

        return (yield delete)

    def run_task(self, token: CallbackToken, due: int | None = None) -> Steps:
        def queue() -> TaskToken | None:
            self._found(token)
            task = self.world.queue(self, token, due=due)
            return None if due is None else task

        return (yield queue)

    def cancel_task(self, token: TaskToken) -> Steps:
        return (yield lambda: self.world.cancel(self.place, number=token.number))

    def cancel_all_tasks(self) -> Steps:
        return (yield lambda: self.world.cancel(self.place))

    def schedule_task(self, key: str, token: CallbackToken, due: int, *, coalesce: bool) -> Steps:
        def queue() -> None:
            self._found(token)
            self.world.queue(self, token, due=due, key=key, coalesce=coalesce)

        return (yield queue)

    def schedule_recurring(self, key: str, token: CallbackToken, every: int, first: int | None) -> Steps:
        def queue() -> None:
            self._found(token)
            due = self.now + every if first is None else min(self.now + every, first)
            self.world.queue(self, token, due=due, key=key, every=every)

        return (yield queue)

    def cancel_scheduled_task(self, key: str) -> Steps:
        return (yield lambda: self.world.cancel(self.place, key=key))

    def acquire_lock(self, key: str, seconds: float) -> Steps:
        def acquire() -> bool:
            held: Lock | None = self.place.store(LOCKS + key)
            if held is not None and held.until > self.now:
                return False
            lock = Lock(self.work.number, self.now + int(seconds * SECOND))
            self.place.commit(self.place.written({LOCKS + key: lock}, self.now, self.work.number))
            return True

        return (yield acquire)

    def release_lock(self, key: str) -> Steps:
        def release() -> None:
            held: Lock | None = self.place.store(LOCKS + key)
            if held is not None and held.holder == self.work.number:
                self.place.commit(self.place.written({LOCKS + key: None}, self.now, self.work.number))

        return (yield release)


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
        elif fact[0] == "callback":
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
        refs.setdefault(row.work, ("event", sum(each is not None and each[0] == "event" for each in refs.values())))

    def value_of(value: Any) -> Any:
        if isinstance(value, TaskToken):
            return refs[value.number]
        if isinstance(value, CallbackToken):
            return ("callback", facts["callback", value.number].method)
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
        (each.created, each.method, repr(each.args), each.version, refs[each.maker], each.deleted)
        for each in callbacks
    )
    return seen


def to_datetime(moment: int) -> datetime:
    """A moment as a twist sees it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment // MS * MS)
