"""Drains in the model (SPEC 8): ids that are recorded now and handled in batches later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.model.facts import DRAIN, MS, CallbackToken, Script, Steps

if TYPE_CHECKING:
    from tests.model.attempt import Attempt


def place_of(key: str) -> str:
    """What the keys of a drain's ids begin with."""
    return f"{DRAIN}:{key}:"


def schedule(it: Attempt, key: str, ids: list[str], options: list[Any], handler_args: list[Any]) -> Steps:
    """Record ids, and see to it that one pass is pending; of a burst the first call's options hold."""
    from tests.model.attempt import Raised

    if "drained" not in it.installed.source.methods:
        raise Raised("ValueError")
    batch, limit, delay = options
    place, due = place_of(key), it.now + delay
    yield from it.set_many({place + each: 0 for each in ids} or {place: 0})
    args = [key, "drained", batch, limit, delay, handler_args]
    token = yield lambda: it.make_callback(DRAIN, args)
    if (yield from it.schedule_task(place[:-1], token, due, coalesce=True)):
        yield from it.delete_callback(token)


def cancel(it: Attempt, key: str) -> Steps:
    """Drop the recorded ids and the pending pass."""
    place = place_of(key)
    _, recorded = yield [lambda: it.world.cancel(it.place, key=place[:-1]), lambda: it.place.keys(place)]
    if recorded:
        yield from it.clear_many(recorded)


def make_pass(
    it: Attempt, key: str, handler: str, batch: int, limit: int, delay: int, handler_args: list[Any]
) -> Steps:
    """One pass: count, arm the next one, hand over, release."""
    from tests.model.attempt import Raised

    if handler not in it.installed.source.methods:
        raise Raised("CallbackNotFound")
    place, again = place_of(key), handler_args[0]
    script: Script = handler_args[1]
    token = it.work.callback
    assert token is not None
    armed = [CallbackToken(token)]
    found: dict[str, int] = yield lambda: {each: it.place.store(each) for each in it.place.keys(place)}
    over = {each: made for each, made in found.items() if made >= limit}
    if over:
        yield lambda: _clear_unchanged(it, over)
    attempts = {each: made for each, made in found.items() if each not in over}
    chosen = sorted(attempts.keys() - {place})[:batch]
    chosen = [place, *chosen] if place in attempts else chosen
    staying: set[str] = set()
    left: list[str] = []
    if chosen:
        counted = {each: attempts[each] + 1 for each in chosen}
        yield from it.set_many(counted)
        yield from _arm(it, place, it.work.args, armed, max(delay, MS))
        ids = [each.removeprefix(place) for each in chosen if each != place]
        staying = yield from it.hand_over(handler, ids, again, script)
        done = {each: made for each, made in counted.items() if each.removeprefix(place) not in staying}
        _, left = yield [lambda: _clear_unchanged(it, done), lambda: it.place.keys(place)]
    if not left:
        yield from _end(it, place, armed, delay)
    elif not staying and any(attempts.get(each) == 0 and each not in chosen for each in left):
        yield from _arm(it, place, it.work.args, armed, 0)


def _end(it: Attempt, place: str, armed: list[CallbackToken], delay: int) -> Steps:
    """Nothing is left: the continuation is cancelled, unless something was recorded just now."""
    _, left = yield [lambda: it.world.cancel(it.place, key=place[:-1]), lambda: it.place.keys(place)]
    if left:
        yield from _arm(it, place, it.work.args, armed, delay)
    elif armed:
        yield from it.delete_callback(armed[0])


def _arm(it: Attempt, place: str, args: list[Any], armed: list[CallbackToken], delay: int) -> Steps:
    """See to it that a pass comes no later than that."""
    from tests.model.attempt import Raised

    due = it.now + delay
    if armed:
        try:
            yield from it.schedule_task(place[:-1], armed[0], due, coalesce=True)
        except Raised as error:
            if error.shown != "CallbackDeleted":
                raise
            armed.clear()
        else:
            return
    made = yield lambda: it.make_callback(DRAIN, args)
    armed.append(made)
    yield from it.schedule_task(place[:-1], made, due, coalesce=True)


def _clear_unchanged(it: Attempt, values: dict[str, int]) -> None:
    gone: dict[str, Any] = {each: None for each, made in values.items() if it.place.store(each) == made}
    it.place.commit(it.place.written(gone, it.now, it.work.number))
