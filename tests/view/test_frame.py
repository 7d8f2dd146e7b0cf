"""A DataFrame as a table."""

from __future__ import annotations

import pandas as pd
import pytest

from plot_nb import view
from tests.view.test_bundle import parsed, words
from tests.view.test_hostile import EVIL


@pytest.mark.rule("12.1", "12.3")
def test_cells_heads_and_caption_are_text() -> None:
    df = pd.DataFrame({"key": [EVIL, "a"], EVIL: [{EVIL: [EVIL]}, None]})
    table = view.table(df, EVIL)
    for tag, attributes in parsed(table["text/html"]).tags:
        assert tag not in {"script", "img"}
        assert set(attributes) <= {"class"}
    assert all(line.isprintable() for line in table["text/plain"].split("\n"))


def test_values_are_told_by_type() -> None:
    df = pd.DataFrame(
        {
            "value": ["text", {"page": 3}, None, 2**70, True],
            "items": pd.array([50, None, 3, 4, 5], dtype="Int64"),
            "rate": [0.5, float("nan"), 1e9, 3.0, 1 / 3],
            "at": [pd.Timestamp("2026-01-01T09:00:00.25Z"), pd.NaT, pd.NaT, pd.NaT, pd.NaT],
        }
    )
    text = view.table(df, "Store")["text/plain"].split("\n")
    assert text[0] == "Store"
    assert text[2].split() == ["text", "50", "0.5", "2026-01-01", "09:00:00.250"]
    assert text[3].split() == ["{'page':", "3}", "—", "—", "—"]
    assert text[4].split()[:3] == ["None", "3", "1e+09"]
    assert text[5].split()[0] == str(2**70)


def test_a_long_table_shows_both_ends_and_says_so() -> None:
    table = view.table(pd.DataFrame({"n": range(10_000)}))
    assert "9999" in table["text/plain"]
    assert "10,000 rows; 9940 between" in table["text/plain"]
    assert words(table["text/html"]).count("9999") == 1
    assert len(table["text/html"]) < 20_000


def test_columns_beyond_the_terminal_are_named() -> None:
    table = view.table(pd.DataFrame({f"column_{number}": ["x" * 30] for number in range(6)}))
    lines = table["text/plain"].split("\n")
    assert max(map(len, lines)) <= 100
    assert lines[-1] == "not shown: column_3, column_4, column_5"
    assert "column_5" in table["text/html"]


def test_an_empty_table_says_so() -> None:
    assert "No rows." in view.table(pd.DataFrame({"key": []}))["text/plain"]


@pytest.mark.rule("12.5")
def test_a_huge_value_is_cut() -> None:
    table = view.table(pd.DataFrame({"value": ["x" * 2**20, list(range(10**6))]}))
    assert "1,048,576 characters" in table["text/html"]
    assert len(table["text/html"]) < 20_000
