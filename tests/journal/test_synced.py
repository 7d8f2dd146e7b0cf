"""The key that tells how a sync gets on is found without being named."""

from __future__ import annotations

import pytest

from plot_nb import Runtime
from tests.runtime.twists import methods, on_runtime

SYNC = methods(
    """
    async def page(self, n=1):
        for item in range(3):
            await self.set(f"item:{n}:{item}", n)
        await self.set("state", {"page": n + 1, "total": 50 * n})
        if n < 6:
            await self.run_task(await self.callback("page", n + 1))
    """
)


def key_of(source: str, method: str, *args: object) -> str | None:
    async def work(runtime: Runtime) -> str | None:
        twist = await runtime.deploy(source)
        run = await twist.call(method, *args)
        progress = run.picture()["rows"]["progress"]
        return progress["key"] if progress is not None else None

    return on_runtime(work)


def test_what_each_execution_writes_and_counts_up_is_a_syncs_progress() -> None:
    assert key_of(SYNC, "page") == "state"


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        (
            "tries of one execution",
            """
    async def start(self):
        await self.run_task(await self.callback("stubborn"))
    async def stubborn(self):
        tries = (await self.get("tries") or 0) + 1
        await self.set("tries", tries)
        if tries < 3:
            raise ConnectionError
    """,
        ),
        (
            "two executions",
            """
    async def start(self, n=1):
        await self.set("total", n)
        if n < 2:
            await self.run_task(await self.callback("start", n + 1))
    """,
        ),
        (
            "what falls",
            """
    async def start(self, n=5):
        await self.set("total", n)
        if n:
            await self.run_task(await self.callback("start", n - 1))
    """,
        ),
        (
            "what is no number",
            """
    async def start(self, n=5):
        await self.set("total", "x" * (9 - n))
        if n:
            await self.run_task(await self.callback("start", n - 1))
    """,
        ),
    ],
)
def test_is_none(rule: str, body: str) -> None:
    assert key_of(methods(body), "start") is None, rule
