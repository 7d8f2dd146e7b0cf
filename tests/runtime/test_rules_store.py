"""docs/runtime.md, section 5: what the Store takes, gives back and keeps."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime
from tests.crash.test_killed import run_program
from tests.runtime.twists import called, methods, on_runtime


@pytest.mark.rule("5.1", "5.3")
@pytest.mark.parametrize(("point", "kept"), [("before store write", 0), ("after store write", 100)])
def test_a_bulk_write_is_there_whole_or_not_at_all_after_a_kill(
    tmp_path: Path, point: str, kept: int
) -> None:
    path = tmp_path / "state.db"
    assert run_program("bulk", path, point).returncode == -9
    assert run_program("bulk", path).stdout.split() == [str(kept)]


@pytest.mark.rule("5.2")
@pytest.mark.parametrize(("durability", "flushes"), [("process", 1), ("full", 2)])
def test_full_durability_flushes_each_commit_to_the_disk(
    durability: str, flushes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def kept(*args: Any, **settings: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **settings))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", kept)

    async def work(runtime: Runtime) -> None:
        await (await runtime.deploy(methods("async def go(self): await self.set('a', 1)"))).go()
        writing = opened[0]
        assert writing.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert writing.execute("PRAGMA synchronous").fetchone() == (flushes,)

    on_runtime(work, durability=durability)


@pytest.mark.rule("5.5", "5.6")
def test_the_largest_key_and_value_fit_and_one_byte_more_does_not() -> None:
    body = """
    async def go(self):
        found = []
        for key, value in (
            ("k" * 1024, 1), ("k" * 1025, 1), ("\u00e9" * 512, 1), ("\u00e9" * 513, 1),
            ("fits", "v" * (2**20 - 11)), ("bursts", "v" * (2**20 - 10)),
        ):
            try:
                await self.set(key, value)
                found.append(await self.get(key) == value)
            except ValueError as error:
                found.append(str(error))
        return found
    """
    found = called(body).value
    assert found[0::2] == [True] * 3
    assert "1025" in found[1]
    assert "1026" in found[3]
    assert "'bursts'" in found[5]
    assert str(2**20 + 1) in found[5]


@pytest.mark.rule("5.14", "5.15", "5.16", "5.17", "5.18")
def test_values_come_back_as_what_they_were() -> None:
    body = """
    async def go(self):
        values = {
            "plain": ["text", 1, -2.5, True, None, {"a": {"b": []}}],
            "infinite": [float("inf"), float("-inf")],
            "moment": now(),
            "offset": datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            "map": {1: "a", 2: "b"},
            "set": {1, "a"},
            "large": 2**70,
            "pattern": re.compile("a+", re.IGNORECASE),
            "url": Url("https://example.com/a?b#c"),
        }
        await self.set_many(values)
        back = await self.get_many(values)
        differ = [name for name in values if back[name] != values[name] or type(back[name]) is not type(values[name])]
        others = {"nan": float("nan"), "error": ValueError("no"), "tuple": (1, (2,)), "nothing": UNDEFINED}
        await self.set_many(others)
        nan, error, pair = await self.get("nan"), await self.get("error"), await self.get("tuple")
        await self.set("offset", values["offset"])
        return [
            differ, math.isnan(nan), repr(error), type(error).__name__, pair, await self.get("nothing") is UNDEFINED,
            (await self.get("offset")).isoformat(), now().tzinfo is UTC, now().microsecond % 1000,
        ]
    """
    result = called(body, head="import math, re\nfrom datetime import UTC, datetime, timedelta, timezone")
    assert result.outcome == "ok", result.error
    assert result.value == [
        *([], True, "ValueError('no')", "ValueError", [1, [2]], True),
        *("2026-05-01T10:00:00+00:00", True, 0),
    ]


@pytest.mark.rule("5.28")
def test_what_is_cleared_is_gone_and_its_clearing_is_kept() -> None:
    body = """
    async def go(self):
        await self.set_many({"a": 1, "b": 2, "c": 3})
        await self.clear("a")
        await self.clear_many(["b", "nothing"])
        found = await self.get_many(["a", "b", "c"])
        await self.clear_all()
        return [found, await self.get("c")]
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        assert (await twist.go()).value == [{"a": None, "b": None, "c": 3}, None]
        history = twist.store_history
        assert history["key"].tolist() == ["a", "b", "c", "a", "b", "c"]
        assert history["type"].tolist() == ["int"] * 3 + ["cleared"] * 3
        assert len(twist.store) == 0

    on_runtime(work)


@pytest.mark.rule("5.23")
def test_reset_drops_store_tasks_callbacks_journal_and_twists() -> None:
    body = """
    async def go(self):
        await self.set("a", 1)
        await self.run_task(await self.callback(self.go), run_at=now() + timedelta(hours=1))
    """

    async def work(runtime: Runtime) -> None:
        seed, start = runtime.seed, runtime.now
        await (await runtime.deploy(methods(body, head="from datetime import timedelta"))).go()
        await runtime.advance(timedelta(days=1))
        await runtime.reset()
        assert (runtime.seed, runtime.now, runtime.twists()) == (seed, start, [])
        assert len((await runtime.advance(timedelta(days=1))).executions) == 0
        twist = await runtime.deploy(methods("async def go(self): return await self.get('a')"))
        assert twist.version == 1
        assert (await twist.go()).value is None
        for table in (twist.store, twist.store_history, twist.callbacks, twist.tasks):
            assert len(table) == 0
        assert twist.executions["method"].tolist() == ["go"]

    on_runtime(work)
