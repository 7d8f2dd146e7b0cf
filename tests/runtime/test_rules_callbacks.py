"""docs/runtime.md, section 6: what a callback stands for, and for how long."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime
from plot_nb.twist import superjson
from tests.runtime.twists import called, line_of, methods, on_runtime


@pytest.mark.rule("6.2")
def test_nothing_comes_along_but_the_method_and_its_arguments() -> None:
    body = """
    async def go(self):
        self.page = cache["page"] = 7
        items = [1]
        callback = await self.callback(self.later, items)
        items.append(2)
        await self.run_task(callback)
    async def later(self, items):
        await self.set("found", [items, getattr(self, "page", None), cache])
    """
    assert called(body, head="cache = {}").store == {"found": [[1], None, {}]}


@pytest.mark.rule("6.1")
def test_a_token_says_nothing_of_what_it_stands_for_and_is_another_each_time() -> None:
    body = """
    async def go(self):
        return [await self.callback(self.go, "argument") for _ in range(100)]
    """

    async def work(runtime: Runtime) -> list[str]:
        twist = await runtime.deploy(methods(body))
        return [*(await twist.go()).value, *(await twist.go()).value]

    tokens = on_runtime(work)
    assert len(set(tokens)) == 200
    for token in tokens:
        assert len(token.removeprefix("cb_")) >= 26
        assert "argument" not in token
    assert not set(on_runtime(work, seed=2)) & set(tokens)


@pytest.mark.rule("6.14")
def test_a_callback_can_be_run_again_and_again() -> None:
    body = """
    async def go(self):
        callback = await self.callback(self.count, 2)
        found = [await self.run(callback, n) for n in range(3)]
        await self.run_task(callback, run_at=now())
        await self.run_task(callback)
        return found
    async def count(self, n, extra=None):
        await self.set("count", (await self.get("count") or 0) + 1)
        return [n, extra]
    """
    result = called(body)
    assert (result.value, result.store) == ([[0, 2], [1, 2], [2, 2]], {"count": 5})


@pytest.mark.rule("6.15")
def test_a_callback_outlives_its_execution_and_its_process(tmp_path: Path) -> None:
    body = """
    async def make(self):
        await self.set("callback", await self.callback(self.greet, "world"))
    async def use(self):
        return await self.run(await self.get("callback"), "hello")
    async def greet(self, word, name):
        return f"{word} {name}"
    """

    async def main() -> list[Any]:
        async with Runtime(tmp_path / "state.db") as runtime:
            twist = await runtime.deploy(methods(body))
            await twist.make()
            first = (await twist.use()).value
        async with Runtime(tmp_path / "state.db") as runtime:
            [twist] = runtime.twists()
            return [first, (await twist.use()).value]

    assert asyncio.run(main()) == ["hello world"] * 2


@pytest.mark.rule("6.16")
@pytest.mark.parametrize("argument", ["lambda: 1", "self.go", "object()", "datetime(2026, 1, 1)"])
def test_extra_arguments_are_values_that_the_store_takes(argument: str) -> None:
    body = f"""
    async def go(self):
        await self.callback(self.go, 1, {argument})
    """
    result = called(body, head="from datetime import datetime")
    assert result.outcome == "error"
    assert str(result.error).startswith("TypeError")
    assert "[1]" in str(result.error)
    assert result.line == line_of(methods(body, head="from datetime import datetime"), "self.callback(")


@pytest.mark.rule("6.16")
def test_extra_arguments_come_back_as_from_the_store() -> None:
    body = """
    async def go(self):
        return await self.run(await self.callback(self.same, {1, 2}, 2**70, UNDEFINED, (1, 2)))
    async def same(self, *args):
        return [args[0] == {1, 2}, args[1] == 2**70, args[2] is UNDEFINED, args[3]]
    """
    assert called(body).value == [True, True, True, [1, 2]]


@pytest.mark.rule("6.17")
def test_the_table_of_callbacks_tells_method_arguments_version_and_deletion() -> None:
    body = """
    async def go(self):
        kept = await self.callback(self.go, 1, "x")
        await self.delete_callback(await self.callback(self.other))
        return kept
    async def other(self):
        pass
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        first = await twist.go()
        await runtime.deploy(methods(body) + "# changed\n")
        second = await twist.go()
        table = twist.callbacks
        assert table["method"].tolist() == ["go", "other"] * 2
        assert table["version"].tolist() == [1, 1, 2, 2]
        assert table["deleted"].tolist() == [False, True] * 2
        assert superjson.loads(table["args"].iloc[0]) == [1, "x"]
        assert [table["callback"].iloc[place] for place in (0, 2)] == [first.value, second.value]
        made = [*first.executions["execution"], *second.executions["execution"]]
        assert table["execution"].tolist() == [made[0], made[0], made[1], made[1]]

    on_runtime(work)


@pytest.mark.rule("6.12")
def test_all_callbacks_of_an_instance_are_deleted_and_no_others() -> None:
    body = """
    async def go(self):
        await self.callback(self.go)
        await self.callback(self.go)
    async def drop(self):
        await self.delete_all_callbacks()
    """

    async def work(runtime: Runtime) -> None:
        one, two = [await runtime.deploy(methods(body), name) for name in ("one", "two")]
        await one.go()
        await two.go()
        await one.drop()
        assert one.callbacks["deleted"].tolist() == [True, True]
        assert two.callbacks["deleted"].tolist() == [False, False]

    on_runtime(work)


@pytest.mark.rule("6.4")
@pytest.mark.parametrize(
    "queue",
    [
        "await self.run_task(callback)",
        "await self.run_task(callback, run_at=now())",
        "await self.schedule_task('key', callback, now())",
        "await self.schedule_recurring('key', callback, every=timedelta(days=1), first_run_at=now())",
    ],
    ids=["task", "task at a time", "schedule", "recurring"],
)
def test_tasks_and_schedules_give_the_extra_arguments_alone(queue: str) -> None:
    body = f"""
    async def go(self):
        callback = await self.callback(self.later, "extra")
        {queue}
    async def later(self, *args):
        await self.set("args", args)
    """

    async def work(runtime: Runtime) -> Any:
        twist = await runtime.deploy(methods(body, head="from datetime import timedelta"))
        await twist.go()
        await runtime.run_until_idle()
        return twist.store["value"].tolist()

    assert on_runtime(work) == [["extra"]]


@pytest.mark.rule("6.13")
def test_a_callback_of_another_instance_is_not_found() -> None:
    body = """
    async def make(self):
        return await self.callback(self.ran)
    async def use(self, callback):
        await self.run(callback)
    async def queue(self, callback):
        await self.run_task(callback)
    async def ran(self):
        await self.set("ran", True)
    """

    async def work(runtime: Runtime) -> None:
        one, two = [await runtime.deploy(methods(body), name) for name in ("one", "two")]
        token = (await one.make()).value
        for run in (await two.use(token), await two.queue(token)):
            assert run.outcome == "error"
            assert str(run.error).startswith("CallbackNotFound")
        assert (await one.use(token)).ok
        assert (len(one.store), len(two.store)) == (1, 0)

    on_runtime(work)
