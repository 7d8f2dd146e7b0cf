"""State files that are written row by row, without a sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from plot_nb import Limits
from plot_nb.backend.records import Ending, Origin
from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.engine.model import Execution

LIMITS = Limits()
BEGIN = 1_767_225_600_000_000

SOURCE = "class Sync(Twist):\n    async def go(self):\n        pass\n"


class File:
    """A state file and who writes to it."""

    def __init__(self, backend: SqliteBackend) -> None:
        self.backend = backend
        self.path = backend.path
        self.now = BEGIN
        self.executions: dict[int, Execution] = {}
        self.running: dict[int, tuple[Execution, int]] = {}
        self._number = 0
        self._attempt = 0

    def install(self, twist: str = "Sync", name: str = "default", **options: Any) -> int:
        """An instance; returns its id."""
        program = json.dumps({"name": twist, "filename": "<cell>", "source": SOURCE, "modules": {}})
        return self.backend.add_version(
            twist, name, json.dumps(options), "[]", "digest", program, "{}", self.now, lambda *_: []
        )[0]

    def queue(self, instance: int, parent: int | None = None, **more: Any) -> int:
        """An execution that waits; `parent` is the number of the one that queued it."""
        self._number += 1
        number = self._number
        by = None if parent is None else self.executions[parent]
        given: dict[str, Any] = {
            "cause": "call" if by is None else "task",
            "method": "go",
            "callback": None,
            "args": '{"json":[]}',
            "kwargs": '{"json":{}}',
            "due": self.now,
            "awaited": by is None,
        } | more
        execution = Execution(
            number=number,
            id=f"e{number}",
            instance=instance,
            parent=by.id if by else None,
            chain=by.chain if by else f"e{number}",
            queued=self.now,
            **given,
        )
        self.executions[number] = execution
        if by is not None:
            self.backend.enqueue(execution)
        return number

    def begin(self, number: int) -> int:
        """An attempt at an execution; returns its id."""
        self._attempt += 1
        execution = self.executions[number]
        execution.attempts += 1
        execution.state = "running"
        self.backend.claim(
            execution, self._attempt, 1, self.now, execution.args, execution.kwargs, following=None
        )
        self.running[self._attempt] = execution, self.now
        return self._attempt

    def end(self, attempt: int, outcome: str = "ok", *, again: bool = False, **more: Any) -> None:
        """End an attempt; `again`: it is to be tried again. `requests` are (tool, operation, detail, line)."""
        execution, started = self.running.pop(attempt)
        execution.state = "queued" if again else "done"
        requests = [
            (place, tool, operation, detail, line, started, 5000, 10, 20, None, place / 10, None)
            for place, (tool, operation, detail, line) in enumerate(more.pop("requests", ()), 1)
        ]
        ending = Ending(outcome, self.now, len(requests), 12.34, 20.0, 38 * 2**20)
        self.backend.finish(execution, attempt, replace(ending, requests=requests, **more))

    def write(self, instance: int, values: dict[str, object], by: int | None = None) -> None:
        """Write keys; None clears."""
        origin = Origin(instance, by, None if by is None else 1, self.now)
        kept = [(key, json.dumps({"json": value})) for key, value in values.items() if value is not None]
        self.backend.set_many(origin, kept)
        self.backend.clear_many(origin, [key for key, value in values.items() if value is None])

    def ran(self, instance: int, *, writes: dict[str, object] | None = None, **more: Any) -> int:
        """One execution from its beginning to its end; returns the attempt's id."""
        attempt = self.begin(self.queue(instance))
        self.now += 10_000
        self.write(instance, writes or {}, attempt)
        self.end(attempt, **more)
        return attempt


@contextmanager
def state_file() -> Iterator[File]:
    """An empty state file."""
    with TemporaryDirectory() as folder:
        backend = SqliteBackend(Path(folder, "state.db"))
        try:
            yield File(backend)
        finally:
            backend.close()
