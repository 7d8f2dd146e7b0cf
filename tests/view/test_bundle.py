"""A run as a MIME bundle."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from plot_nb import view
from tests.view.journal import Journal, many, sync, troubled, wrong_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from plot_nb.view import RunTables

VOID = {"br", "img", "hr", "input", "meta", "link"}

RUNS: dict[str, Callable[[], RunTables]] = {
    "nothing": lambda: Journal().tables(),
    "sync": lambda: sync().tables(),
    "wrong way": lambda: wrong_way().tables(value="{'items': 90}"),
    "troubled": lambda: troubled().tables(paused="sync_page keeps queueing"),
    "a hundred": lambda: many(100, each=200, failing=4).tables(),
    "a thousand": lambda: many(1000, failing=30).tables(),
}

any_run = pytest.mark.parametrize("name", list(RUNS))


class Balanced(HTMLParser):
    """Fails where an element is not closed in its place; collects words and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def parsed(html: str) -> Balanced:
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def words(html: str) -> str:
    return re.sub(r"\s+", " ", " ".join(parsed(html).words))


def everything(tables: RunTables) -> list[dict[str, str]]:
    return [view.bundle(tables), view.budget(tables), view.chain(tables), view.logs(tables)]


@any_run
def test_html_is_well_formed_and_so_is_each_drawing(name: str) -> None:
    for bundle in everything(RUNS[name]()):
        parsed(bundle["text/html"])
        for drawing in re.findall(r"<svg.*?</svg>(?!<)", bundle["text/html"], flags=re.DOTALL):
            ET.fromstring(drawing)


@pytest.mark.rule("12.4")
@any_run
def test_a_bundle_has_no_script_no_id_and_nothing_from_elsewhere(name: str) -> None:
    for bundle in everything(RUNS[name]()):
        html = bundle["text/html"]
        for tag, attributes in parsed(html).tags:
            assert tag not in {"script", "iframe", "object", "link", "img", "use", "a", "form"}
            assert not {"id", "href", "src", "xlink:href"} & set(attributes)
            assert not any(attribute.startswith("on") for attribute in attributes)
        assert "http" not in html
        assert "url(" not in html
        assert "@import" not in html


@any_run
def test_the_same_tables_give_the_same_bundle(name: str) -> None:
    assert everything(RUNS[name]()) == everything(RUNS[name]())


@pytest.mark.rule("12.3")
@any_run
def test_text_keeps_to_a_hundred_columns_without_control_characters(name: str) -> None:
    for bundle in everything(RUNS[name]()):
        for line in bundle["text/plain"].split("\n"):
            assert len(line) <= 100
            assert line.isprintable()
            assert line == line.rstrip()


def test_the_summary_comes_first_and_counts_exactly() -> None:
    tables = sync().tables()
    bundle = view.bundle(tables)
    total = int(tables.executions["requests"].sum())
    assert total == 3 + 24 * 505 + 343
    sentence = (
        "26 executions, 12,466 requests: all ok. "
        "Most requests in one execution: 505 of 1000 (50%), by sync_page #2."
    )
    assert words(bundle["text/html"]).strip().startswith(f"✓ CalendarSync.start_sync : {sentence}")
    assert sentence in bundle["text/plain"].replace("\n  ", " ")


def test_all_attempts_of_a_small_run_have_a_row_each() -> None:
    bundle = view.bundle(sync().tables())
    assert bundle["text/html"].count("<td><bdi>sync_page</bdi></td>") == 25
    assert bundle["text/plain"].count("sync_page   ✓ ok") == 25


def test_failures_retries_waiting_and_dead_tasks_are_told() -> None:
    bundle = view.bundle(troubled().tables(paused="Mailer.fan_out keeps queueing"))
    for text in (words(bundle["text/html"]), re.sub(r"\s+", " ", bundle["text/plain"])):
        assert "9 executions, 3181 requests: 7 ok, 1 crashed, 1 over_cpu." in text
        assert "1 attempt failed and was tried again." in text
        assert "Waiting to run: 1 report." in text
        assert "Given up: 1 crunch." in text
        assert "Paused. Mailer.fan_out keeps queueing" in text
        assert "ConnectionError: the server closed the connection" in text
        assert "#5 send_batch: error at line 17" in text


def test_an_execution_over_its_limit_is_shown_at_its_line() -> None:
    bundle = view.bundle(wrong_way().tables())
    text = words(bundle["text/html"])
    assert "1 execution, 1000 requests: over_requests at line 14." in text
    assert "RequestLimitExceeded: request 1001 was not performed" in text
    assert "line 14 918 91% store.set 918 ■ stopped here" in re.sub(r" +", " ", without_drawings(bundle))
    assert re.search(r"line 14 +918 of 1000 .*stopped here", bundle["text/plain"])


def test_the_line_where_it_was_stopped_is_shown_however_little_was_spent_on_it() -> None:
    journal = Journal()
    spent = {("store", "set", line): 40 - line for line in range(1, 30)}
    journal.execution("e", "go", took=10, spent=spent, outcome="over_requests", error="over", line=29)
    bundle = view.bundle(journal.tables())
    text = re.sub(r" +", " ", without_drawings(bundle))
    assert "line 29 11 1% store.set 11 ■ stopped here" in text
    assert f"other lines {sum(spent.values()) - sum(40 - line for line in range(1, 12)) - 11}" in text
    assert re.search(r"line 29 +11 of 1000 .*stopped here", bundle["text/plain"])


def test_a_refused_request_in_the_journal_is_not_counted() -> None:
    journal = wrong_way()
    refused = {**journal.rows["requests"][-1], "seq": 1001, "line": 14, "error": "RequestLimitExceeded"}
    journal.rows["requests"].append(refused)
    assert "1001" not in without_drawings(view.budget(journal.tables()))


def without_drawings(bundle: dict[str, str]) -> str:
    """What a sanitizer leaves: no drawing, no style, nothing hidden."""
    html = re.sub(r'<(td|th|figure)[^>]*hidden="hidden".*?</\1>', "", bundle["text/html"], flags=re.DOTALL)
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert "<svg" not in html
    return words(html)


def test_what_a_sanitizer_leaves_is_a_plain_table() -> None:
    for tables in RUNS.values():
        assert "limit 1000" not in without_drawings(view.bundle(tables()))
    left = without_drawings(view.bundle(sync(pages=1).tables()))
    assert "# method outcome requests of 1000 CPU memory started took" in left
    assert "2 sync_page ✓ ok 343 34% 21 ms 38 MB +45 ms 1.79 s" in left


def test_warnings_are_seen_without_unfolding_the_logs() -> None:
    html = view.bundle(troubled().tables())["text/html"]
    before = html[: html.index("<summary>")]
    assert "created and never awaited" in before
    assert "line 24" in before


def test_warnings_alike_are_told_once() -> None:
    journal = sync()
    for page in range(1, 26):
        journal.log(f"e{page}", "fetch was never awaited", level="warning", line=11)
    html = view.bundle(journal.tables())["text/html"]
    before = html[: html.index("<summary>")]
    assert before.count("fetch was never awaited") == 1
    assert "and 24 more alike" in before


def test_a_few_logs_are_unfolded_and_many_are_not() -> None:
    assert "<details open><summary>Logs: 2 lines" in view.bundle(wrong_way().tables())["text/html"]
    assert "<details><summary>Logs: 25 lines" in view.bundle(sync().tables())["text/html"]


def test_of_a_flood_of_logs_the_warnings_stay() -> None:
    journal = sync(pages=1)
    for number in range(5000):
        journal.log("e1", f"line {number}")
    journal.log("e1", "the last words", level="error")
    bundle = view.logs(journal.tables())
    assert "the last words" in bundle["text/html"]
    assert "more in run.logs" in bundle["text/html"]
    assert len(bundle["text/html"]) < 40_000


def test_a_result_is_shown_unless_it_is_none() -> None:
    assert "90" in words(view.bundle(sync().tables(value="{'items': 90}"))["text/html"])
    assert "Result" not in view.bundle(sync().tables(value="None"))["text/html"]


def test_a_run_of_nothing_says_so() -> None:
    bundle = view.bundle(Journal().tables())
    assert "Nothing ran." in words(bundle["text/html"])
    assert "Nothing ran." in bundle["text/plain"]


def test_a_run_that_still_goes_on_is_drawn() -> None:
    journal = sync(pages=2)
    journal.rows["executions"][-1].update(outcome="running", ended=None)
    bundle = view.bundle(journal.tables())
    assert "2 ok, 1 running" in bundle["text/plain"]
    assert "▸ running" in words(bundle["text/html"])


def test_outputs_of_one_page_share_one_style_scope() -> None:
    html = view.bundle(sync().tables())["text/html"]
    scope = re.match(r'<div class="(plot-nb-\w+) ', html)
    assert scope is not None
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    for selectors in re.findall(r"([^{}]+){[^{}]*}", style):
        for selector in selectors.split(","):
            assert selector.strip().startswith(f".{scope.group(1)}")


def test_a_saved_run_is_small() -> None:
    assert len(view.bundle(sync(pages=26).tables())["text/html"].encode()) < 60_000
    assert len(view.bundle(many(10_000, failing=100).tables())["text/html"].encode()) < 60_000


@pytest.mark.prove
def test_ten_thousand_executions_are_drawn_within_a_second() -> None:
    tables = many(10_000, failing=100).tables()
    before = time.perf_counter()
    view.bundle(tables)
    assert time.perf_counter() - before < 1
