"""SPEC 3: the request meter."""

from __future__ import annotations

import pytest

from plot_nb import Limits
from tests.runtime.twists import called, line_of, methods

SERIAL = """
async def go(self, count):
    for number in range(count):
        await self.set(f"item:{number:04}", number)
"""
GATHERED = """
async def go(self, count):
    import asyncio
    await asyncio.gather(*(self.set(f"item:{number:04}", number) for number in range(count)))
"""


@pytest.mark.rule("2.13", "3.10")
@pytest.mark.parametrize(("body", "asked"), [(SERIAL, 1234), (GATHERED, 1500)], ids=["serial", "gathered"])
def test_request_1001_is_not_performed_and_the_store_is_as_the_1000_left_it(body: str, asked: int) -> None:
    result = called(body, asked)
    assert result.outcome == "over_requests"
    assert result.line == line_of(methods(body), "self.set(")
    assert result.executions["requests"].tolist() == [1000]
    assert len(result.requests) == 1000
    assert list(result.store) == [f"item:{number:04}" for number in range(1000)]
    assert "request 1,001" in str(result.error)
    assert "\nRequestLimitExceeded: request 1,001" in str(result.traceback)


@pytest.mark.rule("2.13")
def test_exactly_the_limit_is_allowed() -> None:
    result = called(SERIAL, 1000)
    assert (result.outcome, len(result.store)) == ("ok", 1000)


@pytest.mark.rule("3.11")
def test_a_handler_of_exception_does_not_hide_it() -> None:
    body = """
    async def go(self):
        for number in range(20):
            try:
                await self.set("n", number)
            except Exception:
                pass
        return "swallowed"
    """
    result = called(body, limits=Limits(requests=10))
    assert (result.outcome, result.store) == ("over_requests", {"n": 9})


@pytest.mark.rule("3.12")
def test_the_outcome_is_over_requests_whatever_the_twist_catches() -> None:
    body = """
    async def go(self):
        for number in range(20):
            try:
                await self.set("n", number)
            except BaseException:
                break
        return "swallowed"
    """
    result = called(body, limits=Limits(requests=10))
    assert (result.outcome, result.value, result.store) == ("over_requests", None, {"n": 9})


@pytest.mark.rule("3.13", "3.14")
def test_a_twist_that_keeps_asking_is_stopped_after_100_refused_crossings() -> None:
    body = """
    async def go(self):
        refused = 0
        while True:
            try:
                await self.set("n", refused)
            except BaseException:
                refused += 1
                print(refused)
    """
    result = called(body, limits=Limits(requests=1))
    assert result.outcome == "over_requests"
    assert result.texts("print")[-1] == "99"
    assert result.executions["requests"].tolist() == [1]


@pytest.mark.rule("3.1", "3.2", "3.3", "3.4", "3.7", "3.8", "3.9")
@pytest.mark.parametrize(
    ("statement", "cost"),
    [
        ("await self.set('a', 1)", 1),
        ("await self.get('a')", 1),
        ("await self.clear('a')", 1),
        ("await self.set_many({'a': 1, 'b': 2, 'c': 3})", 1),
        ("await self.get_many(['a', 'b', 'c'])", 1),
        ("await self.clear_many(['a', 'b'])", 1),
        ("await self.clear_all()", 1),
        ("await self.list_entries('a')", 1),
        ("await self.tools.store.list('a')", 1),
        ("await self.callback('other')", 1),
        ("await self.delete_callback(await self.callback('other'))", 2),
        ("await self.delete_all_callbacks()", 1),
        ("await self.run(await self.callback('other'))", 3),
        ("await self.run_task(await self.callback('nothing'))", 2),
        ("await self.run_task(await self.callback('nothing'), run_at=now())", 2),
        ("await self.schedule_task('k', await self.callback('nothing'), now())", 2),
        ("await self.schedule_recurring('k', await self.callback('nothing'), every=timedelta(hours=1))", 2),
        ("await self.cancel_task('none')", 1),
        ("await self.cancel_all_tasks()", 1),
        ("await self.cancel_scheduled_task('none')", 1),
        ("await self.tools.store.acquire_lock('k', 1)", 1),
        ("await self.tools.store.release_lock('k')", 1),
        ("print('free'); self.log.info('free')", 0),
        ("Uuid.generate(); now()", 0),
        ("await asyncio.sleep(5)", 0),
        ("self.options", 0),
    ],
)
def test_the_price_table(statement: str, cost: int) -> None:
    body = f"""
    async def go(self):
        import asyncio
        from datetime import timedelta
        {statement}
    async def other(self):
        await self.set("other", True)
    async def nothing(self):
        pass
    """
    result = called(body)
    assert result.outcome == "ok", result.error
    assert result.executions["requests"].iloc[0] == cost
    assert result.requests.groupby("execution").size().get(result.executions["execution"].iloc[0], 0) == cost


@pytest.mark.rule("3.3", "7.1")
def test_run_shares_the_budget_and_run_task_has_a_fresh_one() -> None:
    body = """
    async def go(self):
        for number in range(6):
            await self.set("go", number)
        await self.run_task(await self.callback(self.more))
    async def more(self):
        for number in range(8):
            await self.set("more", number)
    """
    result = called(body, limits=Limits(requests=8))
    assert result.executions["requests"].tolist() == [8, 8]
    assert result.executions["outcome"].tolist() == ["ok", "ok"]


@pytest.mark.rule("3.16", "3.18")
def test_every_request_is_journaled_with_its_line_in_order() -> None:
    body = """
    async def go(self):
        await self.set("colour", "blue")
        return await self.helper()
    async def helper(self):
        return await self.get("colour")
    """
    result = called(body)
    source = methods(body)
    columns = ["seq", "tool", "operation", "detail", "line"]
    assert result.requests[columns].values.tolist() == [
        [1, "store", "set", "colour", line_of(source, "self.set(")],
        [2, "store", "get", "colour", line_of(source, "self.get(")],
    ]
    assert result.requests["duration_ms"].tolist() == [5.0, 5.0]
    assert (result.requests["bytes_out"] > 0).all()


@pytest.mark.rule("3.19")
def test_a_forgotten_await_is_not_performed_and_is_reported_with_its_line() -> None:
    body = """
    async def go(self):
        self.set("a", 1)
        await self.set("b", 2)
    """
    result = called(body)
    assert (result.outcome, result.store) == ("ok", {"b": 2})
    assert result.executions["requests"].tolist() == [1]
    warnings = result.logs[result.logs["level"] == "warning"]
    assert warnings["line"].tolist() == [line_of(methods(body), 'self.set("a"')]
    assert "store.set a" in warnings["text"].iloc[0]


def test_a_task_that_is_still_under_way_when_the_method_returns_is_reported() -> None:
    body = """
    async def go(self):
        import asyncio
        task = asyncio.create_task(self.later())
        await self.get("a")
    async def later(self):
        import asyncio
        await asyncio.sleep(100)
        await self.set("x", 1)
    """
    result = called(body)
    assert (result.outcome, result.store) == ("ok", {})
    warnings = result.logs[result.logs["level"] == "warning"]
    assert warnings["line"].tolist() == [line_of(methods(body), "asyncio.sleep(100)")]
    assert "later() was still under way" in warnings["text"].iloc[0]


@pytest.mark.rule("2.17", "3.23")
def test_cpu_memory_and_requests_are_measured_for_every_attempt() -> None:
    result = called("async def go(self): return sum(range(100_000))")
    row = result.executions.iloc[0]
    assert row["cpu_ms"] > 0
    assert row["wall_ms"] > 0
    assert 8 * 2**20 < row["memory_peak"] < 128 * 2**20


def test_each_request_knows_the_cpu_that_was_spent_before_it() -> None:
    body = """
    async def go(self):
        await self.set("a", 1)
        sum(range(3_000_000))
        await self.set("b", 1)
    """
    result = called(body)
    before, after = result.requests["cpu_ms"]
    assert 0 < before < after - 10
    assert after <= result.executions["cpu_ms"].iloc[0]
