"""What JupyterLab's own rules, and its screens, leave of a picture's layout."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook

pytestmark = pytest.mark.browser

TALLEST = 1100
"""Pixels: about a screen, with what stands above it."""

_FLOATS = """
(list) => [...list.querySelectorAll('dt, dd')].filter(each => getComputedStyle(each).float !== 'none').length
"""
_WIDER = "(element) => element.scrollWidth - element.clientWidth"


@pytest.mark.parametrize("cell", ["all-at-once-run", "calendar-sync-run", "inspect", "progress"])
def test_a_picture_is_about_a_screen(tutorial: Notebook, cell: str) -> None:
    picture = tutorial.output(cell)
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()

    assert box is not None
    assert box["height"] <= TALLEST
    assert picture.evaluate(_WIDER) <= 0


def test_figures_beside_the_pointer_are_laid_out_by_us(tutorial: Notebook) -> None:
    picture = tutorial.output("calendar-sync-run")
    shown = picture.get_by_role("tab", selected=True)
    before = shown.inner_text()
    picture.get_by_role("tab", name="Budget").click()
    picture.get_by_role("option").nth(1).hover()
    tooltip = picture.locator(".pnb-tooltip:visible")

    expect(tooltip).to_contain_text("of 128 MB")
    assert tooltip.locator("dl").evaluate(_FLOATS) == 0
    picture.get_by_role("tab", name=before).click()
