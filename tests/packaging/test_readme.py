"""What the README shows is what a reader gets."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_cells_run_and_give_what_they_say() -> None:
    sources = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in [*sources, "run"]]
    )
    NotebookClient(notebook, timeout=150).execute()
    # A run that takes long shows itself too, beside what the cell gives.
    given = [
        output for cell in notebook.cells for output in cell.outputs if output.output_type == "execute_result"
    ]
    progress, picture = (output.data for output in given[-2:])
    assert "1234" in progress["text/plain"]
    assert "26 executions" in picture["text/plain"]
    assert "<svg" in picture["text/html"]


def test_its_commands_are_there() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"lab", "test"} <= named <= targets


def test_its_files_are_there() -> None:
    linked = [path for path in re.findall(r"\]\(([^)]+)\)", README) if "://" not in path]
    assert [path for path in linked if not (ROOT / path).exists()] == []
