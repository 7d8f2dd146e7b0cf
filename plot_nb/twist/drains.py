"""Drains: ids that are recorded now and handled in batches later, each at least once (SPEC 8).

Made of the Store, callbacks and tasks, so all that holds for those holds here. For a drain `KEY` each id is a key
`__drain__:KEY:ID` of the Store, whose value is how many attempts were made at it, and one task is pending with the
schedule key `__drain__:KEY`: the next *pass*.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from plot_nb.twist import superjson
from plot_nb.twist.callbacks import method_name
from plot_nb.twist.errors import CallbackDeleted, CallbackNotFound
from plot_nb.twist.request import Request
from plot_nb.twist.store import KEY_LIMIT
from plot_nb.twist.wall import current

if TYPE_CHECKING:
    from plot_nb.twist.scoped import Scoped

PREFIX = "__drain__:"
"""Where drains keep their ids: listed only when this prefix is asked for (SPEC 5)."""

METHOD = "__drain__"
"""The method that makes a pass; like every name with an underscore it is the runtime's own."""

RECORDED = superjson.dumps(0)
"""What is kept of an id at which no attempt was made since it was recorded."""

SHORTEST_MS = 1.0
"""From a pass to its continuation at least: a task that is due at once could not be cancelled."""

LISTED = 1000
"""Ids that one request brings: a drain may have more than fit into the memory of an execution."""

NAMED = 50
"""Ids that one warning names."""

Ask = Callable[..., asyncio.Future[Any]]
"""Lets a request cross: its operation, then its arguments."""


class Handed(NamedTuple):
    """What the arguments of a pass say to who looks at it from outside.

    Attributes:
        key: The drain's.
        handler: The name of its method.
        given: How many arguments the handler gets: the ids, and its own.
    """

    key: str
    handler: str
    given: int


def read(args: str) -> Handed | None:
    """What a pass hands to whom; None where its arguments are not those of one, since a twist can forge them.

    Args:
        args: Of `METHOD`, as superjson text; it may be cut, or masked to no value.
    """
    try:
        given = superjson.loads(args)
    except ValueError:
        return None
    if not isinstance(given, list) or len(given) < 2 or not all(isinstance(each, str) for each in given[:2]):
        return None
    own = given[-1] if isinstance(given[-1], list) else []
    return Handed(given[0], given[1], 1 + len(own))


class Several(Request[None]):
    """Several requests that one call makes, all with the line of that call."""

    __slots__ = ("_prefix", "_steps_of")

    def __init__(
        self, owner: Scoped, name: str, key: str, steps: Callable[[Ask], Generator[Any, Any, None]]
    ) -> None:
        self._prefix = owner._plot_place.prefix
        super().__init__(self._prefix + name, [key])
        self._steps_of = steps

    def __await__(self) -> Generator[Any, Any, None]:
        self._begin()
        yield from self._steps_of(self._ask)

    def _ask(self, operation: str, *arguments: Any) -> asyncio.Future[Any]:
        return self._wall.send(self._prefix + operation, arguments, self._line)


def schedule(
    owner: Scoped,
    key: str,
    handler: str | Callable[..., Any],
    ids: Iterable[str],
    *,
    batch_size: int,
    delay: timedelta,
    max_attempts: int,
    handler_args: Sequence[Any],
) -> Request[None]:
    """See `Scoped.schedule_drain`."""
    name = method_name(owner, handler, "a drain's handler", "a drain's handler")
    place = _place(key)
    recorded = {place + each: RECORDED for each in _ids(ids, place)} or {place: RECORDED}
    if not isinstance(delay, timedelta):
        raise TypeError(f"delay is a timedelta, not {type(delay).__name__}")
    if delay < timedelta(0):
        raise ValueError(f"delay={delay}: give a timedelta that is not negative")
    if isinstance(handler_args, str) or not isinstance(handler_args, Sequence):
        raise TypeError(f"handler_args is a list or tuple, not {type(handler_args).__name__}")
    milliseconds = delay / timedelta(milliseconds=1)
    counts = _count("batch_size", batch_size), _count("max_attempts", max_attempts)
    own = list(handler_args)
    superjson.dumps(own, name="handler_args")  # what cannot be kept is named as it was given
    args = superjson.dumps([key, name, *counts, milliseconds, own])

    def steps(ask: Ask) -> Generator[Any, Any, None]:
        due = _now() + milliseconds
        yield from ask("store.set_many", recorded)
        token = yield from ask("callbacks.create", METHOD, args)
        is_first = yield from ask("tasks.schedule", place[:-1], token, due, True)
        if not is_first:
            yield from ask("callbacks.delete", token)

    return Several(owner, "schedule_drain", key, steps)


def cancel(owner: Scoped, key: str) -> Request[None]:
    """See `Scoped.cancel_drain`."""
    place = _place(key)

    def steps(ask: Ask) -> Generator[Any, Any, None]:
        _, recorded = yield from asyncio.gather(
            ask("tasks.cancel_scheduled", place[:-1]), ask("store.list", place, LISTED)
        )
        while recorded:
            yield from ask("store.clear_many", recorded)
            recorded = (yield from ask("store.list", place, LISTED)) if len(recorded) == LISTED else []

    return Several(owner, "cancel_drain", key, steps)


class Pass:
    """One pass of a drain: a batch of its ids, handed to the handler.

    Before the handler runs its ids are counted and the next pass is armed: so a pass that dies of a limit is counted,
    and followed by another. The callback that this pass runs by stands for that one too; the last pass deletes it.

    Where ids are left that no attempt was made at, and none shall be tried again, the next pass follows at once.
    """

    def __init__(
        self,
        owner: Scoped,
        key: str,
        handler: str,
        batch_size: int,
        max_attempts: int,
        delay: float,
        handler_args: list[Any],
    ) -> None:
        self._owner = owner
        self._key = key
        self._handler = handler
        self._batch_size = batch_size
        self._max_attempts = max_attempts
        self._delay = delay
        self._handler_args = handler_args
        self._place = _place(key)
        self._token = current().callback
        self._looked_at = max(LISTED, batch_size + 2)
        self._more = False

    async def run(self) -> None:
        """Make the pass.

        Raises:
            CallbackNotFound: If the deployed version has no such handler; the ids stay.
            TypeError: If the handler returned something else than None or `{"retry": [ids]}`.
            ValueError: If it wants an id to stay that it was not given.
        """
        handler = self._find()
        attempts = await self._list()
        batch = self._choose(attempts)
        left: Iterable[str] = ()
        staying: set[str] = set()
        if batch:
            counted = {each: superjson.dumps(attempts[each] + 1) for each in batch}
            await self._ask("store.set_many", counted)
            await self._arm(max(self._delay, SHORTEST_MS))
            ids = [each.removeprefix(self._place) for each in batch if each != self._place]
            staying = _retried(self._handler, ids, await handler(ids, *self._handler_args))
            done = {
                each: text for each, text in counted.items() if each.removeprefix(self._place) not in staying
            }
            # Together, so that nobody records an id in between. One that was recorded again has another text by now.
            _, left = await asyncio.gather(
                self._ask("store.clear_unchanged", done),
                self._ask("store.list", self._place, self._looked_at),
            )
        if not left:
            await self._end()
        elif not staying and (
            self._more or any(attempts.get(each) == 0 and each not in batch for each in left)
        ):
            await self._arm(0)

    def _find(self) -> Callable[..., Any]:
        kind = type(self._owner)
        found = inspect.getattr_static(kind, self._handler, None)
        if self._handler.startswith("_") or not inspect.iscoroutinefunction(found):
            raise CallbackNotFound(
                f"method {self._handler!r} is gone: the drain {self._key!r} hands its ids to it, and {kind.__name__} "
                "has it no more. The ids stay: give the new version a method of that name, or schedule the drain again"
            )
        method: Callable[..., Any] = getattr(self._owner, self._handler)
        return method

    async def _list(self) -> dict[str, int]:
        """Attempts at each id so far, without those that had as many as they may."""
        texts: dict[str, str] = dict(await self._ask("store.list_entries", self._place, self._looked_at))
        self._more = len(texts) == self._looked_at
        attempts = {each: _attempts(text) for each, text in texts.items()}
        over = [each for each, made in attempts.items() if made >= self._max_attempts]
        if over:
            await self._ask("store.clear_unchanged", {each: texts[each] for each in over})
            named = ", ".join(self._named(each) for each in over[:NAMED])
            more = f" and {len(over) - NAMED} more" if len(over) > NAMED else ""
            current().log(
                "warning",
                f"the drain {self._key!r} gave up after {self._max_attempts} attempts: {named}{more}",
            )
        return {each: attempts[each] for each in attempts.keys() - set(over)}

    def _named(self, each: str) -> str:
        """An id in a message; the mark of a drain without ids has none."""
        return "the pass without ids" if each == self._place else repr(each.removeprefix(self._place))

    def _choose(self, attempts: dict[str, int]) -> list[str]:
        """The batch, ascending; the mark of a drain without ids comes on top."""
        chosen = sorted(attempts.keys() - {self._place})[: self._batch_size]
        return [self._place, *chosen] if self._place in attempts else chosen

    async def _end(self) -> None:
        """Cancel the continuation, and take it back if an id was recorded before that: its task was this one."""
        _, left = await asyncio.gather(
            self._ask("tasks.cancel_scheduled", self._place[:-1]), self._ask("store.list", self._place, 1)
        )
        if left:
            await self._arm(self._delay)
        elif self._token is not None:
            await self._ask("callbacks.delete", self._token)

    async def _arm(self, milliseconds: float) -> None:
        """See to it that a pass comes no later than that."""
        due = _now() + milliseconds
        if self._token is not None:
            try:
                await self._ask("tasks.schedule", self._place[:-1], self._token, due, True)
            except CallbackDeleted:
                self._token = None
            else:
                return
        given = [
            self._key,
            self._handler,
            self._batch_size,
            self._max_attempts,
            self._delay,
            self._handler_args,
        ]
        self._token = await self._ask("callbacks.create", METHOD, superjson.dumps(given))
        await self._ask("tasks.schedule", self._place[:-1], self._token, due, True)

    def _ask(self, operation: str, *arguments: Any) -> asyncio.Future[Any]:
        return current().send(self._owner._plot_place.prefix + operation, arguments, 0)


def _place(key: str) -> str:
    """What the keys of a drain's ids begin with; no drain's is the beginning of another's."""
    if not isinstance(key, str):
        raise TypeError(f"a drain's key is a str, not {type(key).__name__}")
    if not key:
        raise ValueError("a drain's key is empty: give it a name")
    place = f"{PREFIX}{key.replace('%', '%25').replace(':', '%3A')}:"
    if (size := _size(place)) > KEY_LIMIT:
        raise ValueError(
            f"the drain's key {key[:80]!r}… takes {size} bytes of a key of the Store, which has {KEY_LIMIT}"
        )
    return place


def _ids(ids: Iterable[str], place: str) -> list[str]:
    if isinstance(ids, str):
        raise TypeError(f"ids are several, not one str: pass [{ids[:80]!r}]")
    given = list(ids)
    room = KEY_LIMIT - _size(place)
    for each in given:
        if not isinstance(each, str):
            raise TypeError(f"an id is a str, not {type(each).__name__}")
        if not each:
            raise ValueError("an id is empty: give each a name, or no ids at all")
        if _size(each) > room:
            raise ValueError(
                f"the id {each[:80]!r}… is {_size(each)} bytes, those of this drain have at most {room}"
            )
    return given


def _count(name: str, count: object) -> int:
    if not isinstance(count, int) or isinstance(count, bool):
        raise TypeError(f"{name} is an int, not {type(count).__name__}")
    if count < 1:
        raise ValueError(f"{name}={count}: give 1 or more")
    return count


def _attempts(text: str) -> int:
    found = superjson.loads(text)
    return found if type(found) is int else 0  # a hand may have written there


def _retried(handler: str, ids: list[str], returned: object) -> set[str]:
    """The ids that a handler wants to stay."""
    if returned is None:
        return set()
    staying = returned["retry"] if isinstance(returned, Mapping) and returned.keys() == {"retry"} else None
    if not isinstance(staying, (list, tuple, set, frozenset)):
        shown = repr(returned)[:200]
        raise TypeError(
            f"{handler}() returned {shown}: a drain's handler returns None, or {{'retry': [ids]}}"
        )
    strange = [each for each in staying if each not in ids]
    if strange:
        raise ValueError(f"{handler}() wants {strange[0]!r:.200} to be tried again, which it was not given")
    return set(staying)


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _now() -> float:
    return time.time() * 1000
