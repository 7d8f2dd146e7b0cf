"""What becomes of what was created when the execution that created it is tried again (SPEC 7)."""

from __future__ import annotations

import pytest

from plot_nb import Runtime
from tests.runtime.test_plot import BUILD
from tests.runtime.twists import methods, on_runtime

RETRIED = (
    BUILD
    + """
async def go(self):
    await self.run_task(await self.callback(self.sync))

async def sync(self):
    page = await self.get("page") or 0
    plot = self.tools.plot
    while page < 3:
        same = [Activity("same", notes=["x"]), Activity("same", notes=["x"])]
        await plot.create_activities([*same, Activity(f"page {page}")])
        if page == FAILS and await self.get("failed") is None:
            await self.set("failed", True)
            raise ValueError("once")
        page += 1
        if CHECKPOINTS:
            await self.set("page", page)
"""
)


@pytest.mark.rule("4.39")
@pytest.mark.parametrize("fails", [0, 1, 2])
def test_an_execution_that_is_tried_again_creates_each_thing_once(fails: int) -> None:
    body = RETRIED.replace("FAILS", str(fails)).replace("CHECKPOINTS", "False")

    async def work(runtime: Runtime) -> tuple[list[str], list[int]]:
        twist = await runtime.deploy(methods(body))
        run = await twist.call("go")
        assert list(run.executions["outcome"]) == ["ok", "error", "ok"]
        return list(twist.activities["title"]), [len(notes) for notes in twist.activities["notes"]]

    titles, notes = on_runtime(work)
    assert sorted(titles) == ["page 0", "page 1", "page 2", *["same"] * 6]
    assert sorted(notes) == [0] * 3 + [1] * 6


@pytest.mark.rule("4.39")
def test_an_attempt_that_goes_on_where_the_last_one_ended_overwrites_nothing() -> None:
    body = RETRIED.replace("FAILS", "1").replace("CHECKPOINTS", "True")

    async def work(runtime: Runtime) -> set[str]:
        twist = await runtime.deploy(methods(body))
        await twist.call("go")
        return set(twist.activities["title"])

    assert on_runtime(work) == {"page 0", "page 1", "page 2", "same"}


@pytest.mark.rule("4.39")
def test_with_faithful_forks_each_attempt_creates_its_own() -> None:
    body = RETRIED.replace("FAILS", "0").replace("CHECKPOINTS", "False")

    async def work(runtime: Runtime) -> int:
        twist = await runtime.deploy(methods(body))
        await twist.call("go")
        return len(twist.activities)

    assert on_runtime(work, faithful_forks=True) == 12
