"""The runtime: one state file, one engine, and the twists installed in it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from plot_nb.backend.sqlite import Durability, SqliteBackend
from plot_nb.engine.chains import Drive
from plot_nb.engine.clock import RealClock, VirtualClock, microseconds, to_datetime
from plot_nb.engine.engine import Engine
from plot_nb.engine.limits import ClockKind, Latency, Limits, check_settings, check_span
from plot_nb.engine.model import Instance
from plot_nb.engine.prices import Prices, check_prices
from plot_nb.engine.under_way import engine_awaited
from plot_nb.errors import MethodNotFound, PlotError, RuntimeClosed, TwistInactive
from plot_nb.runtime import dead_letters, rating
from plot_nb.runtime.by_hand import write_by_hand
from plot_nb.runtime.deploying import (
    check_instance,
    check_options,
    check_source,
    restore_instance,
)
from plot_nb.runtime.handle import TwistHandle, instance_of
from plot_nb.runtime.installing import Candidate, Installer
from plot_nb.runtime.run import Run
from plot_nb.runtime.surroundings import Surroundings
from plot_nb.runtime.thread import EngineThread
from plot_nb.runtime.upgrading import UpgradeReport
from plot_nb.runtime.watching import tell_began, tell_changed, tell_ended
from plot_nb.runtime.webhooks import Webhooks
from plot_nb.tools.callbacks import is_hidden, suggestion
from plot_nb.twist import superjson

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_WORKERS = 2

_NO_TIME = timedelta(0)


class Runtime(Surroundings):
    """Runs twists as the serverless runtime would, within its limits, on a virtual clock.

    Args:
        path: The state file. Without one, a temporary file that goes with the runtime.
        limits: The budget of each attempt.
        latency: What things take on the virtual clock.
        prices: What executions cost, for the rate limits in dollars.
        clock: `virtual`: time moves when it is spent, and nothing runs unless somebody awaits something. `real`: time
            is the wall clock's, things take what they take, and work runs by itself when it falls due.
        seed: Where identities, tokens and randomness come from. Without one, the file's own, or a new one.
        concurrency: How many executions of one instance may be in flight at once. On the virtual clock they
            interleave at crossings, in an order drawn from the seed.
        faithful_forks: Whether an execution that is tried again queues its tasks again, as a runtime without
            derived identities would.
        allow_private: Whether `fetch` may reach loopback, private and other special addresses.
        durability: `process`: what an `await` returned survives a killed process. `full`: also a power cut.
        retention: How long the journal keeps executions that have ended, and the Store values that were replaced, on
            the runtime's clock; without it until `reset`. Dead letters, what is live and current values always stay.

    Raises:
        RuntimeOwned: If another runtime has the file.
        PlotError: If the file is something else.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        limits: Limits | None = None,
        latency: Latency | None = None,
        prices: Prices | None = None,
        clock: ClockKind = "virtual",
        seed: int | None = None,
        concurrency: int = 1,
        faithful_forks: bool = False,
        allow_private: bool = False,
        durability: Durability = "process",
        retention: timedelta | None = None,
    ) -> None:
        check_settings(limits, latency, clock, seed, concurrency, durability, retention)
        check_prices(prices)
        self.limits = limits or Limits()
        self.latency = latency or Latency()
        self.prices = prices or Prices()
        self.last_run: Run | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="plot_nb-")) if path is None else None
        self.path = Path(path) if path is not None else Path(str(self._folder), "state.db")
        self.clock = clock
        self._given_seed = seed
        self._concurrency = concurrency
        self._faithful_forks = faithful_forks
        self._retention = retention
        self._closed = False
        self._instances: dict[int, Instance] = {}
        self._running: list[Run] = []
        self._webhooks = Webhooks(self)
        self._backend = SqliteBackend(self.path, durability=durability)
        try:
            self._backend.recover(self._backend.latest_time() or 0)
            self._thread = EngineThread(
                workers=max(_WORKERS, concurrency),
                allow_private=allow_private,
                fetch_latency=self._modelled.fetch.total_seconds(),
            )
            self._open()
        except BaseException:
            self._backend.close()
            raise
        self._finalizer = weakref.finalize(self, _clean_up, self._thread, self._backend, self._folder)

    def _open(self) -> None:
        """Read the file into a new engine."""
        seed = self._given_seed
        if seed is None:
            seed = self._backend.meta("seed")
        if seed is None:
            seed = secrets.randbits(48)
        self._backend.save_meta("seed", seed)
        self.seed = seed
        self._engine = Engine(
            self._backend,
            self._thread,
            clock=(VirtualClock if self.clock == "virtual" else RealClock)(self._backend.latest_time()),
            limits=self.limits,
            latency=self._modelled,
            prices=self.prices,
            seed=seed,
            concurrency=self._concurrency,
            faithful_forks=self._faithful_forks,
            retention=self._retention,
        )
        self._instances = {row[0]: restore_instance(row) for row in self._backend.instances()}
        self._engine.restore(list(self._instances.values()))
        self._webhooks.attach(self._engine)
        self._thread.attach(self._engine)
        if self.clock == "real":
            self._thread.submit(self._run_by_itself(self._engine))

    @property
    def _modelled(self) -> Latency:
        """What things take beside what they really take."""
        real = Latency(_NO_TIME, _NO_TIME, _NO_TIME, self.latency.retry)
        return self.latency if self.clock == "virtual" else real

    async def _run_by_itself(self, engine: Engine) -> None:
        """Begin with what the file holds; from then on each thing that happens, or falls due, goes on by itself."""
        await self._thread.ready()
        engine.turn()

    # twists

    async def deploy(
        self,
        source: str,
        instance: str = "default",
        options: Mapping[str, Any] | None = None,
        modules: Mapping[str, str] | None = None,
        *,
        filename: str = "<cell>",
        before: Callable[[UpgradeReport], object] | None = None,
    ) -> TwistHandle:
        """Install a twist, or its next version, and run its `activate` or `upgrade`.

        A method `activate` that takes an argument gets `{"instance": …, "version": …}`, both numbers.

        Unchanged source does nothing, changed options run `on_options_changed(old, new)`; what `build` makes of them
        is in force then. If a lifecycle method fails, the version is deployed all the same, and the handle shows it.

        Args:
            source: Text with exactly one class that extends `Twist`.
            instance: Which installation of the twist: each has a state of its own.
            options: What the twist finds in `self.options`; never shown.
            modules: Source texts that the twist can import, by name.
            filename: What tracebacks call the source.
            before: Called, or awaited, with what the new version breaks; what it raises leaves the old one in force.
                Not called where nothing is replaced, which is where `check_upgrade` gives None.

        Raises:
            DeployError: If it does not compile, has no twist class or two, or its `build` fails.
            TypeError: If `before` is no function.
        """
        if before is not None and not callable(before):
            raise TypeError(f"before is a function that takes an UpgradeReport, not {before!r:.200}")
        candidate = await self._look(source, instance, options, modules, filename)
        report = candidate.report
        if report is not None and before is not None and isinstance(told := before(report), Awaitable):
            await told
        installed, run = await self._submit(Installer(self).install(candidate))
        return TwistHandle(self, installed, run, report if before is None else None)

    async def check_upgrade(
        self,
        source: str,
        instance: str = "default",
        options: Mapping[str, Any] | None = None,
        modules: Mapping[str, str] | None = None,
    ) -> UpgradeReport | None:
        """What deploying a source would break; nothing is deployed. Arguments and errors as for `deploy`.

        Returns:
            None where it would replace nothing: a new twist, or unchanged source that is built as before.
        """
        return (await self._look(source, instance, options, modules, "<cell>")).report

    async def _look(
        self,
        source: str,
        instance: str,
        options: Mapping[str, Any] | None,
        modules: Mapping[str, str] | None,
        filename: str,
    ) -> Candidate:
        checked = check_source(source, modules, filename)
        given = check_options(options)
        return await self._submit(Installer(self).look(checked, check_instance(instance), given))

    async def _deactivate(self, instance: int) -> Run:
        return await self._submit(Installer(self).deactivate(self._active(instance)))

    def twists(self) -> list[TwistHandle]:
        """All that is installed, in the order in which it came."""
        self._check_open()
        return [TwistHandle(self, instance, None) for instance in sorted(self._instances)]

    async def _call(self, instance: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        installed = self._active(instance)
        if not isinstance(method, str):
            raise TypeError(f"call takes a method's name, such as call('start_sync'), not {method!r}")
        if method not in installed.version.methods or is_hidden(method):
            raise MethodNotFound(
                f"{installed.twist} (version {installed.version.number}) has no async method {method!r}: "
                f"{suggestion(method, installed.version.methods)}"
            )
        given = superjson.dumps(list(args), name="args"), superjson.dumps(kwargs, name="kwargs")
        return await self._submit(self._call_when_ready(installed, method, *given))

    async def _call_when_ready(self, instance: Instance, method: str, args: str, kwargs: str) -> Run:
        await self._thread.ready()
        run = await self._drive(
            f"{instance.twist}.{method}",
            lambda ended: self._engine.begin(
                [self._engine.make_execution(instance.id, "call", method, args, kwargs, awaited=True)], ended
            ),
        )
        assert run is not None
        return run

    def _active(self, instance: int) -> Instance:
        found = self._instance(instance)
        if not found.active:
            raise TwistInactive(f"{found.twist} was deactivated: deploy it to activate it again")
        return found

    def _instance(self, instance: int) -> Instance:
        self._check_open()
        return self._instances[instance]

    # time

    @property
    def now(self) -> datetime:
        """The runtime's time, in UTC."""
        return to_datetime(self._engine.now)

    async def advance(self, by: timedelta) -> Run:
        """Let time pass; whatever falls due meanwhile runs. On the real clock this takes as long.

        Raises:
            ValueError: If `by` is negative.
        """
        check_span("advance", by, self.now)
        return await self._submit(self._pass_time(f"advance {by}", by, moves_clock=True, resume=False))

    async def run_until_idle(self, horizon: timedelta = timedelta(days=1)) -> Run:
        """Run all that waits and falls due within `horizon`: paused chains, and what a killed process left.

        On the real clock, which no horizon moves, all that is due by now.
        """
        check_span("run_until_idle", horizon, self.now)
        if self.clock == "real":
            horizon = _NO_TIME
        return await self._submit(self._pass_time("run until idle", horizon, moves_clock=False, resume=True))

    async def _pass_time(self, title: str, by: timedelta, *, moves_clock: bool, resume: bool) -> Run:
        await self._thread.ready()
        until = self._engine.now + microseconds(by)
        run = await self._drive(
            title,
            lambda ended: self._engine.drive(ended, until=until, moves_clock=moves_clock, resume=resume),
        )
        assert run is not None
        return run

    async def _drive(
        self, title: str, begin: Callable[[Callable[[], None]], Drive | None], *, remembered: bool = True
    ) -> Run | None:
        """On the engine's thread: let the engine go on until a drive has ended. Cancelling it stops what runs."""
        over = asyncio.Event()
        awaits_no_more = engine_awaited(self._engine, self._thread.monotonic)

        def ended() -> None:
            awaits_no_more()
            over.set()

        try:
            drive = begin(ended)
        except sqlite3.Error as error:
            raise self._stopped(error) from error
        if drive is None:
            return None
        run = Run(self, title, drive)
        self._running.append(run)
        tell_began(run)
        try:
            self._engine.turn()
            await self._over(over, drive)
        finally:
            awaits_no_more()
            if remembered and not self._closed and drive.failure is None:
                self.last_run = run
            run.end()
            self._running.remove(run)
            tell_ended(run)
        return run

    async def _over(self, over: asyncio.Event, drive: Drive) -> None:
        try:
            await over.wait()
        except asyncio.CancelledError:
            if self._closed:
                raise RuntimeClosed(
                    "the runtime was closed while this ran: a call is not run again, its tasks are at the next "
                    "opening of the file"
                ) from None
            self._engine.cancel(drive)
            await over.wait()
            raise
        if isinstance(drive.failure, PlotError):
            raise drive.failure
        if drive.failure is not None:
            raise self._stopped(drive.failure) from drive.failure

    def _stopped(self, error: Exception) -> PlotError:
        return PlotError(
            f"the runtime has stopped: {type(error).__name__}: {error}. What was committed is safe: "
            f"close it with `await rt.aclose()` and open {self.path} again"
        )

    @property
    def running(self) -> tuple[Run, ...]:
        """What runs at this moment, each as far as it has come."""
        return tuple(self._running)

    # rates, suspensions and dead letters

    def rates(self, twist: TwistHandle) -> pd.DataFrame:
        """One row per rate limit: what is used of it, the pace a minute, and when at that pace it would be over."""
        return rating.rates(self, instance_of(self, twist, "rates"))

    async def suspend(self, twist: TwistHandle) -> None:
        """Let nothing of a twist run until `resume`: what is queued stays queued, a call of it ends `suspended`."""
        await self._submit(rating.suspend(self, instance_of(self, twist, "suspend")))

    async def resume(self, twist: TwistHandle) -> Run:
        """End a suspension of either kind, and run what was due and waited; rates are counted anew."""
        return await self._submit(rating.resume(self, instance_of(self, twist, "resume")))

    def dead_letters(self, twist: TwistHandle | None = None) -> pd.DataFrame:
        """One row per task that was given up; of one twist, or of all."""
        return dead_letters.listed(self, twist)

    async def retry(self, execution: str) -> Run:
        """Try a dead letter again, as often as at first, with its chain; what it queued before is not queued again.

        Raises:
            RetryRefused: If there is none of that id, or its key is taken by a task that waits.
            TwistInactive: If its twist was deactivated.
        """
        return await self._submit(dead_letters.retry(self, execution))

    # around it

    def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of one of this runtime's awaitables, from code that cannot await: handlers of widgets, scripts.

        It blocks the calling thread, and works whether or not an event loop runs there.
        """
        self._check_open()
        if self._thread.is_current():
            raise RuntimeError("rt.wait on the engine's own thread would wait for itself: await instead")

        async def awaited() -> T:
            return await awaitable

        try:
            future, _ = self._thread.submit_cancellable(awaited())
        except RuntimeClosed:
            if isinstance(awaitable, Coroutine):
                awaitable.close()  # it is told of already, and shall not be called forgotten too
            raise
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def reset(self) -> None:
        """Drop all state, journal and twists, and set the clock back: as new. What runs is stopped."""
        await self._submit(self._reset())

    async def _reset(self) -> None:
        stopped = asyncio.Event()
        self._engine.cancel(self._engine.drive(stopped.set, until=self._engine.now), everything=True)
        await stopped.wait()
        self._engine.end(PlotError("the runtime was reset while this ran"))
        self._backend.reset()
        self.last_run = None
        self._open()
        tell_changed(self)

    async def aclose(self) -> None:
        """Give the file free. What is unfinished runs again when it is opened next. More than once is no error."""
        if self._closed:
            return
        if self._server is not None:
            await self._server._stop()
        closing = self._thread.submit(self._thread.aclose(asyncio.current_task()), last=True)
        self._closed = True
        await asyncio.wrap_future(closing)
        self._finalizer()
        tell_changed(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        kept = "temporary" if self._folder else str(self.path)
        return f"<Runtime {kept}: {len(self._instances)} twists, {self.now:%Y-%m-%d %H:%M:%S} UTC>"

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def _check_open(self) -> None:
        if self._closed:
            remedy = "make a new one" if self._folder else f"open it again with Runtime({str(self.path)!r})"
            raise RuntimeClosed(f"this runtime was closed: {remedy}")

    async def _submit(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the engine's thread what was called on any other; cancelling waits until it has stopped."""
        if self._closed:
            work.close()
            self._check_open()
        if self._thread.is_current():
            return await work
        future, cancel = self._thread.submit_cancellable(work)
        wrapped = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(wrapped)
        except asyncio.CancelledError:
            cancel()
            await asyncio.wait([wrapped])
            raise

    def _write_by_hand(self, instance: int, entries: Mapping[str, str | None]) -> None:
        write_by_hand(self, self._instance(instance), entries)


def _clean_up(thread: EngineThread, backend: SqliteBackend, folder: Path | None) -> None:
    """Give free what a runtime holds, also when it was never closed."""
    thread.end()
    with contextlib.suppress(Exception):
        backend.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
