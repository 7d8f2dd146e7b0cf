"""The clockwork of the model: what waits, what is in flight, and the order in which things happen."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.model.attempt import Attempt, OverRequests, Raised, Sleep
from tests.model.facts import (
    ATTEMPTS,
    DRAIN,
    EPOCH,
    MS,
    REQUEST,
    RETRIED,
    SANDBOXES,
    SECOND,
    START,
    Callback,
    CallbackToken,
    Chain,
    Drive,
    Facts,
    Place,
    Row,
    Script,
    Steps,
    TaskToken,
    Work,
)


class Clockwork:
    """A discrete-event simulation of all instances."""

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

    # time

    def drive(self, *, chain: int | None = None, until: int = 0, alone: int | None = None) -> Drive:
        """Let things happen until what is awaited has come to its end."""
        drive = self._drive = Drive(chain, until, alone)
        while not self._is_over(drive):
            if not self._start_one(drive):
                self._step()
        return drive

    def _is_over(self, drive: Drive) -> bool:
        if drive.alone is not None and drive.alone not in self._live:
            return True
        if drive.chain is not None:
            chain = self._chains.get(drive.chain)
            drive.paused = chain is not None and (chain.paused or self._is_suspended(drive.chain))
            return chain is None or drive.paused
        if any(place.attempts or self._next(place, drive) for place in self.places.values()):
            return False
        moment = self._next_moment()
        if moment is not None and moment <= drive.until:
            return False
        suspended = [p for p in self.places.values() if p.installed is not None and p.installed.suspended]
        drive.paused = any(chain.paused for chain in self._chains.values()) or any(
            map(self._first, suspended)
        )
        return True

    def _is_suspended(self, chain: int) -> bool:
        """Whether nothing of a chain runs or can run, since its instance is suspended."""
        place = next(self._live[number] for number in self._live if self._work(number).chain == chain)
        assert place.installed is not None
        first = self._first(place)
        if not place.installed.suspended or (first is not None and first.is_deactivation):
            return False
        return all(attempt.work.chain != chain for attempt in place.attempts)

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
        at_once = work.is_deactivation or work.runs_beside
        order = (0 if at_once else 1 if work.cause == "lifecycle" else 2, work.due, work.number)
        heapq.heappush(place.ready, (order, work.number))

    def _first(self, place: Place) -> Work | None:
        """What is due and waits longest."""
        while place.ready:
            number = place.ready[0][1]
            if number in self._live and self._work(number).state == "queued":
                return self._work(number)
            heapq.heappop(place.ready)
        return None

    def _next(self, place: Place, drive: Drive) -> Work | None:
        """What may begin."""
        work = self._first(place)
        if (
            work is None
            or place.installed is None
            or (place.installed.suspended and not work.is_deactivation)
        ):
            return None
        return work if not work.is_scheduled or drive.lets_run(work) else None

    def _forget(self, work: Work) -> None:
        del self._live[work.number]
        self._calls.pop(work.number, None)
        if not any(self._work(number).chain == work.chain for number in self._live):
            del self._chains[work.chain]

    def _retire(self, place: Place, work: Work, state: str) -> None:
        place.commit({("work", work.number): replace(work, state=state), ("now",): self.now})
        if self._drive.chain == work.number:
            self._drive.outcome, self._drive.error, self._drive.value = "cancelled", None, None
        self._forget(work)

    # what runs

    def _start_one(self, drive: Drive) -> bool:
        room = SANDBOXES - sum(len(place.attempts) for place in self.places.values())
        for place in self.places.values():
            work = self._next(place, drive)
            if work is not None and (work.runs_beside or (room > 0 and place.running is None)):
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
        attempt = Attempt(self, place, work.number, row, place.installed)
        if work.runs_beside:
            place.beside.append(attempt)
        else:
            place.running = attempt
        if drive.covers(work):
            drive.first = drive.first or work.number
        source = place.installed.source
        methods = source.lifecycle if work.cause == "lifecycle" else {*source.methods, DRAIN}
        if work.method not in methods:
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
        elif isinstance(asked, list):
            self._serve_together(attempt, asked)
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

    def _serve_together(self, attempt: Attempt, asked: list[Callable[[], Any]]) -> None:
        """Requests of one crossing; the first that is refused ends their awaiting."""
        answers = []
        for each in asked:
            if attempt.used >= self.limits["requests"]:
                attempt.refused = True
                self._at(self.now, "answer", attempt, OverRequests())
                return
            attempt.used += 1
            answers.append(each())
        self._at(self.now + REQUEST, "answer", attempt, answers)

    def _finish(self, attempt: Attempt, outcome: str, *, value: Any = None, error: Any = None) -> None:
        place, drive = attempt.place, self._drive
        attempt.ended = True
        if place.running is attempt:
            place.running = None
        else:
            place.beside.remove(attempt)
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
    ) -> tuple[TaskToken, bool]:
        """Queue a task; says too whether it was coalesced with a pending one."""
        place, parent = attempt.place, attempt.work
        callback: Callback = place.facts["callback", token.number]
        ordinal = attempt.queued.get(callback.method, 0)
        attempt.queued[callback.method] = ordinal + 1
        # A drain has one pending pass, whoever queues it: what a later attempt records needs one.
        fork = parent.attempts if callback.method == DRAIN else 0
        identity = ("task", parent.number, callback.method, ordinal, fork)
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
            return TaskToken(known.number), False
        pending = next(
            (each for each in works if key is not None and each.key == key and each.is_pending), None
        )
        lost = (
            pending is not None
            and pending.callback is not None
            and place.facts["callback", pending.callback].deleted
        )
        if pending is not None and coalesce and not lost:
            kept = replace(pending, due=min(pending.due, work.due))
            place.commit({("work", pending.number): kept})
            if kept.due < pending.due:
                self._await_due(place, kept)
            return TaskToken(pending.number), True
        changes: Facts = {("work", number): work}
        if pending is not None:
            changes["work", pending.number] = replace(pending, state="cancelled")
        place.commit(changes)
        if pending is not None:
            self._forget(pending)
        self._admit(place, work)
        return TaskToken(number), False

    def cancel(self, place: Place, *, number: int | None = None, key: str | None = None) -> None:
        for work in self._works(place):
            if (
                work.is_pending
                and (work.is_scheduled or work.key is not None)
                and number in {None, work.number}
                and key in {None, work.key}
            ):
                self._retire(place, work, "cancelled")
