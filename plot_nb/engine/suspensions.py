"""Who runs too often or too dearly, and who may not run at all (SPEC 10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from plot_nb.engine.actors import Actors
from plot_nb.engine.attempt import Attempt
from plot_nb.engine.chains import Chain
from plot_nb.engine.limits import Limits
from plot_nb.engine.model import Execution, Instance, Suspension
from plot_nb.engine.prices import DOLLAR, Prices
from plot_nb.engine.rates import LONGEST, Entered, Rates, Standing, recount, refusal, warning

if TYPE_CHECKING:
    from plot_nb.backend.sqlite import SqliteBackend
    from plot_nb.engine.engine import Engine


class Suspensions:
    """Counts what each instance runs, and suspends it where that is too much.

    Args:
        engine: Whose executions these are.
        keeper: Who keeps that.
        actors: The instances.
        limits: Whether a rate limit is enforced, and the memory that an attempt is allowed.
        prices: What an attempt costs.
    """

    def __init__(
        self, engine: Engine, keeper: SqliteBackend, actors: Actors, limits: Limits, prices: Prices
    ) -> None:
        self._engine = engine
        self._keeper = keeper
        self._actors = actors
        self._memory = limits.memory
        self._enforces = limits.rate == "enforce"
        self._prices = prices
        self._rates: dict[int, Rates] = {}
        self._reasons: dict[int, str] = {}

    def restore(self, instances: Iterable[Instance]) -> None:
        """Count what the journal has."""
        attempts: dict[int, list[tuple[int, int | None, int]]] = {instance.id: [] for instance in instances}
        for instance, started, ended, dollars in self._keeper.counted(self._engine.now - LONGEST):
            attempts[instance].append((started, ended, round((dollars or 0) * DOLLAR)))
        self._rates = {instance: recount(found) for instance, found in attempts.items()}

    def restart(self, instance: Instance) -> None:
        """Count anew."""
        self._rates[instance.id] = Rates()
        self._reasons.pop(instance.id, None)

    def standings(self, instance: Instance) -> list[Standing]:
        """Where an instance stands in each window."""
        return self._rates[instance.id].standings(self._engine.now)

    def began(self, attempt: Attempt) -> list[tuple[str, str]]:
        """Count an attempt that begins; returns journal entries (kind, text)."""
        return self._warnings(self._rates[attempt.instance.id].begin(attempt.started))

    def ended(self, attempt: Attempt, cpu_ms: float) -> tuple[float, list[tuple[str, str]]]:
        """Count what an attempt cost; returns dollars, and journal entries."""
        now, instance = self._engine.now, self._actors[attempt.instance.id].instance
        cost = self._prices.cost(
            requests=attempt.used, cpu_ms=cpu_ms, memory=self._memory, lasted=now - attempt.started
        )
        counts = attempt.id > instance.counted_from
        return cost / DOLLAR, self._warnings(self._rates[instance.id].end(now, cost) if counts else [])

    def _warnings(self, entered: list[Entered]) -> list[tuple[str, str]]:
        return [] if self._enforces else [("rate", warning(each)) for each in entered]

    def stops(self, execution: Execution, instance: Instance) -> bool:
        """Whether an execution would go over a limit that is enforced: its instance is suspended then."""
        if not self._enforces or execution.is_deactivation:
            return False
        window = self._rates[instance.id].refuses(self._engine.now)
        if window is not None:
            self.suspend(instance, "rate", refusal(window), None if execution.awaited else execution.id)
        return window is not None

    def stop_overspent(self, execution: Execution, instance: Instance) -> None:
        """Suspend an instance that has spent too much: what an execution costs is known when it has ended."""
        if not self._enforces or instance.suspended is not None:
            return
        window = self._rates[instance.id].overspent(self._engine.now)
        if window is not None:
            self.suspend(instance, "rate", refusal(window), execution.id)

    def suspend(
        self, instance: Instance, by: Suspension, reason: str = "", execution: str | None = None
    ) -> None:
        """Let an instance run no more: who awaits a call of it is told, everything else waits.

        Args:
            instance: Which.
            by: The user, or a rate limit.
            reason: Which limit, in words.
            execution: The execution that shows it in the journal.
        """
        instance.suspended = by
        self._reasons[instance.id] = reason
        self._keeper.save_suspension(instance, execution, self._why(instance), self._engine.now)
        self.refuse(instance)

    def resume(self, instance: Instance) -> None:
        """Let a suspended instance run again, and count anew."""
        instance.suspended, instance.counted_from = None, self._engine.last_attempt
        self._keeper.save_instance(instance)
        self.restart(instance)

    def refuse(self, instance: Instance) -> None:
        """Tell who awaits an execution of an instance, if that is suspended."""
        for execution in self._engine.waiting(instance) if instance.suspended is not None else ():
            if execution.awaited and not execution.is_deactivation:
                self._engine.retire(execution, "suspended", self._why(instance))

    def holds(self, chain: Chain) -> str | None:
        """Why nothing of a chain can run; None if something does or can, or nothing is left."""
        actor = self._actors[chain.instance]
        if actor.instance.suspended is None or chain.live == 0 or actor.next(lambda _: True) is not None:
            return None
        if any(attempt.execution.chain == chain.id for attempt in actor.running):
            return None
        return self._why(actor.instance)

    def holds_due(self) -> str | None:
        """Why something that is due does not run; None if there is nothing of that kind."""
        held = (actor for actor in self._actors if actor.instance.suspended is not None and actor.waits)
        return next(map(self._why, (actor.instance for actor in held)), None)

    def _why(self, instance: Instance) -> str:
        if instance.suspended == "user":
            return (
                f"{instance.twist} was suspended by `rt.suspend`: `await rt.resume(twist)` lets it run again"
            )
        reason = self._reasons.get(instance.id, "it went over a rate limit")
        return (
            f"{instance.twist} is suspended: {reason}. What waits goes on when a new version is deployed, "
            "or with `await rt.resume(twist)`"
        )
