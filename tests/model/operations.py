"""What a script can say: each operation as a twist performs it, as the model understands it, and how it is drawn.

A script is a list of operations, `["set", "a", 1]`; the methods of the one twist that is deployed perform the script
that they are given. A further operation is one more row of `OPERATIONS`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.model import draining
from tests.model.attempt import Attempt, Raised, Sleep
from tests.model.facts import SECOND, Script, Source, Steps, to_datetime

METHODS = ("alpha", "beta", "gamma")
KEYS = ("a", "b", "c")

keys, methods = st.sampled_from(KEYS), st.sampled_from(METHODS)
task_keys, slots = st.sampled_from(("k", "l")), st.sampled_from(("x", "y"))
delays = st.sampled_from((-5, 0, 1, 2, 30, 60, 61, 300, 3600))


@dataclass(frozen=True, slots=True)
class Operation:
    """One word of the language.

    Attributes:
        parameters: How each argument is drawn; `SCRIPT` is a script of its own.
        code: The body of a function (twist, *arguments) inside the sandbox.
        meaning: The same in the model.
    """

    parameters: dict[str, Any]
    code: str
    meaning: Callable[..., Steps]


SCRIPT: Any = object()
OPERATIONS: dict[str, Operation] = {}


def operation(code: str, **parameters: Any) -> Callable[[Callable[..., Steps]], Callable[..., Steps]]:
    """Enter an operation into the table, under the name of its meaning."""

    def enter(meaning: Callable[..., Steps]) -> Callable[..., Steps]:
        OPERATIONS[meaning.__name__.rstrip("_")] = Operation(parameters, code, meaning)
        return meaning

    return enter


def on_kept(word: str, place: str, code: str, ask: Callable[[Attempt, Any], Steps]) -> None:
    """Enter an operation on what was kept in a slot, if anything was.

    Args:
        word: Its name.
        place: What the Store's key begins with.
        code: What a twist calls with it.
        ask: The same in the model.
    """

    def meaning(it: Attempt, slot: str) -> Steps:
        kept = yield from it.get(f"{place}:{slot}")
        if kept:
            yield from ask(it, kept)

    called = f'kept = await twist.get("{place}:" + slot)\nif kept:\n    await twist.{code}(kept)'
    OPERATIONS[word] = Operation({"slot": slots}, called, meaning)


# the Store


@operation("await twist.set(key, value)", key=keys, value=st.integers(0, 9))
def set_(it: Attempt, key: str, value: int) -> Steps:
    yield from it.set_many({key: value})


@operation("return await twist.get(key)", key=keys)
def get(it: Attempt, key: str) -> Steps:
    return (yield from it.get(key))


@operation(
    "await twist.set_many(values)", values=st.dictionaries(keys, st.integers(10, 19), min_size=1, max_size=3)
)
def set_many(it: Attempt, values: dict[str, int]) -> Steps:
    yield from it.set_many(values)


@operation("await twist.clear(key)", key=keys)
def clear(it: Attempt, key: str) -> Steps:
    yield from it.clear_many([key])


@operation("await twist.clear_all()")
def clear_all(it: Attempt) -> Steps:
    yield from it.clear_all()


@operation("return await twist.tools.store.list(prefix)", prefix=st.sampled_from(("", "a", "token:")))
def list_(it: Attempt, prefix: str) -> Steps:
    return (yield from it.keys(prefix))


@operation(
    "return await twist.tools.store.acquire_lock(key, seconds)", key=keys, seconds=st.sampled_from((1, 60))
)
def lock(it: Attempt, key: str, seconds: int) -> Steps:
    return (yield from it.acquire_lock(key, seconds))


@operation("await twist.tools.store.release_lock(key)", key=keys)
def unlock(it: Attempt, key: str) -> Steps:
    yield from it.release_lock(key)


# time and failure


@operation("return now()")
def clock(it: Attempt) -> Steps:
    return to_datetime(it.now)
    yield


@operation("await asyncio.sleep(seconds)", seconds=st.sampled_from((1, 3, 45)))
def sleep(it: Attempt, seconds: int) -> Steps:
    yield Sleep(seconds)


@operation("raise ValueError('as it was told to')")
def fail(it: Attempt) -> Steps:
    raise Raised("ValueError")
    yield


@operation(
    """
    failed = await twist.get("failed:" + key) or 0
    if failed < times:
        await twist.set("failed:" + key, failed + 1)
        raise ValueError("not yet")
    """,
    key=keys,
    times=st.integers(1, 4),
)
def flaky(it: Attempt, key: str, times: int) -> Steps:
    failed = (yield from it.get("failed:" + key)) or 0
    if failed < times:
        yield from it.set_many({"failed:" + key: failed + 1})
        raise Raised("ValueError")


@operation(
    """
    for _ in range(times):
        await twist.get("a")
    """,
    times=st.sampled_from((2, 60)),
)
def burn(it: Attempt, times: int) -> Steps:
    for _ in range(times):
        yield from it.get("a")


# callbacks


@operation(
    'await twist.set("callback:" + slot, await twist.callback(method, script))',
    slot=slots,
    method=methods,
    script=SCRIPT,
)
def keep(it: Attempt, slot: str, method: str, script: Script) -> Steps:
    yield from it.set_many({"callback:" + slot: (yield from it.callback(method, script))})


@operation(
    """
    callback = await twist.get("callback:" + slot)
    return callback and await twist.run(callback)
    """,
    slot=slots,
)
def run(it: Attempt, slot: str) -> Steps:
    token = yield from it.get("callback:" + slot)
    return token and (yield from it.run(token))


on_kept("use", "callback", "run_task", Attempt.run_task)
on_kept("delete", "callback", "delete_callback", Attempt.delete_callback)


@operation("await twist.delete_all_callbacks()")
def delete_all(it: Attempt) -> Steps:
    yield from it.delete_all_callbacks()


# webhooks and drains


@operation(
    'await twist.set("url:" + slot, await twist.tools.network.create_webhook("hooked", script, sync=sync))',
    slot=slots,
    sync=st.booleans(),
    script=SCRIPT,
)
def hook(it: Attempt, slot: str, sync: bool, script: Script) -> Steps:
    yield from it.set_many({"url:" + slot: (yield from it.create_webhook(script, sync=sync))})


on_kept("unhook", "url", "tools.network.delete_webhook", Attempt.delete_webhook)


@operation(
    """
    batch, limit, delay = options
    await twist.schedule_drain(
        key, "drained", ids, batch_size=batch, delay=timedelta(seconds=delay), max_attempts=limit,
        handler_args=(again, script),
    )
    """,
    key=task_keys,
    ids=st.lists(st.sampled_from(("1", "2", "3")), max_size=3, unique=True),
    options=st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from((0, 1, 10))).map(list),
    again=st.lists(st.sampled_from(("1", "2", "3")), max_size=1),
    script=SCRIPT,
)
def drain(
    it: Attempt, key: str, ids: list[str], options: list[int], again: list[str], script: Script
) -> Steps:
    batch, limit, delay = options
    yield from draining.schedule(it, key, ids, [batch, limit, delay * SECOND], [again, script])


@operation("await twist.cancel_drain(key)", key=task_keys)
def undrain(it: Attempt, key: str) -> Steps:
    yield from draining.cancel(it, key)


# tasks


@operation("await twist.run_task(await twist.callback(method, script))", method=methods, script=SCRIPT)
def task(it: Attempt, method: str, script: Script) -> Steps:
    yield from it.run_task((yield from it.callback(method, script)))


@operation(
    """
    if left:
        await twist.run_task(await twist.callback(method, [["loop", method, left - 1]]))
    """,
    method=methods,
    left=st.sampled_from((3, 20)),
)
def loop(it: Attempt, method: str, left: int) -> Steps:
    if left:
        yield from it.run_task((yield from it.callback(method, [["loop", method, left - 1]])))


@operation(
    """
    callback = await twist.callback(method, script)
    token = await twist.run_task(callback, run_at=now() + timedelta(seconds=delay))
    await twist.set("token:" + slot, token)
    """,
    method=methods,
    delay=delays,
    slot=slots,
    script=SCRIPT,
)
def later(it: Attempt, method: str, delay: int, slot: str, script: Script) -> Steps:
    callback = yield from it.callback(method, script)
    token = yield from it.run_task(callback, it.now + delay * SECOND)
    yield from it.set_many({"token:" + slot: token})


on_kept("cancel", "token", "cancel_task", Attempt.cancel_task)


@operation("await twist.cancel_all_tasks()")
def cancel_all(it: Attempt) -> Steps:
    yield from it.cancel_all_tasks()


@operation(
    """
    callback = await twist.callback(method, script)
    await twist.schedule_task(key, callback, now() + timedelta(seconds=delay), coalesce=coalesce)
    """,
    key=task_keys,
    method=methods,
    delay=delays,
    coalesce=st.booleans(),
    script=SCRIPT,
)
def schedule(it: Attempt, key: str, method: str, delay: int, coalesce: bool, script: Script) -> Steps:
    callback = yield from it.callback(method, script)
    yield from it.schedule_task(key, callback, it.now + delay * SECOND, coalesce=coalesce)


@operation(
    """
    callback = await twist.callback(method, script)
    first = None if first is None else now() + timedelta(seconds=first)
    await twist.schedule_recurring(key, callback, every=timedelta(seconds=every), first_run_at=first)
    """,
    key=task_keys,
    method=methods,
    every=st.sampled_from((20, 60, 600)),
    first=st.sampled_from((None, None, 0, 5, 3600)),
    script=SCRIPT,
)
def recurring(it: Attempt, key: str, method: str, every: int, first: int | None, script: Script) -> Steps:
    callback = yield from it.callback(method, script)
    at = None if first is None else it.now + first * SECOND
    yield from it.schedule_recurring(key, callback, every * SECOND, at)


@operation("await twist.cancel_scheduled_task(key)", key=task_keys)
def cancel_key(it: Attempt, key: str) -> Steps:
    yield from it.cancel_scheduled_task(key)


ALONE = frozenset(
    {"set", "get", "set_many", "clear", "clear_all", "list", "lock", "unlock", "fail", "flaky", "burn"}
)
"""Operations that set nothing off."""


def meaning(it: Attempt, script: Script) -> Steps:
    """What a method makes of a script."""
    results = []
    for name, *arguments in script:
        results.append((yield from OPERATIONS[name].meaning(it, *arguments)))
    return results


def _said(names: list[str], inner: Any) -> Any:
    """One operation with its arguments."""

    def said(name: str) -> Any:
        drawn = [inner if each is SCRIPT else each for each in OPERATIONS[name].parameters.values()]
        return st.tuples(st.just(name), *drawn).map(list)

    return st.sampled_from(names).flatmap(said)


def scripts(depth: int = 2) -> Any:
    """Scripts whose tasks have scripts of their own, `depth` times."""
    plain = [name for name, each in OPERATIONS.items() if SCRIPT not in each.parameters.values()]
    names = list(OPERATIONS) + [name for name in OPERATIONS if name not in plain] if depth else plain
    inner = scripts(depth - 1) if depth else st.nothing()
    return st.lists(_said(names, inner), min_size=1, max_size=4 if depth else 2)


HEAD = """
import asyncio
from datetime import timedelta

async def perform(twist, script):
    results = []
    for name, *arguments in script:
        results.append(await globals()["op_" + name](twist, *arguments))
    return results
"""


BUILD = """
    def build(self, build):
        return {"network": build(Network, urls=["https://api.example.com/*"])}
"""

SPECIAL = {
    "hooked": """
    async def hooked(self, request, script):
        return [request.body, *await perform(self, script)]
""",
    "drained": """
    async def drained(self, ids, again, script):
        await self.set("drained", ids)
        await perform(self, script)
        return {"retry": [each for each in ids if each in again]} if again else None
""",
}
"""Methods with call-time arguments."""

EVERYTHING = {**dict.fromkeys(METHODS, 1), "hooked": 2, "drained": 3}


def text_of(name: str, source: Source) -> str:
    """A version as source text."""
    parts = [HEAD]
    for word, each in OPERATIONS.items():
        body = textwrap.indent(textwrap.dedent(each.code).strip(), "    ")
        parts.append(f"async def op_{word}({', '.join(['twist', *each.parameters])}):\n{body}\n")
    parts.append(f"class {name}(Twist):\n    salt = {source.salt}\n{BUILD}")
    parts += [text for method, text in SPECIAL.items() if method in source.methods]
    for method, arity in sorted(source.methods.items()):
        if method in SPECIAL:
            continue
        arguments = ("self", "script", "more")[: arity + 1]
        parts.append(
            f"    async def {method}({', '.join(arguments)}):\n        return await perform(self, script)\n"
        )
    parts += [
        f"    async def {event}(self):\n        return await perform(self, {script!r})\n"
        for event, script in sorted(source.lifecycle.items())
    ]
    return "\n".join(parts)
