"""A run as text."""

from __future__ import annotations

from plot_nb import view
from tests.view.journal import Journal, many, troubled, wrong_way


def rows(bundle: dict[str, str]) -> list[str]:
    return [line for line in bundle["text/plain"].split("\n") if "✓ ok" in line]


def test_bars_have_the_limit_and_keep_in_line() -> None:
    lines = view.budget(troubled().tables())["text/plain"].split("\n")
    head = next(line for line in lines if "limit 1000│" in line)
    found = rows(view.budget(troubled().tables()))
    assert len(found) == 7
    assert {line[head.index("│")] for line in found} == {"│"}


def test_a_single_request_is_seen_and_a_full_budget_fills_the_bar() -> None:
    journal = Journal()
    journal.execution("a", spent={("store", "set", 1): 1})
    journal.execution("b", start=200, spent={("store", "set", 1): 1000})
    first, second = rows(view.budget(journal.tables()))
    assert "▏" in first
    assert "█" * 20 + "│" in second


def test_lanes_show_waiting_and_running() -> None:
    journal = Journal()
    journal.execution("a", took=100)
    journal.execution("b", start=150, took=50, parent="a", queued=50)
    first, second = rows(view.chain(journal.tables()))
    assert first.endswith("█" * 20)
    assert second.rstrip("█").endswith("─" * 10)
    assert "#1" in second


def test_an_error_tells_its_message_in_full() -> None:
    text = view.bundle(wrong_way().tables())["text/plain"]
    assert "■ #1 sync_all: over_requests at line 14" in text
    assert "starts a new execution with a fresh budget" in text.replace("\n  │  ", "")


def test_a_long_run_has_a_column_for_each_part_of_it() -> None:
    text = view.budget(many(1000).tables())["text/plain"]
    assert "full height is the limit 1000" in text
    assert "▁" * 90 in text
    assert max(map(len, text.split("\n"))) <= 100
