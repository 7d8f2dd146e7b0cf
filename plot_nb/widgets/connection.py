"""One way between the kernel and pictures of one source: a comm, or a widget's own messages."""

from __future__ import annotations

import logging
from collections.abc import Callable

from plot_nb.errors import PlotError, RuntimeClosed
from plot_nb.runtime.watching import watch
from plot_nb.widgets.asks import (
    Answer,
    Ask,
    Close,
    Detail,
    Follow,
    Select,
    State,
    Values,
    Write,
    read_ask,
    refusal,
)
from plot_nb.widgets.following import FOLLOWING, Following
from plot_nb.widgets.source import Source

_log = logging.getLogger("plot_nb")

_TOLD = (PlotError, ValueError, TypeError, LookupError, RuntimeError)
"""What a picture may have asked wrongly; anything else is a fault of ours, and the kernel's log has it whole."""

_MOST_VIEWS = 100


class Connection:
    """Answers the asks of pictures; callable from any thread but the engine's.

    Args:
        source: What they are of; None: the kernel knows it no more.
        send: The way back; callable from any thread.
        keeps: Whether the pictures are kept in a document, which then wants the final one.
        following: Who sends what changes.
    """

    def __init__(
        self,
        source: Source | None,
        send: Callable[[Answer], None],
        *,
        keeps: bool,
        following: Following = FOLLOWING,
    ) -> None:
        self._source = source
        self._send = send
        self._keeps = keeps
        self._following = following
        self._views: dict[str, None] = {}
        watch(following)
        if source is not None:
            source.observe(self._selected)

    def close(self) -> None:
        """Forget its pictures."""
        self._following.drop(self)
        if self._source is not None:
            self._source.unobserve(self._selected)

    def hear(self, data: object) -> None:
        """Take what a browser sent."""
        try:
            ask = read_ask(data)
        except (ValueError, RecursionError) as error:
            answer = refusal(data, str(error)[:500])
        else:
            answer = self._answered(ask)
        if answer is not None:
            self._send(answer)

    def _answered(self, ask: Ask) -> Answer | None:
        if isinstance(ask, Close):
            self._views.pop(ask.view, None)
            self._following.drop(self, ask.view)
            return None
        self._views[ask.view] = None
        if len(self._views) > _MOST_VIEWS:
            del self._views[next(iter(self._views))]
        try:
            return self._answer(ask)
        except RuntimeClosed:
            return {"view": ask.view, "gone": True}
        except _TOLD as error:
            words = str(error) or type(error).__name__
        except Exception as error:
            _log.exception("a picture's ask failed")
            words = f"{type(error).__name__}: {error}"
        number = getattr(ask, "number", None)
        return {"view": ask.view, "number": number, "error": words} if number is not None else None

    def _answer(self, ask: Ask) -> Answer | None:
        source = self._source
        if source is None:
            return {"view": ask.view, "gone": True}
        _ = source.runtime  # raises where it is gone
        if isinstance(ask, Follow):
            self._following.follow(self, source, ask, self._send, keeps=self._keeps)
            return None
        if isinstance(ask, Select):
            source.select(ask.id, (self, ask.view))
            return None
        if isinstance(ask, Write):
            source.write(ask.twist, ask.key, ask.text)
            return {"view": ask.view, "number": ask.number, "done": True}
        if isinstance(ask, Values):
            return {"view": ask.view, "number": ask.number, "values": source.values(ask.ids)}
        if isinstance(ask, State):
            return {"view": ask.view, "number": ask.number, "state": source.state()}
        assert isinstance(ask, Detail)
        return {"view": ask.view, "number": ask.number, **source.detail(ask.id)}

    def _selected(self, attempt: int | None, by: object) -> None:
        """Tell all pictures but the one that selected it: what came back late would undo a later choice there."""
        for view in list(self._views):
            if by != (self, view):
                self._send({"view": view, "selected": attempt})
