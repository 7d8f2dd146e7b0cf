"""What a chain has come to, and who awaits it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from plot_nb.engine.model import Execution
from plot_nb.engine.outcomes import Verdict


@dataclass(slots=True, eq=False)
class Chain:
    """The executions that one event set off, all in one instance.

    Attributes:
        live: Executions queued or running.
        begun: Executions begun since the start or the last pause.
        methods: How often each method was begun.
        held: What waits while the chain is paused.
        paused: Why it is paused; None while it is not.
    """

    id: str
    instance: int
    live: int = 0
    begun: int = 0
    methods: Counter[str] = field(default_factory=Counter)
    held: list[Execution] = field(default_factory=list)
    paused: str | None = None

    def pause(self, limit: int) -> str:
        """Pause, and say why and what to do."""
        method, count = self.methods.most_common(1)[0]
        self.paused = (
            f"paused after {self.begun:,} executions (Limits(chain={limit})): {method!r} keeps queueing, "
            f"{count:,} of them are its. Is its last page recognised? `await rt.run_until_idle()` or "
            "`%twist run` goes on, `await rt.reset()` drops it"
        )
        return self.paused

    def resume(self) -> list[Execution]:
        """Go on; returns what waited."""
        held, self.held = self.held, []
        self.paused, self.begun = None, 0
        self.methods.clear()
        return held


class Live:
    """What is queued or runs, by id, and the chains that it makes up."""

    def __init__(self) -> None:
        self.chains: dict[str, Chain] = {}
        self._executions: dict[str, Execution] = {}
        self._by_key: dict[tuple[int, str], Execution] = {}

    def __getitem__(self, identity: str) -> Execution:
        return self._executions[identity]

    def __iter__(self) -> Iterator[Execution]:
        return iter(self._executions.values())

    def scheduled(self, instance: int, *, execution: str | None, key: str | None) -> list[Execution]:
        """What a cancellation in an instance may mean: one by id, one by key, or with neither all that it has."""
        if execution is not None:
            found = self._executions.get(execution)
        elif key is not None:
            found = self._by_key.get((instance, key))
        else:
            return [each for each in self if each.instance == instance]
        return [found] if found is not None and found.instance == instance else []

    def queued(self) -> Iterator[Execution]:
        """What does not run yet."""
        return (each for each in self if each.state == "queued")

    def paused(self) -> list[Chain]:
        """The chains that wait to be resumed."""
        return [each for each in self.chains.values() if each.paused]

    def chain(self, execution: Execution) -> Chain:
        """The chain of an execution that lives."""
        return self.chains[execution.chain]

    def add(self, execution: Execution) -> None:
        """It is queued."""
        chain = self.chains.get(execution.chain)
        if chain is None:
            chain = self.chains[execution.chain] = Chain(execution.chain, execution.instance)
        chain.live += 1
        self._executions[execution.id] = execution
        if execution.key is not None and not execution.attempts:  # of a key only one is pending
            self._by_key[execution.instance, execution.key] = execution

    def remove(self, execution: Execution) -> None:
        """It has come to its end."""
        del self._executions[execution.id]
        if execution.key is not None and self._by_key.get((execution.instance, execution.key)) is execution:
            del self._by_key[execution.instance, execution.key]
        chain = self.chains[execution.chain]
        chain.live -= 1
        if chain.live == 0:
            del self.chains[execution.chain]


@dataclass(slots=True, eq=False)
class Drive:
    """Somebody awaits a chain, or a moment: while there is none, nothing runs on the virtual clock.

    Attributes:
        chain: The chain awaited; None for all work that falls due.
        alone: The only execution of the chain that is awaited; None for all of it.
        until: With no chain: the moment up to which work runs.
        moves_clock: Whether the clock stands at `until` in the end, whatever ran.
        attempts: Ids of the attempts that ran for it.
        dropped: Executions that were dropped or cancelled before they began.
        first: The execution that ran first for it.
        verdict: How that one ended, options masked.
        value: What it returned, as superjson text.
        failure: What ended the engine itself.
        stopped: Whether it ends as soon as what was stopped has ended: nothing more begins for its sake.
        ended: Called once, when it has come to its end.
    """

    ended: Callable[[], None]
    chain: Chain | None = None
    until: int = 0
    moves_clock: bool = False
    attempts: list[int] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    first: Execution | None = None
    verdict: Verdict | None = None
    value: str | None = None
    failure: Exception | None = None
    paused: str | None = None
    alone: Execution | None = None
    stopped: bool = False

    def lets_run(self, execution: Execution) -> bool:
        """Whether something may begin for its sake."""
        if self.stopped:
            return False
        if self.alone is not None:
            return execution is self.alone
        return not execution.is_scheduled or self.chain is not None or execution.due <= self.until

    def covers(self, chain: Chain) -> bool:
        """Whether it awaits what runs in `chain`."""
        return self.chain is None or self.chain is chain


class Drives:
    """Who awaits something at this moment.

    Args:
        always: Whether work runs by itself, as on the real clock, also while nobody awaits anything.
    """

    def __init__(self, *, always: bool) -> None:
        self._always = always
        self._drives: list[Drive] = []

    def __iter__(self) -> Iterator[Drive]:
        return iter(self._drives)

    @property
    def active(self) -> bool:
        """Whether anything may run."""
        return self._always or bool(self._drives)

    def add(self, drive: Drive) -> None:
        """Somebody awaits something from now on."""
        self._drives.append(drive)

    def remove(self, drive: Drive) -> None:
        """It has come to its end."""
        self._drives.remove(drive)

    def fail(self, error: Exception) -> None:
        """End all of them, since the engine itself cannot go on."""
        failed, self._drives = self._drives, []
        for drive in failed:
            drive.failure = error
            drive.ended()

    def lets_run(self, execution: Execution) -> bool:
        """Whether a ready execution may begin."""
        return self._always or any(drive.lets_run(execution) for drive in self._drives)

    def began(self, chain: Chain, execution: Execution, attempt: int) -> None:
        """An attempt has begun."""
        for drive in self._drives:
            if drive.covers(chain):
                drive.attempts.append(attempt)
                drive.first = drive.first or execution

    def finished(self, execution: Execution, shown: Verdict, value: str | None) -> None:
        """An attempt has ended."""
        for drive in self._drives:
            if drive.first is execution:
                drive.verdict, drive.value = shown, value

    def retired(self, chain: Chain, execution: Execution, verdict: Verdict) -> None:
        """An execution will not run."""
        for drive in self._drives:
            if drive.covers(chain):
                drive.dropped.append(execution.id)
            if drive.chain is not None and drive.chain.id == execution.id:
                drive.verdict = verdict
