"""Runs with more executions than rows."""

from __future__ import annotations

import re

import pytest

from plot_nb import view
from tests.view.journal import many
from tests.view.test_bundle import words


@pytest.mark.parametrize("executions", [31, 200, 201, 3000])
def test_a_long_run_is_told_by_method_and_by_what_is_worth_a_look(executions: int) -> None:
    html = view.bundle(many(executions, failing=6).tables())["text/html"]
    text = words(html)
    assert "By method" in text
    assert "Executions worth a look" in text
    table = html[html.index("worth a look") : html.index("<figure")]
    places = [int(number) for number in re.findall(r'title="execution e\d+">(\d+)</td>', table)]
    assert places == sorted(places)
    assert places[0] == 1
    assert places[-1] == executions
    assert len(places) <= 30
    assert "✕ error" in table
    rest = sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) more, ", table))
    assert rest + len(places) == executions


def test_totals_add_up() -> None:
    tables = many(300, failing=3).tables()
    html = view.budget(tables)["text/html"]
    table = html[html.index("By method") : html.index("</table>")]
    cells = [re.findall(r"<td class=\"n\">([^<]*)</td>", row) for row in table.split("<tr>")[2:]]
    assert sum(int(row[0].replace(",", "")) for row in cells) == 300
    assert sum(int(row[1].replace(",", "")) for row in cells) == int(tables.executions["requests"].sum())


@pytest.mark.parametrize("executions", [31, 1000])
def test_each_chart_says_in_words_what_it_shows(executions: int) -> None:
    html = view.bundle(many(executions, failing=2).tables())["text/html"]
    charts = re.findall(r'<svg role="img"[^>]*><title>(.*?)</title><desc>(.*?)</desc>', html, flags=re.DOTALL)
    assert len(charts) == 2
    for title, description in charts:
        assert title.startswith(f"{executions} executions")
        assert description
    assert ">limit 1000</text>" in html
    assert 'class="lim"' in html


def test_columns_near_the_limit_are_marked() -> None:
    journal = many(60)
    journal.execution("near", start=9000, spent={("store", "set", 8): 812})
    html = view.budget(journal.tables())["text/html"]
    figure = html[html.index("<figure") :]
    assert figure.count('<path class="mw"') == 1
    assert "by sync_page #61" in html


def test_marks_do_not_pile_up() -> None:
    html = view.chain(many(4000, failing=2000).tables())["text/html"]
    assert html.count('<path class="out"') < 150
    assert len(html) < 60_000
