"""SPEC 10: the windows of the rate limits, against a model that keeps every time and cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plot_nb.engine.clock import microseconds
from plot_nb.engine.prices import DOLLAR, Prices
from plot_nb.engine.rates import WINDOWS, Rates, Standing, Window, recount, refusal, warning

MINUTE = microseconds(timedelta(minutes=1))
SMALL = (
    Window("3 minutes", 3 * MINUTE, 4, "executions"),
    Window("20 minutes", 20 * MINUTE, 9, "executions"),
    Window("6 minutes", 6 * MINUTE, 50, "$"),
    Window("30 minutes", 30 * MINUTE, 120, "$"),
)


def is_over(standing: Standing) -> bool:
    """Whether an instance has gone over a window's limit."""
    return standing.used > standing.window.limit


steps = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([0, MINUTE // 2, MINUTE, 3 * MINUTE]),
            st.integers(0, 3 * MINUTE),
            st.sampled_from([20 * MINUTE, 40 * MINUTE]),
        ),
        st.one_of(st.none(), st.integers(0, 60)),
    ),
    max_size=60,
)
"""How much time passes, and then an attempt that begins, or the cost of one that ends."""


@dataclass
class Model:
    """Keeps all that ever happened."""

    begun: list[int] = field(default_factory=list)
    ended: list[tuple[int, int]] = field(default_factory=list)
    went_over: dict[Window, bool] = field(default_factory=dict)

    def used(self, window: Window, now: int) -> int:
        if window.unit == "executions":
            return sum(1 for moment in self.begun if moment > now - window.span)
        return sum(cost for moment, cost in self.ended if self.counts_until(window, moment) > now)

    @staticmethod
    def counts_until(window: Window, moment: int) -> int:
        """A cost counts until the whole minute in which it was known has passed out of the window."""
        return (moment // MINUTE + 1) * MINUTE + window.span

    def enters(self, window: Window, now: int, before: int) -> bool:
        over = self.used(window, now) > window.limit
        if window.unit == "$":
            return over and before <= window.limit
        was, self.went_over[window] = self.went_over.get(window, False), over
        return over and not was


@given(steps)
@pytest.mark.rule("10.21", "10.22", "10.23", "10.24", "10.25")
def test_the_windows_agree_with_a_model_that_keeps_every_time(taken: list[tuple[int, int | None]]) -> None:
    rates, model, now = Rates(SMALL), Model(), 0
    for passed, cost in taken:
        now += passed
        before = {window: model.used(window, now) for window in SMALL}
        assert rates.refuses(now) == next(
            (
                window
                for window in SMALL
                if (
                    before[window] >= window.limit
                    if window.unit == "executions"
                    else before[window] > window.limit
                )
            ),
            None,
        )
        if cost is None:
            model.begun.append(now)
            entered = rates.begin(now)
        else:
            model.ended.append((now, cost))
            entered = rates.end(now, cost)
        unit = "executions" if cost is None else "$"
        concerned = [window for window in SMALL if window.unit == unit]
        assert [each.window for each in entered] == [
            window for window in concerned if model.enters(window, now, before[window])
        ]
        assert all(each.used == model.used(each.window, now) for each in entered)
        for standing in rates.standings(now):
            used = model.used(standing.window, now)
            assert is_over(standing) == (used > standing.window.limit)
            if not is_over(standing):
                assert standing.used == used


@given(st.lists(st.integers(0, 2 * MINUTE), min_size=2, max_size=8), st.integers(0, 2 * MINUTE))
@pytest.mark.rule("10.33")
def test_the_forecast_is_the_moment_at_which_a_window_goes_over_at_that_pace(
    gaps: list[int], idle: int
) -> None:
    window, rates, begun, now = SMALL[1], Rates(SMALL[1:2]), [], 0
    for gap in gaps:
        now += gap
        begun.append(now)
        rates.begin(now)
    now += idle
    (standing,) = rates.standings(now)
    coming: list[float] = []
    expected = None
    for number in range(1, 500) if standing.pace else ():
        moment = now + number / standing.pace
        coming.append(moment)
        if sum(1 for each in [*begun, *coming] if each > moment - window.span) > window.limit:
            expected = moment - now
            break
    if is_over(standing) or expected is None:
        assert standing.full_in == (0 if is_over(standing) else None)
    else:
        assert standing.full_in == pytest.approx(expected, abs=2)


@pytest.mark.rule("10.21")
def test_what_is_a_whole_window_old_counts_no_more() -> None:
    window, rates = SMALL[0], Rates(SMALL[:1])
    for _ in range(window.limit):
        rates.begin(0)
    assert rates.refuses(window.span - 1) is window
    assert rates.refuses(window.span) is None
    assert rates.begin(window.span) == []


@pytest.mark.rule("10.33")
def test_a_forecast_follows_the_pace_of_late_and_not_the_idle_hours_before() -> None:
    rates = Rates()
    for hour in range(20):
        rates.begin(hour * 60 * MINUTE)
    now = 20 * 60 * MINUTE
    assert rates.standings(now)[1].full_in is None, "24 a day"
    for number in range(100):
        rates.begin(now + number * MINUTE)
    now += 99 * MINUTE
    day = rates.standings(now)[1]
    assert day.pace * MINUTE == pytest.approx(1)
    assert day.full_in is not None
    # 381 more are one too many, and eight of the first hours' pass out of the day meanwhile.
    left = sum(1 for hour in range(20) if hour * 60 * MINUTE <= now + day.full_in - day.window.span)
    assert left == 5
    assert day.full_in == pytest.approx((381 + left) * MINUTE, abs=2)


@given(steps)
@pytest.mark.rule("10.36")
def test_counting_again_from_the_journal_comes_to_the_same(taken: list[tuple[int, int | None]]) -> None:
    rates, now = Rates(), 10**15
    attempts: list[tuple[int, int | None, int]] = []
    for passed, cost in taken:
        now += passed
        rates.begin(now)
        if cost is None:
            attempts.append((now, None, 0))
            continue
        rates.end(now, cost * DOLLAR // 10)
        attempts.append((now, now, cost * DOLLAR // 10))
    again = recount(reversed(attempts))
    assert again.standings(now) == rates.standings(now)
    assert again.refuses(now) == rates.refuses(now)


@pytest.mark.rule("10.21", "10.22")
def test_what_is_held_does_not_grow_with_what_runs() -> None:
    rates = Rates()
    for number in range(20_000):
        rates.begin(number * 100_000)
        rates.end(number * 100_000, 1)
    held = sum(len(each._times) + len(each._sums._buckets) for each in rates._counts)
    assert held <= 200 + 500 + 2 * 302
    assert sum(len(each._sums._buckets) for each in rates._costs) <= 2 * (20_000 // 600 + 2)


@pytest.mark.rule("10.21", "10.22", "10.23", "10.24")
def test_the_windows_are_plots_own() -> None:
    assert [(window.name, window.amount(window.limit)) for window in WINDOWS] == [
        ("5 minutes", "200 executions"),
        ("24 hours", "500 executions"),
        ("4 hours", "$5.00"),
        ("30 days", "$20.00"),
    ]
    assert [timedelta(microseconds=window.span) for window in WINDOWS] == [
        timedelta(minutes=5),
        timedelta(hours=24),
        timedelta(hours=4),
        timedelta(days=30),
    ]


@pytest.mark.rule("10.27", "10.28")
def test_both_messages_say_the_figures() -> None:
    rates = Rates()
    entered = [each for number in range(201) for each in rates.begin(number)]
    (said,) = map(warning, entered)
    assert said.startswith("Plot would suspend this twist here: 201 executions in 5 minutes (at most 200). ")
    assert refusal(WINDOWS[0]) == "one more would be 201 executions in 5 minutes (at most 200)"
    assert refusal(WINDOWS[2]) == "more than $5.00 in 4 hours was spent"


@pytest.mark.rule("10.33")
def test_a_forecast_of_the_cost_follows_the_spending_of_late() -> None:
    rates = Rates()
    for minute in range(20):
        rates.end(minute * MINUTE, DOLLAR // 10)
    now = 20 * MINUTE
    four_hours = rates.standings(now)[2]
    assert four_hours.used == 2 * DOLLAR
    assert four_hours.pace * MINUTE == pytest.approx(DOLLAR / 10)
    assert four_hours.full_in == pytest.approx(30 * MINUTE, abs=2)
    assert rates.standings(now + 100 * MINUTE)[2].full_in is None, "at a tenth of that it never goes over"


@pytest.mark.rule("10.26")
def test_a_cost_is_the_sum_of_what_is_priced() -> None:
    prices = Prices(execution=1, request=0.5, cpu_second=2, gb_second=4)
    assert prices.cost(requests=3, cpu_ms=500, memory=2**29, lasted=250_000) == int(4 * DOLLAR)
    assert Prices(0, 0, 0, 0).cost(requests=9, cpu_ms=9, memory=9, lasted=9) == 0


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf"), "1", True, None])
@pytest.mark.rule("10.26")
def test_a_price_that_is_none_is_refused(price: object) -> None:
    with pytest.raises(ValueError, match=r"Prices\(request="):
        Prices(request=price)  # type: ignore[arg-type]
