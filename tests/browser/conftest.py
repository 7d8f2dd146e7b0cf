"""The browser, and the servers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.lab import FLAGS, Lab, Notebook

ROOT = Path(__file__).parents[2]
TUTORIAL = "01_first_sync.ipynb"

expect.set_options(timeout=20_000)  # a slow machine is no failure


# Not for the whole session: as long as it runs, no test can run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = (
            shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        )
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of what was seen are kept."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a folder with the tutorial."""
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(ROOT / "notebooks" / TUTORIAL, folder)
    lab = Lab(folder, tmp_path_factory.mktemp("settings"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Notebook 7."""
    lab = Lab(tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("settings"), app="notebook")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def tutorial(browser: Browser, lab: Lab) -> Iterator[Notebook]:
    """The tutorial, run from its first cell to its last."""
    notebook = Notebook(browser, lab, TUTORIAL)
    notebook.run_all()
    notebook.unfold()
    yield notebook
    notebook.close()
