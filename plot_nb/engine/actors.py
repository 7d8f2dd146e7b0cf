"""Instances as actors: what waits for each, and what runs in it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from plot_nb.engine.attempt import Attempt
from plot_nb.engine.model import Execution, Instance

BESIDE = 8
"""Sandboxes that are had for synchronous webhooks where all others are taken, each a process of its own meanwhile."""


@dataclass(slots=True, eq=False)
class Actor:
    """An instance, what waits for it and what runs in it."""

    instance: Instance
    ready: list[tuple[tuple[int, int, int], Execution]] = field(default_factory=list)
    running: set[Attempt] = field(default_factory=set)

    def push(self, execution: Execution) -> None:
        """It may begin from now on."""
        heapq.heappush(self.ready, (execution.order, execution))

    def next(self, lets_run: Callable[[Execution], bool]) -> Execution | None:
        """What runs next, if anybody lets it. A suspended instance runs nothing but `deactivate`.

        Scheduled work that falls due after the moment up to which time may pass waits, even where an execution before
        it took the clock further: otherwise a task that takes longer than its interval would never let go.
        """
        if not self.waits:
            return None
        execution = self.ready[0][1]
        if self.instance.suspended is not None and not execution.is_deactivation:
            return None
        return execution if lets_run(execution) else None

    @property
    def waits(self) -> bool:
        """Whether anything is ready, suspended or not."""
        while self.ready and self.ready[0][1].state != "queued":
            heapq.heappop(self.ready)
        return bool(self.ready)

    def begin(self, attempt: Attempt) -> None:
        """It runs from now on, and others wait for it unless it runs beside them."""
        if not attempt.execution.runs_beside:
            self.running.add(attempt)

    def pop(self) -> None:
        """Take what `next` named."""
        heapq.heappop(self.ready)


class Actors:
    """All instances of a runtime.

    Args:
        concurrency: How many executions of one instance may be in flight at once.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._by_instance: dict[int, Actor] = {}

    def __getitem__(self, instance: int) -> Actor:
        return self._by_instance[instance]

    def __iter__(self) -> Iterator[Actor]:
        return iter(self._by_instance.values())

    def install(self, instance: Instance) -> None:
        """Put an instance's version in force; what runs already goes on with the old one."""
        actor = self._by_instance.get(instance.id)
        if actor is None:
            self._by_instance[instance.id] = Actor(instance)
        else:
            actor.instance = instance

    def startable(
        self, lets_run: Callable[[Execution], bool], room: int
    ) -> Iterable[tuple[Actor, Execution]]:
        """What may begin now, in the order in which instances were installed.

        Args:
            lets_run: Whether somebody lets an execution run.
            room: How many sandboxes are free. What runs beside all else begins without; a few more are had for it.
        """
        for actor in self:
            execution = actor.next(lets_run)
            if execution is None:
                continue
            if room > -BESIDE if execution.runs_beside else room > 0 and self._has_turn(actor):
                yield actor, execution

    def _has_turn(self, actor: Actor) -> bool:
        return len(actor.running) < self._concurrency

    def waits(self, lets_run: Callable[[Execution], bool]) -> bool:
        """Whether anything waits that may begin as soon as there is a place for it."""
        return any(actor.next(lets_run) is not None for actor in self)
