"""The inspectors as Jupyter widgets: they sit in `HBox` and `Tab`, and their selection can be observed and linked."""

from __future__ import annotations

import os
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython import get_ipython

from plot_nb.errors import RuntimeClosed
from plot_nb.journal.wire import Panel
from plot_nb.runtime import Run, Runtime, TwistHandle, current
from plot_nb.widgets.bundle import bundle
from plot_nb.widgets.comms import Way
from plot_nb.widgets.connection import Connection
from plot_nb.widgets.source import SOURCES, Source, Subject

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"

STATIC = Path(__file__).parent / "static"


class _Inspector(anywidget.AnyWidget):
    """One picture, live.

    Args:
        subject: A `Run`, also one that is still going on, a twist, or a `Runtime`; without one, the runtime that
            this notebook's magics use.

    Attributes:
        selected: The execution that is selected, as in the DataFrames; None where none is.
        panel: Which picture it is.
        source: Under which key the kernel answers for it.
        picture: What it shows at first, and where it cannot ask.
    """

    _panel: Panel = "inspector"
    _connection: Connection | None = None

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Dict(read_only=True).tag(sync=True)
    panel = traitlets.Unicode(read_only=True)
    source = traitlets.Unicode(read_only=True)
    selected = traitlets.Unicode(None, allow_none=True)

    def __init__(self, subject: Subject | None = None, **options: Any) -> None:
        self._source = SOURCES.add(Source(_checked(subject), self._panel, **options))
        self._source.live = True  # `selected` can be set in Python at any time
        self.set_trait("panel", self._source.panel)
        self.set_trait("source", self._source.key)
        self.set_trait("picture", self._source.picture())
        super().__init__(_esm=built("widget.js"), _css=built("widget.css"))
        self._way = Way(self.send)
        self._connection = Connection(self._source, self._way.send, keeps=False)
        self._source.observe(self._source_selected)
        self.on_msg(self._heard)

    def close(self) -> None:
        """Take it off the page, and answer for it no more."""
        if self._connection is not None:  # it was made: ipywidgets closes one that could not be as well
            self._connection.close()
            self._source.unobserve(self._source_selected)
        super().close()

    def _heard(self, _: object, content: object, __: object) -> None:
        if self._connection is not None:
            self._way.came()
            self._connection.hear(content)

    def _source_selected(self, attempt: int | None, by: object) -> None:
        if by is not self:
            self.selected = None if attempt is None else self._source.execution_of(attempt)

    @traitlets.observe("selected")
    def _selected_here(self, change: dict[str, Any]) -> None:
        execution, source = change["new"], self._source
        try:
            if source.selected is not None and source.execution_of(source.selected) == execution:
                return  # which of its attempts was chosen in the picture
            source.select(None if execution is None else source.attempt_of(execution), self)
        except RuntimeClosed:
            pass  # there is nothing more to select in

    def view(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget alone, as a MIME bundle and its metadata."""
        found = super()._repr_mimebundle_()
        assert found is not None
        return {WIDGET_TYPE: found[0][WIDGET_TYPE]}, found[1]

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        view, metadata = self.view()
        try:
            kept = bundle(self._source)
        except RuntimeClosed as error:
            kept = {"text/plain": f"<{type(self).__name__}: {error}>"}
        return (kept, {}) if _runs_into_a_file() else ({**view, **kept}, metadata)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source.title}>"


class Inspector(_Inspector):
    """All of the pictures below, of one thing, with one selection."""


class Budget(_Inspector):
    """What each execution spent of its limits."""

    _panel = "budget"


class Chain(_Inspector):
    """What set off what, and when it ran."""

    _panel = "chain"


class StoreInspector(_Inspector):
    """What the Store holds, held before, and who wrote it; it can be edited."""

    _panel = "store"


class ExecutionInspector(_Inspector):
    """One execution: its requests, logs, error, arguments and result, and what each line of the source spent."""

    _panel = "execution"


class Progress(_Inspector):
    """How a sync gets on.

    Args:
        subject: As above.
        key: The Store key that it writes as it goes on.
        items: The entry of its value that counts items; unless given, it is found.
        expected: How many items there will be, or the entry that says so.
    """

    _panel = "progress"

    def __init__(
        self,
        subject: Subject | None = None,
        *,
        key: str,
        items: str | None = None,
        expected: float | str | None = None,
    ) -> None:
        super().__init__(subject, progress=_checked_key(key), items=items, expected=expected)


_of_runs: weakref.WeakKeyDictionary[Run, Inspector] = weakref.WeakKeyDictionary()


def view_of(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """The widget of a run, the same each time, as a MIME bundle and its metadata."""
    if run not in _of_runs:
        _of_runs[run] = Inspector(run)
    return _of_runs[run].view()


def _runs_into_a_file() -> bool:
    """Whether nbclient runs this notebook, for nbconvert say, and nobody looks on.

    It keeps the widget's state, from which nbconvert makes a page that draws only what it can load from the network.
    A kernel knows nbclient by the history that it is not to keep; Voila runs it too, for people who do look on.
    """
    history = getattr(get_ipython(), "history_manager", None)
    looked_at = os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    return getattr(history, "hist_file", None) == ":memory:" and not looked_at


def _checked(subject: object) -> Subject:
    if subject is None:
        return current()
    if not isinstance(subject, Run | TwistHandle | Runtime):
        raise TypeError(
            f"{subject!r} cannot be inspected: give a run, a twist or a runtime, or nothing for the current runtime"
        )
    return subject


def _checked_key(key: object) -> str:
    if not isinstance(key, str) or not key:
        raise TypeError(f"key={key!r}: give the Store key that the sync writes, such as 'sync_state'")
    return key


@cache
def built(name: str) -> str:
    """A file of the front end.

    Raises:
        FileNotFoundError: If it was not built.
    """
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{STATIC / name} is not there, since this is a checkout whose front end was not built: run "
            "`make front`, or `pip install .`, which builds it"
        ) from None
