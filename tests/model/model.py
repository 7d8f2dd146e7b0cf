"""A plain model of the runtime: what is in flight, what waits, and a clock. It has the rules and none of the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.model.clockwork import Clockwork
from tests.model.facts import (
    Drive,
    Facts,
    Installed,
    Place,
    Source,
    Webhook,
    WebhookToken,
    Work,
    recovered,
)


class World(Clockwork):
    """The runtime, as its user meets it."""

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
        suspended = before is not None and before.suspended
        return self._lifecycle(place, Installed(version, source, suspended=suspended), event)

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
        """`deactivate` runs, and then everything is dropped at once; one that is cut off is not run again."""
        place = self.places[name]
        assert place.installed is not None
        drive = None
        if "deactivate" in place.installed.source.lifecycle:
            drive = self._await(
                place, replace(self._event(place, "lifecycle", "deactivate", []), awaited=True)
            )
        changes: Facts = {("installed",): replace(place.installed, active=False), ("now",): self.now}
        for kind in ("callback", "webhook"):
            changes |= {
                (kind, number): replace(each, deleted=True) for number, each in place.of(kind).items()
            }
        waiting = [work for work in self._works(place) if work.state == "queued"]
        changes |= {("work", work.number): replace(work, state="cancelled") for work in waiting}
        place.commit(changes)
        for work in waiting:
            self._forget(work)
        return drive

    def call(self, name: str, method: str, args: list[Any]) -> Drive:
        place = self.places[name]
        work = replace(self._event(place, "call", method, args), awaited=True)
        assert place.installed is not None
        if place.installed.suspended:
            return Drive(outcome="suspended")
        return self._await(place, work)

    def _await(self, place: Place, work: Work, *, alone: bool = False) -> Drive:
        self._calls[work.number] = place, work
        self._admit(place, work)
        return self.drive(chain=work.chain, alone=work.number if alone else None)

    def webhook(self, name: str, slot: str) -> Webhook | None:
        """The webhook whose URL is in the Store."""
        token = self.places[name].store("url:" + slot)
        return self.places[name].facts["webhook", token.number] if isinstance(token, WebhookToken) else None

    def is_quiet(self, name: str, span: int) -> bool:
        """Whether nothing runs, and nothing falls due for a while."""
        place = self.places[name]
        waiting = (work.due for work in self._works(place) if work.state == "queued")
        return not place.attempts and all(due > self.now + span for due in waiting)

    def post(self, name: str, slot: str, body: Any) -> tuple[Any, ...]:
        """Post to a webhook: what the sender gets."""
        place, hook = self.places[name], self.webhook(name, slot)
        assert hook is not None
        assert place.installed is not None
        if hook.deleted or not place.installed.active:
            return (404, None)
        if hook.sync and place.installed.suspended:
            return (503, None)
        work = self._event(place, "webhook", hook.method, [body, *hook.args])
        changes: Facts = {("webhook", place.store("url:" + slot).number): replace(hook, posts=hook.posts + 1)}
        if hook.sync:
            place.commit(changes)
            drive = self._await(place, replace(work, awaited=True), alone=True)
            return (200, drive.value) if drive.outcome == "ok" else (500, None)
        changes["work", work.number] = work
        place.commit(changes)
        self._admit(place, work)
        return (200, {"queued": True})

    def suspend(self, name: str) -> None:
        place = self.places[name]
        assert place.installed is not None
        place.commit({("installed",): replace(place.installed, suspended=True)})

    def resume(self, name: str) -> Drive | None:
        place = self.places[name]
        assert place.installed is not None
        if not place.installed.suspended:
            return None
        place.commit({("installed",): replace(place.installed, suspended=False)})
        return self.drive(until=self.now)

    def dead(self, name: str) -> list[int]:
        """Dead letters, in the order in which they were queued."""
        found = self.places[name].of("work").values() if name in self.places else []
        return sorted(work.number for work in found if work.state == "dead")

    def retry(self, name: str, number: int) -> Drive | None:
        """A dead letter with a fresh set of attempts; None if its callback was deleted or its key is taken."""
        place = self.places[name]
        work = replace(place.work(number), state="queued", failures=0, due=self.now)
        if work.callback is not None and place.facts["callback", work.callback].deleted:
            return None
        others = place.of("work").values()
        if work.key is not None and any(each.key == work.key and each.is_pending for each in others):
            return None
        place.commit({("work", number): work, ("now",): self.now})
        self._admit(place, work)
        return self.drive(chain=work.chain)

    def load(self, name: str, values: Mapping[str, Any]) -> None:
        place = self.places[name]
        place.commit(place.written(values, self.now, None))

    def advance(self, by: int) -> Drive:
        until = self.now + by
        drive = self.drive(until=until)
        if until > self.now:
            self.now = until
            for place in self.places.values():
                place.commit({("now",): until})
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
            place.beside = []
        waiting = [
            (w.number, p) for p in self.places.values() for w in p.of("work").values() if w.state == "queued"
        ]
        for number, place in sorted(waiting, key=lambda each: each[0]):
            self._admit(place, place.work(number))
