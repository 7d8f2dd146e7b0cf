"""How a sync gets on: which entry counts items, how fast, and how much is left."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plot_nb import Runtime
from plot_nb.journal.progress import Counter, progress, rates
from tests.runtime.twists import methods, on_runtime


def counted(values: list[Any], **given: Any) -> Counter:
    """A counter that has seen values, one a second."""
    counter = Counter(**given)
    for place, value in enumerate(values):
        counter.take(place + 1, place + 1, place * 1_000_000, value)
    return counter


CASES: list[tuple[str, list[Any], str | None]] = [
    ("the tutorial's", [{"page": 1, "total": 0}, {"page": 2, "total": 50}], "total"),
    ("done of a total", [{"total": 1234, "done": 0}, {"total": 1234, "done": 50}], "done"),
    ("an offset into a total", [{"total": 1234, "offset": 0}, {"total": 1234, "offset": 50}], "offset"),
    ("a name that contains one", [{"itemsSynced": 5, "x": 1}, {"itemsSynced": 9, "x": 100}], "itemsSynced"),
    ("no name: what grows most", [{"a": 1, "b": 1}, {"a": 2, "b": 30}], "b"),
    ("what falls does not count", [{"a": 1, "b": 10}, {"a": 2, "b": 90}, {"a": 3, "b": 5}], "a"),
    ("a time is no count", [{"n": 1, "at": 10**12}, {"n": 2, "at": 10**12 + 5000}], "n"),
    ("one write, told by its name", [{"page": 1, "count": 7}], "count"),
    ("one write, not told", [{"page": 1, "cursor": "abc"}], None),
    ("a number itself", [3, 5], ""),
    ("a truth is no number", [{"done": False}, {"done": True}], None),
    ("text", ["a", "b"], None),
    ("a sync that begins anew", [{"total": 0}, {"total": 90}, {"total": 0}, {"total": 50}], "total"),
]


@pytest.mark.parametrize(("values", "field"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_counts_items_is_found_by_name_or_by_growth(values: list[Any], field: str | None) -> None:
    assert counted(values).field == field


def test_the_rate_is_of_what_was_added_since_the_first_write() -> None:
    counter = counted([{"total": total} for total in (20, 50, 110, 110)])
    assert counter.items == [20, 30, 60, 0]
    assert counter.rates == [None, 30, 45, 30]


def test_a_sync_that_begins_anew_is_measured_anew() -> None:
    counter = counted([{"total": total} for total in (0, 100, 0, 10, 30)])
    assert counter.items == [0, 100, 0, 10, 20]
    assert counter.rates == [None, 100, None, 10, 15]


def test_items_that_an_earlier_run_synced_are_not_this_one_s() -> None:
    assert counted([{"total": 150}], before={"total": 100}).items == [50]
    assert counted([{"total": 50}], before={"total": 100}).items == [50]


EXPECTED: list[tuple[dict[str, Any], Any, float | None]] = [
    ({"done": 50, "total": 200}, None, 200),
    ({"done": 50, "expected": 200}, None, 200),
    ({"done": 50, "total_items": 200}, None, 200),
    ({"done": 50, "of": 200}, None, 200),
    ({"done": 50, "size": 200}, None, 200),
    ({"done": 50, "page_size": 200}, None, None),
    ({"done": 50, "pages_total": 200}, None, 200),
    ({"done": 50, "limit": 200}, None, None),
    ({"done": 50, "other": 200}, None, None),
    ({"done": 50, "other": 200}, "other", 200),
    ({"done": 50}, 200, 200),
    ({"total": 50, "page": 3}, None, None),
    ({"done": 50, "total": 20}, None, None),
]


@pytest.mark.parametrize(("value", "given", "expected"), EXPECTED)
def test_how_many_are_expected_is_told_or_found_by_name(
    value: dict[str, Any], given: Any, expected: float | None
) -> None:
    counter = counted([{**value, next(iter(value)): 25}, value], expected=given)
    assert counter.expected == expected
    assert counter.left[-1] == (None if expected is None else (expected - 50) / 25 * 1000)


def test_nothing_is_left_when_all_is_done() -> None:
    assert counted([{"done": 10, "total": 10}]).left == [0]


NUMBERS = st.dictionaries(
    st.sampled_from(["page", "total", "done", "offset", "at", "x"]), st.integers(0, 50), max_size=4
)


@settings(max_examples=200)
@given(st.lists(st.one_of(NUMBERS, st.integers(0, 9), st.none()), max_size=12))
def test_counting_write_by_write_comes_to_the_same_as_knowing_what_counts_from_the_start(
    values: list[Any],
) -> None:
    counter = counted(values)
    if counter.field is None:
        assert counter.ids == []
        return
    known = counted(values, items=counter.field)
    for name in ("ids", "by", "updated", "totals", "items", "rates", "left", "added"):
        assert getattr(counter, name) == getattr(known, name)


def frame_of(body: str, key: str = "state", **given: Any) -> pd.DataFrame:
    async def work(runtime: Runtime) -> pd.DataFrame:
        twist = await runtime.deploy(methods(body))
        run = await twist.go()
        assert run.ok, run.error
        return run.progress(key, **given)

    return on_runtime(work)


SYNC = """
async def go(self):
    await self.set("state", {"page": 1, "total": 0, "of": 90})
    await self.run_task(await self.callback(self.page))
async def page(self):
    import asyncio
    await asyncio.sleep(1)
    state = await self.get("state")
    await self.set("state", {**state, "page": state["page"] + 1, "total": state["total"] + 30})
    if state["page"] < 3:
        await self.run_task(await self.callback(self.page))
"""


def test_a_run_s_progress_says_how_its_sync_got_on() -> None:
    frame = frame_of(SYNC)
    assert frame["total"].tolist() == [0, 30, 60, 90]
    assert frame["items"].tolist() == [0, 30, 30, 30]
    assert frame["requests_per_item"].round(3).tolist()[1:] == [0.133, 0.133, 0.067]
    assert frame["rate"].notna().tolist() == [False, True, True, True]
    assert frame["rate"].iloc[-1] == pytest.approx(
        90 / (frame["updated"].iloc[-1] - frame["updated"].iloc[0]).total_seconds()
    )
    assert frame["left_ms"].iloc[-1] == 0


def test_what_counts_and_what_is_expected_can_be_told() -> None:
    frame = frame_of(SYNC, items="page", expected=10)
    assert frame["items"].tolist() == [1, 1, 1, 1]
    assert frame["left_ms"].iloc[-1] == pytest.approx(6 / frame["rate"].iloc[-1] * 1000)
    with pytest.raises(ValueError, match="no value has an entry 'pages': there are page, total, of"):
        frame_of(SYNC, items="pages")


def test_an_entry_of_the_value_keeps_its_name() -> None:
    body = """
    async def go(self):
        for n in range(3):
            await self.set("state", {"items": n * 10, "rate": "fast", "requests": 5})
    """
    frame = frame_of(body)
    assert frame["items"].tolist() == [0, 10, 20]
    assert frame["rate"].tolist() == ["fast"] * 3
    assert frame["progress.items"].tolist() == [0, 10, 10]
    assert set(frame["requests"]) == {3}
    assert frame["state.requests"].tolist() == [5] * 3


def test_a_value_that_counts_nothing_stays_a_plain_table() -> None:
    frame = frame_of('async def go(self): await self.set("state", ["a"])')
    assert list(frame.columns)[-1] == "value"


def test_rates_can_be_taken_of_a_table_of_progress_again() -> None:
    frame = frame_of(SYNC)
    by_page = rates(frame, items="page")
    assert by_page is not None
    assert by_page["total"].tolist() == [1, 2, 3, 4]
    again = rates(frame)
    assert again is not None
    pd.testing.assert_series_equal(again["rate"], frame["rate"])


def test_a_clear_is_a_row_without_figures() -> None:
    body = """
    async def go(self):
        await self.set("state", {"total": 10})
        await self.clear("state")
        await self.set("state", {"total": 30})
    """
    assert frame_of(body)["items"].tolist() == [10, pd.NA, 20]


def test_of_a_twist_all_writes_are_one_sync() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(SYNC))
        await twist.go()
        run = await twist.page()
        assert run.progress("state")["items"].tolist() == [30]
        whole = progress(runtime.path, "state", instance=twist._instance.id)
        assert whole["total"].tolist() == [0, 30, 60, 90, 120]

    on_runtime(work)


def test_a_key_that_was_not_written_has_no_progress_whatever_is_asked_of_it() -> None:
    assert len(frame_of("async def go(self): pass", items="page", expected="total")) == 0
