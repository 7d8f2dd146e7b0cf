"""What has ended is let go: the memory of a runtime does not grow with what ran in it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from plot_nb import Runtime
from plot_nb.engine.attempt import Attempt
from tests.runtime.twists import methods, on_runtime

MANY = 40

TWIST = methods(
    """
    def build(self, build):
        return {"network": build(Network, urls=["https://big.example.com/*"])}
    async def look(self):
        answer = await asyncio.wait_for(fetch("https://big.example.com/"), 600)
        return len(await answer.text())
    async def chain(self, left):
        await self.look()
        if left > 1:
            await self.run_task(await self.callback(self.chain, left - 1))
    async def nap(self):
        await asyncio.sleep(600)
    async def later(self, minutes):
        await self.run_task(await self.callback(self.look), run_at=now() + timedelta(minutes=minutes))
    """,
    head="import asyncio\nfrom datetime import timedelta",
)


async def big(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 10_000})


def attempts_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, Attempt) for each in gc.get_objects())


@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_attempts_that_have_ended_are_let_go_also_before_something_that_is_to_happen(clock: str) -> None:
    async def work(runtime: Runtime) -> None:
        runtime.mount("https://big.example.com", big)
        twist = await runtime.deploy(TWIST)
        await twist.later(1)
        before = attempts_in_memory()
        for _ in range(MANY):
            assert (await twist.look()).value == 10_000
        assert attempts_in_memory() - before < MANY / 4

    on_runtime(work, clock=clock)


def test_what_ends_while_something_runs_for_long_is_let_go() -> None:
    async def work(runtime: Runtime) -> None:
        alive: list[int] = []

        async def count(scope: Any, receive: Any, send: Any) -> None:
            alive.append(attempts_in_memory())
            await big(scope, receive, send)

        runtime.mount("https://big.example.com", count)
        twist, other = await runtime.deploy(TWIST), await runtime.deploy(TWIST, "other")
        nap, chain = await asyncio.gather(other.nap(), twist.chain(MANY))
        assert (nap.ok, len(chain.executions), len(alive)) == (True, MANY, MANY)
        assert alive[-1] - alive[0] < MANY / 4

    on_runtime(work)
