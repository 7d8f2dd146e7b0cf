"""The charts while executions come in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from benchmarks.frames import bundle, measure

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def script() -> str:
    return bundle()


def test_ten_thousand_attempts_are_all_in_the_picture_as_they_come(browser: Browser, script: str) -> None:
    found = measure(browser, script, before=0, more=10_000, each=400)
    times = f"median {found.median:.1f} ms, p95 {found.p95:.1f} ms, worst {found.worst:.1f} ms"
    print(f"\n{found.frames} frames while 10,000 attempts came: {times}; {found.nodes} nodes")

    assert found.attempts >= 10_000
    assert found.nodes < 1500


def test_what_comes_to_a_long_chain_is_in_the_picture_too(browser: Browser, script: str) -> None:
    found = measure(browser, script, before=20_000, more=400)

    assert found.attempts >= 20_400
    assert found.nodes < 1500
