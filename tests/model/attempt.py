"""What a method can ask for in the model, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.model.draining import make_pass
from tests.model.facts import (
    DRAIN,
    LOCKS,
    SECOND,
    Callback,
    CallbackToken,
    Fact,
    Installed,
    Lock,
    Place,
    Script,
    Steps,
    TaskToken,
    Webhook,
    WebhookToken,
    Work,
)

if TYPE_CHECKING:
    from tests.model.clockwork import Clockwork


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


class Attempt:
    """One run of a method, with what the method can ask for."""

    def __init__(self, world: Clockwork, place: Place, number: int, row: Fact, installed: Installed) -> None:
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
        if work.method == DRAIN:
            return make_pass(self, *work.args)
        if work.cause == "lifecycle":
            return self.world.meaning(self, source.lifecycle[work.method])
        return self._method(work.method, work.args, work.callback)

    def _method(self, method: str, args: list[Any], callback: int | None) -> Steps:
        if len(args) != self.installed.source.methods[method]:
            raise Raised("TypeError", *self.versions(callback))
        results = yield from self.world.meaning(self, args[-1])
        return results if len(args) == 1 else [args[0], *results]

    def hand_over(self, handler: str, ids: list[str], again: list[str], script: Script) -> Steps:
        """Run a drain's handler."""
        if handler not in self.installed.source.methods:
            raise Raised("CallbackNotFound")
        yield from self.set_many({"drained": ids})
        yield from self.world.meaning(self, script)
        return {each for each in ids if each in again}

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

        return (yield lambda: self.make_callback(method, [script]))

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
            task, _ = self.world.queue(self, token, due=due)
            return None if due is None else task

        return (yield queue)

    def make_callback(self, method: str, args: list[Any]) -> CallbackToken:
        fact = self.place.following("callback")
        made = Callback(method, args, self.installed.version, self.work.number, self.now)
        self.place.commit({fact: made})
        return CallbackToken(fact[1])

    def create_webhook(self, script: Script, *, sync: bool) -> Steps:
        if "hooked" not in self.installed.source.methods:
            raise Raised("ValueError")

        def make() -> WebhookToken:
            fact = self.place.following("webhook")
            made = Webhook("hooked", [script], self.installed.version, self.work.number, sync, self.now)
            self.place.commit({fact: made})
            return WebhookToken(fact[1])

        return (yield make)

    def delete_webhook(self, token: WebhookToken) -> Steps:
        def delete() -> None:
            fact: Fact = ("webhook", token.number)
            self.place.commit({fact: replace(self.place.facts[fact], deleted=True)})

        return (yield delete)

    def cancel_task(self, token: TaskToken) -> Steps:
        return (yield lambda: self.world.cancel(self.place, number=token.number))

    def cancel_all_tasks(self) -> Steps:
        return (yield lambda: self.world.cancel(self.place))

    def schedule_task(self, key: str, token: CallbackToken, due: int, *, coalesce: bool) -> Steps:
        def queue() -> bool:
            self._found(token)
            return self.world.queue(self, token, due=due, key=key, coalesce=coalesce)[1]

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
