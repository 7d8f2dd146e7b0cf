"""The charts while executions come in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks.frames import FRONT_END, bundle, measure
from tests.browser.lab import FLAGS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (FRONT_END / "node_modules" / ".bin" / "esbuild").exists(),
        reason="the front end's packages are not installed: `npm ci` in labextension",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = (
            shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        )
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bundle(tmp_path_factory.mktemp("bundle"))


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
