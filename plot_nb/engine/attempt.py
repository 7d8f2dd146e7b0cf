"""One attempt at an execution: its meter, its journal rows, and where it stands at the wall.

Everything in a frame was written by the twist. It is decoded to fixed types, and no number in it decides anything
but which answer goes to which awaiting coroutine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from plot_nb.engine.model import Execution, Instance, Version
from plot_nb.engine.under_way import UnderWay
from plot_nb.sandbox.pool import Log, Seat

CROSSING_REQUESTS = 256
"""Requests that one crossing may carry (SPEC 3)."""

ANSWER_BYTES = 8 * 2**20
"""Bytes that one crossing brings back, a single larger answer aside."""

REFUSED_CROSSINGS = 100
"""Crossings with nothing but refused requests, after which the sandbox is stopped (SPEC 3)."""

Line = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
"""A line as the guest names it; a larger number would not fit the journal."""

_LEVELS = frozenset({"print", "info", "warning", "error"})


class Frame(msgspec.Struct, frozen=True):
    """What one crossing carries: requests as [id, operation, arguments, line], and the loop's next timer in seconds."""

    requests: list[tuple[int, str, msgspec.Raw, int]] = []
    timeout: float | None = None


class GuestError(msgspec.Struct, frozen=True):
    """An exception that left the twist's method."""

    type: str
    message: str
    line: Line | None = None
    traceback: str = ""


class GuestResult(msgspec.Struct, frozen=True):
    """What `run` returned."""

    ok: bool
    value: str | None = None
    error: GuestError | None = None
    unawaited: list[tuple[Line, str, str]] = []


@dataclass(slots=True)
class RequestRow:
    """A request in the journal; times in microseconds on the runtime's clock.

    Attributes:
        cpu_ms: CPU that the guest had spent when it asked.
    """

    seq: int
    tool: str
    operation: str
    detail: str
    line: int | None
    started: int
    bytes_out: int
    cpu_ms: float
    duration: int | None = None
    bytes_in: int | None = None
    error: str | None = None
    payload: str | None = None

    def as_tuple(self) -> tuple[Any, ...]:
        """In the order of the backend's columns."""
        return (
            self.seq,
            self.tool,
            self.operation,
            self.detail,
            self.line,
            self.started,
            self.duration,
            self.bytes_in,
            self.bytes_out,
            self.error,
            self.cpu_ms,
            self.payload,
        )


@dataclass(slots=True, eq=False)
class Attempt:
    """The host's side of one sandbox.

    Attributes:
        used: Requests performed or being performed: the meter. Only the engine counts it.
        refused: The first request over the limit, if any.
        pending: Answers that are scheduled.
        under_way: What the world has not answered yet, by the request's number.
        crossing: Number of the crossing in which the guest waits; answers and timers of an older one are stale.
        cpu_ms: CPU of the guest up to that crossing.
        answers: What goes to the guest with the next answer.
        owed: Bytes of all answers that have not gone to the guest yet.
        queued: How many tasks of each method it has queued.
        made: How often it has created the same thing without an id, by digest.
        why_stopped: The outcome that the engine decided on when it stopped the sandbox.
    """

    id: int
    execution: Execution
    instance: Instance
    version: Version
    started: int
    wall_started: float
    seat: Seat | None = None
    used: int = 0
    refused: RequestRow | None = None
    refused_crossings: int = 0
    crossing: int = 0
    cpu_ms: float = 0.0
    waiting: bool = False
    pending: int = 0
    under_way: dict[int, UnderWay] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)
    owed: int = 0
    requests: list[RequestRow] = field(default_factory=list)
    logs: list[tuple[int, int, str, int | None, str]] = field(default_factory=list)
    queued: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    tokens: int = 0
    ended: bool = False
    why_stopped: str | None = None
    stop_message: str = ""

    def add_logs(self, logs: tuple[Log, ...], now: int) -> None:
        """Keep what the twist printed, at its place among the requests."""
        for log in logs:
            level = log.level if log.level in _LEVELS else "print"
            self.logs.append((self.used, now, level, log.line or None, log.text))

    def note(self, level: str, line: int | None, text: str, now: int) -> None:
        """A log line of the runtime's own."""
        self.logs.append((self.used, now, level, line, text))

    def answer(self, now: int) -> None:
        """Let the guest go on, with the answers that fit into one frame; the others stay for the next."""
        assert self.seat is not None
        self.waiting = False
        self.seat.answer(self._take_answers(now))

    def _take_answers(self, now: int) -> bytes:
        size = taken = 0
        for answer in self.answers:
            size += len(answer)
            if taken and size > ANSWER_BYTES:
                break
            taken += 1
        answers, self.answers = self.answers[:taken], self.answers[taken:]
        self.owed -= sum(map(len, answers))
        return b'{"now":%s,"answers":[%s]}' % (repr(now / 1000).encode(), b",".join(answers))

    def invocation(
        self, *, now: int, seed: int, limit: int, mounted: Mapping[str, Sequence[str]] | None = None
    ) -> bytes:
        """What the sandbox needs to run the method.

        Args:
            now: The runtime's time.
            seed: Of its randomness.
            limit: Its requests.
            mounted: Methods of the tools that the user mounted, by the tools' names.
        """
        return msgspec.json.encode(
            {
                "kind": "call",
                "execution": self.execution.id,
                "attempt": self.execution.attempts,
                "cause": self.execution.cause,
                "callback": self.execution.callback,
                "method": self.execution.method,
                "args": self.execution.args,
                "kwargs": self.execution.kwargs,
                "options": self.instance.options,
                "seed": seed,
                "now": now / 1000,
                "version": self.version.number,
                "limit": limit,
                **({"mounted": mounted} if mounted else {}),
            }
        )


_encoder = msgspec.json.Encoder()
_frames = msgspec.json.Decoder(Frame)
_results = msgspec.json.Decoder(GuestResult)


def decode_frame(raw: bytes) -> Frame:
    """Read a crossing.

    Raises:
        ValueError: If it is not one, or carries more requests than a crossing may.
    """
    frame = _frames.decode(raw)
    if len(frame.requests) > CROSSING_REQUESTS:
        raise ValueError(f"{len(frame.requests)} requests in a crossing, at most {CROSSING_REQUESTS} fit")
    return frame


def decode_result(raw: bytes) -> GuestResult:
    """Read what `run` returned.

    Raises:
        ValueError: If it is not a result.
    """
    try:
        return _results.decode(raw)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def encode_answer(number: int, value: object) -> bytes:
    """A request's answer, as one entry of the frame."""
    return _encoder.encode((number, True, value))


def encode_error(number: int, name: str, message: str) -> bytes:
    """A request's failure, as one entry of the frame."""
    return _encoder.encode((number, False, {"type": name, "message": message}))
