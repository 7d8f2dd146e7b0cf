"""The picture in a browser."""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from plot_nb import view
from tests.view.journal import many, troubled
from tests.view.test_hostile import EVIL, evil_run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        yield found
        found.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    yield page
    page.close()


def show(page: Any, html: str) -> None:
    page.set_content(f"<!doctype html><body>{html}")


@pytest.mark.rule("12.1", "12.2")
def test_markup_of_a_twist_does_nothing(page: Any) -> None:
    acted: list[str] = []
    page.on("dialog", lambda dialog: acted.append(dialog.message))
    page.on("request", lambda request: acted.append(request.url))
    journal = evil_run(method=EVIL, error=EVIL, traceback=EVIL)
    journal.log("a", EVIL)
    show(page, view.bundle(journal.tables(paused=EVIL, value=EVIL))["text/html"])
    page.wait_for_function("document.querySelectorAll('svg').length > 0")
    assert acted == []
    assert page.locator("script, img").count() == 0


def test_stems_of_one_row_meet_those_of_the_next(page: Any) -> None:
    show(page, view.bundle(troubled().tables())["text/html"])
    edges = page.evaluate(
        "[...document.querySelectorAll('td.c > svg')].map(svg => svg.getBoundingClientRect())"
        ".map(box => [box.top, box.bottom])"
    )
    assert len(edges) == 10
    for above, below in pairwise(edges):
        assert abs(above[1] - below[0]) < 0.5


def test_nothing_is_wider_than_the_page(page: Any) -> None:
    for tables in (troubled().tables(), many(300, failing=30).tables()):
        show(page, view.bundle(tables)["text/html"])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_pictures_without_their_style_are_not_seen(page: Any) -> None:
    show(page, view.bundle(many(300).tables())["text/html"])
    figure = page.locator("figure").first
    assert figure.is_visible()
    page.evaluate("document.querySelector('style').remove()")
    assert not figure.is_visible()
    assert page.locator("td.g:visible").count() == 0
