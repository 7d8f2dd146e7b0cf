"""docs/runtime.md, section 7: what can be cancelled, what a call waits for, what Stop leaves."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Latency, Limits, Runtime
from plot_nb.engine.clock import EPOCH
from tests.runtime.test_stopping import signalling
from tests.runtime.twists import called, methods, on_runtime

HEAD = "from datetime import timedelta"


@pytest.mark.rule("7.3")
def test_an_immediate_task_has_no_token_and_outlasts_that_all_are_cancelled() -> None:
    body = """
    async def go(self):
        token = await self.run_task(await self.callback(self.ran))
        await self.cancel_all_tasks()
        return token
    async def ran(self):
        await self.set("ran", True)
    """
    result = called(body)
    assert (result.value, result.store) == (None, {"ran": True})


@pytest.mark.rule("7.6")
def test_all_that_waits_for_its_time_is_cancelled_and_of_no_other_instance() -> None:
    body = """
    async def go(self):
        callback, later = await self.callback(self.ran), now() + timedelta(minutes=1)
        await self.run_task(callback, run_at=later)
        await self.schedule_task("key", callback, later)
        await self.schedule_recurring("again", callback, every=timedelta(minutes=1))
    async def cancel(self):
        await self.cancel_all_tasks()
    async def ran(self):
        await self.set("ran", (await self.get("ran") or 0) + 1)
    """

    async def work(runtime: Runtime) -> None:
        one, two = [await runtime.deploy(methods(body, head=HEAD), name) for name in ("one", "two")]
        await one.go()
        await two.go()
        await one.cancel()
        assert one.tasks["state"].tolist() == ["cancelled"] * 3
        await runtime.advance(timedelta(minutes=3))
        assert (len(one.store), two.store["value"].tolist()) == (0, [5])

    on_runtime(work)


@pytest.mark.rule("7.7")
def test_the_virtual_clock_begins_at_a_fixed_date_and_never_goes_back(tmp_path: Path) -> None:
    async def main() -> None:
        moments = []
        for _ in range(3):
            async with Runtime(tmp_path / "state.db") as runtime:
                moments.append(runtime.now)
                twist = await runtime.deploy(methods("async def go(self): await self.set('a', 1)"))
                await twist.go()
                moments.append(runtime.now)
                with pytest.raises(ValueError, match="cannot go back"):
                    await runtime.advance(timedelta(seconds=-1))
        assert moments[0] == EPOCH
        assert moments == sorted(moments)
        assert (moments[2], moments[4]) == (moments[1], moments[3])

    asyncio.run(main())


@pytest.mark.rule("7.8")
def test_a_start_takes_20_ms_and_a_request_5() -> None:
    body = """
    async def go(self):
        await self.set("a", 1)
        await self.get("a")
    """
    row = called(body).executions.iloc[0]
    assert (row["started"] - EPOCH, row["ended"] - EPOCH) == (
        timedelta(0),
        timedelta(milliseconds=30),
    )


@pytest.mark.rule("7.11")
def test_what_falls_due_while_time_passes_runs_in_the_order_of_time() -> None:
    body = """
    async def go(self):
        for minutes in (30, 10, 20):
            await self.run_task(await self.callback(self.note, minutes), run_at=now() + timedelta(minutes=minutes))
    async def note(self, minutes):
        await self.set("order", [*(await self.get("order") or []), minutes])
        if minutes == 10:
            await self.run_task(await self.callback(self.note, 15), run_at=now() + timedelta(minutes=5))
    """

    async def work(runtime: Runtime) -> Any:
        twist = await runtime.deploy(methods(body, head=HEAD))
        await twist.go()
        await runtime.advance(timedelta(hours=1))
        return twist.store["value"].iloc[0]

    assert on_runtime(work) == [10, 15, 20, 30]


@pytest.mark.rule("7.14")
def test_a_call_waits_for_its_whole_chain_and_its_retries() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.flaky))
        await self.run_task(await self.callback(self.chain, 3))
    async def flaky(self):
        tries = (await self.get("tries") or 0) + 1
        await self.set("tries", tries)
        if tries < 3:
            raise ValueError("again")
    async def chain(self, left):
        if left:
            await self.run_task(await self.callback(self.chain, left - 1))
    """
    result = called(body)
    assert result.store == {"tries": 3}
    assert result.executions["method"].tolist().count("chain") == 4
    assert set(result.tasks["state"]) == {"done"}


@pytest.mark.rule("7.31")
def test_cancelling_a_key_drops_its_task_and_a_key_without_one_is_no_error() -> None:
    body = """
    async def go(self):
        callback = await self.callback(self.ran)
        for key in ("one", "two"):
            await self.schedule_task(key, callback, now() + timedelta(minutes=1))
        await self.cancel_scheduled_task("one")
        await self.cancel_scheduled_task("nothing")
    async def ran(self):
        await self.set("ran", (await self.get("ran") or 0) + 1)
    """

    async def work(runtime: Runtime) -> Any:
        twist = await runtime.deploy(methods(body, head=HEAD))
        assert (await twist.go()).ok
        await runtime.run_until_idle()
        return twist.tasks["state"].tolist(), twist.store["value"].tolist()

    assert on_runtime(work) == (["cancelled", "done"], [1])


@pytest.mark.rule("7.12", "7.13")
@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_how_often_and_how_soon_a_task_is_tried_again_is_a_setting(clock: str) -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.fails))
    async def fails(self):
        raise ValueError("never")
    """
    first = timedelta(milliseconds=40)
    result = called(body, clock=clock, limits=Limits(attempts=4), latency=Latency(retry=first))
    tries = result.executions.query("method == 'fails'")
    waits = [
        began - ended
        for began, ended in zip(tries["started"].iloc[1:], tries["ended"].iloc[:-1], strict=True)
    ]
    assert tries["attempt"].tolist() == [1, 2, 3, 4]
    least = [first, 2 * first, 4 * first]
    assert waits == least if clock == "virtual" else all(map(operator.ge, waits, least))
    assert result.tasks["state"].tolist() == ["dead"]


@pytest.mark.rule("7.13")
@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Limits(attempts=0), "from 1 to 20"),
        (lambda: Limits(attempts=2.5), "from 1 to 20"),  # type: ignore[arg-type]
        (lambda: Latency(retry=timedelta(days=2)), "at most a day"),
        (lambda: Latency(retry=1), "give a timedelta"),  # type: ignore[arg-type]
    ],
)
def test_settings_of_retries_that_are_none_are_refused(make: Callable[[], object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.rule("7.31")
@pytest.mark.parametrize("cancel", ["cancel_scheduled_task('key')", "cancel_all_tasks()"])
def test_cancelling_a_key_drops_also_a_task_that_is_due_at_once(cancel: str) -> None:
    body = f"""
    async def go(self):
        callback = await self.callback(self.ran)
        await self.schedule_task("key", callback, now() - timedelta(minutes=1))
        await self.{cancel}
        await self.schedule_recurring("key", callback, every=timedelta(minutes=1), first_run_at=now())
        await self.{cancel}
    async def ran(self):
        await self.set("ran", True)
    """

    async def work(runtime: Runtime) -> Any:
        twist = await runtime.deploy(methods(body, head=HEAD))
        run = await twist.go()
        await runtime.advance(timedelta(minutes=5))
        return run.tasks["state"].tolist(), len(twist.tasks), len(twist.store)

    assert on_runtime(work) == (["cancelled", "cancelled"], 2, 0)


@pytest.mark.rule("7.42", "7.40")
def test_stop_leaves_work_that_is_scheduled() -> None:
    body = """
    def build(self, build):
        return {"network": build(Network, urls=["https://signal.example.com/*"])}
    async def go(self):
        callback = await self.callback(self.ran)
        await self.schedule_task("key", callback, now() + timedelta(minutes=1))
        await self.schedule_recurring("again", callback, every=timedelta(minutes=2))
        await self.run_task(callback, run_at=now() + timedelta(minutes=3))
        await fetch("https://signal.example.com/wait", timeout=600)
    async def ran(self):
        await self.set("ran", (await self.get("ran") or 0) + 1)
    """

    async def work(runtime: Runtime) -> None:
        reached, loop = asyncio.Event(), asyncio.get_running_loop()
        app = signalling(lambda _: loop.call_soon_threadsafe(reached.set))
        runtime.mount("https://signal.example.com", app)
        twist = await runtime.deploy(methods(body, head=HEAD))
        call = asyncio.create_task(twist.go())
        await reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert twist.executions["outcome"].tolist() == ["cancelled"]
        await runtime.advance(timedelta(minutes=3, seconds=30))
        assert twist.executions["method"].tolist() == ["go", "ran", "ran", "ran"]
        assert twist.store["value"].tolist() == [3]

    on_runtime(work)


@pytest.mark.rule("7.47")
def test_a_seed_that_was_drawn_is_recorded_and_shows_the_same_again(tmp_path: Path) -> None:
    source = methods("async def go(self): return random.random()", head="import random")

    async def main(**settings: Any) -> tuple[int, Any]:
        async with Runtime(**settings) as runtime:
            return runtime.seed, (await (await runtime.deploy(source)).go()).value

    seed, drawn = asyncio.run(main(path=tmp_path / "state.db"))
    assert asyncio.run(main(path=tmp_path / "state.db"))[0] == seed
    assert asyncio.run(main(seed=seed)) == (seed, drawn)
    assert asyncio.run(main())[0] != seed


@pytest.mark.rule("7.53")
def test_all_that_a_call_set_off_is_in_its_run_with_its_parents() -> None:
    body = """
    async def go(self, depth):
        if depth:
            for _ in range(2):
                await self.run_task(await self.callback(self.go, depth - 1))
    """
    ran = called(body, 3).executions
    assert len(ran) == 1 + 2 + 4 + 8
    assert ran["parent"].isna().tolist() == [True] + [False] * 14
    assert ran["parent"].value_counts().tolist() == [2] * 7
    assert set(ran["parent"].dropna()) <= set(ran["execution"])
