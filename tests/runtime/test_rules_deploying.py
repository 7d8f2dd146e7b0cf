"""docs/runtime.md, sections 10 and 11: what an upgrade leaves, what instances share, what an outcome is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import Limits, Runtime
from plot_nb.errors import DeployError, ExecutionFailed
from tests.runtime.test_stopping import signalling
from tests.runtime.twists import called, methods, on_runtime

HEAD = "from datetime import timedelta"

SCHEDULES = """
async def go(self, minutes):
    callback = await self.callback(self.note, "given")
    await self.run_task(callback, run_at=now() + timedelta(minutes=minutes))
    await self.schedule_task("key", callback, now() + timedelta(minutes=minutes))
    await self.schedule_recurring("again", callback, every=timedelta(minutes=minutes))
async def note(self, what):
    await self.set("notes", [*(await self.get("notes") or []), [what, "old"]])
"""


@pytest.mark.rule("10.12", "10.14", "2.18")
def test_tasks_and_schedules_survive_an_upgrade_and_run_the_new_code() -> None:
    async def work(runtime: Runtime) -> None:
        source = methods(SCHEDULES, head=HEAD)
        twist = await runtime.deploy(source)
        await twist.go(10)
        await runtime.deploy(source.replace('"old"', '"new"'))
        await runtime.advance(timedelta(minutes=15))
        assert twist.store["value"].tolist() == [[["given", "new"]] * 3]
        ran = twist.executions.query("method == 'note'")
        assert (set(ran["version"]), set(ran["outcome"])) == ({2}, {"ok"})
        assert len(ran) == 3

    on_runtime(work)


@pytest.mark.rule("10.12")
def test_a_task_that_a_pause_left_in_the_queue_runs_the_new_code() -> None:
    body = """
    async def go(self, left):
        await self.set("seen", "old")
        if left:
            await self.run_task(await self.callback(self.go, left - 1))
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        assert (await twist.go(3)).paused
        await runtime.deploy(methods(body.replace('"old"', '"new"')))
        await runtime.run_until_idle()
        assert twist.executions["version"].tolist() == [1, 1, 2, 2]
        assert twist.store_history["value"].tolist() == ["old", "old", "new", "new"]

    on_runtime(work, limits=Limits(chain=2))


@pytest.mark.rule("10.34", "5.4")
def test_instances_of_one_twist_share_nothing() -> None:
    async def work(runtime: Runtime) -> None:
        source = methods(SCHEDULES, head=HEAD)
        one = await runtime.deploy(source, "one")
        two = await runtime.deploy(source, "two")
        await one.go(10)
        await two.go(20)
        one = await runtime.deploy(source + "# changed\n", "one")
        assert (one.version, two.version) == (2, 1)
        await runtime.advance(timedelta(minutes=15))
        assert (len(one.callbacks), len(two.callbacks)) == (1, 1)
        assert one.tasks["state"].tolist().count("done") == 3
        assert two.tasks["state"].tolist() == ["queued"] * 3
        assert (len(one.store), len(two.store)) == (1, 0)
        await one.deactivate()
        await runtime.advance(timedelta(minutes=15))
        assert len(two.store) == 1

    on_runtime(work)


@pytest.mark.rule("10.38")
def test_a_deactivated_twist_runs_nothing_more() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(SCHEDULES, head=HEAD))
        await twist.go(10)
        await twist.deactivate()
        ran = len(twist.executions)
        await runtime.advance(timedelta(days=1))
        await runtime.run_until_idle()
        assert (len(twist.executions), len(twist.store)) == (ran, 0)

    on_runtime(work)


@pytest.mark.rule("11.1")
@pytest.mark.parametrize("returned", ["", "1", "False", "ValueError('only returned')"])
def test_a_method_that_returned_is_ok_whatever_it_returned(returned: str) -> None:
    result = called(f"async def go(self): return {returned}")
    assert (result.outcome, result.error, result.executions["outcome"].tolist()) == ("ok", None, ["ok"])


ENDINGS = {
    "error": ("raise ValueError('no')", {}),
    "over_requests": ("for n in range(9): await self.set('n', n)", {"requests": 5}),
    "over_cpu": ("while True: pass", {"cpu": 0.2}),
    "over_memory": ("x = bytearray(200 * 2**20)", {}),
    "over_time": ("await asyncio.sleep(1000)", {"time": 60}),
    "crashed": ("os.abort()", {}),
}


@pytest.mark.rule("11.2", "11.4", "11.6", "11.8", "7.22")
@pytest.mark.parametrize(
    ("outcome", "statement", "limits"), [(name, *ending) for name, ending in ENDINGS.items()]
)
def test_a_call_tells_how_it_ended_and_raises_only_when_asked_to(
    outcome: str, statement: str, limits: dict[str, Any]
) -> None:
    async def work(runtime: Runtime) -> None:
        source = methods(f"async def go(self):\n    {statement}", head="import asyncio, os")
        run = await (await runtime.deploy(source)).go()
        assert (run.outcome, run.ok, run.value) == (outcome, False, None)
        assert run.error
        assert run.executions["outcome"].tolist() == [outcome]
        with pytest.raises(ExecutionFailed, match=outcome) as caught:
            run.raise_for_outcome()
        assert caught.value.outcome == outcome

    on_runtime(work, limits=Limits(**limits))


@pytest.mark.rule("11.8")
def test_a_call_that_went_well_raises_nothing() -> None:
    async def work(runtime: Runtime) -> Any:
        run = await (await runtime.deploy(methods("async def go(self): return 1"))).go()
        run.raise_for_outcome()
        return run.value

    assert on_runtime(work) == 1


@pytest.mark.rule("11.9")
def test_every_attempt_has_one_row_and_one_outcome() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.flaky))
        await self.run_task(await self.callback(self.dies))
    async def flaky(self):
        raise ValueError("again")
    async def dies(self):
        os.abort()
    """
    ran = called(body, head="import os").executions
    assert not ran.duplicated(["execution", "attempt"]).any()
    assert ran.groupby("method")["attempt"].apply(list).to_dict() == {
        "dies": [1, 2, 3],
        "flaky": [1, 2, 3],
        "go": [1],
    }
    assert ran.groupby("method")["outcome"].unique().apply(list).to_dict() == {
        "dies": ["crashed"],
        "flaky": ["error"],
        "go": ["ok"],
    }


@pytest.mark.rule("11.5", "7.40")
def test_what_stop_ended_is_cancelled_and_not_made_again() -> None:
    body = """
    def build(self, build):
        return {"network": build(Network, urls=["https://signal.example.com/*"])}
    async def go(self):
        await self.run_task(await self.callback(self.task))
    async def task(self):
        await fetch("https://signal.example.com/wait", timeout=600)
    """

    async def work(runtime: Runtime) -> None:
        reached, loop = asyncio.Event(), asyncio.get_running_loop()
        app = signalling(lambda _: loop.call_soon_threadsafe(reached.set))
        runtime.mount("https://signal.example.com", app)
        twist = await runtime.deploy(methods(body))
        call = asyncio.create_task(twist.go())
        await reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await runtime.advance(timedelta(days=1))
        assert twist.executions["outcome"].tolist() == ["ok", "cancelled"]

    on_runtime(work)


@pytest.mark.rule("10.8")
def test_a_module_that_does_not_compile_is_not_deployed() -> None:
    async def work(runtime: Runtime) -> None:
        source = methods("async def go(self):\n    import helpers")
        twist = await runtime.deploy(source, modules={"helpers": "VALUE = 1"})
        with pytest.raises(DeployError, match=r"SyntaxError.*helpers"):
            await runtime.deploy(source, modules={"helpers": "VALUE ="})
        assert twist.version == 1
        assert (await twist.go()).ok

    on_runtime(work)
