"""SPEC 7: time inside a twist is the runtime's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plot_nb import Latency, Limits, Runtime
from plot_nb.engine.clock import EPOCH
from tests.runtime.twists import called, line_of, methods, on_runtime


def slow_app(milliseconds: dict[str, int]) -> Any:
    """An app that answers at once and says how long it took, by path."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        latency = milliseconds[scope["path"]]
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-latency-ms", b"%d" % latency)]}
        )
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    return app


NETWORK = """
def build(self, build):
    return {"network": build(Network, urls=["https://api.example.com/*"])}
"""


def fetching(body: str, **milliseconds: int) -> Any:
    async def work(runtime: Runtime) -> Any:
        runtime.mount(
            "https://api.example.com", slow_app({f"/{name}": each for name, each in milliseconds.items()})
        )
        twist = await runtime.deploy(methods(NETWORK + body, head="import asyncio"))
        run = await twist.go()
        return run.outcome, run.value, run.requests, run.executions, run.error

    return on_runtime(work)


@pytest.mark.rule("3.29", "7.49")
def test_wait_for_around_a_slow_fetch_times_out() -> None:
    body = """
async def go(self):
    began = now()
    try:
        await asyncio.wait_for(fetch("https://api.example.com/slow"), 5)
    except TimeoutError:
        return (now() - began).total_seconds()
"""
    outcome, value, *_ = fetching(body, slow=20_000)
    assert (outcome, value) == ("ok", 5)


@pytest.mark.rule("3.28")
def test_as_completed_gives_the_fast_one_first() -> None:
    body = """
async def go(self):
    urls = [f"https://api.example.com/{name}" for name in ("slow", "middle", "fast")]
    return [await (await each).text() for each in asyncio.as_completed([fetch(url) for url in urls])]
"""
    outcome, value, *_ = fetching(body, slow=900, middle=500, fast=100)
    assert (outcome, value) == ("ok", ["/fast", "/middle", "/slow"])


@pytest.mark.rule("3.30")
def test_one_slow_fetch_does_not_hold_up_the_fast_ones() -> None:
    body = """
async def go(self):
    began = now()
    async def one(name):
        await fetch(f"https://api.example.com/{name}")
        await self.set(name, int((now() - began).total_seconds() * 1000))
    await asyncio.gather(one("slow"), one("fast"))
    return await self.get_many(["slow", "fast"])
"""
    outcome, value, *_ = fetching(body, slow=3_000, fast=100)
    assert (outcome, value) == ("ok", {"slow": 3_000, "fast": 100})


@pytest.mark.rule("3.8", "7.10", "7.18")
def test_sleeping_costs_no_real_time_and_no_requests() -> None:
    body = """
    async def go(self):
        import asyncio, time
        before = (now(), time.time(), time.monotonic(), asyncio.get_running_loop().time())
        await asyncio.sleep(600)
        after = (now(), time.time(), time.monotonic(), asyncio.get_running_loop().time())
        return [(after[0] - before[0]).total_seconds(), *(round(b - a, 3) for a, b in zip(before[1:], after[1:]))]
    """
    result = called(body)
    assert (result.outcome, result.value) == ("ok", [600, 600, 600, 600])
    row = result.executions.iloc[0]
    assert row["requests"] == 0
    assert row["ended"] - row["started"] == timedelta(seconds=600, milliseconds=20)
    assert row["wall_ms"] < 60_000


@pytest.mark.rule("7.19")
def test_time_sleep_moves_the_same_clock() -> None:
    body = """
    async def go(self):
        import time
        before = now()
        time.sleep(90)
        return (now() - before).total_seconds()
    """
    assert called(body).value == 90


@pytest.mark.rule("7.18")
def test_every_clock_in_a_twist_says_the_runtime_s_time() -> None:
    body = """
    async def go(self):
        import time
        from datetime import datetime, UTC
        return [now(), datetime.now(UTC), time.time()]
    """
    moment = EPOCH + timedelta(milliseconds=20)
    assert called(body).value == [moment, moment, moment.timestamp()]


@pytest.mark.rule("7.8", "7.9")
def test_latencies_are_a_setting_and_gathered_requests_overlap() -> None:
    body = """
    async def go(self):
        import asyncio
        await asyncio.gather(*(self.set(str(n), n) for n in range(50)))
        await self.get("1")
    """
    latency = Latency(start=timedelta(seconds=1), request=timedelta(seconds=2))
    row = called(body, latency=latency).executions.iloc[0]
    assert row["ended"] - row["started"] == timedelta(seconds=1 + 2 + 2)


@pytest.mark.rule("2.16")
def test_an_execution_ends_after_its_time_on_the_runtime_s_clock() -> None:
    body = """
    async def go(self):
        import asyncio
        while True:
            await asyncio.sleep(100)
            await self.set("slept", True)
    """
    result = called(body, limits=Limits(time=900))
    assert result.outcome == "over_time"
    row = result.executions.iloc[0]
    assert row["ended"] - row["started"] == timedelta(seconds=900)


def test_what_can_never_finish_is_an_error_at_its_line() -> None:
    body = """
    async def go(self):
        import asyncio
        await asyncio.Event().wait()
    """
    result = called(body)
    assert result.outcome == "error"
    assert "never finish" in str(result.error)
    assert result.line == line_of(methods(body), "Event().wait()")


def test_a_polling_loop_sees_time_pass() -> None:
    body = """
    async def go(self):
        import asyncio
        task = asyncio.create_task(self.get("a"))
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        return turns > 0
    """
    assert called(body).value is True


@pytest.mark.rule("7.16")
def test_advance_moves_the_clock_and_idle_does_not() -> None:
    async def work(runtime: Runtime) -> list[datetime]:
        moments = [runtime.now]
        await runtime.advance(timedelta(hours=2))
        moments.append(runtime.now)
        await runtime.run_until_idle()
        return [*moments, runtime.now]

    later = EPOCH + timedelta(hours=2)
    assert on_runtime(work) == [EPOCH, later, later]
    assert EPOCH.tzinfo is UTC


@pytest.mark.rule("7.18")
def test_every_millisecond_of_the_clock_is_the_one_that_now_says() -> None:
    body = """
    async def go(self):
        seen = []
        for _ in range(30):
            seen.append(now())
            await asyncio.sleep(0.001)
        return [(time - seen[0]).total_seconds() * 1000 for time in seen]
    """
    assert called(body, head="import asyncio").value == list(range(30))
