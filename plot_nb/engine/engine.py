"""The core: a discrete-event simulation whose processes are sandboxes.

While a guest computes, the clock stands. When every guest waits, what they asked is served in a fixed order, and the
clock moves to the next event: an answer, a timer, a task that falls due. So two runs with the same seed and inputs
do the same things at the same times, however fast the machine is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.engine.actors import Actor, Actors
from plot_nb.engine.attempt import Attempt
from plot_nb.engine.chains import Chain, Drive, Drives, Live
from plot_nb.engine.clock import Clock, microseconds
from plot_nb.engine.journaling import ending_of, masked
from plot_nb.engine.limits import Latency, Limits
from plot_nb.engine.model import Cause, Execution, Instance, derive_id
from plot_nb.engine.outcomes import Verdict, judge, method_gone, name_versions
from plot_nb.engine.prices import Prices
from plot_nb.engine.queueing import EMPTY, AttemptTasks, first_of_chain, next_occurrence
from plot_nb.engine.requests import Requests
from plot_nb.engine.retention import Retention
from plot_nb.engine.retries import settle
from plot_nb.engine.seating import Outside, Seating
from plot_nb.engine.suspensions import Suspensions
from plot_nb.engine.timeline import Kind, Timeline
from plot_nb.sandbox.pool import Crossing, Program, Result, Seat
from plot_nb.tools.webhooks import BASE


class Engine:
    """Runs executions and keeps the journal: up to `concurrency` at once per instance, synchronous webhooks beside.

    It must be called on one thread only. It calls `Outside`, which must not call back before it has returned.
    """

    def __init__(
        self,
        backend: SqliteBackend,
        outside: Outside,
        *,
        clock: Clock,
        limits: Limits,
        latency: Latency,
        prices: Prices,
        seed: int,
        concurrency: int,
        faithful_forks: bool,
        retention: timedelta | None,
    ) -> None:
        self._backend = backend
        self._outside = outside
        self._limits = limits
        self._latency = latency
        self.seed = seed
        self.faithful_forks = faithful_forks
        self.derives_tokens, self.webhook_base = True, BASE
        self._interleaving = random.Random(f"{seed}/interleaving")
        self._clock = clock
        self._requests = Requests(self, backend, outside, limits, latency)
        self._number, self.last_attempt = backend.last_numbers()
        self._actors = Actors(concurrency)
        self.live = Live()
        self._drives = Drives(always=clock.runs_by_itself)
        self._timeline = Timeline()
        self._retention = Retention(backend, retention)
        self._seating = Seating(outside, limits)
        self.suspensions = Suspensions(self, backend, self._actors, limits, prices)
        self._attempts: set[Attempt] = set()
        self._computing: set[Attempt] = set()
        self._arrivals: list[tuple[int, Attempt, Crossing | Result]] = []
        self._turning = False
        self._failure: Exception | None = None

    # what the shell calls

    @property
    def now(self) -> int:
        """The runtime's time in microseconds."""
        return self._clock.now

    def restore(self, instances: list[Instance]) -> None:
        """Take over what a state file holds."""
        self._retention.at(self.now)
        for instance in instances:
            self._actors.install(instance)
        self.suspensions.restore(instances)
        for execution in self._backend.queued():
            self._admit(execution)

    def install(self, instance: Instance) -> None:
        """Put an instance's version in force; what runs already goes on with the old one."""
        self._actors.install(instance)
        self.suspensions.restart(instance)

    def inspect(self, program: Program, invocation: bytes, done: Callable[[Result], None]) -> None:
        """Have a sandbox look at a source."""
        self._seating.inspect(program, invocation, done)

    def make_execution(
        self, instance: int, cause: Cause, method: str, args: str, kwargs: str = EMPTY, awaited: bool = False
    ) -> Execution:
        """An execution for an event from outside, the first of its chain; nothing is queued yet."""
        number = self.next_number()
        identity = derive_id(self.seed, cause, number)
        return first_of_chain(number, identity, self.now, instance, cause, method, args, kwargs, awaited)

    def begin(
        self, executions: Sequence[Execution], ended: Callable[[], None], *, alone: bool = False
    ) -> Drive:
        """Drive executions of one chain to the end, and what they set off, unless the first is awaited alone.

        A lifecycle execution is in the state file by now, and runs again if the process is killed. A call is not
        before it begins: who awaited it would be gone.
        """
        for execution in executions:
            self._admit(execution)
        drive = self.drive(ended, self.live.chain(executions[0]))
        drive.alone = executions[0] if alone else None
        self.suspensions.refuse(self._actors[executions[0].instance].instance)
        return drive

    def queue_posts(self, posts: Sequence[tuple[str, Execution]]) -> None:
        """Queue what was posted to webhooks, by their tokens, all or none."""
        self._backend.queue_posts(posts)
        for _, execution in posts:
            self._admit(execution)

    def last_retry(self) -> int | None:
        """When what waits for its next attempt has all begun it; None if nothing does."""
        return self._timeline.last_retry()

    def waiting(self, instance: Instance) -> list[Execution]:
        """What is queued in an instance."""
        return [each for each in self.live.queued() if each.instance == instance.id]

    def retire_all(self, instance: Instance) -> None:
        """Make an instance inactive, drop all that waits in it, its callbacks and its webhooks, and stop what runs."""
        waiting = self.waiting(instance)
        for execution in waiting:
            execution.state = "cancelled"
        why = "its twist was deactivated"
        self._backend.deactivate(instance.id, waiting, why, self.now)
        self._actors[instance.id].instance.active = False  # another where a version was deployed meanwhile
        for execution in waiting:
            self._retired(execution, why)
        for attempt in self._running():
            if attempt.instance.id == instance.id:
                self.stop(attempt, "cancelled", why)
        self.turn()

    def _running(self) -> list[Attempt]:
        """What runs, in the order in which it began."""
        return sorted(self._attempts, key=lambda attempt: attempt.id)

    def continue_lifecycle(self, instance: Instance, ended: Callable[[], None]) -> Drive | None:
        """Drive a lifecycle execution that an earlier process did not end; None if there is none."""
        for execution in self.live:
            if execution.instance == instance.id and execution.cause == "lifecycle":
                return self.drive(ended, self.live.chain(execution))
        return None

    def drive(
        self,
        ended: Callable[[], None],
        chain: Chain | None = None,
        *,
        until: int = 0,
        moves_clock: bool = False,
        resume: bool = False,
    ) -> Drive:
        """Let the clock run for a chain, or for all that falls due up to a moment."""
        drive = Drive(ended, chain, until, moves_clock)
        self._drives.add(drive)
        if self._failure is not None:
            self._end_drives()
        if resume:
            for paused in self.live.paused():
                for execution in paused.resume():
                    self._make_ready(execution)
        return drive

    def cancel(self, drive: Drive, *, everything: bool = False) -> None:
        """Stop what runs for `drive`, and drop the immediate tasks of its chains (SPEC 7); or all there is."""
        running = self._running()
        if everything:
            chains = set(self.live.chains)
        else:
            chains = {drive.chain.id} if drive.chain else {attempt.execution.chain for attempt in running}
        if drive.chain is None:
            drive.until, drive.moves_clock, drive.stopped = self.now, False, True
        for execution in [each for each in self.live.queued() if each.chain in chains]:
            self.retire(execution, "cancelled", "dropped: its chain was stopped")
        for attempt in running:
            if attempt.execution.chain in chains:
                self.stop(attempt, "cancelled", "stopped by the user")
        self.turn()

    def end(self, why: Exception) -> None:
        """Do nothing any more: who still awaits something is told why."""
        self._failure = why
        self._end_drives()
        self._seating.end(str(why))

    def on_crossing(self, seat: Seat, crossing: Crossing) -> None:
        """A guest has asked."""
        attempt = self._seating.asked(seat)
        if attempt is not None and attempt.why_stopped is None:
            self._arrive(attempt, crossing)

    def on_result(self, seat: Seat, result: Result) -> None:
        """A sandbox has ended."""
        attempt = self._seating.ended(seat, result)
        if attempt is not None:
            self._arrive(attempt, result)

    def on_free(self) -> None:
        """A sandbox can be had again."""
        self._seating.free()

    def turn(self) -> None:
        """Go on until a guest computes, or nothing can happen before the world answers."""
        if self._turning or self._failure is not None:
            return
        self._turning = True
        try:
            while not self._computing and (self._serve_arrivals() or self._step()):
                pass
        except Exception as error:  # a full disk, say: nobody may wait for ever
            self._failure = error
            self._end_drives()
        finally:
            self._turning = False

    # what Requests calls

    def at(self, moment: int, kind: Kind, attempt: Attempt, data: Any = None) -> None:
        """Schedule something for an attempt."""
        if kind == "answer":
            attempt.pending += 1
        self._timeline.add(moment, kind, attempt, data)

    def stop(self, attempt: Attempt, outcome: str, message: str) -> None:
        """End an attempt from outside."""
        if attempt.why_stopped is not None:
            return
        attempt.why_stopped, attempt.stop_message = outcome, message
        if attempt.seat is not None:
            self._computing.add(attempt)  # until its sandbox says that it has ended
            attempt.seat.stop(outcome)
        else:
            self._computing.discard(attempt)
            self._seating.withdraw(attempt)
            self._finish(attempt, Verdict(outcome, message), None)

    def tasks_of(self, attempt: Attempt) -> AttemptTasks:
        """The queue, for who asks."""
        return AttemptTasks(self, attempt)

    # what AttemptTasks and Suspensions call

    def next_number(self) -> int:
        """A number for an execution: the order of queueing."""
        self._number += 1
        return self._number

    def enqueue(self, execution: Execution, *, coalesce: bool) -> str | None:
        """Queue a task; returns the id of the pending one that it was coalesced with."""
        became = self._backend.enqueue(execution, coalesce=coalesce)
        if became.replaced is not None:
            replaced = self.live[became.replaced]
            replaced.state = "cancelled"
            self.live.remove(replaced)
        if became.added:
            self._admit(execution)
        elif became.kept is not None and execution.due < self.live[became.kept].due:
            kept = self.live[became.kept]
            kept.due = execution.due
            self._await_due(kept)
        return became.kept

    def retire(self, execution: Execution, state: str, why: str) -> None:
        """What is queued does not run: its state is saved, and who awaits it is told."""
        execution.state = "cancelled" if state == "cancelled" else "dropped"
        self._backend.settle(execution, state, why, self.now)
        self._retired(execution, why, "suspended" if state == "suspended" else "cancelled")

    # the turn

    def _arrive(self, attempt: Attempt, arrival: Crossing | Result) -> None:
        self._computing.discard(attempt)
        self._arrivals.append((attempt.id, attempt, arrival))
        self.turn()

    def _serve_arrivals(self) -> bool:
        if not self._arrivals:
            return False
        arrivals, self._arrivals = self._arrivals, []
        if len(arrivals) > 1:
            arrivals.sort(key=lambda arrival: arrival[0])
            self._interleaving.shuffle(arrivals)
        for _, attempt, arrival in arrivals:
            if isinstance(arrival, Crossing):
                self._requests.serve(attempt, arrival)
            else:
                attempt.add_logs(arrival.logs, self.now)
                verdict = judge(attempt, arrival, self._limits)
                self._finish(attempt, name_versions(attempt, verdict, self._backend.callback), arrival)
        return True

    def _step(self) -> bool:
        """Do the next thing; False if there is nothing that may be done now."""
        if self._end_drives() or self._start_ready():
            return True
        moment = self._timeline.next_moment() if self._drives.active else None
        if moment is None:
            return False
        if moment > self.now and not self._reach(moment):
            return False
        # All of a moment at once: their guests compute side by side.
        while self._timeline.next_moment() == moment:
            self._fire(*self._timeline.pop())
        return True

    def _reach(self, moment: int) -> bool:
        """Let the clock come to a moment; False if that takes real time, after which there is another turn."""
        bound = self._requests.clock_bound() if not self._clock.runs_by_itself else None
        if bound is not None and moment > bound:
            self._outside.wake_after(0.05)
            return False
        wait = self._clock.move_to(moment)
        if wait > 0:
            self._outside.wake_after(wait / 1e6)
        return wait <= 0

    def _fire(self, kind: Kind, subject: Execution | Attempt, data: Any) -> None:
        if isinstance(subject, Execution):
            self._make_ready(subject)
        elif kind == "begin":
            self._computing.add(subject)
            seed = int(derive_id(self.seed, subject.execution.id, subject.execution.attempts), 16)
            self._seating.take(subject, now=self.now, seed=seed)
        elif kind == "deadline":
            self.stop(
                subject, "over_time", f"ran for more than {self._limits.time:g} s on the runtime's clock"
            )
        else:
            if kind == "answer":
                subject.pending -= 1
                subject.answers.extend(data)
            if subject.waiting:
                self._answer(subject)

    def _answer(self, attempt: Attempt) -> None:
        self._computing.add(attempt)
        attempt.answer(self.now)

    def _end_drives(self) -> bool:
        if self._failure is not None:
            self._drives.fail(self._failure)
            return False
        for drive in self._drives:
            if self._is_over(drive):
                if drive.moves_clock and drive.until > self.now:
                    if not self._reach(drive.until):
                        continue
                    self._backend.save_meta("now", self.now)
                self._drives.remove(drive)
                drive.ended()
                return True
        return False

    def _is_over(self, drive: Drive) -> bool:
        if drive.stopped:
            return not any(attempt.why_stopped for attempt in self._attempts)
        if drive.alone is not None and drive.alone.has_ended:
            return True
        if drive.chain is not None:
            drive.paused = drive.chain.paused or self.suspensions.holds(drive.chain)
            return drive.chain.live == 0 or drive.paused is not None
        if self._attempts or self._actors.waits(self._drives.lets_run):
            return False
        moment = self._timeline.next_moment()
        if moment is not None and moment <= drive.until:
            return False
        paused = next((chain.paused for chain in self.live.paused()), None)
        drive.paused = paused or self.suspensions.holds_due()
        return True

    # executions

    def _admit(self, execution: Execution) -> None:
        self.live.add(execution)
        self._await_due(execution)

    def _await_due(self, execution: Execution) -> None:
        if execution.due > self.now:
            self._timeline.add_due(execution)
        else:
            self._make_ready(execution)

    def _make_ready(self, execution: Execution) -> None:
        self._actors[execution.instance].push(execution)

    def _start_ready(self) -> bool:
        if not self._drives.active:
            return False
        room = self._outside.sandboxes - len(self._attempts)
        for actor, execution in self._actors.startable(self._drives.lets_run, room):
            if not self.suspensions.stops(execution, actor.instance):
                actor.pop()
                if self._admits(execution):
                    self._start(actor, execution)
            return True  # also where it was held or dropped: that may have ended a drive
        return False

    def _admits(self, execution: Execution) -> bool:
        """Whether it begins now; otherwise it is held with its chain, or dropped with its callback."""
        chain = self.live.chain(execution)
        if chain.paused is None and chain.begun >= self._limits.chain:
            self._backend.settle(execution, "paused", chain.pause(self._limits.chain), self.now)
        if chain.paused is not None:
            chain.held.append(execution)
            return False
        if execution.callback is not None:
            callback = self._backend.callback(execution.instance, execution.callback)
            if callback is None or callback.deleted:
                self.retire(execution, "dropped", f"its callback of {execution.method!r} was deleted")
                return False
        return True

    def _start(self, actor: Actor, execution: Execution) -> None:
        chain = self.live.chain(execution)
        chain.begun += 1
        chain.methods[execution.method] += 1
        execution.attempts += 1
        execution.state = "running"
        self.last_attempt += 1
        version = actor.instance.version
        attempt = Attempt(
            self.last_attempt, execution, actor.instance, version, self.now, self._outside.monotonic()
        )
        args, kwargs = map(actor.instance.mask, (execution.args, execution.kwargs))
        following = next_occurrence(execution, self._number + 1, self.now)
        events = self.suspensions.began(attempt)
        self._backend.claim(execution, attempt.id, version.number, self.now, args, kwargs, following, events)
        if following is not None:
            self._admit(following)
            self._number = following.number
        actor.begin(attempt)
        self._attempts.add(attempt)
        self._drives.began(chain, execution, attempt.id)
        if not version.runs(execution):
            token = execution.callback
            made = self._backend.callback(execution.instance, token) if token else None
            self._finish(attempt, method_gone(execution.method, made, version.number), None)
            return
        self.at(self.now + microseconds(self._latency.start), "begin", attempt)
        self.at(self.now + int(self._limits.time * 1e6), "deadline", attempt)

    def _finish(self, attempt: Attempt, verdict: Verdict, result: Result | None) -> None:
        attempt.ended = True
        self._requests.abandon(attempt)
        self._timeline.forget(attempt)
        actor = self._actors[attempt.execution.instance]
        actor.running.discard(attempt)
        self._attempts.discard(attempt)
        execution = attempt.execution
        shown = masked(attempt, verdict)
        attempts, delay = self._limits.attempts, microseconds(self._latency.retry)
        events = settle(execution, shown, self.now, attempts=attempts, delay=delay)
        wall_ms = (self._outside.monotonic() - attempt.wall_started) * 1000
        cost, warnings = self.suspensions.ended(attempt, result.cpu_ms if result else 0.0)
        events += warnings
        ending = ending_of(attempt, shown, result, events, ended=self.now, wall_ms=wall_ms, cost=cost)
        self._backend.finish(execution, attempt.id, ending)
        self.suspensions.stop_overspent(execution, actor.instance)
        self._drives.finished(execution, shown, verdict.value)
        if execution.state == "queued":
            self._timeline.add_due(execution)
        else:
            self.live.remove(execution)
        self._retention.at(self.now)

    def _retired(self, execution: Execution, why: str, outcome: str = "cancelled") -> None:
        self._drives.retired(self.live.chain(execution), execution, Verdict(outcome, why))
        self.live.remove(execution)
