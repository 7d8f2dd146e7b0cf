"""SPEC 7: tasks, chains, retries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plot_nb import Limits, Runtime
from tests.runtime.twists import called, line_of, methods, on_runtime


def test_a_task_is_an_execution_of_its_own_with_its_parent() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.page, 2))
    async def page(self, number):
        await self.set("page", number)
    """
    result = called(body)
    first, second = result.executions.itertuples()
    assert (first.method, first.cause) == ("go", "call")
    assert result.executions["parent"].isna().tolist() == [True, False]
    assert (second.method, second.cause, second.parent) == ("page", "task", first.execution)
    assert result.store == {"page": 2}
    assert result.tasks[["execution", "state"]].values.tolist() == [[second.execution, "done"]]


def test_tasks_run_first_in_first_out() -> None:
    body = """
    async def go(self):
        for number in range(5):
            await self.run_task(await self.callback(self.note, number))
    async def note(self, number):
        await self.set("order", [*(await self.get("order") or []), number])
    """
    assert called(body).store == {"order": [0, 1, 2, 3, 4]}


def test_a_method_receives_extra_arguments_after_those_of_the_call() -> None:
    body = """
    async def go(self):
        return await self.run(await self.callback("seen", "extra"), "call")
    async def seen(self, *args):
        return list(args)
    """
    assert called(body).value == ["call", "extra"]


def test_a_task_that_expects_a_call_time_argument_fails() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback("batch", [1, 2]))
    async def batch(self, args, items):
        pass
    """
    result = called(body)
    assert set(result.executions["outcome"][1:]) == {"error"}
    assert "TypeError" in result.executions["error"].iloc[1]


def test_a_task_that_raises_is_tried_three_times_then_dead() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.flaky))
    async def flaky(self):
        raise ValueError("no luck")
    """
    result = called(body)
    attempts = result.executions[result.executions["method"] == "flaky"]
    assert attempts["attempt"].tolist() == [1, 2, 3]
    assert attempts["outcome"].tolist() == ["error"] * 3
    assert attempts["execution"].nunique() == 1
    waits = (attempts["started"] - attempts["ended"].shift()).dropna().tolist()
    assert waits == [timedelta(seconds=1), timedelta(seconds=2)]
    assert result.tasks["state"].tolist() == ["dead"]
    assert any("given up after 3 attempts" in text for text in result.texts("system"))
    assert attempts["line"].iloc[0] == line_of(methods(body), "no luck")


def test_a_task_that_goes_over_a_limit_is_dead_at_once() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.greedy))
    async def greedy(self):
        for n in range(100):
            await self.set("n", n)
    """
    result = called(body, limits=Limits(requests=10))
    assert result.executions["outcome"].tolist() == ["ok", "over_requests"]
    assert result.tasks["state"].tolist() == ["dead"]


def test_a_call_is_never_tried_again() -> None:
    result = called("async def go(self): raise ValueError('once')")
    assert result.executions["attempt"].tolist() == [1]
    assert (result.outcome, result.error) == ("error", "ValueError: once")


def test_an_execution_that_is_tried_again_does_not_fork_its_chain() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.flaky))
    async def flaky(self):
        await self.run_task(await self.callback(self.next))
        tries = (await self.get("tries") or 0) + 1
        await self.set("tries", tries)
        if tries < 3:
            raise ValueError("again")
    async def next(self):
        await self.set("ran", (await self.get("ran") or 0) + 1)
    """
    result = called(body)
    assert result.store == {"tries": 3, "ran": 1}
    assert result.executions["method"].tolist().count("next") == 1


def test_a_runaway_chain_pauses_and_names_the_method_and_goes_on_when_resumed() -> None:
    body = """
    async def go(self):
        await self.set("n", (await self.get("n") or 0) + 1)
        await self.run_task(await self.callback(self.go))
    async def other(self):
        return "fine"
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        run = await twist.go()
        assert len(run.executions) == 20
        assert "'go'" in str(run.paused)
        assert "20" in str(run.paused)
        assert (await twist.other()).value == "fine"
        again = await runtime.run_until_idle()
        assert len(again.executions) == 20
        assert again.paused is not None
        assert twist.store["value"].tolist() == [40]

    on_runtime(work, limits=Limits(chain=20))


def test_a_task_whose_callback_was_deleted_is_dropped_with_a_journal_entry() -> None:
    body = """
    async def go(self):
        callback = await self.callback(self.later)
        await self.run_task(callback)
        await self.delete_callback(callback)
    async def later(self):
        await self.set("ran", True)
    """
    result = called(body)
    assert result.store == {}
    assert result.tasks["state"].tolist() == ["dropped"]
    assert any("was deleted" in text for text in result.texts("system"))


def test_running_a_deleted_callback_raises_callback_deleted() -> None:
    body = """
    async def go(self):
        callback = await self.callback(self.later)
        await self.delete_all_callbacks()
        try:
            await self.run(callback)
        except Exception as error:
            return type(error).__name__
    async def later(self):
        pass
    """
    assert called(body).value == "CallbackDeleted"


def test_a_callback_for_a_method_that_does_not_exist_is_a_value_error_there_and_then() -> None:
    body = """
    async def go(self):
        await self.callback("nosuch")
    """
    result = called(body)
    assert result.outcome == "error"
    assert "ValueError" in str(result.error)
    assert "nosuch" in str(result.error)
    assert result.line == line_of(methods(body), "nosuch")


def test_a_callback_runs_the_method_of_the_version_in_force() -> None:
    before = """
    async def go(self):
        await self.set("cb", await self.callback("step"))
        await self.callback("gone")
    async def step(self):
        return "old"
    async def gone(self):
        pass
    async def use(self):
        return await self.run(await self.get("cb"))
    """
    after = before.replace('"old"', '"new"')
    lost = after.replace("async def step", "async def renamed")

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(before))
        await twist.go()
        assert (await twist.use()).value == "old"
        twist = await runtime.deploy(methods(after))
        assert (twist.version, (await twist.use()).value) == (2, "new")
        twist = await runtime.deploy(methods(lost))
        run = await twist.use()
        assert run.outcome == "error"
        for part in ("CallbackNotFound", "'step'", "version 1", "version 3"):
            assert part in str(run.error)

    on_runtime(work)


@pytest.mark.parametrize("seed", [1, 2])
def test_tokens_of_callbacks_differ_and_cannot_be_made_up(seed: int) -> None:
    body = """
    async def go(self):
        tokens = [await self.callback("go") for _ in range(20)]
        try:
            await self.run("cb_" + "0" * 28)
        except Exception as error:
            return [len(set(tokens)), min(map(len, tokens)), type(error).__name__]
    """
    assert called(body, seed=seed).value == [20, 31, "CallbackNotFound"]
