"""SPEC 10: rates and cost, warnings and the forecast."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from plot_nb import Latency, Limits, Prices, Runtime
from plot_nb.view.rates import forecast, windows
from tests.runtime.twists import called, methods, on_runtime

CHAIN = """
async def go(self, left):
    if left > 1:
        await self.run_task(await self.callback(self.go, left - 1))
"""

TICKING = """
async def start(self, seconds):
    await self.schedule_recurring("tick", await self.callback(self.tick), every=timedelta(seconds=seconds))
async def tick(self):
    pass
"""


def warnings(texts: list[str]) -> list[str]:
    return [text.removeprefix("rate: ") for text in texts if text.startswith("rate: ")]


@pytest.mark.rule("10.21", "10.27", "10.40")
def test_the_201st_execution_in_five_minutes_is_warned_of_once_and_all_of_them_run() -> None:
    result = called(CHAIN, 230)
    assert result.executions["outcome"].tolist() == ["ok"] * 230
    (text,) = warnings(result.texts("system"))
    assert text.startswith("Plot would suspend this twist here: 201 executions in 5 minutes (at most 200).")
    (of,) = result.logs.loc[result.logs["text"].str.startswith("rate: "), "execution"]
    assert of == result.executions["execution"].iloc[200]


@pytest.mark.rule("10.21", "10.27")
def test_200_executions_are_not_warned_of() -> None:
    assert warnings(called(CHAIN, 200).texts("system")) == []


@pytest.mark.rule("10.21", "10.25", "10.27", "10.40")
def test_a_window_that_was_left_and_is_entered_again_is_warned_of_again() -> None:
    async def work(runtime: Runtime) -> list[int]:
        twist = await runtime.deploy(methods(CHAIN))
        found = []
        for pause in (timedelta(0), timedelta(minutes=6), timedelta(minutes=1)):
            await runtime.advance(pause)
            run = await twist.go(201)
            found.append(len(warnings(run.logs["text"].tolist())))
        return found

    # The third comes while those of the second are in the window still; it is the 501st of the day that it reaches.
    assert on_runtime(work) == [1, 1, 1]


@pytest.mark.rule("10.22", "10.25")
def test_the_501st_execution_in_a_day_is_warned_of() -> None:
    async def work(runtime: Runtime) -> list[str]:
        twist = await runtime.deploy(methods(TICKING, head="from datetime import timedelta"))
        await twist.start(120)
        run = await runtime.advance(timedelta(hours=23))
        return warnings(run.logs["text"].tolist())

    (text,) = on_runtime(work, latency=Latency(start=timedelta(0)))
    assert "501 executions in 24 hours (at most 500)" in text


@pytest.mark.rule("10.23", "10.26", "10.27")
def test_more_than_five_dollars_in_four_hours_are_warned_of() -> None:
    result = called(CHAIN, 7, prices=Prices(execution=0.9, request=0, gb_second=0))
    assert result.executions["cost"].tolist() == [0.9] * 7
    (text,) = warnings(result.texts("system"))
    assert "$5.40 in 4 hours (at most $5.00)" in text
    (of,) = result.logs.loc[result.logs["text"].str.startswith("rate: "), "execution"]
    assert of == result.executions["execution"].iloc[5]


@pytest.mark.rule("10.24", "10.25", "10.26")
def test_more_than_twenty_dollars_in_thirty_days_are_warned_of() -> None:
    async def work(runtime: Runtime) -> list[str]:
        twist = await runtime.deploy(methods(TICKING, head="from datetime import timedelta"))
        await twist.start(86400)
        run = await runtime.advance(timedelta(days=25))
        return warnings(run.logs["text"].tolist())

    (text,) = on_runtime(work, prices=Prices(execution=0.99))
    assert "$20.79 in 30 days (at most $20.00)" in text


@pytest.mark.rule("10.26")
def test_a_cost_is_made_of_executions_requests_and_time_and_follows_from_the_journal() -> None:
    body = """
    async def go(self):
        await self.set("a", 1)
        await asyncio.sleep(2)
    """
    prices = Prices(execution=1, request=0.25, gb_second=8)
    limits = Limits(memory=2**27)
    result = called(body, head="import asyncio", prices=prices, limits=limits)
    (row,) = result.executions.to_dict("records")
    seconds = (row["ended"] - row["started"]).total_seconds()
    assert seconds >= 2
    assert row["cost"] == pytest.approx(1 + 0.25 + seconds)
    again = called(body, head="import asyncio", prices=prices, limits=limits)
    assert again.executions["cost"].tolist() == [row["cost"]]


@pytest.mark.rule("10.26")
def test_computing_costs_what_the_user_says() -> None:
    body = "async def go(self): return sum(range(10**6))"
    free, dear = (called(body, prices=Prices(cpu_second=price)) for price in (0, 1000))
    (row,) = dear.executions.to_dict("records")
    assert row["cost"] - free.executions["cost"].iloc[0] == pytest.approx(row["cpu_ms"], rel=0.01)


@pytest.mark.rule("10.21", "10.34")
def test_each_instance_counts_for_itself() -> None:
    async def work(runtime: Runtime) -> list[list[float]]:
        first = await runtime.deploy(methods(CHAIN))
        second = await runtime.deploy(methods(CHAIN), instance="second")
        await first.go(5)
        await second.go(2)
        return [runtime.rates(each)["used"].tolist()[:2] for each in (first, second)]

    assert on_runtime(work) == [[5, 5], [2, 2]]


@pytest.mark.rule("10.33")
def test_rates_say_what_is_used_of_each_window() -> None:
    async def work(runtime: Runtime) -> pd.DataFrame:
        twist = await runtime.deploy(methods(CHAIN))
        await twist.go(50)
        return runtime.rates(twist)

    rates = on_runtime(work, prices=Prices(execution=0.05, request=0, gb_second=0))
    assert rates["window"].tolist() == ["5 minutes", "24 hours", "4 hours", "30 days"]
    assert rates["unit"].tolist() == ["executions", "executions", "$", "$"]
    assert rates["limit"].tolist() == [200, 500, 5, 20]
    assert rates["used"].tolist() == pytest.approx([50, 50, 2.5, 2.5])
    assert rates["share"].tolist() == pytest.approx([0.25, 0.1, 0.5, 0.125])


@pytest.mark.rule("10.33")
def test_the_forecast_comes_true() -> None:
    async def work(runtime: Runtime) -> tuple[str, timedelta, list[str], list[str]]:
        twist = await runtime.deploy(methods(TICKING, head="from datetime import timedelta"))
        await twist.start(1)
        await runtime.advance(timedelta(seconds=100))
        rates = runtime.rates(twist)
        left = rates["suspended_in"].iloc[0]
        texts: list[list[str]] = []
        for passes in (left - timedelta(seconds=1), timedelta(seconds=3)):
            run = await runtime.advance(passes)
            texts.append(run.logs["text"].tolist())
        return forecast(rates), left, texts[0], texts[1]

    sentence, left, before, after = on_runtime(work)
    assert sentence.startswith("At this pace Plot would suspend this twist in 1 min 4")
    assert "in 5 minutes, at most 200 (" in sentence
    assert timedelta(seconds=95) < left < timedelta(seconds=102)
    assert (len(warnings(before)), len(warnings(after))) == (0, 1)


@pytest.mark.rule("10.33")
def test_a_pace_that_never_fills_a_window_has_no_moment() -> None:
    async def work(runtime: Runtime) -> pd.DataFrame:
        twist = await runtime.deploy(methods(TICKING, head="from datetime import timedelta"))
        await twist.start(600)
        await runtime.advance(timedelta(hours=3))
        return runtime.rates(twist)

    rates = on_runtime(work)
    assert rates["suspended_in"].isna().all()
    assert rates["pace"].iloc[1] == pytest.approx(0.1, rel=0.1)
    assert forecast(rates).startswith("At this pace it goes over no rate limit: ")


@pytest.mark.rule("10.25", "10.33", "10.36")
def test_a_file_that_is_opened_again_goes_on_counting(tmp_path: Path) -> None:
    async def first(runtime: Runtime) -> pd.DataFrame:
        twist = await runtime.deploy(methods(CHAIN))
        await twist.go(150)
        return runtime.rates(twist)

    async def second(runtime: Runtime) -> tuple[pd.DataFrame, list[str], list[str]]:
        (twist,) = runtime.twists()
        rates = runtime.rates(twist)
        over = warnings((await twist.go(51)).logs["text"].tolist())
        return rates, over, warnings((await twist.go(2)).logs["text"].tolist())

    before = on_runtime(first, path=tmp_path / "state.db")
    after, over, still = on_runtime(second, path=tmp_path / "state.db")
    pd.testing.assert_frame_equal(before, after)
    assert len(over) == 1
    assert still == []


@pytest.mark.rule("5.24", "10.25", "10.33", "10.36")
def test_what_a_retention_dropped_is_counted_still_when_the_file_is_opened_again(tmp_path: Path) -> None:
    settings = {
        "path": tmp_path / "state.db",
        "retention": timedelta(seconds=30),
        "prices": Prices(execution=0.01),
    }

    async def first(runtime: Runtime) -> list[float]:
        twist = await runtime.deploy(methods(CHAIN))
        await twist.go(150)
        await runtime.advance(timedelta(minutes=2))
        await twist.go(1)
        assert len(twist.executions) == 1
        return runtime.rates(twist)["used"].tolist()

    async def second(runtime: Runtime) -> tuple[list[float], list[float], list[float]]:
        (twist,) = runtime.twists()
        counted = runtime.rates(twist)["used"].tolist()
        await runtime.advance(timedelta(minutes=10))
        await twist.go(1)
        later = runtime.rates(twist)["used"].tolist()
        await runtime.deploy(methods(CHAIN + "# next"))
        return counted, later, runtime.rates(twist)["used"].tolist()

    before = on_runtime(first, **settings)
    counted, later, anew = on_runtime(second, **settings)
    assert before[:2] == [151, 151]
    assert counted == pytest.approx(before)
    assert later[:2] == [1, 152]
    assert anew == [0, 0, 0, 0]
    again, _, _ = on_runtime(second, **settings)
    assert again == [0, 0, 0, 0]


@pytest.mark.rule("10.27", "10.40")
def test_the_picture_of_a_run_says_that_plot_would_suspend() -> None:
    async def work(runtime: Runtime) -> dict[str, str]:
        twist = await runtime.deploy(methods(CHAIN.replace("if left", "print('rate: no'); if left", 0)))
        run = await twist.go(201)
        return run._repr_mimebundle_()

    bundle = on_runtime(work)
    said = "Plot would suspend this twist here: 201 executions in 5 minutes (at most 200)."
    assert f"\n▲ {said}" in bundle["text/plain"]
    assert f">▲ <bdi>{said}" in bundle["text/html"]


@pytest.mark.rule("10.26")
def test_settings_that_are_none_are_refused() -> None:
    with pytest.raises(TypeError, match=r"give Prices\("):
        Runtime(prices={"execution": 1})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="give 'warn' or 'enforce'"):
        Limits(rate="off")  # type: ignore[arg-type]


def test_rates_of_what_is_no_twist_say_what_to_give() -> None:
    async def work(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match="rates takes a deployed twist"):
            runtime.rates("Sync")  # type: ignore[arg-type]

    on_runtime(work)


def test_small_dollars_are_written_without_an_exponent() -> None:
    row = {
        "window": "4 hours",
        "used": 9.12e-05,
        "limit": 5.0,
        "share": 9.12e-05 / 5,
        "unit": "$",
        "pace": 0.00123,
    }
    frame = pd.DataFrame([{**row, "suspended_in": pd.NaT}])
    frame.attrs.update(suspended=None, enforced=False)
    (line,) = [
        line for line in windows(frame, "Sync")["text/plain"].split("\n") if line.startswith("4 hours")
    ]
    assert line.split()[2:4] == ["$0.000091", "$5.00"]
    assert "$0.0012/min" in line
