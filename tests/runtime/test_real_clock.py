"""The real clock: work runs by itself, when the wall clock says so."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime, TwistHandle
from plot_nb.engine.clock import RealClock
from tests.runtime.twists import called, methods, on_runtime

HEAD = "import asyncio\nfrom datetime import timedelta"

LATER = """
async def later(self, ms):
    await self.run_task(await self.callback(self.mark), run_at=now() + timedelta(milliseconds=ms))

async def mark(self):
    await self.set("marked", now())

async def recur(self, ms):
    await self.schedule_recurring("tick", await self.callback(self.tick), every=timedelta(milliseconds=ms))

async def tick(self):
    await self.set("ticks", (await self.get("ticks") or 0) + 1)

async def nap(self):
    before = now()
    await asyncio.sleep(0.2)
    return (now() - before).total_seconds()
"""


async def until(twist: TwistHandle, key: str, least: int = 1) -> None:
    """Wait for a key without asking the engine for anything: it must run by itself."""
    found: dict[str, Any] = {}
    while key not in found or (least > 1 and found[key] < least):
        await asyncio.sleep(0.02)  # nothing tells of what runs by itself
        store = twist.store  # once: it may grow meanwhile
        found = dict(zip(store["key"], store["value"], strict=True))


@pytest.mark.rule("7.50")
def test_scheduled_work_runs_by_itself_when_its_time_comes() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LATER, head=HEAD))
        (await twist.later(300)).raise_for_outcome()
        assert twist.store.empty
        await asyncio.wait_for(until(twist, "marked"), 30)
        frame = twist.executions
        assert list(frame["method"]) == ["later", "mark"]
        assert frame["started"][1] - frame["started"][0] >= timedelta(milliseconds=300)

    on_runtime(work, clock="real")


@pytest.mark.rule("2.6", "7.50", "7.54")
def test_a_recurring_task_goes_on_while_nobody_awaits_anything() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LATER, head=HEAD))
        await twist.recur(100)
        await asyncio.wait_for(until(twist, "ticks", 3), 30)

    on_runtime(work, clock="real")


@pytest.mark.rule("7.50")
def test_time_is_the_wall_clock_s_and_sleeping_takes_that_long() -> None:
    async def work(runtime: Runtime) -> None:
        assert abs(runtime.now - datetime.now(UTC)) < timedelta(seconds=2)
        twist = await runtime.deploy(methods(LATER, head=HEAD))
        began = time.perf_counter()
        run = await twist.nap()
        assert 0.2 <= run.value <= time.perf_counter() - began

    on_runtime(work, clock="real")


@pytest.mark.rule("7.50")
def test_advance_waits_and_what_falls_due_meanwhile_is_in_its_run() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LATER, head=HEAD))
        await twist.later(200)
        before = runtime.now
        run = await runtime.advance(timedelta(milliseconds=600))
        assert runtime.now - before >= timedelta(milliseconds=600)
        assert list(run.executions["method"]) == ["mark"]

    on_runtime(work, clock="real")


@pytest.mark.rule("7.50")
def test_run_until_idle_does_not_wait_for_what_is_scheduled() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LATER, head=HEAD))
        await twist.later(3_600_000)
        run = await runtime.run_until_idle()
        assert len(run.executions) == 0
        assert list(twist.tasks["state"]) == ["queued"]

    on_runtime(work, clock="real")


@pytest.mark.rule("7.50", "7.54")
def test_what_fell_due_while_the_file_was_closed_runs_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def first() -> None:
        async with Runtime(path) as runtime:  # on the virtual clock, whose days are long past
            twist = await runtime.deploy(methods(LATER, head=HEAD))
            await twist.later(1000)

    async def second() -> None:
        async with Runtime(path, clock="real") as runtime:
            await asyncio.wait_for(until(runtime.twists()[0], "marked"), 30)

    asyncio.run(first())
    asyncio.run(second())


def test_a_real_clock_never_goes_back() -> None:
    reads = iter([5_000_000, 3_000_000, 7_000_000])
    clock = RealClock(latest=4_000, read=lambda: next(reads))
    assert [clock.now, clock.now, clock.now] == [5_000, 5_000, 7_000]
    ahead = RealClock(latest=9_000, read=lambda: 1_000_000)
    assert ahead.now == 9_000
    assert ahead.move_to(9_500) == 500


def test_another_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="give 'virtual' or 'real'"):
        Runtime(clock="fast")  # type: ignore[arg-type]


def test_a_call_answers_as_on_the_virtual_clock() -> None:
    assert called("async def go(self):\n    return 7", clock="real").value == 7
