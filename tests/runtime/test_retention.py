"""What is dropped with time, and what never is."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime
from tests.runtime.twists import methods, on_runtime

BODY = """
async def fill(self, text):
    await self.set("text", text)
    return text

async def chain(self, left):
    await self.set("left", left)
    if left:
        await self.run_task(await self.callback(self.chain, left - 1))

async def fail(self):
    raise ValueError("never")

async def begin(self):
    await self.run_task(await self.callback(self.fail))

async def later(self):
    await self.run_task(await self.callback(self.fill, "later"), run_at=now() + timedelta(days=30))
"""
HEAD = "from datetime import timedelta"
SOURCE = methods(BODY, head=HEAD)
DAY = timedelta(days=1)


def count(path: Path, table: str) -> int:
    """Rows of a table."""
    with sqlite3.connect(path) as database:
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    database.close()
    return found


@pytest.mark.rule("5.24")
def test_executions_and_replaced_values_are_dropped_when_they_are_older_than_the_retention() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        for number in range(5):
            await twist.fill(f"{number} " * 200)
        await runtime.advance(3 * DAY)
        await twist.fill("new")
        await runtime.advance(DAY)
        await twist.fill("newest")
        assert list(twist.executions["method"]) == ["fill", "fill"]
        assert [entry[:3] for entry in twist.store_history["value"]][-2:] == ["new", "new"]
        assert dict(zip(twist.store["key"], twist.store["value"], strict=True)) == {"text": "newest"}
        assert "0 " * 200 not in set(twist.store_history["value"])

    on_runtime(work, retention=2 * DAY)


@pytest.mark.rule("5.24")
def test_without_a_retention_everything_stays() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.fill("old")
        await runtime.advance(1000 * DAY)
        await twist.fill("new")
        assert list(twist.store_history["value"]) == ["old", "new"]
        assert len(twist.executions) == 2

    on_runtime(work)


@pytest.mark.rule("5.24")
def test_dead_letters_and_what_waits_stay_however_old() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.later()
        await twist.begin()
        await runtime.advance(20 * DAY)
        await twist.fill("new")
        assert sorted(zip(twist.tasks["method"], twist.tasks["state"], strict=True)) == [
            ("fail", "dead"),
            ("fill", "queued"),
        ]
        run = await runtime.advance(11 * DAY)
        assert list(run.executions["method"]) == ["fill"]

    on_runtime(work, retention=DAY)


@pytest.mark.rule("5.24")
def test_the_space_goes_back_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def fill() -> int:
        async with Runtime(path, seed=1) as runtime:
            twist = await runtime.deploy(SOURCE)
            for number in range(120):
                await twist.fill(f"{number:04}" * 2000)
            await runtime.advance(10 * DAY)
        return path.stat().st_size

    async def reopen() -> tuple[int, Any]:
        async with Runtime(path, seed=1, retention=DAY) as runtime:
            twist = runtime.twists()[0]
            size = path.stat().st_size
            run = await twist.fill("again")
            assert run.ok
            return size, twist.executions

    before = asyncio.run(fill())
    size, executions = asyncio.run(reopen())
    assert size < before / 4
    assert len(executions["execution"].unique()) == len(executions)
    assert count(path, "payloads") <= 4


@pytest.mark.rule("5.24", "7.26")
def test_a_long_chain_is_dropped_while_it_runs_and_does_not_fork() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        run = await twist.chain(60)
        assert dict(zip(twist.store["key"], twist.store["value"], strict=True)) == {"left": 0}
        assert 2 <= len(run.executions) < 40
        assert len(twist.tasks.query("state == 'queued'")) == 0

    on_runtime(work, retention=timedelta(milliseconds=500))


@pytest.mark.parametrize(
    ("given", "message"), [(5, "give a timedelta"), (timedelta(0), "above zero"), (-DAY, "above zero")]
)
def test_a_retention_that_is_none_is_refused(given: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Runtime(retention=given)
