"""How a run is shown in a kernel: as HTML and text, as a picture for who can draw it, and as a widget elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from plot_nb.errors import RuntimeClosed
from plot_nb.journal.wire import MIME_TYPE

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from plot_nb.runtime import Run, TwistHandle

Shown = tuple[dict[str, Any], dict[str, Any]]
"""A MIME bundle and its metadata."""

_log = logging.getLogger("plot_nb")


def run_bundle(shell: InteractiveShell, run: Run) -> Shown:
    """A run that has ended, or as far as it has come; without a way to the kernel where its runtime was closed."""
    from plot_nb import view
    from plot_nb.view.picture import picture_text
    from plot_nb.widgets.source import SOURCES

    try:
        found: dict[str, Any] = view.bundle(run.tables())
    except RuntimeClosed as error:
        return {"text/plain": f"{run!r}: {error}"}, {}
    try:
        picture = SOURCES.of(run).picture()
    except RuntimeClosed:
        picture = run.picture()
        picture["rows"]["running"] = False  # what a closed runtime cut off has no end in its file yet
        return {**found, MIME_TYPE: picture_text(picture)}, {}
    return _with_widget(shell, run, {**found, MIME_TYPE: picture_text(picture)})


def running_bundle(shell: InteractiveShell, run: Run) -> Shown:
    """A run that is still going on."""
    from plot_nb.view.hostile import isolated, line
    from plot_nb.view.picture import picture_text
    from plot_nb.view.style import page
    from plot_nb.widgets.source import SOURCES

    title = line(run.title)
    found = {
        "text/html": page(f'<p class="h">▸ <b>{isolated(title)}</b> is running …</p>'),
        "text/plain": f"{title} is running …",
        MIME_TYPE: picture_text(SOURCES.of(run).picture()),
    }
    return _with_widget(shell, run, found)


def handle_bundle(shell: InteractiveShell, twist: TwistHandle) -> Shown:
    """A twist, with what its deploy ran."""
    run = twist._deployed
    if run is None or twist._runtime.closed:
        return {"text/plain": repr(twist)}, {}
    data, metadata = run_bundle(shell, run)
    return {**data, "text/plain": f"{twist!r}\n{data['text/plain']}"}, metadata


def _with_widget(shell: InteractiveShell, run: Run, found: dict[str, Any]) -> Shown:
    """Where our pictures are not drawn, a widget is, if there is one."""
    if not draws_widgets_only(shell):
        return found, {}
    try:
        from plot_nb.widgets.inspectors import view_of
    except ImportError:
        return found, {}
    try:
        view, metadata = view_of(run)
    except (FileNotFoundError, RuntimeClosed):
        _log.info("no widget is shown", exc_info=True)
        return found, {}
    return {**view, **found}, metadata


def draws_widgets_only(shell: InteractiveShell) -> bool:
    """Whether the front end is one that has no plot_nb extension: VS Code, or Colab."""
    return (
        "google.colab" in sys.modules
        or "__vsc_ipynb_file__" in shell.user_ns
        or bool(os.environ.get("VSCODE_PID"))
    )
