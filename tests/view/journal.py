"""Journals of made-up runs, as DataFrames of the shape that the runtime gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from plot_nb.view import RunTables

BEGIN = pd.Timestamp("2026-01-01T09:00:00Z")

EXECUTIONS = [
    *("execution", "attempt", "parent", "twist", "version", "method", "cause", "outcome", "requests"),
    *("cpu_ms", "wall_ms", "memory_peak", "started", "ended", "error", "line", "traceback"),
]
REQUESTS = [
    *("execution", "attempt", "seq", "tool", "operation", "detail", "line", "started"),
    *("duration_ms", "bytes_in", "bytes_out", "error"),
]
TASKS = ["execution", "parent", "method", "state", "run_at", "attempts", "queued"]
LOGS = ["execution", "attempt", "seq", "time", "level", "line", "text"]


@dataclass(frozen=True)
class Budget:
    requests: int = 1000
    cpu: float = 60.0
    memory: int = 128 * 2**20


class Journal:
    """Notes executions one after another."""

    def __init__(self, title: str = "CalendarSync.start_sync") -> None:
        self.title = title
        self.rows: dict[str, list[dict[str, Any]]] = {
            "executions": [],
            "requests": [],
            "tasks": [],
            "logs": [],
        }

    def execution(
        self,
        execution: str,
        method: str = "sync_page",
        *,
        start: float = 0.0,
        took: float = 100.0,
        spent: dict[tuple[str, str, int], int] | None = None,
        parent: str | None = None,
        queued: float | None = None,
        **more: Any,
    ) -> None:
        """Note an attempt; times are milliseconds, `spent` counts by tool, operation and line."""
        spent = spent or {}
        row: dict[str, Any] = {
            "execution": execution,
            "attempt": 1,
            "parent": parent,
            "twist": "CalendarSync",
            "version": 1,
            "method": method,
            "cause": "call" if parent is None else "task",
            "outcome": "ok",
            "requests": sum(spent.values()),
            "cpu_ms": 12.0,
            "wall_ms": 20.0,
            "memory_peak": 38 * 2**20,
            "started": at(start),
            "ended": at(start + took),
            "error": None,
            "line": None,
            "traceback": None,
        } | more
        self.rows["executions"].append(row)
        seq = 0
        total = max(sum(spent.values()), 1)
        for (tool, operation, line), number in spent.items():
            for _ in range(number):
                seq += 1
                self.rows["requests"].append(
                    {
                        "execution": execution,
                        "attempt": row["attempt"],
                        "seq": seq,
                        "tool": tool,
                        "operation": operation,
                        "detail": f"item:{seq}",
                        "line": line,
                        "started": at(start + took * seq / total),
                        "duration_ms": 5.0,
                        "bytes_in": 40,
                        "bytes_out": 12,
                        "error": None,
                    }
                )
        if parent is not None and row["attempt"] == 1:
            self.task(execution, method, "done", parent=parent, queued=start if queued is None else queued)

    def task(
        self, execution: str, method: str, state: str, *, parent: str | None = None, queued: float = 0.0
    ) -> None:
        self.rows["tasks"].append(
            {
                "execution": execution,
                "parent": parent,
                "method": method,
                "state": state,
                "run_at": at(queued),
                "attempts": 1,
                "queued": at(queued),
            }
        )

    def log(
        self,
        execution: str,
        text: str,
        *,
        level: str = "print",
        line: int | None = 12,
        time: float = 0.0,
        attempt: int | None = 1,
    ) -> None:
        self.rows["logs"].append(
            {
                "execution": execution,
                "attempt": attempt,
                "seq": 0,
                "time": at(time),
                "level": level,
                "line": line,
                "text": text,
            }
        )

    def tables(self, *, paused: str | None = None, value: str | None = None) -> RunTables:
        executions = pd.DataFrame(self.rows["executions"], columns=EXECUTIONS)
        executions = executions.astype(dict.fromkeys(("attempt", "requests", "line", "memory_peak"), "Int64"))
        for name in ("started", "ended"):
            executions[name] = pd.to_datetime(executions[name], utc=True)
        requests = pd.DataFrame(self.rows["requests"], columns=REQUESTS)
        logs = pd.DataFrame(self.rows["logs"], columns=LOGS).astype({"attempt": "Int64", "line": "Int64"})
        return RunTables(
            title=self.title,
            executions=executions,
            requests=requests.astype({"attempt": "Int64", "seq": "Int64", "line": "Int64"}),
            tasks=pd.DataFrame(self.rows["tasks"], columns=TASKS),
            logs=logs,
            limits=Budget(),
            paused=paused,
            value=value,
        )


def at(ms: float) -> pd.Timestamp:
    return BEGIN + pd.Timedelta(milliseconds=ms)


PAGE = {
    ("store", "get", 9): 1,
    ("network", "fetch", 11): 1,
    ("store", "set", 15): 500,
    ("callbacks", "create", 22): 1,
    ("tasks", "run", 23): 1,
    ("store", "set", 20): 1,
}


def sync(pages: int = 25) -> Journal:
    """The tutorial's run: each page an execution that queues the next."""
    journal = Journal()
    journal.execution(
        "e0",
        "start_sync",
        took=45,
        spent={("store", "set", 5): 1, ("callbacks", "create", 6): 1, ("tasks", "run", 7): 1},
    )
    start = 45.0
    for page in range(1, pages + 1):
        spent = dict(PAGE)
        if page == pages:
            spent = {
                ("store", "get", 9): 1,
                ("network", "fetch", 11): 1,
                ("store", "set", 15): 340,
                ("store", "set", 18): 1,
            }
        took = 20 + 5.0 * sum(spent.values()) + 60
        journal.execution(
            f"e{page}",
            start=start,
            took=took,
            spent=spent,
            parent=f"e{page - 1}",
            queued=start - 8,
            cpu_ms=20 + page % 5,
            memory_peak=(37 + page % 3) * 2**20,
        )
        journal.log(f"e{page}", f"page {page}: 50 items", time=start + took - 20)
        start += took
    return journal


TRACEBACK = """Traceback (most recent call last):
  File "CalendarSync", line 14, in sync_all
    await self.set(f"item:{item['id']}:{part}", item)
plot_nb.RequestLimitExceeded: request 1001 was not performed: an execution may make 1000. \
Split the work: self.run_task(await self.callback(self.next_batch, ...)) starts a new execution with a fresh budget
"""


CLOSED = """Traceback (most recent call last):
  File "Mailer", line 17, in send_batch
    answer = await fetch(url)
ConnectionError: the server closed the connection
"""


def wrong_way() -> Journal:
    """One execution that does all the work, and is stopped."""
    journal = Journal("CalendarSync.sync_all")
    journal.execution(
        "e0",
        "sync_all",
        took=6240,
        spent={("network", "fetch", 10): 2, ("store", "set", 14): 918, ("store", "get", 12): 80},
        outcome="over_requests",
        error="RequestLimitExceeded: request 1001 was not performed: an execution may make 1000",
        line=14,
        traceback=TRACEBACK,
    )
    journal.log("e0", "page 0: 50 items")
    journal.log("e0", "page 1: 50 items", time=3000)
    return journal


def troubled() -> Journal:
    """Retries, fan-out, near the limits, a crash, a dead letter, warnings."""
    journal = Journal("Mailer.fan_out")
    journal.execution(
        "a",
        "fan_out",
        took=120,
        spent={("store", "get", 8): 1, ("callbacks", "create", 10): 6, ("tasks", "run", 11): 6},
    )
    start = 120.0
    for number in range(6):
        spent = {("network", "fetch", 17): 4 + number, ("store", "set", 21): 150 * number + 60}
        failing = number == 3
        took = 30 + 70.0 * (4 + number)
        journal.execution(
            f"m{number}",
            "send_batch",
            start=start,
            took=took,
            parent="a",
            queued=40 + 12.0 * number,
            spent=spent,
            outcome="error" if failing else "ok",
            error="ConnectionError: the server closed the connection" if failing else None,
            line=17 if failing else None,
            traceback=CLOSED if failing else None,
            memory_peak=(40 + 14 * number) * 2**20,
        )
        start += took
    journal.execution(
        "m3",
        "send_batch",
        start=start + 1000,
        took=300,
        parent="a",
        attempt=2,
        spent={("network", "fetch", 17): 7, ("store", "set", 21): 510},
    )
    journal.execution(
        "m6",
        "crunch",
        start=start + 1300,
        took=200,
        parent="m3",
        queued=start + 1200,
        outcome="over_cpu",
        cpu_ms=60_000,
        error="over 60 s of CPU",
        line=31,
        spent={("store", "get", 30): 2},
    )
    journal.execution(
        "m7",
        "report",
        start=start + 1500,
        took=90,
        parent="m3",
        queued=start + 1250,
        outcome="crashed",
        error="the sandbox died (signal 9)",
    )
    journal.task("m8", "report", "queued", parent="m7", queued=start + 1500)
    journal.task("m6", "crunch", "dead", parent="m3", queued=start + 1200)
    journal.log("m3", "retry: send_batch ended error", level="system", line=None, attempt=None, time=1780)
    for number in range(8):
        journal.log(f"m{number % 6}", f"sent {number}", time=200.0 * number)
    journal.log(
        "m2",
        "self.set('last', …) was created and never awaited, so it was not performed",
        level="warning",
        line=24,
        time=900,
    )
    return journal


def many(executions: int, *, each: int = 5, failing: int = 0) -> Journal:
    """A long chain; `failing` of its executions are errors, spread evenly."""
    journal = Journal("Chain.start")
    every = executions // failing if failing else 0
    for number in range(executions):
        failed = bool(every) and number % every == every - 1
        journal.execution(
            f"e{number}",
            "step" if number else "start",
            start=45.0 * number,
            took=44,
            parent=f"e{number - 1}" if number else None,
            queued=45.0 * number - 6,
            spent={
                ("store", "set", 8): each - 2 + (number * 7) % 40 * (each > 100) * 8,
                ("callbacks", "create", 9): 1,
                ("tasks", "run", 10): 1,
            },
            outcome="error" if failed else "ok",
            error="ValueError: no" if failed else None,
            line=9 if failed else None,
        )
    return journal
