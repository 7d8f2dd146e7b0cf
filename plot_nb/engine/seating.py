"""Who runs in which sandbox, and who waits for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from plot_nb.engine.attempt import Attempt
from plot_nb.engine.limits import Limits
from plot_nb.engine.requests import Fetches, ToolCalls
from plot_nb.sandbox.pool import Program, Result, Seat
from plot_nb.tools.mounted import MountedTools


class Outside(Protocol):
    """What the engine needs done in the world; the shell around it does it."""

    @property
    def fetch(self) -> Fetches:
        """Performs a fetch."""

    @property
    def sandboxes(self) -> int:
        """How many can run at once."""

    @property
    def tools(self) -> MountedTools:
        """The tools that the user mounted."""

    @property
    def call_tool(self) -> ToolCalls:
        """Calls one of them."""

    def run(
        self, program: Program, invocation: bytes, *, cpu: float, memory: int, beside: bool
    ) -> Seat | None:
        """Run a method in a sandbox; None while none can be had, `on_free` says when.

        One that runs beside all else is given one more where all are taken.
        """

    def monotonic(self) -> float:
        """Real seconds since some moment."""

    def wake_after(self, seconds: float) -> None:
        """Call `turn` after that much real time."""


@dataclass(slots=True, eq=False)
class _Inspection:
    """A source that a sandbox looks at before it is deployed; no execution, no requests."""

    program: Program
    invocation: bytes
    done: Callable[[Result], None]


class Seating:
    """Hands out sandboxes, in the order in which they were asked for."""

    def __init__(self, outside: Outside, limits: Limits) -> None:
        self._outside = outside
        self._limits = limits
        self._occupants: dict[Seat, Attempt | _Inspection] = {}
        self._waiting: list[tuple[Attempt | _Inspection, Program, bytes]] = []

    def take(self, attempt: Attempt, *, now: int, seed: int) -> None:
        """Run an attempt, now or when a sandbox is free."""
        mounted = self._outside.tools.methods()
        invocation = attempt.invocation(now=now, seed=seed, limit=self._limits.requests, mounted=mounted)
        self._seat(attempt, attempt.version.program, invocation)

    def inspect(self, program: Program, invocation: bytes, done: Callable[[Result], None]) -> None:
        """Have a sandbox look at a source; `done` is called with what it found."""
        self._seat(_Inspection(program, invocation, done), program, invocation)

    def withdraw(self, attempt: Attempt) -> None:
        """An attempt that waits needs no sandbox any more."""
        self._waiting = [each for each in self._waiting if each[0] is not attempt]

    def free(self) -> None:
        """Sandboxes can be had again."""
        waiting, self._waiting = self._waiting, []
        for occupant, program, invocation in waiting:
            self._seat(occupant, program, invocation)

    def end(self, why: str) -> None:
        """Give all sandboxes back, and tell who has a source looked at that nobody looks any more."""
        seats = list(self._occupants)
        occupants = [*self._occupants.values(), *(each[0] for each in self._waiting)]
        self._occupants, self._waiting = {}, []
        for seat in seats:
            seat.stop("cancelled")
        for occupant in occupants:
            if isinstance(occupant, _Inspection):
                occupant.done(Result("died", "ended", why, 0.0, None, (), b""))

    def asked(self, seat: Seat) -> Attempt | None:
        """Whose guest has crossed; None for one that may not."""
        occupant = self._occupants.get(seat)
        if isinstance(occupant, _Inspection):
            seat.stop("requests")
            return None
        return occupant

    def ended(self, seat: Seat, result: Result) -> Attempt | None:
        """Whose sandbox has ended; None if the engine need not know."""
        occupant = self._occupants.pop(seat, None)
        if isinstance(occupant, _Inspection):
            occupant.done(result)
            return None
        return occupant

    def _seat(self, occupant: Attempt | _Inspection, program: Program, invocation: bytes) -> None:
        beside = isinstance(occupant, Attempt) and occupant.execution.runs_beside
        seat = self._outside.run(
            program, invocation, cpu=self._limits.cpu, memory=self._limits.memory, beside=beside
        )
        if seat is None:
            self._waiting.append((occupant, program, invocation))
            return
        self._occupants[seat] = occupant
        if isinstance(occupant, Attempt):
            occupant.seat = seat
