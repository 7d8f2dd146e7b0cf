"""A small engine for tests: answers requests on a virtual clock, from a dict."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from plot_nb.sandbox.pool import Crossing, Log, Pool, Program, Result, Seat
from plot_nb.twist import superjson

START_MS = 1_800_000_000_000.0
MEMORY = 128 * 2**20


@dataclass
class Execution:
    """What a test sees of one execution."""

    result: Future[Result] = field(default_factory=Future)
    now: float = START_MS
    crossings: list[dict[str, Any]] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    store: dict[str, str] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    due: list[tuple[float, int, str, list[Any]]] = field(default_factory=list)
    on_crossing: Callable[[Seat, Crossing], None] | None = None
    seat: Seat | None = None

    @property
    def ended(self) -> Result:
        """The end, waited for."""
        return self.result.result(60)

    @property
    def payload(self) -> dict[str, Any]:
        """The guest's result, decoded."""
        ended = self.ended
        assert ended.ending == "returned", ended
        decoded: dict[str, Any] = json.loads(ended.payload)
        return decoded

    @property
    def value(self) -> Any:
        """What the method returned."""
        payload = self.payload
        assert payload["ok"], payload["error"]["traceback"]
        return superjson.loads(payload["value"])

    @property
    def error(self) -> dict[str, Any]:
        """What left the method."""
        payload = self.payload
        assert not payload["ok"], payload
        error: dict[str, Any] = payload["error"]
        return error

    @property
    def texts(self) -> list[str]:
        """What was written."""
        return [log.text for log in self.logs]

    def cross(self, seat: Seat, crossing: Crossing) -> None:
        """Let time pass until something can be answered."""
        self.logs += crossing.logs
        if self.on_crossing is not None:
            self.on_crossing(seat, crossing)
            return
        frame = json.loads(crossing.frame)
        self.crossings.append(frame)
        for number, operation, arguments, _ in frame["requests"]:
            detail = arguments[0] if arguments and isinstance(arguments[0], str) else ""
            self.due.append((self.now + self.latency.get(detail, 5.0), number, operation, arguments))
        self.due.sort(key=lambda request: request[0])
        timer = None if frame["timeout"] is None else self.now + frame["timeout"] * 1000
        assert timer is not None or self.due, "the guest waits for nothing"
        first = self.due[0][0] if self.due else float("inf")
        self.now = first if timer is None else min(first, timer)
        ready = [request for request in self.due if request[0] <= self.now]
        self.due = [request for request in self.due if request[0] > self.now]
        answers = [self.answer(number, operation, arguments) for _, number, operation, arguments in ready]
        seat.answer(json.dumps({"now": self.now, "answers": answers}).encode())

    def answer(self, number: int, operation: str, arguments: list[Any]) -> list[Any]:
        """One entry of an answer."""
        if operation == "store.get" and arguments[0].startswith("raise:"):
            _, name, message = arguments[0].split(":", 2)
            return [number, False, {"type": name, "message": message}]
        if operation in {"search.query", "search.count"}:  # a mounted tool that gives back what it gets
            return [number, True, arguments[0]]
        return [number, True, self.perform(operation, arguments)]

    def perform(self, operation: str, arguments: list[Any]) -> Any:
        """What the real tools would do, roughly."""
        match operation, arguments:
            case "store.get", [key]:
                return self.store.get(key)
            case "store.set", [key, text]:
                self.store[key] = text
            case "store.clear", [key]:
                self.store.pop(key, None)
            case "store.get_many", [keys]:
                return {key: self.store[key] for key in keys if key in self.store}
            case "store.set_many", [values]:
                self.store.update(values)
            case "store.clear_many", [keys]:
                for key in keys:
                    self.store.pop(key, None)
            case "store.clear_all", []:
                self.store.clear()
            case "store.list", [prefix]:
                return sorted(key for key in self.store if key.startswith(prefix))
            case "store.list_entries", [prefix]:
                return sorted([key, text] for key, text in self.store.items() if key.startswith(prefix))
            case "callbacks.create", [method, args]:
                return json.dumps([method, args])
            case "callbacks.resolve", [token]:
                method, args = json.loads(token)
                return {"method": method, "args": args}
            case "network.fetch", [url, *_]:
                return {
                    "status": 200,
                    "url": url,
                    "headers": [["Content-Type", "application/json"]],
                    "body": json.dumps(arguments),
                    "encoding": "utf-8",
                }
        return None


class Host:
    """A pool on a loop of its own thread, for tests that call it from theirs."""

    def __init__(self, size: int = 2) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.pool = Pool(self, size=size)
        self._seats: dict[Seat, Execution] = {}
        self._queue: list[Callable[[], bool]] = []
        self.call(self.pool.start(self.loop))

    def call(self, coroutine: Any) -> Any:
        """Await something on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def close(self) -> None:
        """End the pool and the loop."""
        self.call(self.pool.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def start(
        self,
        source: str,
        method: str = "go",
        *args: Any,
        modules: dict[str, str] | None = None,
        kind: str = "call",
        name: str | None = None,
        options: dict[str, Any] | None = None,
        seed: int = 1,
        cpu: float = 10.0,
        memory: int = MEMORY,
        event: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Execution:
        """Begin an execution as soon as a worker is free; `event` says more of what it is for."""
        text = json.dumps({"name": name, "filename": "cell 1", "source": source, "modules": modules or {}})
        program = Program(hashlib.sha256(text.encode()).hexdigest(), text)
        execution = Execution(**settings)
        invocation = json.dumps(
            {
                "kind": kind,
                "execution": "e1",
                "attempt": 1,
                "method": method,
                "args": superjson.dumps(list(args)),
                "kwargs": superjson.dumps({}),
                "options": options or {},
                "seed": seed,
                "now": execution.now,
                "version": 1,
                "limit": 1000,
                **(event or {}),
            }
        ).encode()

        def begin() -> bool:
            seat = self.pool.run(program, invocation, cpu=cpu, memory=memory)
            if seat is None:
                return False
            execution.seat = seat
            self._seats[seat] = execution
            return True

        self.loop.call_soon_threadsafe(self._queue.append, begin)
        self.loop.call_soon_threadsafe(self.on_free)
        return execution

    def run(self, source: str, method: str = "go", *args: Any, **settings: Any) -> Execution:
        """Run a method to its end."""
        execution = self.start(source, method, *args, **settings)
        execution.ended  # noqa: B018  # waits
        return execution

    def on_crossing(self, seat: Seat, crossing: Crossing) -> None:
        """See `Sandboxes`."""
        self._seats[seat].cross(seat, crossing)

    def on_result(self, seat: Seat, result: Result) -> None:
        """See `Sandboxes`."""
        execution = self._seats.pop(seat)
        execution.logs += result.logs
        execution.result.set_result(result)

    def on_free(self) -> None:
        """See `Sandboxes`."""
        while self._queue and self._queue[0]():
            self._queue.pop(0)
