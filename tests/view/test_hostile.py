"""Nothing that a twist says acts on a screen."""

from __future__ import annotations

import pandas as pd
import pytest

from plot_nb import view
from plot_nb.view.hostile import block, fit, line, width
from tests.view.journal import Journal
from tests.view.test_bundle import everything, parsed

EVIL = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></svg></style></pre>&lt; "
    "$\\href{javascript:alert(1)}{x}$ \x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m \x00 \x7f \r "
    "\u202eright to left\u2069 \u200f \u2028 \ud800 \uffff \U000e0041 \u05e9\u05dc\u05d5\u05dd"
)


def evil_run(execution_column: str = "", **columns: object) -> Journal:
    journal = Journal()
    journal.execution("a", spent={("store", "set", 4): 3})
    journal.execution("b", start=200, parent="a", outcome="error", error="ValueError: no", line=4)
    journal.log("a", "hello")
    journal.task("c", "later", "queued")
    for row in journal.rows["executions"]:
        row.update(columns)
    return journal


@pytest.mark.rule("12.1", "12.2", "12.3", "12.5")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("executions", name) for name in ("method", "cause", "outcome", "error", "traceback", "twist")),
        *(("requests", name) for name in ("tool", "operation", "detail", "error")),
        *(("tasks", name) for name in ("method",)),
        *(("logs", name) for name in ("level", "text")),
    ],
)
@pytest.mark.parametrize("text", [EVIL, EVIL * 4000], ids=["a line", "a megabyte"])
def test_text_of_a_twist_is_text_in_every_column(table: str, column: str, text: str) -> None:
    journal = evil_run()
    for row in journal.rows[table]:
        row[column] = text
    assert_harmless(journal, paused=None, value=None)


@pytest.mark.rule("12.1", "12.3", "12.5")
def test_title_reason_of_a_pause_and_result_are_text() -> None:
    journal = evil_run()
    journal.title = EVIL
    assert_harmless(journal, paused=EVIL, value=EVIL * 1000)


def assert_harmless(journal: Journal, *, paused: str | None, value: str | None) -> None:
    for bundle in everything(journal.tables(paused=paused, value=value)):
        html, text = bundle["text/html"], bundle["text/plain"]
        assert len(html.encode()) < 60_000
        for tag, attributes in parsed(html).tags:
            assert tag not in {"script", "img"}
            assert not any(name.startswith("on") or name in {"src", "href"} for name in attributes)
        for said in (html, text):
            said.encode()
            assert not set(said) & set("\x00\x07\x1b\x7f\x9b\r\u202e\u2069\u200f\u2028\ud800\uffff\U000e0041")
        for shown in text.split("\n"):
            assert width(shown) <= 100


def test_a_dollar_sign_is_not_typeset() -> None:
    html = view.bundle(evil_run().tables())["text/html"]
    assert 'mathjax_ignore tex2jax_ignore">' in html


@pytest.mark.rule("12.3")
@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x00b\x1b[1;31mc\x1b[0m\x07", "abc"),
        ("a\u202eb", "a[U+202E]b"),
        ("zero\u200bwidth\ufeff", "zero[U+200B]width[U+FEFF]"),
        ("one\r\ntwo\x85three\u2028four", "one\ntwo\nthree\nfour"),
        ("\ud800", "\ufffd"),
        ("na\u00efve \u05e9\u05dc\u05d5\u05dd \U0001f468\u200d\U0001f469", None),
    ],
)
def test_controls_go_and_what_misleads_is_made_visible(raw: str, shown: str | None) -> None:
    assert block(raw, 100) == (raw if shown is None else shown)


def test_a_long_text_says_how_long_it_is() -> None:
    assert block("x" * 2**20, 100) == "x" * 100 + "… (1,048,576 characters)"


def test_a_long_name_is_cut() -> None:
    assert line("x" * 200, 10) == "x" * 10 + "…"


def test_what_is_missing_is_empty() -> None:
    assert [line(value) for value in (None, pd.NA, pd.NaT, float("nan"))] == [""] * 4


def test_wide_letters_take_two_columns() -> None:
    assert width("日本") == 4
    assert width("e\u0301") == 1
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日…"
