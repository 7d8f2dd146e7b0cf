"""A source as one MIME bundle: the picture for who can draw it, and HTML and text for who cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plot_nb.engine.masking import Mask
from plot_nb.journal import frames
from plot_nb.journal.reader import rows
from plot_nb.journal.wire import MIME_TYPE
from plot_nb.twist import superjson

if TYPE_CHECKING:
    import pandas as pd

    from plot_nb.view import RunTables
    from plot_nb.widgets.source import Source

_ATTEMPTS = 2000
"""The latest of a twist or a runtime that the HTML counts; the picture itself has a bound of its own."""


def bundle(source: Source) -> dict[str, Any]:
    """All that a notebook keeps of it.

    Raises:
        RuntimeClosed: If its runtime was closed or reset.
    """
    from plot_nb.view.picture import picture_text

    return {**fallback(source), MIME_TYPE: picture_text(source.picture())}


def fallback(source: Source) -> dict[str, str]:
    """HTML and text that say the same, without a script."""
    from plot_nb import view

    if source.panel == "store":
        return view.table(_store(source), f"Store of {source.title}")
    if source.panel == "progress" and source.progress is not None:
        shown = _masked(source.progress_frame(), _mask(source, source.progress_instance()))
        return view.table(shown, f"{source.progress} in {source.title}")
    draw = {"budget": view.budget, "chain": view.chain}.get(source.panel, view.bundle)
    return draw(source.run.tables() if source.run is not None else _tables(source))


def _store(source: Source) -> pd.DataFrame:
    import pandas as pd

    runtime = source.runtime
    instance = source.run._instance if source.run is not None else source.instance
    if instance is not None:
        return _masked(frames.store(runtime.path, instance), _mask(source, instance))
    stores = [
        (twist.name, _masked(twist.store, _mask(source, twist._instance_id))) for twist in runtime.twists()
    ]
    if not stores:
        return frames.store(runtime.path, -1)
    return pd.concat([frame.assign(twist=name) for name, frame in stores], ignore_index=True)


def _mask(source: Source, instance: int | None = None) -> Mask:
    """Of one instance's options, or of all."""
    installed = source.runtime._instances
    return Mask({str(each): installed[each].secrets for each in installed if instance in {None, each}})


def _masked(frame: pd.DataFrame, mask: Mask) -> pd.DataFrame:
    """The frame with secrets masked in its texts and values; a value that is none any more becomes text."""
    if mask.hides:
        for name in frame.columns:
            if frame[name].dtype == object:
                frame[name] = [_masked_value(value, mask) for value in frame[name]]
    return frame


def _masked_value(value: Any, mask: Mask) -> Any:
    if isinstance(value, str):
        return mask(value)
    try:
        text = superjson.dumps(value)
    except (TypeError, ValueError):  # the mark of a missing one
        return value
    shown = mask(text)
    return value if shown == text else frames.decoded(shown)[1]


def _tables(source: Source) -> RunTables:
    from plot_nb.view import RunTables

    runtime = source.runtime
    path = runtime.path
    found = rows(
        path,
        "SELECT id FROM attempts WHERE instance = coalesce(?, instance) ORDER BY id DESC LIMIT ?",
        source.instance,
        _ATTEMPTS,
    )
    attempts = sorted(row[0] for row in found)
    mask = _mask(source, source.instance)
    return RunTables(
        title=source.title,
        executions=frames.executions(path, attempts=attempts),
        requests=frames.requests(path, attempts),
        tasks=frames.tasks(path, attempts=attempts, mask=mask),
        logs=frames.logs(path, attempts, mask=mask),
        limits=runtime.limits,
        paused=source.paused,
    )
