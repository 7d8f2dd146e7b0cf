"""The tutorial, and what goes wrong, in JupyterLab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, sync_playwright

from tests.browser.lab import FLAGS, Lab, Notebook

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TUTORIAL = "01_first_sync.ipynb"
SCREENSHOTS = ROOT / "build" / "screenshots"

# Red, green and blue of a colour as the browser computed it, as one figure of its lightness.
_LIGHTNESS = """
(selector) => {
    const found = document.querySelector(selector);
    const colour = (of) => of.match(/[\\d.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765;
    return [colour(getComputedStyle(found).color), colour(getComputedStyle(document.body).backgroundColor)];
}
"""


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
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(ROOT / "notebooks" / TUTORIAL, folder)
    lab = Lab(folder, tmp_path_factory.mktemp("settings"))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def tutorial(browser: Browser, lab: Lab) -> Iterator[Notebook]:
    notebook = Notebook(browser, lab, TUTORIAL)
    notebook.run_all()
    notebook.unfold()
    yield notebook
    notebook.close()


def of_cells(browser: Browser, lab: Lab, name: str, *sources: str) -> Notebook:
    """A new notebook of some cells, named c0, c1 and so on."""
    cells = [new_code_cell(source, id=f"c{place}") for place, source in enumerate(sources)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), lab.folder / name)
    return Notebook(browser, lab, name)


def test_every_cell_of_the_tutorial_runs(tutorial: Notebook) -> None:
    ran = [cell for cell in tutorial.cells().values() if cell["count"] is not None]
    kinds = {output["output_type"] for cell in ran for output in cell["outputs"]}

    assert [cell["count"] for cell in ran] == list(range(1, 11))
    assert kinds == {"stream", "execute_result"}
    assert tutorial.problems == []


def test_the_chain_is_drawn_with_a_bar_for_every_execution(tutorial: Notebook) -> None:
    output = tutorial.output("calendar-sync-run")

    assert "26 executions, 12,466 requests: all ok" in output.inner_text()
    assert output.get_by_text("sync_page", exact=True).count() == 25
    assert output.locator("svg").count() >= 26
    assert output.locator("script").count() == 0


def test_the_wrong_way_shows_the_line_that_was_stopped(tutorial: Notebook) -> None:
    text = tutorial.output("all-at-once-run").inner_text()

    assert "over_requests" in text
    assert "line 25" in text
    assert "limit 1000" in text


def test_progress_is_a_table_of_26_rows(tutorial: Notebook) -> None:
    rows = tutorial.output("progress").locator("tbody tr")

    assert rows.count() == 26
    assert rows.last.inner_text().split()[-1] == "1234"


@pytest.mark.parametrize(("theme", "name"), [("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")])
def test_both_themes_can_be_read(tutorial: Notebook, theme: str, name: str) -> None:
    tutorial.theme(theme)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tutorial.page.screenshot(path=SCREENSHOTS / f"tutorial_{name}.png")
    for cell in ("all-at-once-run", "calendar-sync-run"):
        tutorial.output(cell).screenshot(path=SCREENSHOTS / f"{cell}_{name}.png")
    ink, paper = tutorial.page.evaluate(_LIGHTNESS, "[class^=plot-nb] td")

    assert abs(ink - paper) > 0.6
    assert (paper > 0.5) == (name == "light")


def test_a_saved_notebook_shows_its_pictures_when_it_is_opened_again(
    tutorial: Notebook, browser: Browser, lab: Lab
) -> None:
    tutorial.command("docmanager:save")
    again = Notebook(browser, lab, TUTORIAL)
    output = again.output("all-at-once-run")
    output.scroll_into_view_if_needed()

    assert "over_requests" in output.inner_text()
    assert output.locator("svg").count() > 0
    again.close()


SPIN = """%%twist
class Spin(Twist):
    async def spin(self):
        await self.set("began", True)
        while True:
            pass
    async def answer(self):
        return 42
"""


def test_stop_shows_what_ran_and_the_next_cell_works(browser: Browser, lab: Lab) -> None:
    notebook = of_cells(
        browser,
        lab,
        "stop.ipynb",
        "%load_ext plot_nb",
        SPIN,
        "import asyncio\nasyncio.get_running_loop().call_later(0.5, print, 'began')\nawait Spin.spin()",
        "(await Spin.answer()).value",
    )
    notebook.command("notebook:run-all-cells", wait=False)
    notebook.output("c2").get_by_text("began", exact=True).wait_for()
    notebook.command("notebook:interrupt-kernel")
    notebook.output("c2").get_by_text("Stopped", exact=True).wait_for()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    notebook.page.screenshot(path=SCREENSHOTS / "stopped.png")
    stopped: list[Any] = notebook.cells()["c2"]["outputs"]
    notebook.run("c3")

    assert [output["output_type"] for output in stopped] == ["stream", "display_data", "error"]
    assert "cancelled" in notebook.output("c2").inner_text()
    assert notebook.cells()["c3"]["outputs"][0]["data"]["text/plain"] == "42"
    notebook.close()


def test_errors_are_shown_at_their_line(browser: Browser, lab: Lab) -> None:
    notebook = of_cells(
        browser,
        lab,
        "errors.ipynb",
        "%load_ext plot_nb",
        SPIN,
        "%%twist\nclass Broken(Twist):\n    async def start(self)\n        pass",
        "await Spin.answr()",
        "%%twist --instnace other\nclass Fine(Twist):\n    pass",
        "%twist call Spn.answer",
        "%twist",
        "%twist call Spin.answer",
    )
    for place in range(8):
        notebook.run(f"c{place}")
    notebook.unfold()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    notebook.page.screenshot(path=SCREENSHOTS / "errors.png")

    assert "→ 3 │     async def start(self)" in notebook.output("c2").inner_text()
    assert "did you mean 'answer'?" in notebook.output("c3").inner_text()
    assert "did you mean '--instance'?" in notebook.output("c4").inner_text()
    assert "did you mean 'Spin'?" in notebook.output("c5").inner_text()
    assert "%twist open PATH" in notebook.output("c6").inner_text()
    assert notebook.problems == []
    notebook.close()
