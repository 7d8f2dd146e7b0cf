"""SPEC 5: the Store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plot_nb import Runtime
from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.twist import superjson
from tests.runtime.twists import called, line_of, methods, on_runtime


@pytest.mark.rule("5.9", "5.10")
def test_keys_come_ascending_and_by_prefix() -> None:
    body = """
    async def go(self):
        await self.set_many({"b:2": 1, "a": 2, "b:1": 3, "b%": 4})
        return [await self.tools.store.list("b:"), await self.list_entries("b"), await self.tools.store.list()]
    """
    assert called(body).value == [["b:1", "b:2"], {"b%": 4, "b:1": 3, "b:2": 1}, ["a", "b%", "b:1", "b:2"]]


@pytest.mark.rule("5.7", "5.8")
def test_a_missing_key_is_none_and_clearing_one_is_no_error() -> None:
    body = """
    async def go(self):
        await self.clear("nothing")
        return [await self.get("nothing"), await self.get_many(["x", "y"])]
    """
    assert called(body).value == [None, {"x": None, "y": None}]


@pytest.mark.rule("5.5", "5.6", "5.19", "5.20")
@pytest.mark.parametrize(
    ("statement", "error", "says"),
    [
        ("await self.set('k' * 1025, 1)", "ValueError", "1025"),
        ("await self.set('k', 'v' * 2**20)", "ValueError", "'k'"),
        ("await self.set_many({'fine': 1, 'k': 'v' * 2**20})", "ValueError", "'k'"),
        ("await self.set('k', lambda: 1)", "TypeError", "callback"),
        ("await self.set('k', {'a': [1, object()]})", "TypeError", "a[1]"),
        ("await self.set(5, 1)", "TypeError", "not int"),
    ],
)
def test_what_the_store_refuses_is_named_and_nothing_is_written(
    statement: str, error: str, says: str
) -> None:
    body = f"async def go(self):\n    await self.set('before', 1)\n    {statement}"
    result = called(body)
    assert result.outcome == "error"
    assert str(result.error).startswith(error)
    assert says in str(result.error)
    assert result.line == line_of(methods(body), statement)
    assert result.store == {"before": 1}


@pytest.mark.rule("5.22", "5.28")
def test_every_version_is_kept_with_the_execution_and_request_that_wrote_it() -> None:
    body = """
    async def go(self):
        await self.set("n", 1)
        await self.set("n", 2)
        await self.clear("n")
        await self.set("n", 3)
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        execution = (await twist.go()).executions["execution"].iloc[0]
        history = twist.store_history
        assert history["value"].tolist() == [1, 2, None, 3]
        assert history["type"].tolist() == ["int", "int", "cleared", "int"]
        assert history["version"].tolist() == [1, 2, 3, 4]
        assert history["seq"].tolist() == [1, 2, 3, 4]
        assert set(history["execution"]) == {execution}
        row = twist.store.iloc[0]
        assert (row["key"], row["type"], row["value"], row["version"]) == ("n", "int", 3, 4)

    on_runtime(work)


@pytest.mark.rule("5.29")
def test_dump_and_load_are_inverse_and_a_bad_text_loads_nothing() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(
            methods("async def go(self): await self.set_many({'a': {1, 2}, 'b': 2**80})")
        )
        await twist.go()
        dumped = twist.dump()
        assert dumped["a"] == '{"json":[1,2],"meta":{"values":["set"],"v":1}}'
        with pytest.raises(ValueError, match="'bad'"):
            twist.load({"good": '{"json":1}', "bad": "nothing"})
        assert twist.dump() == dumped
        await runtime.reset()
        twist = await runtime.deploy(methods("async def go(self): return await self.get_many(['a', 'b'])"))
        twist.load(dumped)
        assert (await twist.go()).value == {"a": {1, 2}, "b": 2**80}
        assert twist.store["execution"].isna().all()

    on_runtime(work)


KEYS = st.text(st.characters(codec="utf-8"), max_size=3) | st.sampled_from(
    ["a", "a:", "a:b", "a\uffff", "a\U0010ffff"]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.dictionaries(KEYS, st.integers(), max_size=3)),
        st.tuples(st.just("clear"), st.lists(KEYS, max_size=3)),
        st.tuples(st.just("clear_all"), st.none()),
        st.tuples(st.just("list"), KEYS),
    ),
    max_size=20,
)


@pytest.mark.rule("5.9", "5.10")
@settings(deadline=None)
@given(STEPS)
def test_the_store_is_a_dict_with_ordered_keys(tmp_path_factory: Any, steps: list[tuple[str, Any]]) -> None:
    backend = SqliteBackend(tmp_path_factory.mktemp("store") / "state.db")
    model: dict[str, int] = {}
    for step, what in steps:
        origin = Origin(1, None, None, 0)
        if step == "set":
            backend.set_many(origin, [(key, superjson.dumps(value)) for key, value in what.items()])
            model.update(what)
        elif step == "clear":
            backend.clear_many(origin, what)
            model = {key: value for key, value in model.items() if key not in what}
        elif step == "clear_all":
            backend.clear_many(origin, backend.keys(1))
            model = {}
        else:
            expected = sorted(key for key in model if key.startswith(what))
            assert list(backend.keys(1, what)) == expected
            entries = [(key, superjson.loads(text)) for key, text in backend.entries(1, what)]
            assert entries == [(key, model[key]) for key in expected]
        assert list(backend.keys(1)) == sorted(model)
        assert list(backend.keys(2)) == []
    backend.close()


LOCKS = """
async def take(self, seconds, keep=True):
    got = await self.tools.store.acquire_lock("sync", seconds)
    if got and not keep:
        await self.tools.store.release_lock("sync")
    return got
async def release(self):
    await self.tools.store.release_lock("sync")
async def keys(self):
    await self.set("a", 1)
    hidden = await self.tools.store.list("__lock__:")
    shown = await self.tools.store.list()
    await self.clear_all()
    return [hidden, shown, await self.list_entries(), await self.tools.store.list("__lock__:")]
async def worker(self):
    while not await self.tools.store.acquire_lock("n", timedelta(minutes=1)):
        await asyncio.sleep(0.01)
    n = await self.get("n") or 0
    await self.set("n", n + 1)
    await self.tools.store.release_lock("n")
async def race(self, count):
    callback = await self.callback(self.worker)
    await asyncio.gather(*(self.run_task(callback) for _ in range(count)))
async def forge(self):
    await self.set("__lock__:sync", 1)
"""


def locking(work: Callable[[Runtime, Any], Awaitable[None]], **more: Any) -> None:
    async def deployed(runtime: Runtime) -> None:
        head = "import asyncio\nfrom datetime import timedelta"
        await work(runtime, await runtime.deploy(methods(LOCKS, head=head)))

    on_runtime(deployed, **more)


@pytest.mark.rule("5.25", "5.26", "5.27")
def test_a_lock_is_exclusive_until_it_is_released_by_its_holder_or_expires() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        assert (await twist.take(60)).value is True
        assert (await twist.take(60)).value is False
        await twist.release()  # another execution: not its lock
        assert (await twist.take(60)).value is False
        await runtime.advance(timedelta(seconds=60))
        assert (await twist.take(60, False)).value is True
        assert (await twist.take(60)).value is True

    locking(work)


@pytest.mark.rule("5.25")
def test_a_lock_holds_across_concurrent_executions() -> None:
    async def work(_: Runtime, twist: Any) -> None:
        run = await twist.race(12)
        assert set(run.executions["outcome"]) == {"ok"}
        assert dict(zip(twist.store["key"], twist.store["value"], strict=True))["n"] == 12

    locking(work, concurrency=4)


@pytest.mark.rule("5.11")
def test_locks_are_no_keys_unless_asked_for() -> None:
    async def work(_: Runtime, twist: Any) -> None:
        await twist.take(60)
        lock = ["__lock__:sync"]
        assert (await twist.keys()).value == [lock, ["a"], {}, lock]
        forged = await twist.forge()
        assert (forged.outcome, "acquire_lock" in str(forged.error)) == ("error", True)

    locking(work)
