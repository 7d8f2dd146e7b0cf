"""Runs a notebook without a browser: its outputs as text on the terminal, all of it as one HTML file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import DictLoader
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

CELL_SECONDS = 600

# The page has to be whole without a network, so it asks no CDN for the scripts that nbconvert adds.
OFFLINE = """
{%- extends "lab/index.html.j2" -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def main() -> int:
    """Execute the notebook that the command line names.

    Returns:
        The exit code: 1 when a cell failed.
    """
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("notebook", type=Path)
    arguments.add_argument("html", type=Path)
    options = arguments.parse_args()

    notebook = nbformat.read(options.notebook, as_version=4)
    folder = str(options.notebook.resolve().parent)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": folder}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_start=show_heading,
        on_cell_executed=show,
    )
    failure = None
    try:
        client.execute()
    except CellExecutionError as error:
        failure = error
    options.html.parent.mkdir(parents=True, exist_ok=True)
    exporter = HTMLExporter(
        template_file="offline.html.j2", extra_loaders=[DictLoader({"offline.html.j2": OFFLINE})]
    )
    html, _ = exporter.from_notebook_node(notebook)
    options.html.write_text(html, encoding="utf-8")
    print(f"\nThe same with its charts: {options.html}")
    if failure is not None:
        print(f"\nA cell failed: {failure}", file=sys.stderr)
        return 1
    return 0


def show_heading(cell: Any, cell_index: int) -> None:
    """Print the headings of a cell of prose."""
    if cell.cell_type == "markdown":
        for line in cell.source.splitlines():
            if line.startswith("#"):
                print(f"\n{line.lstrip('# ')}\n{'─' * len(line.lstrip('# '))}")


def show(cell: Any, cell_index: int, execute_reply: Any) -> None:
    """Print one executed cell: what it ran, then what it gave."""
    source = cell.source.rstrip().splitlines()
    print(f"\nIn [{cell.execution_count}]: {source[0] if source else ''}{' …' if len(source) > 1 else ''}")
    for output in cell.outputs:
        text = as_text(output)
        if text:
            print(text.rstrip())


def as_text(output: Any) -> str:
    """Give what a terminal would show of an output."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return str(output.data.get("text/plain", ""))


if __name__ == "__main__":
    sys.exit(main())
