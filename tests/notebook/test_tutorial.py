"""The first tutorial, run as its readers run it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from plot_nb.journal.wire import MIME_TYPE

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "01_first_sync.ipynb"


def executed(notebook: NotebookNode) -> NotebookNode:
    """Run all cells; a cell that fails raises."""
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(TUTORIAL.parent)}}).execute()
    return notebook


def shown(notebook: NotebookNode, cell_id: str) -> str:
    """What a cell shows, as text."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    return "\n".join(
        output.text if output.output_type == "stream" else output.data["text/plain"]
        for output in cell.outputs
    )


@pytest.fixture(scope="module")
def tutorial() -> NotebookNode:
    """The tutorial with its outputs."""
    return executed(nbformat.read(TUTORIAL, as_version=4))


@pytest.mark.rule("3.10")
def test_the_wrong_way_stops_at_request_1001_and_names_its_line(tutorial: NotebookNode) -> None:
    text = shown(tutorial, "all-at-once-run")

    assert "1 execution, 1000 requests: over_requests at line 25" in text
    assert 'reminder = await self.callback("remind", item["id"])' in text
    cell = next(cell for cell in tutorial.cells if cell.id == "all-at-once")
    assert cell.source.splitlines()[24].strip() == 'reminder = await self.callback("remind", item["id"])'


def test_the_store_is_as_the_1000_left_it(tutorial: NotebookNode) -> None:
    text = shown(tutorial, "all-at-once-store")

    assert "100 items have a status, 99 of them a reminder" in text
    assert "item:100:status" in text
    assert "item:100:reminder" not in text


@pytest.mark.rule("2.1", "2.2")
def test_variables_are_gone_in_the_next_execution(tutorial: NotebookNode) -> None:
    assert shown(tutorial, "forgetful-run") == "{'self.page': None, 'seen': [], 'store': 7}"


def test_the_right_way_is_25_pages_of_at_most_505_requests(tutorial: NotebookNode) -> None:
    progress = shown(tutorial, "progress").splitlines()

    assert "26 executions, 12,466 requests: all ok" in shown(tutorial, "calendar-sync-run")
    assert sum("sync_page" in line for line in progress) == 25
    assert progress[-1].split()[-1] == "1234"
    assert shown(tutorial, "summary") == (
        "25 executions of sync_page, 1,234 items, at most 505 of 1,000 requests in one, 12,466 in all\n"
    )


@pytest.mark.rule("12.4")
def test_every_output_is_shown_without_a_script_or_a_widget(tutorial: NotebookNode) -> None:
    bundles = [
        output.data
        for cell in tutorial.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type in {"execute_result", "display_data"}
    ]

    assert bundles
    for bundle in bundles:
        assert set(bundle) <= {MIME_TYPE, "text/html", "text/plain"}
        assert json.loads(bundle.get(MIME_TYPE, '{"rows": {"running": false}}'))["rows"]["running"] is False
        assert "<script" not in bundle.get("text/html", "")


def test_the_saved_notebook_stays_small(tutorial: NotebookNode) -> None:
    assert len(nbformat.writes(tutorial)) < 300_000


def test_the_notebook_is_committed_without_outputs() -> None:
    for cell in nbformat.read(TUTORIAL, as_version=4).cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.fixture
def served() -> Iterator[str]:
    """The demo on a real port, as the tutorial's last cell says to serve it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "plot_nb.demo", "--port", str(port), "--latency-ms", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert "1234 items" in server.stdout.readline()
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.communicate()


def test_over_a_real_port_it_comes_to_the_same(served: str) -> None:
    notebook = nbformat.read(TUTORIAL, as_version=4)
    words = next(cell.source for cell in notebook.cells if cell.id == "ideas")
    mount = 'plot_nb.current().mount("https://api.example.com", demo.app)'
    instead = "plot_nb.runtime.use(plot_nb.Runtime(allow_private=True))"
    assert instead in words
    assert mount in next(cell.source for cell in notebook.cells if cell.id == "setup")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace(mount, instead).replace("https://api.example.com", served)
    executed(notebook)

    assert "over_requests at line 25" in shown(notebook, "all-at-once-run")
    assert "25 executions of sync_page, 1,234 items, at most 505 of 1,000" in shown(notebook, "summary")
