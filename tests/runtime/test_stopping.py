"""SPEC 7 and 11: Stop, dead sandboxes, two at once. What happens is awaited, never slept for."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import Limits, PlotError, Runtime
from plot_nb.errors import DeployError, RuntimeClosed
from tests.runtime.twists import called, methods, on_runtime

CHAIN = """
def build(self, build):
    return {"network": build(Network, urls=["https://signal.example.com/*"])}
async def go(self):
    await self.run_task(await self.callback(self.long))
    await self.run_task(await self.callback(self.after))
async def long(self):
    await self.set("began", True)
    await fetch("https://signal.example.com/long")
    while True:
        pass
async def wait(self):
    await fetch("https://signal.example.com/wait", timeout=600)
async def after(self):
    await self.set("after", True)
async def fine(self):
    return "fine"
"""


def signalling(reached: Callable[[str], Any]) -> Any:
    """An app that tells the test when a twist has come to a point; `/wait` never answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached(scope["path"])
        if scope["path"] == "/wait":
            await asyncio.get_running_loop().create_future()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-latency-ms", b"1")]})
        await send({"type": "http.response.body", "body": b""})

    return app


async def stopped_at(runtime: Runtime, method: str, path: str) -> Any:
    """Call a method, and cancel the call when the twist has fetched a path."""
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()
    runtime.mount(
        "https://signal.example.com",
        signalling(lambda at: loop.call_soon_threadsafe(reached.set) if at == path else None),
    )
    twist = await runtime.deploy(methods(CHAIN))
    call = asyncio.create_task(twist.call(method))
    await reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    return twist


@pytest.mark.rule("7.40", "7.41", "11.5")
@pytest.mark.parametrize(
    ("method", "path"), [("go", "/long"), ("wait", "/wait")], ids=["computing", "waiting"]
)
def test_stop_ends_what_runs_and_drops_the_chain_s_immediate_tasks(method: str, path: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await stopped_at(runtime, method, path)
        executions = twist.executions
        assert executions["outcome"].iloc[-1] == "cancelled"
        if method == "go":
            assert executions["method"].tolist() == ["go", "long"]
            assert twist.tasks["state"].tolist() == ["cancelled", "cancelled"]
            assert runtime.last_run is not None
            assert any("stopped" in text for text in runtime.last_run.logs["text"])
        assert (await twist.fine()).value == "fine"
        assert len((await runtime.run_until_idle()).executions) == 0

    on_runtime(work)


@pytest.mark.rule("2.19", "11.6")
def test_a_sandbox_killed_from_outside_is_crashed_and_the_next_call_works() -> None:
    async def work(runtime: Runtime) -> None:
        reached = asyncio.Event()
        loop = asyncio.get_running_loop()
        runtime.mount(
            "https://signal.example.com", signalling(lambda _: loop.call_soon_threadsafe(reached.set))
        )
        twist = await runtime.deploy(methods(CHAIN))
        call = asyncio.create_task(twist.wait())
        await reached.wait()
        [pid] = {attempt.seat.pid for attempt in runtime._engine._attempts if attempt.seat}
        os.kill(pid, signal.SIGKILL)
        run = await call
        assert (run.outcome, run.executions["attempt"].tolist()) == ("crashed", [1])
        assert "signal" in str(run.error) or "died" in str(run.error)
        assert (await twist.fine()).value == "fine"

    on_runtime(work)


@pytest.mark.rule("7.35")
def test_two_calls_at_once_on_one_instance_run_one_after_the_other() -> None:
    body = """
    async def go(self, name):
        for number in range(3):
            await self.set("log", [*(await self.get("log") or []), name])
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        one, two = await asyncio.gather(twist.go("one"), twist.go("two"))
        assert (one.ok, two.ok) == (True, True)
        assert (len(one.executions), len(two.executions)) == (1, 1)
        assert twist.store["value"].iloc[0] == ["one"] * 3 + ["two"] * 3

    on_runtime(work)


def test_calls_of_two_instances_at_once_both_end() -> None:
    async def work(runtime: Runtime) -> None:
        body = "async def go(self):\n    for n in range(50): await self.set('n', n)"
        twists = [await runtime.deploy(methods(body), name) for name in ("one", "two", "three", "four")]
        runs = await asyncio.gather(*(twist.go() for twist in twists))
        assert [run.outcome for run in runs] == ["ok"] * 4

    on_runtime(work)


def test_stopping_one_of_two_calls_leaves_the_other_alone() -> None:
    async def work(runtime: Runtime) -> None:
        reached = asyncio.Event()
        loop = asyncio.get_running_loop()
        runtime.mount(
            "https://signal.example.com", signalling(lambda _: loop.call_soon_threadsafe(reached.set))
        )
        one = await runtime.deploy(methods(CHAIN), "one")
        two = await runtime.deploy(methods(CHAIN), "two")
        stopped = asyncio.create_task(one.wait())
        await reached.wait()
        other = asyncio.create_task(two.fine())
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        assert (await other).value == "fine"

    on_runtime(work)


@pytest.mark.rule("2.19", "3.22", "3.24", "11.4")
@pytest.mark.parametrize(
    ("body", "limits", "outcome"),
    [
        ("async def go(self):\n    while True: pass", Limits(cpu=0.3), "over_cpu"),
        ("async def go(self):\n    sum(range(10**12))", Limits(cpu=0.3), "over_cpu"),
        ("async def go(self):\n    x = bytearray(200 * 2**20)", Limits(), "over_memory"),
        ("async def go(self):\n    x = []\n    while True: x.append(bytes(2**20))", Limits(), "over_memory"),
    ],
    ids=["loop", "loop in C", "one bite", "many bites"],
)
def test_a_limit_has_its_outcome_and_the_next_call_works(body: str, limits: Limits, outcome: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body + "\nasync def fine(self): return 'fine'"))
        run = await twist.go()
        assert run.outcome == outcome, run.error
        assert run.executions["memory_peak"].iloc[0] <= limits.memory
        assert (await twist.fine()).value == "fine"

    on_runtime(work, limits=limits)


@pytest.mark.rule("3.25")
def test_a_memory_error_that_is_caught_is_the_twist_s_affair() -> None:
    body = """
    async def go(self):
        try:
            x = bytearray(200 * 2**20)
        except MemoryError:
            return "caught"
    """
    assert called(body).value == "caught"


@pytest.mark.rule("11.2", "11.3")
def test_an_error_shows_the_cell_s_own_lines_and_no_frames_of_the_runtime() -> None:
    body = """
    async def go(self):
        await self.inner()
    async def inner(self):
        return 1 / 0
    """
    result = called(body)
    assert result.error == "ZeroDivisionError: division by zero"
    lines = [line for line in str(result.traceback).splitlines() if line.strip().startswith("File")]
    assert [line.split(",")[0].strip() for line in lines] == ['File "<cell>"'] * 2
    assert "return 1 / 0" in str(result.traceback)


def test_a_return_value_the_store_could_not_hold_is_an_error() -> None:
    assert called("async def go(self): return 'v' * 2**20").outcome == "error"
    result = called("async def go(self): return object()")
    assert result.outcome == "error"
    assert "TypeError" in str(result.error)


def test_output_over_a_megabyte_is_cut_with_a_notice() -> None:
    result = called("async def go(self):\n    for _ in range(40): print('x' * 100_000)")
    assert result.outcome == "ok"
    assert sum(len(text) for text in result.texts("print")) <= 2**20
    assert len(result.texts("warning")) == 1


def test_a_disk_that_fails_under_the_journal_ends_the_call_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def go(self): return 1"))
        assert (await twist.go()).value == 1

        def fail(_: str) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(runtime._backend, "commit_point", fail)
        for _ in range(2):
            with pytest.raises(PlotError, match="disk is full"):
                await twist.go()

    on_runtime(work)


def test_wait_works_from_synchronous_code() -> None:
    runtime = Runtime(seed=1)
    twist = runtime.wait(runtime.deploy(methods("async def go(self, n): return n + 1")))
    assert runtime.wait(twist.go(1)).value == 2
    asyncio.run(runtime.aclose())


def test_wait_works_while_the_caller_s_event_loop_runs() -> None:
    async def work(runtime: Runtime) -> object:
        twist = await runtime.deploy(methods("async def go(self, n): return n + 1"))
        return runtime.wait(twist.go(41)).value

    assert on_runtime(work) == 42


SPINNING = methods("async def go(self):\n    await self.set('began', True)\n    while True:\n        pass")


def test_who_waits_on_another_thread_is_told_when_the_runtime_is_closed() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SPINNING)
        waiting = asyncio.ensure_future(asyncio.to_thread(runtime.wait, twist.go()))
        while not len(twist.store):  # noqa: ASYNC110  # it runs on another thread
            await asyncio.sleep(0)
        await runtime.aclose()
        with pytest.raises(RuntimeClosed, match="closed while this ran"):
            await waiting

    on_runtime(work)


def test_what_comes_on_another_thread_just_as_the_runtime_is_closed_does_not_wait_for_ever() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SPINNING)
        closing = runtime._thread.submit(runtime._thread.aclose(), last=True)
        with pytest.raises(RuntimeClosed):
            await asyncio.to_thread(twist.load, {"n": '{"json":1}'})
        await asyncio.wrap_future(closing)
        runtime._closed = True
        runtime._finalizer()

    on_runtime(work)


def test_a_runtime_can_be_closed_from_code_that_cannot_await() -> None:
    runtime = Runtime()
    runtime.wait(runtime.aclose())

    assert runtime.closed


def test_a_deploy_that_waits_when_the_runtime_is_closed_says_so() -> None:
    async def main() -> None:
        runtime = Runtime()
        source = methods("async def go(self): await self.set('a', 1)")
        await runtime.deploy(source)
        waiting = asyncio.create_task(runtime.deploy(source + "# next"))
        await asyncio.sleep(0)
        await runtime.aclose()
        with pytest.raises(RuntimeClosed, match="closed while this ran"):
            await waiting

    asyncio.run(main())


QUEUE = """
def build(self, build):
    return {"network": build(Network, urls=["https://signal.example.com/*"])}
async def hook(self):
    return await self.tools.network.create_webhook("on_post")
async def on_post(self, request):
    await self.set("began", (await self.get("began") or 0) + 1)
    await fetch("https://signal.example.com/wait", timeout=600)
"""


@pytest.mark.rule("2.5", "7.40", "7.42", "9.32")
@pytest.mark.parametrize("stops", [1, 2])
def test_stop_of_all_that_waits_ends_it_and_leaves_the_other_posts_queued(stops: int) -> None:
    async def work(runtime: Runtime) -> None:
        reached: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        runtime.mount(
            "https://signal.example.com",
            signalling(lambda at: loop.call_soon_threadsafe(reached.put_nowait, at)),
        )
        twist = await runtime.deploy(methods(QUEUE))
        url = (await twist.hook()).value
        for _ in range(3):
            await runtime.post_webhook(url)
        going = asyncio.create_task(runtime.run_until_idle())
        await reached.get()
        for _ in range(stops):
            going.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await going
        while "running" in set(twist.tasks["state"]):  # noqa: ASYNC110  # nobody waits after a second Stop
            await asyncio.sleep(0)
        assert twist.tasks["state"].tolist() == ["cancelled", "queued", "queued"]
        again = asyncio.create_task(runtime.run_until_idle())
        await reached.get()
        again.cancel()
        with pytest.raises(asyncio.CancelledError):
            await again
        assert twist.tasks["state"].tolist() == ["cancelled", "cancelled", "queued"]

    on_runtime(work)


@pytest.mark.rule("7.40", "11.5")
def test_a_call_that_is_cancelled_at_once_is_stopped_before_it_begins() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SPINNING)
        for _ in range(10):
            call = asyncio.create_task(twist.go())
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    on_runtime(work)


def test_a_call_is_stopped_when_another_task_of_its_group_raises_at_once() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SPINNING)

        async def fail() -> None:
            raise ValueError("at once")

        async def both() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(twist.go())
                group.create_task(fail())

        with pytest.raises(ExceptionGroup):
            await both()

    on_runtime(work)


def test_who_waits_for_time_to_pass_is_told_of_a_reset() -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(SPINNING)
        waiting = asyncio.create_task(runtime.advance(timedelta(hours=1)))
        while not runtime.running:  # noqa: ASYNC110  # it begins on another thread
            await asyncio.sleep(0)
        await runtime.reset()
        with pytest.raises(PlotError, match="the runtime was reset while this ran"):
            await waiting
        assert runtime.last_run is None

    on_runtime(work, clock="real")


def test_a_source_that_is_looked_at_during_a_reset_is_not_deployed() -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(SPINNING)
        endless = [
            asyncio.create_task(runtime.deploy(f"while {number}:\n    pass\n")) for number in range(1, 4)
        ]
        while len(runtime._engine._seating._occupants) < 2:  # noqa: ASYNC110  # it begins on another thread
            await asyncio.sleep(0)
        await runtime.reset()
        for each in endless:
            with pytest.raises(DeployError, match="the runtime was reset"):
                await each
        twist = await runtime.deploy(methods("async def go(self): return 1"))
        assert (await twist.go()).value == 1

    on_runtime(work)
