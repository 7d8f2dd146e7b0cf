"""Who runs too often or too dearly, and who may not run at all (SPEC 10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from plot_nb.engine.attempt import Attempt
from plot_nb.engine.limits import Limits
from plot_nb.engine.model import Instance, Suspension
from plot_nb.engine.prices import DOLLAR, Prices
from plot_nb.engine.rates import LONGEST, Entered, Rates, Standing, recount, refusal, warning


class Keeper(Protocol):
    """Who has the instances and the journal."""

    def counted(self, since: int) -> Iterable[tuple[int, int, int | None, float | None]]:
        """Rows (instance, started, ended, dollars) of the attempts that count since a moment."""

    def save_suspension(self, instance: Instance, execution: str | None, text: str, now: int) -> None:
        """Save that an instance is suspended, and at which execution."""


class Suspensions:
    """Counts what each instance runs, and suspends it where that is too much.

    Args:
        keeper: Who keeps that.
        limits: Whether a rate limit is enforced, and the memory that an attempt is allowed.
        prices: What an attempt costs.
    """

    def __init__(self, keeper: Keeper, limits: Limits, prices: Prices) -> None:
        self._keeper = keeper
        self._memory = limits.memory
        self._enforces = limits.rate == "enforce"
        self._prices = prices
        self._rates: dict[int, Rates] = {}
        self._reasons: dict[int, str] = {}

    def restore(self, instances: Iterable[Instance], now: int) -> None:
        """Count what the journal has."""
        attempts: dict[int, list[tuple[int, int | None, int]]] = {instance.id: [] for instance in instances}
        for instance, started, ended, dollars in self._keeper.counted(now - LONGEST):
            attempts[instance].append((started, ended, round((dollars or 0) * DOLLAR)))
        self._rates = {instance: recount(found) for instance, found in attempts.items()}

    def restart(self, instance: Instance) -> None:
        """Count anew."""
        self._rates[instance.id] = Rates()
        self._reasons.pop(instance.id, None)

    def standings(self, instance: Instance, now: int) -> list[Standing]:
        """Where an instance stands in each window."""
        return self._rates[instance.id].standings(now)

    def began(self, attempt: Attempt) -> list[tuple[str, str]]:
        """Count an attempt that begins; returns journal entries (kind, text)."""
        return self._warnings(self._rates[attempt.instance.id].begin(attempt.started))

    def ended(
        self, attempt: Attempt, instance: Instance, now: int, cpu_ms: float
    ) -> tuple[float, list[tuple[str, str]]]:
        """Count what an attempt cost; returns dollars, and journal entries.

        Args:
            attempt: Which.
            instance: Whose, as it is by now.
            now: When.
            cpu_ms: What its guest computed.
        """
        cost = self._prices.cost(
            requests=attempt.used, cpu_ms=cpu_ms, memory=self._memory, lasted=now - attempt.started
        )
        counts = attempt.id > instance.counted_from
        return cost / DOLLAR, self._warnings(self._rates[instance.id].end(now, cost) if counts else [])

    def _warnings(self, entered: list[Entered]) -> list[tuple[str, str]]:
        return [] if self._enforces else [("rate", warning(each)) for each in entered]

    def exceeded(self, instance: Instance, now: int) -> str | None:
        """Which limit that is enforced an instance would go over with one more execution; None if it may run."""
        window = self._rates[instance.id].refuses(now) if self._enforces else None
        return None if window is None else refusal(window)

    def overspent(self, instance: Instance, now: int) -> str | None:
        """The same of what it has spent, which is known as soon as an execution has ended."""
        window = self._rates[instance.id].overspent(now) if self._enforces else None
        return None if window is None else refusal(window)

    def suspend(
        self, instance: Instance, by: Suspension, reason: str, execution: str | None, now: int
    ) -> None:
        """Let an instance run no more.

        Args:
            instance: Which.
            by: The user, or a rate limit.
            reason: Which limit, in words.
            execution: The execution that shows it in the journal.
            now: When.
        """
        instance.suspended = by
        self._reasons[instance.id] = reason
        self._keeper.save_suspension(instance, execution, self.why(instance) or "", now)

    def why(self, instance: Instance) -> str | None:
        """Why an instance does not run, and what to do; None if it may run."""
        if instance.suspended is None:
            return None
        if instance.suspended == "user":
            return (
                f"{instance.twist} was suspended by `rt.suspend`. `await rt.resume(twist)` lets it run again"
            )
        reason = self._reasons.get(instance.id, "it went over a rate limit")
        return (
            f"{instance.twist} is suspended: {reason}. What waits goes on when a new version is deployed, "
            "or with `await rt.resume(twist)`"
        )
