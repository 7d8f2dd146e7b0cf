"""Spans of time as one types them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plot_nb.notebook.durations import parse_duration
from plot_nb.notebook.problems import MagicError


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2h", timedelta(hours=2)),
        ("1d 30m", timedelta(days=1, minutes=30)),
        ("1d30m", timedelta(days=1, minutes=30)),
        ("90 s", timedelta(seconds=90)),
        ("1.5 hours", timedelta(minutes=90)),
        ("2 days, 3 min", timedelta(days=2, minutes=3)),
        ("500ms", timedelta(milliseconds=500)),
        ("1W", timedelta(weeks=1)),
        ("0s", timedelta(0)),
    ],
)
def test_spans_are_read_as_they_are_written(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["2", "h", "-2h", "2x", "2h x", "1e3s", "timedelta(hours=2)"])
def test_what_is_no_span_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(MagicError, match="write `2h`"):
        parse_duration(text)


def test_nothing_is_asked_for() -> None:
    with pytest.raises(MagicError, match="how far"):
        parse_duration(" ")


def test_a_span_past_all_clocks_is_refused() -> None:
    with pytest.raises(MagicError, match="longer than any clock"):
        parse_duration("99999999999w")
