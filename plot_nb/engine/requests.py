"""Serves what comes through the wall: the meter, the tools, and when the answers come.

The meter is here and nowhere else (SPEC 3). Store and tools answer at once in real time; their modelled latency
passes on the runtime's clock. A `fetch`, and a call of a tool that the user mounted, take real time.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import PAYLOAD_LIMIT, SqliteBackend
from plot_nb.engine.attempt import (
    REFUSED_CROSSINGS,
    Attempt,
    RequestRow,
    decode_frame,
    encode_answer,
    encode_error,
)
from plot_nb.engine.clock import microseconds
from plot_nb.engine.limits import Latency, Limits
from plot_nb.engine.outcomes import limit_message
from plot_nb.engine.under_way import UnderWay, answering
from plot_nb.sandbox.pool import Crossing
from plot_nb.tools import callbacks, mounted, plot, store, tasks, webhooks
from plot_nb.tools.mounted import MountedTools, ToolFailure
from plot_nb.tools.network import FetchRequest, FetchResponse, Patterns, latency_of
from plot_nb.tools.operation import Context, Operation

if TYPE_CHECKING:
    from plot_nb.engine.engine import Engine

TOOLS: dict[str, dict[str, Operation[Any]]] = {
    "store": store.OPERATIONS,
    "callbacks": callbacks.OPERATIONS,
    "tasks": tasks.OPERATIONS,
    "network": webhooks.OPERATIONS,
    "plot": plot.OPERATIONS,
}

_OPERATIONS = {
    f"{tool}.{name}": operation
    for tool, operations in TOOLS.items()
    for name, operation in operations.items()
}

_SHORTEST_WAIT = 1000
"""Microseconds that a crossing without requests takes at least, so that a busy loop cannot hold the clock."""


PATIENCE = 1.0
"""Real seconds that a fetch may take before the virtual clock is held to have moved meanwhile.

A mounted tool has as long as an attempt may take: how long its answer stands for is known beforehand."""


class RequestLimitExceeded(Exception):
    """A redirect that the budget does not cover; raised in the twist under the same name."""


class Fetches(Protocol):
    """What performs a fetch outside: it calls `done` once, later, with the response or the exception."""

    def __call__(
        self,
        request: FetchRequest,
        urls: Patterns,
        charge: Callable[[str], None],
        done: Callable[[FetchResponse | BaseException], None],
    ) -> Callable[[], object]:
        """Begin; the returned function cancels."""


class ToolCalls(Protocol):
    """What calls a tool that the user mounted: it calls `done` once, later, with the answer or the failure."""

    def __call__(
        self, name: str, method: str, args: str, kwargs: str, done: Callable[[str | ToolFailure], None]
    ) -> Callable[[], object]:
        """Begin; the returned function cancels."""


class World(Protocol):
    """What answers requests outside."""

    @property
    def fetch(self) -> Fetches:
        """Performs a fetch."""

    @property
    def tools(self) -> MountedTools:
        """The tools that the user mounted."""

    @property
    def call_tool(self) -> ToolCalls:
        """Calls one of them."""

    def monotonic(self) -> float:
        """Real seconds since some moment."""


class _FetchArguments(msgspec.Struct, frozen=True, array_like=True):
    url: str
    method: str
    headers: list[tuple[str, str]]
    body: str | None
    encoding: str
    timeout: float


class Requests:
    """Serves crossings for an engine."""

    def __init__(
        self,
        engine: Engine,
        backend: SqliteBackend,
        outside: World,
        limits: Limits,
        latency: Latency,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._outside = outside
        self._monotonic = outside.monotonic
        self._under_way: set[Attempt] = set()
        self._limits = limits
        self._request_latency = microseconds(latency.request)

    def serve(self, attempt: Attempt, crossing: Crossing) -> None:
        """Take one crossing: perform its requests and see to it that the guest will be answered."""
        now = self._engine.now
        attempt.add_logs(crossing.logs, now)
        attempt.crossing += 1
        attempt.cpu_ms = crossing.cpu_ms
        attempt.waiting = True
        if attempt.why_stopped is not None:
            return
        try:
            frame = decode_frame(crossing.frame)
        except (ValueError, RecursionError) as error:
            self._engine.stop(
                attempt, "error", f"the sandbox sent something that is no crossing ({error})"[:300]
            )
            return
        ready: list[bytes] = []
        refused = 0
        for number, name, raw, line in frame.requests:
            if attempt.used >= self._limits.requests:
                refused += 1
                refusal = self._refuse(attempt, number, name, raw, line)
                attempt.owed += len(refusal)
                attempt.answers.append(refusal)
                continue
            answer = self._perform(attempt, number, name, raw, line)
            if answer is not None:
                ready.append(answer)
                if self._owes_too_much(attempt, answer):
                    return
        if refused and refused == len(frame.requests):
            attempt.refused_crossings += 1
            if attempt.refused_crossings >= REFUSED_CROSSINGS:
                self._engine.stop(attempt, "over_requests", "it kept asking after its budget was spent")
                return
        if ready:
            self._engine.at(now + self._request_latency, "answer", attempt, ready)
        if attempt.answers:
            self._engine.at(now, "answer", attempt, [])
        self._arm_timer(attempt, frame.timeout, asked=bool(frame.requests))

    def _owes_too_much(self, attempt: Attempt, answer: bytes) -> bool:
        """Count an answer that waits for the guest, and end a guest that could not hold what waits.

        It waits in the memory of the user's process, which has no other bound.
        """
        attempt.owed += len(answer)
        if attempt.owed <= self._limits.memory:
            return False
        self._engine.stop(
            attempt,
            "over_memory",
            f"answers of {attempt.owed:,} bytes wait for it, more than its memory of {self._limits.memory:,}: "
            "ask for less at a time",
        )
        return True

    def _arm_timer(self, attempt: Attempt, timeout: float | None, *, asked: bool) -> None:
        if timeout is None:
            if not attempt.pending and not attempt.under_way:
                self._engine.stop(
                    attempt, "error", "RuntimeError: the twist awaits something that can never finish"
                )
            return
        wait = 0.0 if math.isnan(timeout) else min(max(timeout, 0.0), self._limits.time + 1)
        shortest = 0 if asked else _SHORTEST_WAIT
        self._engine.at(self._engine.now + max(int(wait * 1e6), shortest), "timer", attempt, attempt.crossing)

    def _perform(self, attempt: Attempt, number: int, name: str, raw: msgspec.Raw, line: int) -> bytes | None:
        attempt.used += 1
        tool, _, operation = name.rpartition("/")[2][:100].partition(".")
        now = self._engine.now
        row = RequestRow(
            attempt.used,
            tool,
            operation,
            "",
            _plausible(line),
            now,
            bytes_out=len(memoryview(raw)),
            cpu_ms=attempt.cpu_ms,
        )
        attempt.requests.append(row)
        if name.rpartition("/")[2] == "network.fetch":
            return self._begin_fetch(attempt, number, raw, row)
        if self._outside.tools.has(tool) and _is_scope(attempt, name.rpartition("/")[0]):
            return self._begin_call(attempt, number, raw, row)
        row.duration = self._request_latency
        try:
            answer = encode_answer(number, self._call_tool(attempt, name, raw, row))
        except Exception as error:  # whatever a tool refuses is the twist's to handle, at its line
            row.error = _text_of(error)
            answer = encode_error(number, type(error).__name__, str(error))
        row.bytes_in = len(answer)
        return answer

    def _call_tool(self, attempt: Attempt, name: str, raw: msgspec.Raw, row: RequestRow) -> object:
        scope, _, plain = name.rpartition("/")
        operation = _OPERATIONS.get(plain)
        if operation is None or not _is_scope(attempt, scope):
            raise ValueError(f"there is no operation {name[:100]!r}")
        arguments = operation.decode(raw)
        context = Context(
            self._backend,
            Origin(attempt.instance.id, attempt.id, row.seq, row.started),
            attempt.execution.id,
            attempt.version.number,
            attempt.version.methods.keys(),
            self._engine.tasks_of(attempt),
            scope,
        )
        row.detail = operation.detail(context, arguments)[:2048]
        return operation.perform(context, arguments)

    def _refuse(self, attempt: Attempt, number: int, name: str, raw: msgspec.Raw, line: int) -> bytes:
        tool, _, operation = name.rpartition("/")[2][:100].partition(".")
        detail = _first_text(raw) if tool in {"store", "network"} else ""
        if attempt.refused is None:
            attempt.refused = RequestRow(
                attempt.used + 1,
                tool,
                operation,
                detail,
                _plausible(line),
                self._engine.now,
                bytes_out=0,
                cpu_ms=attempt.cpu_ms,
            )
        return encode_error(
            number, "RequestLimitExceeded", limit_message(tool, operation, detail, self._limits.requests)
        )

    # fetch

    def _begin_fetch(self, attempt: Attempt, number: int, raw: msgspec.Raw, row: RequestRow) -> bytes | None:
        try:
            request = _fetch_request(raw, row.started)
        except (ValueError, binascii.Error) as error:
            row.duration, row.error = self._request_latency, _text_of(error)
            return encode_error(number, "ValueError", str(error))
        row.detail = request.url[:2048]
        urls = attempt.version.urls

        def charge(url: str) -> None:
            if attempt.used >= self._limits.requests:
                over = replace(row, seq=attempt.used + 1, operation="redirect", detail=url[:2048])
                attempt.refused = attempt.refused or over
                raise RequestLimitExceeded(limit_message("network", "redirect", url, self._limits.requests))
            attempt.used += 1
            redirect = replace(
                row, seq=attempt.used, operation="redirect", detail=url[:2048], bytes_out=0, duration=0
            )
            attempt.requests.append(redirect)

        def done(outcome: FetchResponse | BaseException) -> None:
            under_way = attempt.under_way.pop(row.seq, None)
            if under_way is not None:
                self._end_fetch(attempt, number, under_way, request, outcome)
                self._engine.turn()

        self._begin(attempt, row, 0, PATIENCE, lambda: self._outside.fetch(request, urls, charge, done))
        return None

    def _begin(
        self,
        attempt: Attempt,
        row: RequestRow,
        least: int,
        patience: float,
        begin: Callable[[], Callable[[], object]],
    ) -> None:
        """Have the world answer a request; what it runs knows which one."""
        under_way = UnderWay(self._engine, row, self._monotonic(), least, patience)
        attempt.under_way[row.seq] = under_way
        self._under_way.add(attempt)
        outer = answering.set(under_way)
        try:
            under_way.cancel = begin()
        finally:
            answering.reset(outer)

    # tools that the user mounted

    def _begin_call(self, attempt: Attempt, number: int, raw: msgspec.Raw, row: RequestRow) -> bytes | None:
        """What it takes on the runtime's clock is known; its place among the answers of that moment is kept."""
        try:
            args, kwargs = msgspec.json.decode(raw, type=tuple[str, str])
        except ValueError as error:
            row.duration, row.error = self._request_latency, _text_of(error)
            return encode_error(number, "ValueError", str(error))
        row.detail = mounted.shown(args, kwargs)
        moment, answers = self._engine.now + self._request_latency, list[bytes]()
        self._engine.at(moment, "answer", attempt, answers)

        def done(outcome: str | ToolFailure) -> None:
            if attempt.under_way.pop(row.seq, None) is None:
                return
            row.duration = max(self._request_latency, self._engine.now - row.started)
            if isinstance(outcome, ToolFailure):
                row.error = f"{outcome.name}: {outcome}"[:2000]
                answer = encode_error(number, outcome.name, str(outcome))
            else:
                row.payload = outcome[:PAYLOAD_LIMIT]
                answer = encode_answer(number, outcome)
            row.bytes_in = len(answer)
            if not self._owes_too_much(attempt, answer):
                if self._engine.now < moment:
                    answers.append(answer)
                else:
                    self._engine.at(self._engine.now, "answer", attempt, [answer])
            self._engine.turn()

        def begin() -> Callable[[], object]:
            return self._outside.call_tool(row.tool, row.operation, args, kwargs, done)

        self._begin(attempt, row, self._request_latency, self._limits.time, begin)
        return None

    # the clock

    def clock_bound(self) -> int | None:
        """How far the clock may move while the world has not answered; None where nothing holds it."""
        if not self._under_way:
            return None
        real_now = self._monotonic()
        bounds = (each.bound(real_now) for attempt in self._under_way for each in attempt.under_way.values())
        return min((bound for bound in bounds if bound is not None), default=None)

    def _end_fetch(
        self,
        attempt: Attempt,
        number: int,
        under_way: UnderWay,
        request: FetchRequest,
        outcome: FetchResponse | BaseException,
    ) -> None:
        row = under_way.row
        if not isinstance(outcome, BaseException) and outcome.latency > request.timeout:
            outcome = TimeoutError(f"no answer from {request.url} within {request.timeout:g} s")
        if isinstance(outcome, BaseException):
            row.duration = self._failure_latency(outcome, request) + under_way.waited
            row.error = _text_of(outcome)
            answer = encode_error(number, type(outcome).__name__, str(outcome))
        else:
            row.duration = int(outcome.latency * 1e6) + under_way.waited
            row.bytes_in = len(outcome.body)
            body, encoding = _text_or_base64(outcome.body)
            row.payload = body[:PAYLOAD_LIMIT] if encoding == "utf-8" else None
            answer = encode_answer(
                number,
                {
                    "status": outcome.status,
                    "url": outcome.url,
                    "headers": outcome.headers,
                    "body": body,
                    "encoding": encoding,
                },
            )
        if not self._owes_too_much(attempt, answer):
            self._engine.at(max(self._engine.now, row.started + row.duration), "answer", attempt, [answer])

    def _failure_latency(self, error: BaseException, request: FetchRequest) -> int:
        if isinstance(error, TimeoutError):
            return int(request.timeout * 1e6)
        return max(int(latency_of(error) * 1e6), self._request_latency)

    def abandon(self, attempt: Attempt) -> None:
        """Cancel what the world has not answered of an attempt that has ended."""
        for under_way in list(attempt.under_way.values()):
            under_way.row.duration = self._engine.now - under_way.row.started
            under_way.row.error = "abandoned: the method ended before the answer came"
            under_way.cancel()
        attempt.under_way.clear()
        self._under_way.discard(attempt)


def _fetch_request(raw: msgspec.Raw, now: int) -> FetchRequest:
    given = msgspec.json.decode(raw, type=_FetchArguments)
    if not 0 < given.timeout <= 3600:
        raise ValueError(f"timeout={given.timeout!r}: give seconds, above 0 and up to 3600")
    body = given.body
    if body is None:
        content = None
    else:
        content = base64.b64decode(body, validate=True) if given.encoding == "base64" else body.encode()
    headers = tuple((name, value) for name, value in given.headers)
    return FetchRequest(given.url, given.method, headers, content, given.timeout, now / 1000)


def _is_scope(attempt: Attempt, scope: str) -> bool:
    """Whether the twist has such a tool of its own; it is itself one."""
    return not scope or scope in attempt.version.scopes


def _text_or_base64(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _text_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:2000]


def _plausible(line: int) -> int | None:
    return line if 0 < line < 1_000_000 else None


def _first_text(raw: msgspec.Raw) -> str:
    try:
        arguments = msgspec.json.decode(raw)
    except ValueError:
        return ""
    first = arguments[0] if isinstance(arguments, list) and arguments else ""
    return first[:2048] if isinstance(first, str) else ""
