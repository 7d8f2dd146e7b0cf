"""What the world answers: a fetch, or a call of a tool that the user mounted. The virtual clock waits for it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from plot_nb.engine.attempt import RequestRow


class HasTime(Protocol):
    """An engine."""

    @property
    def now(self) -> int:
        """The runtime's time in microseconds."""


@dataclass(slots=True, eq=False)
class UnderWay:
    """A request that takes real time.

    Attributes:
        engine: Whose; what answers it may await that engine in turn, or another's.
        real_started: Real seconds.
        least: Microseconds on the runtime's clock that it takes in any case.
        patience: Real seconds that the answer may take before the virtual clock is held to have moved meanwhile:
            what a slow machine may need.
        waited: Microseconds on the runtime's clock during which its answerer awaited the engine itself.
        real_waited: The same in real seconds.
        awaits: How often its answerer awaits the engine at this moment.
        since: Since when, on both clocks.
    """

    engine: object
    row: RequestRow
    real_started: float
    least: int
    patience: float
    waited: int = 0
    real_waited: float = 0.0
    cancel: Callable[[], object] = lambda: None
    awaits: int = 0
    since: tuple[int, float] = (0, 0.0)

    def bound(self, real_now: float) -> int | None:
        """How far the clock may move before the answer is there; None if it is the engine that the answer waits for.

        How long it takes is known only when it has ended; until then it is known to take at least the real time
        that has passed since it began, less the patience.
        """
        if self.awaits:
            return None
        passed = real_now - self.real_started - self.real_waited - self.patience
        # Not quite to the moment of the answer: what else happens then must happen in the same order in every run.
        return self.row.started + self.waited + max(0, self.least - 1, int(passed * 1e6))


answering: ContextVar[UnderWay | None] = ContextVar("the request that this code answers", default=None)
"""Set where a mounted app or tool runs, so that what it awaits of the same engine does not hold the clock."""


def real_seconds_waited() -> float:
    """Real seconds that the code which answers a request here has awaited the engine."""
    under_way = answering.get()
    return under_way.real_waited if under_way is not None else 0.0


def engine_awaited(engine: HasTime, monotonic: Callable[[], float]) -> Callable[[], None]:
    """What answers a request here awaits an engine from now on; if it is the request's own, its clock may move.

    Returns:
        What says that it awaits it no more; to be called at that very moment. Called again it does nothing.
    """
    under_way = answering.get()
    if under_way is None or under_way.engine is not engine:
        return lambda: None
    awaited = under_way
    awaited.awaits += 1
    if awaited.awaits == 1:
        awaited.since = engine.now, monotonic()
    over = False

    def ended() -> None:
        nonlocal over
        if over:
            return
        over = True
        awaited.awaits -= 1
        if not awaited.awaits:
            awaited.waited += engine.now - awaited.since[0]
            awaited.real_waited += monotonic() - awaited.since[1]

    return ended
