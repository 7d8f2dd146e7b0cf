"""The event loop whose only input and output is the crossing to the host."""

from __future__ import annotations

import asyncio
import builtins
import json
from asyncio import base_events
from collections.abc import Callable, Sequence
from typing import Any

from plot_nb.twist.errors import CallbackDeleted, CallbackNotFound, RequestLimitExceeded

CROSSING_REQUESTS = 256
CROSSING_BYTES = 8 * 2**20
REQUEST_BYTES = 12 * 2**20 - 64 * 2**10
"""What a request may measure alone; the rest is left for the frame around it."""

BUSY_TURNS = 64
"""A loop that always has something to run crosses every so many turns, so that polling makes progress."""

_ERRORS: dict[str, type[BaseException]] = {
    error.__name__: error
    for error in (
        ValueError,
        TypeError,
        PermissionError,
        TimeoutError,
        ConnectionError,
        LookupError,
        RequestLimitExceeded,
        CallbackNotFound,
        CallbackDeleted,
    )
}


class HostLoop(base_events.BaseEventLoop):
    """Carries the requests made since the last turn to the host when it would block.

    Time is the host's: it moves only in a crossing.

    Args:
        call: The host's side of a crossing.
        complain: Told what goes wrong where no coroutine can be told.
    """

    def __init__(
        self, call: Callable[[str], str], complain: Callable[[str, BaseException | None], None]
    ) -> None:
        super().__init__()
        # Half a tick of the runtime's clock, which counts in milliseconds.
        self._clock_resolution = 0.0005
        self._selector = self
        self._call = call
        self._complain = complain
        self._now = 0.0
        self._number = 0
        self._turns = 0
        self._outgoing: list[tuple[str, asyncio.Future[Any]]] = []
        self._waiting: dict[int, tuple[asyncio.Future[Any], str, str, int]] = {}
        self.main: asyncio.Task[Any] | None = None

    def reset(self, call: Callable[[str], str]) -> None:
        """Become like new, with another host."""
        self._call = call
        self._now = 0.0
        self._number = self._turns = 0

    def set_time(self, epoch_ms: float) -> None:
        """Set the time before anything ran."""
        self._now = epoch_ms / 1000

    def time(self) -> float:
        """The runtime's time, in seconds."""
        return self._now

    def request(self, operation: str, arguments: Sequence[Any], line: int) -> asyncio.Future[Any]:
        """Put a request into the next crossing.

        Raises:
            ValueError: If it is too large to cross at all, or no text.
        """
        self._number = number = self._number + 1
        text = json.dumps([number, operation, arguments, line])
        if "\\ud" in text:
            _check_text(operation, arguments)
        if len(text) > REQUEST_BYTES:
            raise ValueError(
                f"this {operation} measures {len(text)} bytes, at most {REQUEST_BYTES} can cross"
            )
        future = self.create_future()
        self._outgoing.append((text, future))
        detail = arguments[0] if arguments else ""
        self._waiting[number] = (future, operation, detail if isinstance(detail, str) else "", line)
        return future

    def unanswered(self) -> list[tuple[int, str, str]]:
        """Line, operation and detail of the requests that somebody still waits for."""
        return [
            (line, operation, detail[:200])
            for future, operation, detail, line in self._waiting.values()
            if not future.done()
        ]

    def block(self, seconds: float) -> None:
        """Let time pass while no coroutine runs; answers that come meanwhile are kept."""
        until = self._now + seconds
        while (left := until - self._now) > self._clock_resolution:
            self._cross(left)

    def select(self, timeout: float | None = None) -> tuple[()]:
        """Called by the loop when it wants to know what happened: the place where requests cross."""
        if timeout is not None and timeout <= 0:
            self._turns += 1
            if self._turns % BUSY_TURNS or not (self._outgoing or self._waits()):
                return ()
            timeout = 0.001
        elif timeout is None and not self._outgoing and not self._waits():
            self._fail_for_ever()
            return ()
        self._cross(timeout)
        return ()

    def _waits(self) -> bool:
        """Whether an answer is outstanding that somebody still wants."""
        given_up = []
        wanted = False
        for number, (future, *_) in self._waiting.items():
            if not future.done():
                wanted = True
                break
            given_up.append(number)
        for number in given_up:
            del self._waiting[number]
        return wanted

    def _cross(self, timeout: float | None) -> None:
        outgoing = self._outgoing
        if not outgoing:
            self._receive(self._call(f'{{"requests":[],"timeout":{_seconds(timeout)}}}'))
            return
        self._outgoing = []
        texts: list[str] = []
        size = 0
        for text, future in outgoing:
            if future.cancelled():
                continue
            if texts and (len(texts) == CROSSING_REQUESTS or size + len(text) > CROSSING_BYTES):
                self._receive(self._call(f'{{"requests":[{",".join(texts)}],"timeout":0}}'))
                texts, size = [], 0
            texts.append(text)
            size += len(text) + 1
        self._receive(self._call(f'{{"requests":[{",".join(texts)}],"timeout":{_seconds(timeout)}}}'))

    def _receive(self, text: str) -> None:
        answer = json.loads(text)
        self._now = answer["now"] / 1000
        for number, ok, value in answer["answers"]:
            waiting = self._waiting.pop(number, None)
            if waiting is None or waiting[0].done():
                continue
            if ok:
                waiting[0].set_result(value)
            else:
                waiting[0].set_exception(_error(value["type"], value["message"]))

    def _fail_for_ever(self) -> None:
        """Tell the innermost coroutine that nothing can ever wake it."""
        waiter: Any = self.main
        while isinstance(waiter, asyncio.Task) and waiter._fut_waiter is not None:  # type: ignore[attr-defined]
            waiter = waiter._fut_waiter  # type: ignore[attr-defined]
        error = RuntimeError(
            "this await can never finish: no request is under way, no timer is set and nothing else runs"
        )
        if isinstance(waiter, asyncio.Future) and not isinstance(waiter, asyncio.Task) and not waiter.done():
            waiter.set_exception(error)
        else:
            raise error

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Put what asyncio has to say about lost exceptions into the log."""
        self._complain(str(context.get("message", "")), context.get("exception"))

    def _process_events(self, event_list: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def close(self) -> None:
        """Nothing to close: the instance is thrown away."""


def _error(name: str, message: str) -> BaseException:
    """What the host says that went wrong, as the exception of that name where there is one."""
    kind: Any = _ERRORS.get(name) or getattr(builtins, name, None)
    if not isinstance(kind, type) or not issubclass(kind, (Exception, RequestLimitExceeded)):
        return RuntimeError(message)
    try:
        return kind(message)
    except TypeError:  # those of Unicode need more than a message
        return RuntimeError(message)


def _check_text(operation: str, arguments: Sequence[Any]) -> None:
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.end]
        raise ValueError(f"this {operation} holds half a surrogate pair, {half!a}: it is not text") from None


def _seconds(timeout: float | None) -> str:
    return "null" if timeout is None else repr(float(timeout))
