"""SPEC 7 and DESIGN: the journal, its DataFrames, and that the same seed and inputs give it again."""

from __future__ import annotations

import asyncio
from typing import Any

import pandas as pd
import pytest

from plot_nb import Runtime, demo
from tests.runtime.twists import methods, on_runtime

MEASURED = ["cpu_ms", "wall_ms", "memory_peak"]
"""Columns that the machine measures; all others are the same each time."""

SYNC = """
def build(self, build):
    return {"network": build(Network, urls=["https://api.example.com/*"])}
async def go(self, pages):
    import asyncio, random, uuid
    self.log.info("sync begins", uuid.uuid4(), random.random(), Uuid.generate())
    answers = await asyncio.gather(*(fetch(f"https://api.example.com/items?page={n + 1}") for n in range(pages)))
    for number, answer in enumerate(answers):
        if answer.ok:
            for item in (await answer.json())["items"][:3]:
                await self.set(f"item:{item['id']}", item["title"])
        await self.run_task(await self.callback(self.page, number))
async def page(self, number):
    import asyncio, random
    await asyncio.sleep(random.random() * number)
    await self.set("state", {"page": number, "at": now()})
    if random.random() < 0.3:
        raise ValueError(f"no luck with page {number}")
"""


def journal(seed: int, pages: int) -> list[pd.DataFrame]:
    async def work(runtime: Runtime) -> list[pd.DataFrame]:
        runtime.mount("https://api.example.com", demo.make_app(items=100, failures=0.2, seed=3))
        twist = await runtime.deploy(methods(SYNC))
        run = await twist.go(pages)
        return [
            run.executions.drop(columns=MEASURED),
            run.requests.drop(columns="cpu_ms"),
            run.tasks,
            run.logs,
            twist.store_history,
            twist.callbacks,
        ]

    return on_runtime(work, seed=seed)


@pytest.mark.rule("7.46")
def test_the_same_seed_and_inputs_give_the_same_journal_and_another_seed_another() -> None:
    first, again, other = journal(5, 6), journal(5, 6), journal(6, 6)
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, two)
    assert not first[3]["text"].equals(other[3]["text"])
    assert len(first[0]) > 6


def test_tables_have_the_columns_that_are_promised_also_when_they_are_empty() -> None:
    promised = {
        "executions": "execution attempt parent twist version method cause outcome requests cpu_ms wall_ms memory_peak "
        "started ended error",
        "requests": "execution attempt seq tool operation detail line started duration_ms bytes_in bytes_out error",
        "store": "key type value bytes version updated execution",
    }

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def go(self): pass"))
        empty = await runtime.run_until_idle()
        for frame, name in (
            (empty.executions, "executions"),
            (empty.requests, "requests"),
            (twist.store, "store"),
            ((await twist.go()).executions, "executions"),
        ):
            assert set(promised[name].split()) <= set(frame.columns)
        assert (empty.outcome, empty.ok, empty.value) == (None, True, None)
        assert empty._repr_mimebundle_()["text/plain"]

    on_runtime(work)


def test_progress_has_a_row_for_each_write_of_a_key() -> None:
    body = """
    async def go(self):
        for page in range(3):
            await self.set("state", {"page": page, "total": page * 50})
        await self.set("other", 1)
        await self.clear("state")
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        await twist.go()
        run = await twist.go()
        frame = run.progress("state")
        assert frame["page"].tolist() == [0, 1, 2, pd.NA]
        assert frame["total"].tolist()[:3] == [0, 50, 100]
        assert set(frame["execution"]) == set(run.executions["execution"])
        assert run.progress("other")["value"].tolist() == [1]
        assert len(run.progress("nothing")) == 0

    on_runtime(work)


def test_tables_can_be_read_while_a_chain_runs() -> None:
    body = """
    async def go(self, left):
        await self.set("left", left)
        if left:
            await self.run_task(await self.callback(self.go, left - 1))
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        call = asyncio.create_task(twist.go(100))
        lengths = []
        while not call.done():
            lengths.append(len(twist.executions))
            await asyncio.sleep(0)
        assert (await call).ok
        assert lengths == sorted(lengths)
        assert len(twist.executions) == 101

    on_runtime(work)


@pytest.mark.rule("12.1", "12.3")
def test_text_of_a_twist_is_text_in_the_picture() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b[31m"
    body = f"""
    async def go(self):
        hostile = {hostile!r}
        print(hostile)
        await self.set(hostile, hostile)
        raise ValueError(hostile)
    """

    async def work(runtime: Runtime) -> dict[str, Any]:
        twist = await runtime.deploy(methods(body))
        return (await twist.go())._repr_mimebundle_()

    bundle = on_runtime(work)
    assert "<script" not in bundle["text/html"]
    assert "<img" not in bundle["text/html"]
    assert "\x1b" not in bundle["text/plain"]
    assert "\u202e" not in bundle["text/plain"] + bundle["text/html"]
