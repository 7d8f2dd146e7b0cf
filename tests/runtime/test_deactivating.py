"""SPEC 10: what runs while its twist is deactivated."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from plot_nb import Runtime
from tests.runtime.twists import methods, on_runtime

TWIST = methods(
    """
    async def slow(self):
        await asyncio.sleep(5)
        await self.schedule_recurring("tick", await self.callback(self.tick), every=timedelta(minutes=1))
    async def tick(self):
        await self.set("ticked", True)
    """,
    head="import asyncio\nfrom datetime import timedelta",
)


@pytest.mark.rule("10.7", "10.38")
def test_a_deactivation_stops_what_runs_beside_it() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(TWIST)
        call = asyncio.create_task(twist.call("slow"))
        await asyncio.sleep(0)  # so that the call is asked for first
        await twist.deactivate()
        run = await call
        assert (run.outcome, run.error) == ("cancelled", "its twist was deactivated")
        await runtime.advance(timedelta(minutes=3))
        assert (len(twist.tasks), len(twist.store)) == (0, 0)

    on_runtime(work, concurrency=2)
