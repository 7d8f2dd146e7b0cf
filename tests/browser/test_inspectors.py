"""What can be looked into, live and saved, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

MIME_TYPE = "application/vnd.plot-nb.picture+json"

GROW = """%%twist
class Grow(Twist):
    async def start(self, steps):
        await self.set("state", {"left": steps, "total": 0})
        await self.run_task(await self.callback("step"))

    async def step(self):
        state = await self.get("state")
        state = {"left": state["left"] - 1, "total": state["total"] + 1}
        await self.set("state", state)
        if state["left"]:
            await self.run_task(await self.callback("step"))
"""

HOSTILE = """%%twist
class Hostile(Twist):
    async def run_it(self):
        text = '<img src=x onerror="window.harmed=1"><script>window.harmed=2</script>\\u202e\\x00</text></svg>'
        await self.set("key:" + text, {text: text})
        await self.set("long", "x" * 1_000_000)
        print(text, "y" * 1_000_000)
        raise ValueError(text)
"""

# When the kernel answers a picture, in milliseconds.
_LISTEN = """
() => {
    window.heard = [];
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    kernel.iopubMessage.connect((_, message) => {
        if (message.header.msg_type === 'comm_msg') {
            if ('view' in (message.content.data ?? {}) || 'view' in (message.content.data?.content ?? {})) {
                window.heard.push(performance.now());
            }
        }
    });
}
"""


_RAN_ALL = """
() => [...document.querySelectorAll('.pnb-heading')].some(each => each.textContent.includes('10,001 executions'))
"""


@pytest.fixture(params=["lab", "classic"])
def server(request: pytest.FixtureRequest) -> Lab:
    """Give both front ends, one after the other."""
    found: Lab = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """Give what opens a new notebook of some cells."""
    notebooks: list[Notebook] = []

    def open_cells(server: Lab, *sources: str) -> Notebook:
        name = re.sub(r"\W+", "_", request.node.name) + f"{len(notebooks)}.ipynb"
        server.write(name, "%load_ext plot_nb\nimport plot_nb, asyncio", *sources)
        notebook = Notebook(browser, server, name)
        notebooks.append(notebook)
        notebook.run("c0")
        return notebook

    yield open_cells
    for notebook in notebooks:
        notebook.close()


def heading(output: Locator) -> Locator:
    return output.locator(".pnb-heading")


def executions(output: Locator) -> int:
    """How many the picture says there are."""
    found = re.search(r"([\d,]+) executions?", heading(output).inner_text())
    return int(found[1].replace(",", "")) if found else 0


def wait_for_more(output: Locator, than: int) -> int:
    """Wait until the picture has more executions."""
    output.page.wait_for_function(
        """([element, than]) => {
            const found = element.textContent.match(/([\\d,]+) executions?/);
            return found && Number(found[1].replace(/,/g, '')) > than;
        }""",
        arg=[heading(output).element_handle(), than],
    )
    return executions(output)


def open_tab(output: Locator, name: str) -> None:
    output.get_by_role("tab", name=name).click()


def picture_in(cell: dict[str, Any]) -> dict[str, Any]:
    """The picture that a cell's output holds."""
    (found,) = (
        output["data"][MIME_TYPE] for output in cell["outputs"] if MIME_TYPE in output.get("data", {})
    )
    picture: dict[str, Any] = json.loads(found)
    return picture


def test_a_chain_grows_while_its_cell_runs_and_is_whole_in_the_end(
    server: Lab, opened: Callable[..., Notebook], screenshots: Path
) -> None:
    notebook = opened(server, GROW, "run = await Grow.start(600)", "run.executions.shape[0]")
    notebook.run("c1")
    notebook.begin("c2")
    output = notebook.output("c2")
    expect(heading(output)).to_contain_text("running")
    seen = [wait_for_more(output, 20)]
    seen.append(wait_for_more(output, seen[0]))
    notebook.page.screenshot(path=screenshots / f"growing_{server.folder.name}.png")
    notebook.wait()
    expect(heading(output)).to_contain_text("601 executions, 2401 requests: all ok")

    assert 20 < seen[0] < seen[1] <= 601
    assert len(picture_in(notebook.cells()["c2"])["rows"]["executions"]["id"]) == 601
    assert picture_in(notebook.cells()["c2"])["rows"]["running"] is False
    assert notebook.problems == []


def test_a_click_on_an_execution_shows_its_lines_and_requests(
    server: Lab, opened: Callable[..., Notebook], screenshots: Path
) -> None:
    notebook = opened(server, GROW, "await Grow.start(12)")
    notebook.run("c1")
    notebook.run("c2")
    output = notebook.output("c2")
    open_tab(output, "Budget")
    output.get_by_role("option", name=re.compile("^#5 step")).click()
    lower = output.locator(".pnb-lower")

    expect(lower).to_contain_text("#5 step")
    expect(lower).to_contain_text("1 of 1000")
    expect(lower).to_contain_text('state = await self.get("state")')
    expect(lower).to_contain_text("store.get")
    output.screenshot(path=screenshots / f"execution_{server.folder.name}.png")
    assert notebook.problems == []


def test_a_value_is_edited_added_and_deleted_by_hand(
    server: Lab, opened: Callable[..., Notebook], screenshots: Path
) -> None:
    notebook = opened(
        server,
        GROW,
        "run = await Grow.start(3)",
        "%twist inspect Grow",
        "store = Grow.store.set_index('key')\nprint(store.value.to_dict(), store.execution.isna().to_dict())",
    )
    for cell in ("c1", "c2", "c3"):
        notebook.run(cell)
    output = notebook.output("c3")
    open_tab(output, "Store")
    output.get_by_role("treeitem", name=re.compile(r"^(\w+ )?state\b")).first.click()
    output.get_by_role("button", name="Edit", exact=True).click()
    field = output.locator("textarea")
    field.fill('{"left": "x", ')
    output.get_by_role("button", name="Save", exact=True).click()
    expect(output.get_by_role("alert").first).not_to_be_empty()
    assert field.input_value() == '{"left": "x", '  # what was typed is not lost
    field.fill('{"left": 41, "total": 1}')
    output.get_by_role("button", name="Save", exact=True).click()
    expect(output.get_by_role("treeitem", name=re.compile(r"^(\w+ )?state\b.*by hand")).first).to_be_visible()
    output.screenshot(path=screenshots / f"store_{server.folder.name}.png")
    notebook.run("c4")

    assert "{'state': {'left': 41, 'total': 1}} {'state': True}" in notebook.output("c4").inner_text()
    output.get_by_role("button", name="Delete…").click()
    output.get_by_role("button", name="Delete it").click()
    expect(output.get_by_role("treeitem", name=re.compile(r"^cleared state\b")).first).to_be_visible()
    notebook.run("c4")
    assert "{} {}" in notebook.output("c4").inner_text()
    assert notebook.problems == []


def test_a_page_that_is_loaded_again_takes_up_the_run_that_goes_on(
    server: Lab, opened: Callable[..., Notebook]
) -> None:
    notebook = opened(server, GROW, "run = await Grow.start(1500)")
    notebook.run("c1")
    notebook.begin("c2")
    before = wait_for_more(notebook.output("c2"), 20)
    notebook.command("docmanager:save")
    notebook.reload()
    output = notebook.output("c2")
    output.scroll_into_view_if_needed()
    again = wait_for_more(output, before)
    expect(heading(output)).to_contain_text("1501 executions, 6001 requests: all ok", timeout=60_000)
    notebook.page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.toJSON())"
        ".includes('\\\\\\\"running\\\\\\\":false')"
    )
    notebook.command("docmanager:save")

    assert again > before
    saved = nbformat.read(server.folder / Path(notebook.page.url).name.split("?")[0], 4)
    picture = picture_in(saved.cells[2])
    assert len(picture["rows"]["executions"]["id"]) == 1501
    assert picture["rows"]["running"] is False
    assert notebook.problems == []


def test_an_open_inspector_follows_what_later_cells_run(server: Lab, opened: Callable[..., Notebook]) -> None:
    notebook = opened(
        server, GROW, "%twist inspect Grow", "run = await Grow.start(5)", "Grow.load({'x': '{\"json\":1}'})"
    )
    notebook.run("c1")
    notebook.run("c2")
    output = notebook.output("c2")
    expect(heading(output)).to_contain_text("Nothing ran")
    notebook.run("c3")
    expect(heading(output)).to_contain_text("6 executions, 21 requests: all ok")
    open_tab(output, "Store")
    notebook.run("c4")
    expect(output.get_by_role("treeitem", name=re.compile(r"^(\w+ )?x\b"))).to_be_visible()
    assert notebook.problems == []


def test_stop_leaves_the_picture_of_what_ran(
    server: Lab, opened: Callable[..., Notebook], screenshots: Path
) -> None:
    notebook = opened(server, GROW, "await Grow.start(1900)")
    notebook.run("c1")
    notebook.begin("c2")
    seen = wait_for_more(notebook.output("c2"), 20)
    notebook.command("notebook:interrupt-kernel")
    notebook.wait()
    output = notebook.output("c2")

    expect(heading(output)).to_contain_text("1 cancelled")
    expect(output).to_contain_text("Stopped")
    assert heading(output).count() == 1
    assert seen <= executions(output) < 1901
    notebook.page.screenshot(path=screenshots / f"stop_{server.folder.name}.png")
    assert notebook.problems == []


def test_a_saved_notebook_is_complete_without_a_kernel(
    server: Lab, opened: Callable[..., Notebook], browser: Browser
) -> None:
    notebook = opened(
        server, GROW, "await Grow.start(12)", "%twist inspect Grow", "%twist budget", "%twist chain"
    )
    for cell in ("c1", "c2", "c3", "c4", "c5"):
        notebook.run(cell)
    notebook.command("docmanager:save")
    name = Path(notebook.page.url).name.split("?")[0]
    file = server.folder / name
    written = nbformat.read(file, 4)
    written.metadata["kernelspec"] = {"name": "nowhere", "display_name": "Nowhere", "language": "python"}
    copy = f"copy_of_{name}"
    nbformat.write(written, server.folder / copy)
    page = browser.new_page(viewport={"width": 1300, "height": 6000})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(server.url + server.path.format(copy))
    pictures = page.locator(".pnb")

    expect(pictures).to_have_count(4)
    for place in range(4):
        expect(pictures.nth(place).locator(".pnb-heading")).to_contain_text(
            "13 executions, 49 requests: all ok"
        )
    open_tab(pictures.first, "Budget")
    pictures.first.get_by_role("option", name=re.compile("^#5 step")).click()
    expect(pictures.first.locator(".pnb-lower")).to_contain_text("#5 step")
    open_tab(pictures.first, "Store")
    expect(pictures.first.get_by_role("treeitem", name=re.compile(r"^(\w+ )?state\b")).first).to_be_visible()
    expect(pictures.first.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
    assert page.get_by_text(re.compile("Model not found|Loading widget|Error displaying")).count() == 0
    page.close()


@pytest.mark.rule("12.6")
def test_hostile_text_is_text_in_trusted_and_untrusted_notebooks(
    server: Lab, opened: Callable[..., Notebook], browser: Browser, screenshots: Path
) -> None:
    notebook = opened(server, HOSTILE, "await Hostile.run_it()", "%twist inspect Hostile")
    for cell in ("c1", "c2", "c3"):
        notebook.run(cell)
    notebook.command("docmanager:save")
    name = Path(notebook.page.url).name.split("?")[0]
    written = nbformat.read(server.folder / name, 4)
    written.cells[0].source += "\n# changed by somebody else: not trusted any more"
    nbformat.write(written, server.folder / f"untrusted_{name}")
    untrusted = Notebook(browser, server, f"untrusted_{name}")
    for each in (notebook, untrusted):
        for cell in ("c2", "c3"):
            output = each.output(cell)
            output.scroll_into_view_if_needed()
            for tab in ("Budget", "Chain", "Store", "State", "Logs"):
                open_tab(output, tab)
            expect(output.locator(".pnb")).to_contain_text("ValueError")
            assert output.locator("img, script, iframe, object, embed").count() == 0
        assert each.page.evaluate("window.harmed") is None
        assert each.problems == []
    assert "<img src=x" in notebook.output("c2").locator(".pnb-lower").text_content()  # type: ignore[operator]
    notebook.page.screenshot(path=screenshots / f"hostile_{server.folder.name}.png")
    untrusted.close()


@pytest.mark.rule("12.4")
def test_a_saved_picture_says_nothing_to_a_kernel_until_somebody_clicks(
    opened: Callable[..., Notebook], lab: Lab, browser: Browser
) -> None:
    notebook = opened(lab, GROW, "await Grow.start(12)", "%twist inspect Grow")
    for cell in ("c1", "c2", "c3"):
        notebook.run(cell)
    notebook.command("docmanager:save")
    notebook.page.reload()
    notebook.page.wait_for_function("() => document.querySelectorAll('.pnb').length === 2")
    notebook.wait()
    notebook.page.evaluate(_LISTEN)
    output = notebook.output("c3")
    for tab in ("Budget", "Chain", "Store", "Logs"):
        open_tab(output, tab)

    assert notebook.page.evaluate("window.heard") == []
    open_tab(output, "Budget")
    output.get_by_role("option", name=re.compile("^#5 step")).click()
    expect(output.locator(".pnb-lower")).to_contain_text("store.get")


def test_at_most_ten_messages_a_second_and_none_is_lost(opened: Callable[..., Notebook], lab: Lab) -> None:
    notebook = opened(lab, GROW, "run = await Grow.start(1500)")
    notebook.run("c1")
    notebook.page.evaluate(_LISTEN)
    notebook.begin("c2")
    notebook.wait()
    output = notebook.output("c2")
    expect(heading(output)).to_contain_text("1501 executions, 6001 requests: all ok")
    heard: list[float] = notebook.page.evaluate("window.heard")
    busiest = max(sum(1 for other in heard if time <= other < time + 1000) for time in heard)
    print(f"\n{len(heard)} messages in {(heard[-1] - heard[0]) / 1000:.1f} s, at most {busiest} in a second")

    # They leave the kernel a tenth of a second apart (tests/widgets); a page that was busy gets some of them together.
    assert busiest <= 20
    assert len(heard) <= 10 * (heard[-1] - heard[0]) / 1000 + 15


# Frames between two looks, in milliseconds.
_FRAMES = """
() => {
    window.frames_seen = [];
    let before = performance.now();
    const next = (now) => {
        window.frames_seen.push(now - before);
        before = now;
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
}
"""


@pytest.mark.prove
@pytest.mark.timeout(0)
def test_ten_thousand_executions_are_all_in_the_picture_of_their_cell(
    opened: Callable[..., Notebook], lab: Lab, screenshots: Path
) -> None:
    notebook = opened(
        lab,
        "from plot_nb import Limits, Runtime\nplot_nb.runtime.use(Runtime(limits=Limits(chain=20_000)))",
        GROW,
        "run = await Grow.start(10_000)",
    )
    notebook.run("c1")
    notebook.run("c2")
    notebook.page.evaluate(_LISTEN)
    notebook.begin("c3")
    output = notebook.output("c3")
    output.scroll_into_view_if_needed()
    wait_for_more(output, 20)
    notebook.page.evaluate(_FRAMES)
    notebook.page.wait_for_function(_RAN_ALL, timeout=300_000)
    frames: list[float] = notebook.page.evaluate("window.frames_seen")
    heard: list[float] = notebook.page.evaluate("window.heard")
    notebook.wait()
    expect(heading(output)).to_contain_text("10,001 executions, 40,001 requests: all ok")
    saved = picture_in(notebook.cells()["c3"])["rows"]
    output.screenshot(path=screenshots / "ten_thousand.png")
    middle = sorted(frames)[len(frames) // 2]
    seconds = (heard[-1] - heard[0]) / 1000
    print(
        f"\n10,001 executions in {seconds:.1f} s: {len(heard)} messages ({len(heard) / seconds:.1f} a second), "
        f"{len(frames)} frames, median {middle:.1f} ms, p95 {sorted(frames)[int(0.95 * len(frames))]:.1f} ms"
    )

    assert len(saved["executions"]["id"]) + saved["left_out"] == 10_001
    assert notebook.problems == []


def test_a_click_in_a_widget_reaches_the_kernel_while_the_chain_runs(
    opened: Callable[..., Notebook], lab: Lab
) -> None:
    notebook = opened(
        lab,
        GROW,
        "import time\nfrom plot_nb.widgets import Budget\nclicks = []\nbudget = Budget(Grow)\n"
        "budget.observe(lambda change: clicks.append((time.time(), change.new)), 'selected')\n"
        "await Grow.start(3)\nbudget",
        "await Grow.start(1500)\nended = time.time()",
        "print(len(clicks), clicks[0][0] < ended, clicks[0][1] in set(Grow.executions.execution), clicks[0][0])",
    )
    for cell in ("c1", "c2"):
        notebook.run(cell)
    notebook.begin("c3")
    wait_for_more(notebook.output("c3"), 20)
    option = notebook.output("c2").get_by_role("option", name=re.compile("^#3 step"))
    option.scroll_into_view_if_needed()
    clicked = notebook.page.evaluate(
        "element => { element.click(); return Date.now() / 1000; }", option.element_handle()
    )
    notebook.wait()
    notebook.run("c4")
    said = notebook.output("c4").inner_text().split()
    print(f"\nthe click was in the kernel after {1000 * (float(said[3]) - clicked):.0f} ms")

    assert said[:3] == ["1", "True", "True"]


def test_widgets_share_a_selection_inside_of_other_widgets(
    opened: Callable[..., Notebook], lab: Lab, screenshots: Path
) -> None:
    notebook = opened(
        lab,
        GROW,
        "from ipywidgets import HBox, jslink, link\nfrom plot_nb.widgets import Budget, ExecutionInspector\n"
        "run = await Grow.start(5)\nbudget, execution = Budget(run), ExecutionInspector(run)\n"
        "joined = link((budget, 'selected'), (execution, 'selected'))\nHBox([budget, execution])",
        "budget.selected = run.executions.execution[4]",
    )
    for cell in ("c1", "c2"):
        notebook.run(cell)
    output = notebook.output("c2")
    output.get_by_role("option", name=re.compile("^#3 step")).click()
    expect(output.locator(".pnb").nth(1)).to_contain_text("#3 step")
    notebook.run("c3")
    expect(output.locator(".pnb").nth(1)).to_contain_text("#5 step")
    output.screenshot(path=screenshots / "hbox.png")
    assert notebook.problems == []


HOLDS = """%%twist
from datetime import timedelta

class Holds(Twist):
    async def activate(self):
        await self.schedule_recurring("hourly", await self.callback(self.poll), every=timedelta(hours=1))
    async def poll(self):
        raise ValueError("the service is down")
    async def more(self, key):
        await self.schedule_task(key, await self.callback(self.poll), now() + timedelta(days=1))
    async def fail(self):
        await self.run_task(await self.callback(self.poll))
"""


def test_the_state_of_the_runtime_is_a_tab_that_follows(
    opened: Callable[..., Notebook], server: Lab, screenshots: Path
) -> None:
    notebook = opened(
        server,
        HOLDS,
        "%twist inspect Holds",
        "run = await Holds.more('tomorrow')",
        "run = await Holds.fail()",
    )
    for cell in ("c1", "c2"):
        notebook.run(cell)
    output = notebook.output("c2")
    output.scroll_into_view_if_needed()
    open_tab(output, "State")
    kinds = output.get_by_role("toolbar").get_by_role("button")
    expect(kinds).to_have_text(
        ["Tasks 1", "Dead letters 0", "Callbacks 1", "Webhooks 0", "Activities 0", "Limits"]
    )
    expect(output.locator(".pnb-state tbody tr")).to_contain_text(["hourly"])
    notebook.run("c3")
    expect(kinds.first).to_have_text("Tasks 2")
    expect(output.locator(".pnb-state tbody tr")).to_contain_text(["hourly", "tomorrow"])
    notebook.run("c4")
    kinds.filter(has_text="Dead letters 1").click()
    expect(output.locator(".pnb-state tbody tr")).to_contain_text(["ValueError: the service is down"])
    output.screenshot(path=screenshots / f"state_{server.folder.name}.png")
    kinds.filter(has_text="Limits").click()
    expect(output.locator(".pnb-state tbody tr")).to_contain_text(
        ["5 minutes", "24 hours", "4 hours", "30 days"]
    )


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious(opened: Callable[..., Notebook], lab: Lab, theme: str) -> None:
    notebook = opened(
        lab,
        GROW,
        "await Grow.start(40)",
        "%twist inspect Grow",
        "%twist progress state Grow",
        HOSTILE,
        "await Hostile.run_it()",
    )
    for cell in ("c1", "c2", "c3", "c4", "c5", "c6"):
        notebook.run(cell)
    notebook.theme(theme)
    found: dict[str, list[str]] = {}
    for cell in ("c2", "c3", "c4", "c6"):
        output = notebook.output(cell)
        output.scroll_into_view_if_needed()
        tabs = [tab for tab in output.get_by_role("tab").all() if tab.is_visible()]
        for tab in [tab.inner_text() for tab in tabs] or [""]:
            if tab:
                open_tab(output, tab)
            complaints = notebook.complaints(output.locator(".pnb"))
            if serious := [each for each in complaints if each.startswith(("serious", "critical"))]:
                found[f"{cell} {tab}"] = serious

    assert found == {}


def test_each_chart_is_one_tab_stop_and_is_worked_by_keyboard(
    opened: Callable[..., Notebook], lab: Lab
) -> None:
    notebook = opened(lab, GROW, "await Grow.start(40)")
    for cell in ("c1", "c2"):
        notebook.run(cell)
    output = notebook.output("c2")
    page = notebook.page
    output.get_by_role("tab", name="Chain").focus()
    page.keyboard.press("ArrowLeft")
    expect(output.get_by_role("tab", name="Budget")).to_have_attribute("aria-selected", "true")
    chart = output.locator(".pnb-body").get_by_role("listbox")
    assert chart.count() == 1
    stops = chart.evaluate("e => [e, ...e.querySelectorAll('*')].filter(n => n.tabIndex >= 0).length")
    assert stops == 1
    while not chart.evaluate("e => e.contains(document.activeElement)"):
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    lower = output.locator(".pnb-lower")
    lower.scroll_into_view_if_needed()  # what nobody sees is not drawn
    expect(lower).to_contain_text("#3 step")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(lower).to_contain_text("#41 step")
    summary = chart.get_attribute("aria-describedby") or ""
    assert "41 executions" in (output.locator(f"#{summary}").text_content() or "")


def test_charts_are_saved_as_files(opened: Callable[..., Notebook], lab: Lab, tmp_path: Path) -> None:
    notebook = opened(lab, GROW, "await Grow.start(12)")
    for cell in ("c1", "c2"):
        notebook.run(cell)
    output = notebook.output("c2")
    files: dict[str, bytes] = {}
    for tab, kind in [("Budget", "SVG"), ("Chain", "PNG"), ("Budget", "CSV"), ("Store", "CSV")]:
        open_tab(output, tab)
        with notebook.page.expect_download() as download:
            output.get_by_role("button", name=re.compile(f"as {kind}$")).click()
        download.value.save_as(tmp_path / "file")
        files[download.value.suggested_filename] = (tmp_path / "file").read_bytes()

    svg = next(file for name, file in files.items() if name.endswith(".svg"))
    png = next(file for name, file in files.items() if name.endswith(".png"))
    budget, store = (file.decode("utf-8-sig") for name, file in files.items() if name.endswith(".csv"))
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert png.startswith(b"\x89PNG")
    assert [row["method"] for row in csv.DictReader(budget.splitlines())] == ["start"] + 12 * ["step"]
    assert [row["key"] for row in csv.DictReader(store.splitlines())] == ["state"]
