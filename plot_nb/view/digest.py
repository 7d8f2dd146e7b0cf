"""What there is to say about a run, counted once for every picture of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from plot_nb.view.hostile import line, missing
from plot_nb.view.units import count, counted, duration, memory, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plot_nb.view.tables import Limits, RunTables

CLOSE = 0.8  # The share of a limit from which an execution is near it.
SHOWN = 30  # Rows up to which every attempt has its own.

# The order of the parts of a bar, and of the legend.
TOOLS = ("store", "network", "callbacks", "tasks", "plot")
OTHER = "other"

_FAILURES = 10
_RATE = "rate: "
_COLUMNS = [
    *("execution", "attempt", "parent", "method", "cause", "outcome"),
    *("requests", "cpu_ms", "memory_peak", "error", "line", "traceback"),
]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an execution, as the pictures need it.

    Attributes:
        number: Its execution's place in the run, from 1, by the start of the first attempt.
        start: Milliseconds from the run's start on the runtime's clock; `end` alike.
        queued: When what it answers to happened: its task was queued, or the attempt before it ended.
        cause_row: The place in `Digest.attempts` of the attempt that set it off.
        spent: Requests by kind of tool, in the order of the bar's parts.
        over: The limit it went over: "requests", "cpu", "memory", "time" or None.
        again: Whether an attempt before it failed.
    """

    number: int
    id: str
    attempt: int
    method: str
    cause: str
    outcome: str
    requests: int
    spent: tuple[tuple[str, int], ...]
    cpu_ms: float
    memory: int | None
    start: float
    end: float
    queued: float | None
    cause_row: int | None
    error: str
    line: int | None
    traceback: Any
    near: tuple[str, ...]
    again: bool

    @property
    def over(self) -> str | None:
        """The limit it went over."""
        return self.outcome.removeprefix("over_") if self.outcome.startswith("over_") else None

    @property
    def failed(self) -> bool:
        """Whether it ended in anything but success."""
        return self.outcome not in {"ok", "running", "suspended"}

    @property
    def label(self) -> str:
        """How it is referred to: `#4`, or `#4, attempt 2`."""
        return f"#{self.number}, attempt {self.attempt}" if self.attempt > 1 else f"#{self.number}"


@dataclass(frozen=True, slots=True)
class Digest:
    """A run, counted.

    Attributes:
        attempts: By their start.
        span: Milliseconds from the first start to the last end, on the runtime's clock.
        outcomes: Of the executions; an execution's is that of its last attempt.
        spent: Requests of the run by kind of tool.
        heaviest: The attempt with the most requests.
        waiting: Tasks that have not run, by method.
        dead: Tasks that were given up, by method.
        alarms: How many logs are warnings and errors, in words.
        rate: That Plot would have suspended the twist, if it would.
    """

    title: str
    limits: Limits
    attempts: tuple[Attempt, ...]
    span: float
    outcomes: dict[str, int]
    spent: tuple[tuple[str, int], ...]
    requests: int
    heaviest: Attempt | None
    near: int
    retried: int
    waiting: dict[str, int]
    dead: dict[str, int]
    alarms: str
    rate: str
    paused: str
    numbers: dict[Any, int] = field(repr=False)

    @property
    def failed(self) -> bool:
        """Whether an execution ended in anything but success."""
        return bool(set(self.outcomes) - {"ok", "running", "suspended"})

    @property
    def running(self) -> bool:
        """Whether an attempt has not ended."""
        return "running" in self.outcomes

    @property
    def executions(self) -> int:
        """How many there were, attempts at the same one counted once."""
        return sum(self.outcomes.values())

    def headline(self) -> str:
        """The first thing to know, as a sentence."""
        if not self.attempts:
            return "Nothing ran."
        totals = f"{counted(self.executions, 'execution')}, {counted(self.requests, 'request')}"
        head = f"{totals}: {self._outcomes()}."
        if self.heaviest is not None and self.heaviest.requests and self.executions > 1:
            most, limit = self.heaviest, self.limits.requests
            head += (
                f" Most requests in one execution: {count(most.requests)} of {count(limit)}"
                f" ({percent(most.requests, limit)}), by {most.method} #{most.number}."
            )
        return head

    def remarks(self) -> list[str]:
        """The rest of what to know, in short sentences."""
        found = []
        if self.near:
            verb = "was" if self.near == 1 else "were"
            found.append(f"{counted(self.near, 'execution')} {verb} at 80% of a limit or more.")
        if self.retried:
            found.append(f"{counted(self.retried, 'attempt')} failed and {_was(self.retried)} tried again.")
        if self.waiting:
            found.append(f"Waiting to run: {tally(self.waiting)}.")
        if self.dead:
            found.append(f"Given up: {tally(self.dead)}.")
        if self.alarms:
            found.append(f"{self.alarms} in the logs.")
        return found

    def resources(self) -> str:
        """Time, CPU and memory, as a sentence."""
        if not self.attempts:
            return ""
        parts = [f"{duration(self.span)} on the runtime's clock"]
        parts.append(f"{duration(sum(attempt.cpu_ms for attempt in self.attempts))} of CPU")
        if peak := max((attempt.memory or 0 for attempt in self.attempts), default=0):
            parts.append(f"memory peak {memory(peak)} of {memory(self.limits.memory)}")
        return ", ".join(parts) + "."

    def _outcomes(self) -> str:
        if set(self.outcomes) == {"ok"}:
            return "all ok" if self.executions > 1 else "ok"
        if self.executions == 1:
            last = self.attempts[-1]
            return last.outcome + (f" at line {last.line}" if last.line is not None else "")
        return ", ".join(f"{count(number)} {outcome}" for outcome, number in self.outcomes.items())


@dataclass(frozen=True, slots=True)
class Selection:
    """The attempts that get a row of their own.

    Attributes:
        rows: Places in `Digest.attempts`, ascending.
        complete: Whether these are all.
    """

    rows: tuple[int, ...]
    complete: bool


class Selectable(Protocol):
    """What decides whether an attempt gets a row of its own."""

    @property
    def method(self) -> str:
        """What ran."""

    @property
    def outcome(self) -> str:
        """How it ended."""

    @property
    def line(self) -> int | None:
        """Where."""

    @property
    def requests(self) -> int:
        """What it spent."""

    @property
    def near(self) -> tuple[str, ...]:
        """The limits that it came near to."""

    @property
    def failed(self) -> bool:
        """Whether it ended in anything but success."""


def select(digest: Digest) -> Selection:
    """Every attempt of a small run; of a large one those that somebody would look for."""
    return choose(digest.attempts)


def choose(attempts: Sequence[Selectable]) -> Selection:
    """The same of attempts by their start."""
    if len(attempts) <= SHOWN:
        return Selection(tuple(range(len(attempts))), complete=True)
    chosen = {0, 1, len(attempts) - 2, len(attempts) - 1}
    chosen.update(_failures(attempts))
    heavy = sorted(range(len(attempts)), key=lambda place: (-attempts[place].requests, place))
    chosen.add(heavy[0])
    for place in [*(place for place in heavy if attempts[place].near), *heavy[:3]]:
        if len(chosen) >= SHOWN // 2:
            break
        chosen.add(place)
    return Selection(tuple(sorted(chosen)), complete=False)


def _failures(attempts: Sequence[Selectable]) -> list[int]:
    """The first two of each kind of failure."""
    seen: Counter[tuple[str, str, int | None]] = Counter()
    found = []
    for place, attempt in enumerate(attempts):
        kind_of = (attempt.method, attempt.outcome, attempt.line)
        seen[kind_of] += attempt.failed
        if attempt.failed and seen[kind_of] <= 2:
            found.append(place)
    return found[:_FAILURES]


def digest(tables: RunTables) -> Digest:
    """Count a run."""
    attempts, span, numbers = _attempts(tables)
    last: dict[int, Attempt] = {attempt.number: attempt for attempt in attempts}
    outcomes = Counter(attempt.outcome for attempt in last.values())
    order = sorted(outcomes, key=lambda outcome: (outcome != "ok", -outcomes[outcome], outcome))
    spent: Counter[str] = Counter()
    for attempt in attempts:
        spent.update(dict(attempt.spent))
    near = {attempt.number for attempt in attempts if attempt.near}
    return Digest(
        title=line(tables.title, 80),
        limits=tables.limits,
        attempts=tuple(attempts),
        span=span,
        outcomes={outcome: outcomes[outcome] for outcome in order},
        spent=in_order(spent),
        requests=sum(attempt.requests for attempt in attempts),
        heaviest=max(attempts, key=lambda attempt: attempt.requests, default=None),
        near=len(near),
        retried=len({(attempt.number, attempt.attempt) for attempt in attempts if attempt.again}),
        waiting=_tasks(tables, "queued"),
        dead=_tasks(tables, "dead"),
        alarms=_alarms(tables),
        rate=_rate(tables),
        paused=line(tables.paused, 400),
        numbers=numbers,
    )


def kind(tool: str) -> str:
    """The kind of tool that a request is drawn as."""
    return tool if tool in TOOLS else OTHER


def tally(counts: dict[str, int]) -> str:
    """`25 sync_page, 1 start_sync`."""
    shown = [f"{count(number)} {name}" for name, number in list(counts.items())[:5]]
    return ", ".join(shown) + (f" and {len(counts) - 5} more methods" if len(counts) > 5 else "")


def performed(tables: RunTables) -> pd.DataFrame:
    """The requests that were performed: one over the limit may be in the journal, but was refused."""
    requests = tables.requests
    return requests[requests["seq"] <= tables.limits.requests] if len(requests) else requests


def _attempts(tables: RunTables) -> tuple[list[Attempt], float, dict[Any, int]]:
    executions = tables.executions
    if not len(executions):
        return [], 0.0, {}
    started = pd.to_datetime(executions["started"], utc=True)
    executions = executions.loc[started.sort_values(kind="stable").index]
    started = started.loc[executions.index]
    ended = pd.to_datetime(executions["ended"], utc=True)
    begin = started.iloc[0]
    starts = _since(started, begin)
    ends = _since(ended, begin)
    span = max(0.0, *starts, *(end for end in ends if not isnan(end)))
    spent = _spent(tables)
    queued = _queued(tables, begin)
    numbers: dict[Any, int] = {}
    places: dict[Any, int] = {}
    attempts: list[Attempt] = []
    for row, start, end in zip(
        executions[_COLUMNS].itertuples(index=False, name=None), starts, ends, strict=True
    ):
        execution, attempt, parent, method, cause, outcome, requests, cpu, peak, error, at, traceback = row
        number = numbers.setdefault(execution, len(numbers) + 1)
        previous = places.get(execution)
        cause_row = previous if previous is not None else places.get(None if missing(parent) else parent)
        requests = 0 if missing(requests) else int(requests)
        cpu = 0.0 if missing(cpu) else float(cpu)
        peak = None if missing(peak) else int(peak)
        outcome = "running" if missing(outcome) else line(outcome, 24)
        places[execution] = len(attempts)
        attempts.append(
            Attempt(
                number=number,
                id=line(execution, 40),
                attempt=int(attempt),
                method=line(method, 60),
                cause=line(cause, 24),
                outcome=outcome,
                requests=requests,
                spent=_whole(spent.get((execution, attempt), {}), requests),
                cpu_ms=cpu,
                memory=peak,
                start=start,
                end=span if isnan(end) else end,
                queued=attempts[previous].end if previous is not None else queued.get(execution),
                cause_row=cause_row,
                error=line(error, 300),
                line=None if missing(at) else int(at),
                traceback=traceback,
                near=near(tables.limits, outcome, requests, cpu, peak),
                again=previous is not None,
            )
        )
    return attempts, max(span, 1.0), numbers


def _since(times: pd.Series[Any], begin: pd.Timestamp) -> list[float]:
    return list(((times - begin) / pd.Timedelta(milliseconds=1)).astype(float))


def _spent(tables: RunTables) -> dict[tuple[Any, Any], dict[str, int]]:
    requests = performed(tables)
    spent: dict[tuple[Any, Any], dict[str, int]] = {}
    if not len(requests):
        return spent
    sizes = requests.groupby(["execution", "attempt", "tool"], sort=False, observed=True).size()
    for (execution, attempt, tool), number in zip(sizes.index.tolist(), sizes.tolist(), strict=True):
        kinds = spent.setdefault((execution, attempt), {})
        kinds[kind(tool)] = kinds.get(kind(tool), 0) + number
    return spent


def _whole(kinds: dict[str, int], requests: int) -> tuple[tuple[str, int], ...]:
    """The parts of a bar, such that they make up the metered total: it is the meter that counts."""
    counts = Counter(kinds)
    counts[OTHER] += requests - counts.total()
    while counts[OTHER] < 0:
        largest = max((name for name in counts if name != OTHER), key=lambda name: counts[name])
        given = min(counts[largest], -counts[OTHER])
        counts[largest] -= given
        counts[OTHER] += given
    return in_order(counts)


def in_order(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Counts by kind of tool, in the order of a bar's parts."""
    return tuple((name, counts[name]) for name in (*TOOLS, OTHER) if counts[name])


def _queued(tables: RunTables, begin: pd.Timestamp) -> dict[Any, float]:
    if not len(tables.tasks):
        return {}
    times = _since(pd.to_datetime(tables.tasks["queued"], utc=True), begin)
    return {
        execution: time
        for execution, time in zip(tables.tasks["execution"].tolist(), times, strict=True)
        if not isnan(time)
    }


def _tasks(tables: RunTables, state: str) -> dict[str, int]:
    tasks = tables.tasks
    if not len(tasks):
        return {}
    methods: Iterable[Any] = tasks.loc[tasks["state"] == state, "method"].tolist()
    return dict(Counter(line(method, 60) for method in methods).most_common())


def near(limits: Limits, outcome: str, requests: int, cpu_ms: float, peak: int | None) -> tuple[str, ...]:
    """The limits of which it used 80% or more without going over."""
    used = {
        "requests": requests / limits.requests,
        "cpu": cpu_ms / 1000 / limits.cpu,
        "memory": (peak or 0) / limits.memory,
    }
    return tuple(name for name, share in used.items() if share >= CLOSE and outcome != f"over_{name}")


def _alarms(tables: RunTables) -> str:
    levels = Counter(tables.logs["level"].tolist())
    return " and ".join(counted(levels[level], level) for level in ("warning", "error") if levels[level])


def _rate(tables: RunTables) -> str:
    """The first of the runtime's own notices about rates."""
    own = tables.logs.loc[tables.logs["level"] == "system", "text"].tolist()
    found = (text for text in own if isinstance(text, str) and text.startswith(_RATE))
    return line(next(found, "").removeprefix(_RATE), 400)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
