"""A run as a picture that can be looked into: what is saved in a notebook, within bounds."""

from __future__ import annotations

from pathlib import Path

from plot_nb.journal.changes import Budget, Scope
from plot_nb.journal.wire import Panel, Picture


def picture(
    path: Path,
    scope: Scope,
    *,
    title: str,
    limits: Budget,
    panel: Panel = "inspector",
    source: str | None = None,
    selected: int | None = None,
    paused: str | None = None,
    value: str | None = None,
    progress: str | None = None,
    instance: int | None = None,
) -> Picture:
    """All of a scope that a saved notebook keeps.

    Args:
        path: The state file.
        scope: What is shown.
        title: What was run.
        limits: The budget of each attempt.
        panel: Which picture.
        source: Under which key the kernel answers for it.
        selected: The id of the attempt that is selected.
        paused: Why the chain waits to be resumed.
        value: What the first execution returned, as its repr.
        progress: A Store key whose writes are shown as the progress of a sync.
        instance: Whose key that is; unless given, that of the scope's first attempt.
    """
    raise NotImplementedError
