from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets  # type: ignore[import-untyped]
import pytest
import traitlets
from ipywidgets import HBox, Tab

from plot_nb import Run, Runtime, TwistHandle, widgets
from plot_nb.journal.wire import MIME_TYPE
from plot_nb.widgets import inspectors
from plot_nb.widgets.inspectors import WIDGET_TYPE
from plot_nb.widgets.source import SOURCES
from tests.runtime.twists import methods, on_runtime

SYNC = methods(
    """
    async def go(self, n=2):
        for page in range(n):
            await self.set("state", {"page": page, "total": 10 * page})
            await self.run_task(await self.callback("page", page))

    async def page(self, n):
        await self.set(f"page:{n}", n)
    """
)

Sent = list[tuple[Any, dict[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sent]:
    """What widgets send, of a front end that is quickly built."""
    (tmp_path / "widget.js").write_text("export default { render() {} };")
    (tmp_path / "widget.css").write_text(".pnb {}")
    monkeypatch.setattr(inspectors, "STATIC", tmp_path)
    messages: Sent = []
    monkeypatch.setattr(
        inspectors._Inspector, "send", lambda self, content, _=None: messages.append((self, content))
    )
    inspectors.built.cache_clear()
    yield messages
    inspectors.built.cache_clear()
    ipywidgets.Widget.close_all()


def hear(widget: Any, **ask: Any) -> None:
    """What the front end says to a widget."""
    data = {"method": "custom", "content": {"view": "v", **ask}}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


async def ran(runtime: Runtime) -> tuple[TwistHandle, Run]:
    twist = await runtime.deploy(SYNC)
    return twist, await twist.go()


@pytest.mark.parametrize(
    ("name", "panel"),
    [
        ("Inspector", "inspector"),
        ("Budget", "budget"),
        ("Chain", "chain"),
        ("StoreInspector", "store"),
        ("ExecutionInspector", "execution"),
        ("Progress", "progress"),
    ],
)
@pytest.mark.parametrize("which", ["run", "twist", "runtime"])
def test_a_widget_is_a_view_a_picture_html_and_text(sent: Sent, name: str, panel: str, which: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist, run = await ran(runtime)
        subject = {"run": run, "twist": twist, "runtime": runtime}[which]
        options = {"key": "state"} if name == "Progress" else {}
        widget = getattr(widgets, name)(subject, **options)
        bundle, _ = widget._repr_mimebundle_()

        assert set(bundle) == {WIDGET_TYPE, MIME_TYPE, "text/html", "text/plain"}
        kept = json.loads(bundle[MIME_TYPE])
        assert kept["panel"] == widget.panel == widget.picture["panel"] == panel
        assert kept["source"] == widget.source == widget.picture["source"]
        assert SOURCES.get(widget.source) is not None
        assert kept["rows"]["executions"]["id"] == run._attempts
        assert (kept["rows"]["progress"] is not None) == (name == "Progress")
        assert "<script" not in bundle["text/html"]

    on_runtime(work)


def test_widgets_sit_in_boxes_and_tabs(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        box = HBox([widgets.Budget(run), widgets.Chain(run)])

        assert len(Tab([box, widgets.Inspector(run)]).children) == 2

    on_runtime(work)


def test_a_selection_in_the_page_is_the_trait(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        widget = widgets.Inspector(run)
        seen: list[str | None] = []
        widget.observe(lambda change: seen.append(change["new"]), "selected")
        executions = list(run.executions["execution"])
        hear(widget, ask="select", id=run._attempts[1])
        hear(widget, ask="select", id=None)

        assert seen == [executions[1], None]
        assert sent == []

    on_runtime(work)


def test_the_trait_selects_in_all_views(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        widget = widgets.Chain(run)
        hear(widget, ask="select", id=None)
        widget.selected = run.executions["execution"][2]
        widget.selected = None

        assert [content for _, content in sent] == [
            {"view": "v", "selected": run._attempts[2]},
            {"view": "v", "selected": None},
        ]
        assert json.loads(widget._repr_mimebundle_()[0][MIME_TYPE])["selected"] is None

    on_runtime(work)


def test_selections_can_be_linked(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        one, other = widgets.Budget(run), widgets.ExecutionInspector(run)
        traitlets.link((one, "selected"), (other, "selected"))
        for widget in (one, other):
            hear(widget, ask="select", id=None)
        hear(one, ask="select", id=run._attempts[0])
        hear(other, ask="select", id=run._attempts[1])

        assert one.selected == other.selected == run.executions["execution"][1]
        assert [(who is other, content["selected"]) for who, content in sent] == [
            (True, run._attempts[0]),
            (False, run._attempts[1]),
        ]

    on_runtime(work)


def test_an_execution_of_another_run_selects_nothing(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        widget = widgets.Chain(run)
        widget.selected = "of another run"

        assert widget.picture["selected"] is None
        assert json.loads(widget._repr_mimebundle_()[0][MIME_TYPE])["selected"] is None

    on_runtime(work)


def test_a_widget_answers_as_a_comm_does(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        twist, _ = await ran(runtime)
        widget = widgets.StoreInspector(twist)
        hear(widget, ask="write", number=1, twist="Sync", key="state", text='{"json":1}')
        hear(widget, ask="detail", number=2, id="no number")
        hear(widget, ask="nonsense")

        assert [content.get("done") for _, content in sent] == [True, None]
        assert "did not understand" in sent[1][1]["error"]
        assert twist.dump()["state"] == '{"json":1}'

    on_runtime(work)


def test_a_closed_widget_hears_of_no_selection(sent: Sent) -> None:
    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        widget = widgets.Inspector(run)
        hear(widget, ask="select", id=None)
        source = SOURCES.get(widget.source)
        assert source is not None
        widget.close()
        source.select(1)

        assert sent == []

    on_runtime(work)


def test_what_cannot_be_inspected_is_refused_in_words(sent: Sent) -> None:
    with pytest.raises(TypeError, match="give a run, a twist or a runtime"):
        widgets.Inspector("CalendarSync")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="give the Store key"):
        widgets.Progress(key="")


def test_a_closed_runtime_is_told_of(sent: Sent) -> None:
    kept: list[widgets.Inspector] = []

    async def work(runtime: Runtime) -> None:
        kept.append(widgets.Inspector((await ran(runtime))[1]))

    on_runtime(work)
    bundle, _ = kept[0]._repr_mimebundle_()
    kept[0].selected = "anything"

    assert set(bundle) == {WIDGET_TYPE, "text/plain"}
    assert "closed" in bundle["text/plain"] or "no more" in bundle["text/plain"]


def test_a_front_end_that_was_not_built_is_told_how_to(sent: Sent, tmp_path: Path) -> None:
    (tmp_path / "widget.js").unlink()
    inspectors.built.cache_clear()

    async def work(runtime: Runtime) -> None:
        with pytest.raises(FileNotFoundError, match="pip install"):
            widgets.Inspector(runtime)

    on_runtime(work)


def test_without_ipywidgets_the_rest_works_and_a_widget_says_what_to_install() -> None:
    code = """
import sys
sys.modules["anywidget"] = None
import plot_nb, plot_nb.widgets, plot_nb.widgets.connection, plot_nb.widgets.comms, plot_nb.notebook.pictures
print("anywidget" in str(sys.modules.get("ipywidgets")), "pandas" in sys.modules)
try:
    from plot_nb.widgets import Inspector
except ImportError as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.startswith("False False\n")
    assert "pip install 'plot_nb[lab]'" in shown


@pytest.mark.parametrize(
    ("history", "server", "drawn"),
    [(":memory:", "", False), (":memory:", "voila/0.5", True), ("/home/me/history.sqlite", "", True)],
)
def test_what_nbclient_runs_into_a_file_has_no_widget_in_place_of_the_table(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, history: str, server: str, drawn: bool
) -> None:
    shell = SimpleNamespace(history_manager=SimpleNamespace(hist_file=history))
    monkeypatch.setattr(inspectors, "get_ipython", lambda: shell)
    monkeypatch.setenv("SERVER_SOFTWARE", server)

    async def work(runtime: Runtime) -> None:
        _, run = await ran(runtime)
        bundle, _ = widgets.Budget(run)._repr_mimebundle_()

        assert (WIDGET_TYPE in bundle) == drawn
        assert "<table" in bundle["text/html"]

    on_runtime(work)
