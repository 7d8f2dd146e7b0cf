"""Sends to pictures what changed, while something runs: ten times a second at most, and never too much at once.

Jupyter's server drops messages above 1 MB a second, and a page that was closed does not say so. So rows go in pieces,
all pictures together share one allowance, and none gets more than a number of messages until it asks again. Every
piece tells where it begins: a picture that has lost one sees it, and asks again from what it has.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from plot_nb.errors import RuntimeClosed
from plot_nb.journal.progress import Tracker
from plot_nb.journal.wire import Cursor, Rows
from plot_nb.runtime import Run, Runtime
from plot_nb.widgets.asks import Answer, Follow
from plot_nb.widgets.source import Source

INTERVAL_S = 0.1
"""Between two messages to one picture."""

_SLACK_S = 0.001
"""Sums of seconds are not exact."""

CREDIT = 50
"""Messages to a picture that does not ask again."""

ALLOWANCE = 80_000
"""Bytes to all pictures together in one interval."""

_LEAST = 8_000
"""With less left of it, a picture waits for the next turn."""

_REPEAT_S = 1.0
"""After the last rows it is said again where they end: nothing else would tell a picture that it lost those."""

_MOST = 500
"""Pictures that are followed; hostile pages may ask for any number."""

_log = logging.getLogger("plot_nb")


@dataclass(slots=True, eq=False)
class _Follower:
    """One picture.

    Attributes:
        keeps: Whether it wants the final picture, for its document.
        stirred: Something may be new though nothing runs.
        fresh: It was sent what its document does not have.
        owes: The final picture is still to be sent.
        again: When to say again where the rows end.
        said: What was sent last, times aside.
    """

    source: Source
    send: Callable[[Answer], None]
    view: str
    keeps: bool
    cursor: Cursor
    running: set[int]
    tracker: Tracker | None
    credit: int = CREDIT
    served: float = float("-inf")
    stirred: bool = True
    fresh: bool = False
    owes: bool = False
    again: float | None = None
    said: Any = None
    said_running: bool = field(default=True)


class Following:
    """All pictures that are kept up to date.

    Args:
        clock: Seconds that only go on.
        threaded: Whether a thread ticks by itself; otherwise the caller does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, threaded: bool = True) -> None:
        self._clock = clock
        self._threaded = threaded
        self._lock = threading.Lock()
        self._followers: dict[tuple[Hashable, str], _Follower] = {}
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._followers)

    def follow(
        self, owner: Hashable, source: Source, ask: Follow, send: Callable[[Answer], None], *, keeps: bool
    ) -> None:
        """Send a picture what it does not have, and what changes from now on.

        Args:
            owner: The connection that it came by.
            source: What it is of.
            ask: What it has.
            send: The way back; called on the thread that ticks.
            keeps: Whether it gets the final picture in the end.
        """
        follower = _Follower(
            source,
            send,
            ask.view,
            keeps,
            {"attempt": ask.after.attempt, "write": ask.after.write},
            set(ask.running),
            source.tracker(),
        )
        with self._lock:
            before = self._followers.pop((owner, ask.view), None)
            if before is not None:
                follower.served = before.served
            self._followers[owner, ask.view] = follower
            if len(self._followers) > _MOST:
                del self._followers[next(iter(self._followers))]
            if self._threaded and self._thread is None:
                self._thread = threading.Thread(target=self._live, name="plot_nb pictures", daemon=True)
                self._thread.start()
        self._wake.set()

    def drop(self, owner: Hashable, view: str | None = None) -> None:
        """Forget one picture of a connection, or all of them."""
        with self._lock:
            for key in [key for key in self._followers if key[0] == owner and view in {None, key[1]}]:
                del self._followers[key]

    # as a watcher of runtimes

    def began(self, run: Run) -> None:
        """Something runs."""
        self._stir(run._runtime())

    def ended(self, run: Run) -> None:
        """It runs no more."""
        self._stir(run._runtime())

    def changed(self, runtime: Runtime) -> None:
        """State is another."""
        self._stir(runtime)

    def _stir(self, runtime: Runtime | None) -> None:
        with self._lock:
            stirred = [each for each in self._followers.values() if each.source.belongs_to(runtime)]
            for follower in stirred:
                follower.stirred = True
        if stirred:
            self._wake.set()

    # the thread

    def _live(self) -> None:
        while True:
            try:
                wait = self.tick()
            except Exception:  # an error here would leave every picture as it is, without a word
                _log.exception("pictures are not kept up to date")
                wait = 1.0
            self._wake.wait(wait)
            time.sleep(INTERVAL_S / 5)  # many short runs wake it all the time

    def tick(self) -> float | None:
        """Send what is due.

        Returns:
            Seconds until there is something to do again; None: not before somebody asks or something runs.
        """
        self._wake.clear()
        with self._lock:
            waiting = sorted(self._followers.items(), key=lambda item: item[1].served)
        now = self._clock()
        allowance = ALLOWANCE
        due: list[float] = []
        for key, follower in waiting:
            try:
                size, next_time = self._serve(follower, now, allowance)
                if follower.credit <= 0 or (next_time is None and follower.source.over):
                    self._forget(key, follower)
            except RuntimeClosed:
                self._end(key, follower)
                continue
            except Exception:
                _log.exception("a picture of %s is no longer kept up to date", follower.source.title)
                self._end(key, follower)
                continue
            allowance -= size
            if next_time is not None:
                due.append(next_time)
        if self._wake.is_set():  # who was sent something has asked again
            return 0.0
        return max(0.0, min(due) - now) if due else None

    def _forget(self, key: tuple[Hashable, str], follower: _Follower) -> None:
        with self._lock:
            if self._followers.get(key) is follower:
                del self._followers[key]

    def _end(self, key: tuple[Hashable, str], follower: _Follower) -> None:
        self._forget(key, follower)
        try:
            follower.send({"view": follower.view, "gone": True})
        except Exception:
            _log.debug("a picture could not be told that it is gone", exc_info=True)

    def _serve(self, follower: _Follower, now: float, allowance: int) -> tuple[int, float | None]:
        """Send one picture what is due for it; returns the bytes, and when it is to be served next."""
        if follower.credit <= 0:
            return 0, None
        if now < follower.served + INTERVAL_S - _SLACK_S:
            return 0, follower.served + INTERVAL_S
        running = follower.source.running  # before the rows are read: the last ones are then among them
        repeats = follower.again is not None and now >= follower.again - _SLACK_S
        if not (running or follower.stirred or follower.owes or repeats or follower.said_running):
            return 0, follower.again
        if allowance < _LEAST:
            return 0, now + INTERVAL_S
        if follower.owes:
            return self._send_picture(follower, now)
        follower.stirred = False
        if follower.tracker is None and (tracker := follower.source.tracker()) is not None:
            tracker.begin_late(follower.cursor["write"])
            follower.tracker = tracker
        rows = follower.source.rows(
            after=follower.cursor,
            running=follower.running,
            active=running,
            tracker=follower.tracker,
            size=allowance,
        )
        said = _said(rows)
        if said == follower.said and not _has_rows(rows) and not repeats:
            follower.served = now
            return 0, now + INTERVAL_S if rows["running"] else follower.again
        size = self._push(follower, rows, said, now, last_word=repeats)
        return size, now + INTERVAL_S if rows["running"] or follower.owes else follower.again

    def _push(self, follower: _Follower, rows: Rows, said: Any, now: float, *, last_word: bool) -> int:
        message = {"view": follower.view, "rows": rows}
        size = len(msgspec.json.encode(message))
        follower.served, follower.said, follower.said_running = now, said, rows["running"]
        follower.send(message)  # may ask again at once, and who does takes over when it was served
        follower.credit -= 1
        if rows["to"] is not None:
            follower.cursor = rows["to"]
        executions = rows["executions"]
        outcomes = executions["outcome"]
        follower.running.difference_update(executions["id"])
        follower.running.update(
            attempt
            for attempt, at in zip(executions["id"], outcomes["at"], strict=True)
            if outcomes["words"][at] == "running"
        )
        follower.fresh |= rows["running"] or _has_rows(rows)
        follower.again = None
        if not rows["running"] and not (last_word and not _has_rows(rows)):
            # A run may have ended just as its document was saved; of all else a complete one need not be saved again.
            follower.owes = follower.keeps and (follower.fresh or follower.source.over)
            follower.fresh = False
            follower.again = now + _REPEAT_S
        return size

    def _send_picture(self, follower: _Follower, now: float) -> tuple[int, float | None]:
        message = {"view": follower.view, "picture": follower.source.picture()}
        follower.owes, follower.served = False, now
        follower.send(message)
        return len(msgspec.json.encode(message)), follower.again


def _has_rows(rows: Rows) -> bool:
    progress = rows["progress"]
    return bool(rows["executions"]["id"] or rows["writes"]["id"] or (progress is not None and progress["id"]))


def _said(rows: Rows) -> Any:
    """What a picture is told again only when it changed."""
    return rows["running"], rows["paused"], rows["value"], rows["scheduled"], rows["left_out"]


FOLLOWING = Following()
"""Of this process."""
