"""The tutorial, and what goes wrong, in JupyterLab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

TUTORIAL = "01_first_sync.ipynb"

# Red, green and blue of a colour as the browser computed it, as one figure of its lightness.
_LIGHTNESS = """
(selector) => {
    const found = document.querySelector(selector);
    const colour = (of) => of.match(/[\\d.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765;
    return [colour(getComputedStyle(found).color), colour(getComputedStyle(document.body).backgroundColor)];
}
"""


def of_cells(browser: Browser, lab: Lab, name: str, *sources: str) -> Notebook:
    """A new notebook of some cells, named c0, c1 and so on."""
    lab.write(name, *sources)
    return Notebook(browser, lab, name)


def test_every_cell_of_the_tutorial_runs(tutorial: Notebook) -> None:
    ran = [cell for cell in tutorial.cells().values() if cell["count"] is not None]
    kinds = {output["output_type"] for cell in ran for output in cell["outputs"]}

    assert [cell["count"] for cell in ran] == list(range(1, 12))
    assert kinds <= {"stream", "execute_result", "display_data"}
    assert tutorial.problems == []


def test_the_chain_is_drawn_with_a_bar_for_every_execution(tutorial: Notebook) -> None:
    output = tutorial.output("calendar-sync-run")
    output.scroll_into_view_if_needed()  # what is out of sight is not drawn

    expect(output.locator(".pnb-heading")).to_contain_text("26 executions, 12,466 requests: all ok")
    expect(output.locator("rect.pnb-bar")).to_have_count(26)
    assert output.locator(".pnb").count() == 1
    assert output.locator("script").count() == 0


def test_the_wrong_way_shows_the_line_that_was_stopped(tutorial: Notebook) -> None:
    output = tutorial.output("all-at-once-run")

    expect(output.locator(".pnb-heading")).to_contain_text("over_requests at line 25")
    expect(output.locator(".pnb-lower")).to_contain_text("stopped here: request 1001 is one too many")
    expect(output.locator(".pnb-body")).to_contain_text("limit 1000")


def test_progress_is_a_table_of_26_rows(tutorial: Notebook) -> None:
    rows = tutorial.output("progress").locator("tbody tr")

    assert rows.count() == 26
    assert rows.last.inner_text().split()[-1] == "1234"


@pytest.mark.parametrize(("theme", "name"), [("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")])
def test_both_themes_can_be_read(tutorial: Notebook, screenshots: Path, theme: str, name: str) -> None:
    tutorial.theme(theme)
    tutorial.page.screenshot(path=screenshots / f"tutorial_{name}.png")
    for cell in ("all-at-once-run", "calendar-sync-run", "inspect"):
        tutorial.output(cell).screenshot(path=screenshots / f"{cell}_{name}.png")
    ink, paper = tutorial.page.evaluate(_LIGHTNESS, ".pnb-heading bdi")

    assert abs(ink - paper) > 0.6
    assert (paper > 0.5) == (name == "light")


def test_a_saved_notebook_shows_its_pictures_when_it_is_opened_again(
    tutorial: Notebook, browser: Browser, lab: Lab
) -> None:
    tutorial.command("docmanager:save")
    again = Notebook(browser, lab, TUTORIAL)
    output = again.output("all-at-once-run")
    output.scroll_into_view_if_needed()

    expect(output).to_contain_text("over_requests")
    expect(output.locator("svg")).not_to_have_count(0)
    again.page.close()  # the kernel is that of the other page


SPIN = """%%twist
class Spin(Twist):
    async def spin(self):
        await self.set("began", True)
        while True:
            pass
    async def answer(self):
        return 42
"""


def test_stop_shows_what_ran_and_the_next_cell_works(browser: Browser, lab: Lab, screenshots: Path) -> None:
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
    notebook.page.screenshot(path=screenshots / "stopped.png")
    notebook.wait()
    stopped: list[Any] = notebook.cells()["c2"]["outputs"]
    notebook.run("c3")

    assert [output["output_type"] for output in stopped] == ["stream", "display_data", "error"]
    assert "cancelled" in notebook.output("c2").inner_text()
    assert notebook.cells()["c3"]["outputs"][0]["data"]["text/plain"] == "42"
    notebook.close()


def test_errors_are_shown_at_their_line(browser: Browser, lab: Lab, screenshots: Path) -> None:
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
    notebook.page.screenshot(path=screenshots / "errors.png")

    assert "→ 3 │     async def start(self)" in notebook.output("c2").inner_text()
    assert "did you mean 'answer'?" in notebook.output("c3").inner_text()
    assert "did you mean '--instance'?" in notebook.output("c4").inner_text()
    assert "did you mean 'Spin'?" in notebook.output("c5").inner_text()
    assert "%twist open PATH" in notebook.output("c6").inner_text()
    assert notebook.problems == []
    notebook.close()
