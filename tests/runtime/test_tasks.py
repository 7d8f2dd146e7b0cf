"""SPEC 7: tasks, chains, retries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from plot_nb import Limits, Runtime
from tests.runtime.twists import called, line_of, methods, on_runtime

T = TypeVar("T")


@pytest.mark.rule("7.53")
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


@pytest.mark.rule("7.2")
def test_tasks_run_first_in_first_out() -> None:
    body = """
    async def go(self):
        for number in range(5):
            await self.run_task(await self.callback(self.note, number))
    async def note(self, number):
        await self.set("order", [*(await self.get("order") or []), number])
    """
    assert called(body).store == {"order": [0, 1, 2, 3, 4]}


@pytest.mark.rule("6.3", "6.6")
def test_a_method_receives_extra_arguments_after_those_of_the_call() -> None:
    body = """
    async def go(self):
        return await self.run(await self.callback("seen", "extra"), "call")
    async def seen(self, *args):
        return list(args)
    """
    assert called(body).value == ["call", "extra"]


@pytest.mark.rule("6.4")
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


@pytest.mark.rule("7.12", "7.13")
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


@pytest.mark.rule("7.21")
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


@pytest.mark.rule("7.22")
def test_a_call_is_never_tried_again() -> None:
    result = called("async def go(self): raise ValueError('once')")
    assert result.executions["attempt"].tolist() == [1]
    assert (result.outcome, result.error) == ("error", "ValueError: once")


TRIED_AGAIN = """
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


@pytest.mark.rule("7.26")
def test_an_execution_that_is_tried_again_does_not_fork_its_chain() -> None:
    result = called(TRIED_AGAIN)
    assert result.store == {"tries": 3, "ran": 1}
    assert result.executions["method"].tolist().count("next") == 1


@pytest.mark.rule("7.38", "7.39")
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


@pytest.mark.rule("6.11")
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


@pytest.mark.rule("6.10")
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


@pytest.mark.rule("6.7")
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


@pytest.mark.rule("2.18", "6.8", "10.13")
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


@pytest.mark.rule("6.1")
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


SCHEDULES = """
async def later(self, minutes, coalesce=None):
    at = now() + timedelta(minutes=minutes)
    callback = await self.callback(self.note, minutes)
    if coalesce is None:
        return await self.run_task(callback, run_at=at)
    await self.schedule_task("sync", callback, at, coalesce=coalesce)
async def cancel(self, token):
    await self.cancel_task(token)
async def cancel_all(self):
    await self.cancel_all_tasks()
async def cancel_key(self, key):
    await self.cancel_scheduled_task(key)
async def note(self, what):
    await self.set("notes", [*(await self.get("notes") or []), what])
async def every_minute(self, first=None):
    first = None if first is None else now() + timedelta(seconds=first)
    callback = await self.callback(self.tick)
    await self.schedule_recurring("tick", callback, every=timedelta(minutes=1), first_run_at=first)
async def tick(self):
    ticks = await self.get("ticks") or []
    await self.set("ticks", [*ticks, now()])
    if (await self.get("fail")) or len(ticks) == 3:
        raise ValueError("a run that fails")
async def own_key(self, left):
    if left:
        callback = await self.callback(self.own_key, left - 1)
        await self.schedule_task("own", callback, now() + timedelta(hours=1))
    await self.note(left)
"""
HEAD = "from datetime import timedelta"


def scheduled(work: Callable[[Runtime, Any], Awaitable[T]], **settings: Any) -> T:
    """Run `work` with a runtime and a twist that schedules."""

    async def deployed(runtime: Runtime) -> T:
        return await work(runtime, await runtime.deploy(methods(SCHEDULES, head=HEAD)))

    return on_runtime(deployed, **settings)


def notes(twist: Any) -> Any:
    return dict(zip(twist.store["key"], twist.store["value"], strict=True)).get("notes")


@pytest.mark.rule("7.15", "7.16")
def test_work_for_later_waits_for_its_time_and_nobody_waits_for_it() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        run = await twist.later(60)
        assert isinstance(run.value, str)
        assert (len(run.executions), notes(twist)) == (1, None)
        await runtime.advance(timedelta(minutes=59))
        assert notes(twist) is None
        passed = await runtime.advance(timedelta(minutes=1))
        assert (passed.executions["method"].tolist(), notes(twist)) == (["note"], [60])

    scheduled(work)


@pytest.mark.rule("7.4")
def test_a_time_that_has_passed_is_now() -> None:
    async def work(_: Runtime, twist: Any) -> None:
        run = await twist.later(-5)
        assert run.executions["method"].tolist() == ["later", "note"]

    scheduled(work)


@pytest.mark.rule("7.11", "7.17")
def test_idle_runs_what_falls_due_within_the_horizon_in_time_order() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        for minutes in (30, 10, 20, 60 * 25):
            await twist.later(minutes)
        await runtime.run_until_idle()
        assert notes(twist) == [10, 20, 30]
        await runtime.run_until_idle(timedelta(days=2))
        assert notes(twist) == [10, 20, 30, 60 * 25]

    scheduled(work)


@pytest.mark.rule("7.5", "7.6")
def test_a_scheduled_task_can_be_cancelled_an_immediate_one_cannot() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        first = (await twist.later(1)).value
        await twist.later(2)
        await twist.cancel(first)
        await twist.cancel("nothing")
        await runtime.run_until_idle()
        assert notes(twist) == [2]
        await twist.later(3)
        await twist.later(4, coalesce=False)
        await twist.cancel_all()
        await runtime.run_until_idle()
        assert notes(twist) == [2]
        assert twist.tasks["state"].tolist() == ["cancelled", "done", "cancelled", "cancelled"]

    scheduled(work)


@pytest.mark.rule("7.28", "7.29")
@pytest.mark.parametrize(("coalesce", "expected"), [(False, [7]), (True, [9])])
def test_a_key_has_one_pending_task_replaced_or_kept_at_the_earlier_time(
    coalesce: bool, expected: list[int]
) -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        start = runtime.now
        for minutes in (9, 5, 7):
            await twist.later(minutes, coalesce)
        waiting = twist.tasks[twist.tasks["state"] == "queued"]
        assert len(waiting) == 1
        minutes = (waiting["run_at"].iloc[0] - start).total_seconds() // 60
        assert minutes == (5 if coalesce else 7)
        await runtime.run_until_idle()
        assert notes(twist) == expected

    scheduled(work)


@pytest.mark.rule("7.30")
def test_a_task_may_schedule_its_own_key() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await twist.own_key(3)
        await runtime.run_until_idle()
        assert notes(twist) == [3, 2, 1, 0]

    scheduled(work)


@pytest.mark.rule("7.31", "7.32", "7.33", "7.34")
def test_a_recurring_task_goes_on_when_runs_fail_until_it_is_cancelled() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await twist.every_minute(first=10)
        start = runtime.now
        await runtime.advance(timedelta(minutes=6))
        ticks = twist.executions.query("method == 'tick' and attempt == 1")["started"]
        assert [round((at - start).total_seconds()) for at in ticks] == [10, 70, 130, 190, 250, 310]
        failed = twist.executions.query("outcome == 'error'")
        assert failed["attempt"].tolist() == [1]
        before = len(twist.executions.query("method == 'tick'"))
        await twist.cancel_key("tick")
        await runtime.advance(timedelta(minutes=6))
        assert len(twist.executions.query("method == 'tick'")) == before

    scheduled(work)


@pytest.mark.rule("7.34")
def test_first_run_at_is_never_later_than_the_interval() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await twist.every_minute(first=3600)
        assert twist.tasks["run_at"].iloc[0] - runtime.now <= timedelta(minutes=1)

    scheduled(work)


def test_a_day_of_minutes_is_one_call() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        await twist.every_minute()
        run = await runtime.advance(timedelta(days=1))
        assert run.executions["method"].tolist().count("tick") == 1441

    scheduled(work)


@pytest.mark.rule("7.27")
def test_faithful_forks_show_what_derived_identities_prevent() -> None:
    assert called(TRIED_AGAIN, faithful_forks=True).store["ran"] == 3


RACE = """
async def start(self, count):
    callback = await self.callback(self.add)
    await asyncio.gather(*(self.run_task(callback) for _ in range(count)))
async def add(self):
    n = await self.get("n") or 0
    await self.set("n", n + 1)
"""


def race(seed: int, concurrency: int) -> tuple[Any, str]:
    async def work(runtime: Runtime) -> tuple[Any, str]:
        twist = await runtime.deploy(methods(RACE, head="import asyncio"))
        run = await twist.start(12)
        history = twist.store_history[["value", "execution"]].to_csv()
        assert set(run.executions["outcome"]) == {"ok"}
        return twist.store["value"].iloc[0], history

    return on_runtime(work, seed=seed, concurrency=concurrency)


@pytest.mark.rule("7.35", "7.36")
def test_executions_of_an_instance_run_one_at_a_time_unless_concurrency_lets_them_race() -> None:
    assert race(1, 1)[0] == 12
    assert race(1, 4)[0] < 12


@pytest.mark.rule("7.37")
def test_the_same_seed_shows_the_same_race_again() -> None:
    assert race(1, 4) == race(1, 4)
    assert race(1, 4)[1] != race(2, 4)[1]


def test_time_passes_no_further_than_it_was_told_to_for_work_that_is_scheduled() -> None:
    body = """
    async def slow(self):
        await asyncio.sleep(15)
    async def begin(self):
        await self.schedule_recurring("k", await self.callback(self.slow), every=timedelta(seconds=10))
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body, head="import asyncio\nfrom datetime import timedelta"))
        await twist.begin()
        start = runtime.now
        run = await runtime.advance(timedelta(minutes=1))
        # Runs begin at 10, 25, 40, 55 and 70 s: the last fell due at 60, the next falls due at 80.
        assert (runtime.now - start).total_seconds() // 5 == 85 // 5
        assert len(run.executions) == 5
        assert twist.tasks["state"].tolist().count("queued") == 1

    on_runtime(work)


@pytest.mark.rule("6.9")
def test_arguments_that_no_longer_fit_name_both_versions() -> None:
    before = """
    async def go(self):
        await self.run_task(await self.callback(self.step, 1), run_at=now() + timedelta(minutes=1))
    async def step(self, n):
        pass
    """

    async def work(runtime: Runtime) -> str:
        twist = await runtime.deploy(methods(before, head=HEAD))
        await twist.go()
        await runtime.deploy(methods(before.replace("step(self, n)", "step(self)"), head=HEAD))
        return str((await runtime.run_until_idle()).error)

    error = on_runtime(work)
    assert error.startswith("TypeError")
    assert "version 1 made the callback, version 2 runs" in error


@pytest.mark.rule("6.11")
def test_what_was_dropped_in_a_stretch_of_time_is_in_its_run() -> None:
    body = """
    async def go(self):
        callback = await self.callback(self.go)
        await self.run_task(callback, run_at=now() + timedelta(minutes=1))
        await self.delete_callback(callback)
    """

    async def work(runtime: Runtime) -> None:
        await (await runtime.deploy(methods(body, head=HEAD))).go()
        run = await runtime.advance(timedelta(minutes=2))
        assert run.tasks["state"].tolist() == ["dropped"]
        assert "was deleted" in run.logs["text"].iloc[0]

    on_runtime(work)
