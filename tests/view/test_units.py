"""Numbers as people read them."""

from __future__ import annotations

import pytest

from plot_nb.view import units


@pytest.mark.parametrize(("number", "told"), [(0, "0"), (1000, "1000"), (9999, "9999"), (13_604, "13,604")])
def test_counts_are_grouped_from_five_digits(number: int, told: str) -> None:
    assert units.count(number) == told


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0, "0 ms"),
        (0.05, "<0.1 ms"),
        (0.4, "0.4 ms"),
        (5, "5 ms"),
        (12.4, "12 ms"),
        (999.6, "1.00 s"),
        (1234, "1.23 s"),
        (59_960, "1 min"),
        (125_000, "2 min 5 s"),
        (3_600_000, "1 h"),
        (12_000_000, "3 h 20 min"),
        (187_200_000, "2 d 4 h"),
    ],
)
def test_a_time_has_two_units_at_most(ms: float, told: str) -> None:
    assert units.duration(ms) == told


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (3482, "3.4 KB"),
        (38 * 2**20, "38 MB"),
        (128 * 2**20, "128 MB"),
        (2**31, "2 GB"),
    ],
)
def test_memory_counts_as_the_limits_do(size: int, told: str) -> None:
    assert units.memory(size) == told


def test_a_share_is_rounded_down() -> None:
    assert units.percent(999, 1000) == "99%"
    assert units.percent(1000, 1000) == "100%"


@pytest.mark.parametrize("span", [0.5, 7, 45, 1000, 64_000, 3_600_000, 86_400_000, 10**10, 10**12])
def test_ticks_are_few_and_begin_at_zero(span: float) -> None:
    ticks = units.ticks(span)
    assert ticks[0] == 0
    assert len(ticks) <= 10
    assert ticks[-1] <= span


def test_ticks_have_short_labels() -> None:
    assert [units.tick(ms) for ms in (0, 500, 20_000, 300_000, 7_200_000, 172_800_000)] == [
        "0",
        "500 ms",
        "20 s",
        "5 min",
        "2 h",
        "2 d",
    ]
