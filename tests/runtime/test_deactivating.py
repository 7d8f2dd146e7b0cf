"""SPEC 10: what runs while its twist is deactivated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import Runtime, TwistInactive
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


HOOKED = methods(
    """
    def build(self, build):
        return {"network": build(Network, urls=["https://slow.example.com/*"])}
    async def hook(self):
        return await self.tools.network.create_webhook("on_post", sync=True)
    async def on_post(self, request):
        await fetch("https://slow.example.com/")
        await self.set("ran on", True)
    async def deactivate(self):
        await fetch("https://slow.example.com/")
    """
)


def slow(reached: Callable[[], None], goes_on: asyncio.Event) -> Any:
    """An app that answers when the test says so."""
    loop = asyncio.get_running_loop()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loop.call_soon_threadsafe(reached)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(goes_on.wait(), loop))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


@pytest.mark.rule("10.7", "10.38")
def test_a_deactivation_stops_a_webhook_whose_sender_waits() -> None:
    async def work(runtime: Runtime) -> None:
        reached, goes_on = asyncio.Event(), asyncio.Event()
        runtime.mount("https://slow.example.com", slow(reached.set, goes_on))
        twist = await runtime.deploy(HOOKED.replace("async def deactivate", "async def other"))
        url = (await twist.hook()).value
        post = asyncio.create_task(runtime.post_webhook(url))
        await reached.wait()
        await twist.deactivate()
        goes_on.set()
        assert (await post).status_code == 500
        assert twist.executions["outcome"].tolist() == ["ok", "cancelled"]
        assert len(twist.store) == 0

    on_runtime(work)


@pytest.mark.rule("10.38")
def test_a_version_that_is_deployed_while_its_twist_is_deactivated_is_deactivated_with_it() -> None:
    async def work(runtime: Runtime) -> None:
        reached, goes_on = asyncio.Event(), asyncio.Event()
        runtime.mount("https://slow.example.com", slow(reached.set, goes_on))
        twist = await runtime.deploy(HOOKED)
        deactivation = asyncio.create_task(twist.deactivate())
        await reached.wait()
        next_version = await runtime.deploy(HOOKED + "# next")
        goes_on.set()
        await deactivation
        with pytest.raises(TwistInactive):
            await next_version.hook()

    on_runtime(work)
