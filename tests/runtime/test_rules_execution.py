"""docs/runtime.md, sections 2 and 3: what an attempt begins with, what it may use, what its requests leave behind."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import Latency, Limits, Runtime
from plot_nb.engine.clock import EPOCH
from tests.runtime.twists import called, line_of, methods, on_runtime


@pytest.mark.rule("2.3")
def test_each_attempt_at_the_same_execution_gets_a_new_sandbox() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.flaky))
    async def flaky(self):
        found = [getattr(self, "left", None), getattr(Sync, "left", None), len(heap)]
        self.left = Sync.left = "something"
        heap.append(1)
        await self.set("found", [*(await self.get("found") or []), found])
        raise ValueError("again")
    """
    result = called(body, head="heap = []")
    assert result.executions["attempt"].tolist() == [1, 1, 2, 3]
    assert result.store == {"found": [[None, None, 0]] * 3}


@pytest.mark.rule("2.4")
def test_without_an_event_nothing_runs_however_much_time_passes() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def go(self): await self.set('ran', True)"))
        assert len((await runtime.advance(timedelta(days=30))).executions) == 0
        assert len((await runtime.run_until_idle(timedelta(days=30))).executions) == 0
        assert (len(twist.executions), len(twist.store)) == (0, 0)

    on_runtime(work)


@pytest.mark.rule("2.5")
def test_on_the_virtual_clock_nothing_runs_unless_somebody_awaits_it() -> None:
    body = """
    async def activate(self):
        await self.schedule_task("soon", await self.callback(self.soon), now() + timedelta(minutes=1))
    async def soon(self):
        pass
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body, head="from datetime import timedelta"))
        now = runtime.now
        twist.load({"key": '{"json":1}'})  # by way of the engine's thread
        assert (len(twist.store), len(twist.executions), runtime.now) == (1, 1, now)
        await runtime.advance(timedelta(minutes=1))
        assert twist.executions["method"].tolist() == ["activate", "soon"]

    on_runtime(work)


@pytest.mark.rule("2.12")
def test_each_execution_draws_its_own_randomness_and_the_same_on_the_same_seed() -> None:
    body = "async def go(self): return [random.random(), secrets.token_hex(8), str(uuid.uuid4())]"

    async def work(runtime: Runtime) -> list[Any]:
        twist = await runtime.deploy(methods(body, head="import random, secrets, uuid"))
        return [(await twist.go()).value for _ in range(3)]

    drawn = on_runtime(work, seed=5)
    assert len({tuple(each) for each in drawn}) == 3
    assert on_runtime(work, seed=5) == drawn
    assert on_runtime(work, seed=6) != drawn


@pytest.mark.rule("2.12")
def test_an_attempt_that_is_made_again_draws_anew() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.flaky))
    async def flaky(self):
        await self.set("drawn", [*(await self.get("drawn") or []), random.random()])
        raise ValueError("again")
    """
    assert len(set(called(body, head="import random").store["drawn"])) == 3


@pytest.mark.rule("2.13", "2.14", "2.15", "2.16", "7.38")
def test_the_limits_are_plots_unless_said_otherwise() -> None:
    expected = {"requests": 1000, "cpu": 60, "memory": 128 * 2**20, "time": 15 * 60, "chain": 2000}
    assert {name: asdict(Limits())[name] for name in expected} == expected

    async def work(runtime: Runtime) -> Limits:
        return runtime.limits

    assert on_runtime(work) == Limits()
    other = Limits(requests=5, cpu=1, memory=64 * 2**20, time=10, chain=3)
    assert on_runtime(work, limits=other) == other


@pytest.mark.rule("3.16", "3.17")
def test_a_request_has_its_start_and_duration_what_crossed_and_its_error() -> None:
    body = """
    def build(self, build):
        return {"network": build(Network, urls=["https://api.example.com/*"])}
    async def go(self):
        await self.set("long", "x" * 1000)
        await self.get("long")
        try:
            await fetch("https://elsewhere.example.com/")
        except PermissionError:
            pass
    """
    result = called(body, latency=Latency(start=timedelta(seconds=1), request=timedelta(seconds=2)))
    rows: list[Any] = list(result.requests.itertuples())
    write, read, refused = rows
    assert [write.started - EPOCH, read.started - EPOCH, refused.started - EPOCH] == [
        timedelta(seconds=seconds) for seconds in (1, 3, 5)
    ]
    assert [write.duration_ms, read.duration_ms] == [2000, 2000]
    assert write.bytes_out > 1000 > write.bytes_in
    assert read.bytes_in > 1000 > read.bytes_out
    assert (refused.seq, refused.tool, refused.operation) == (3, "network", "fetch")
    assert "https://elsewhere.example.com/" in refused.detail
    assert "PermissionError" in refused.error
    assert result.requests["error"].isna().tolist() == [True, True, False]


@pytest.mark.rule("3.18")
def test_a_request_has_the_line_that_made_it_wherever_it_is_awaited() -> None:
    body = """
    async def go(self):
        import asyncio
        one = self.set("one", 1)
        two = [
            self.set("two", 2),
            self.set("three", 3),
        ]
        await asyncio.gather(one, *two)
        await asyncio.wait_for(self.get("four"), 1)
    """
    source = methods(body)
    lines = [line_of(source, f'"{name}"') for name in ("one", "two", "three", "four")]
    assert called(body).requests["line"].tolist() == lines


@pytest.mark.rule("3.20")
@pytest.mark.parametrize("turns", [0, 1])
def test_a_request_that_still_waits_in_the_end_is_not_performed_and_told_of(turns: int) -> None:
    body = f"""
    async def go(self):
        import asyncio
        waiting = asyncio.create_task(later(self))
        for _ in range({turns}):
            await asyncio.sleep(0)
    """
    head = """
    async def later(twist):
        request = twist.set("late", 1)
        await request
    """
    result = called(body, head=head)
    assert (result.outcome, result.store, len(result.requests)) == ("ok", {}, 0)
    warnings = result.logs[result.logs["level"] == "warning"]
    assert line_of(methods(body, head=head), "twist.set(") in warnings["line"].tolist()
    assert any(text.startswith("store.set late was not performed") for text in warnings["text"])
