"""The runtime: one state file, one engine, and the twists installed in it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import Durability, SqliteBackend
from plot_nb.engine.chains import Drive
from plot_nb.engine.clock import microseconds, to_datetime
from plot_nb.engine.engine import Engine
from plot_nb.engine.limits import Latency, Limits
from plot_nb.engine.model import Execution, Instance
from plot_nb.errors import MethodNotFound, PlotError, RuntimeClosed, TwistInactive
from plot_nb.runtime.deploying import (
    Manifest,
    Source,
    check_options,
    check_source,
    make_version,
    read_manifest,
    restore_instance,
)
from plot_nb.runtime.handle import TwistHandle
from plot_nb.runtime.run import Run
from plot_nb.runtime.thread import EngineThread
from plot_nb.sandbox.pool import Result
from plot_nb.tools.callbacks import suggestion
from plot_nb.tools.store import check_key, check_value
from plot_nb.twist import superjson

if TYPE_CHECKING:
    from plot_nb.tools.network import AsgiApp

T = TypeVar("T")

_WORKERS = 2


class Runtime:
    """Runs twists as the serverless runtime would, within its limits, on a virtual clock.

    Args:
        path: The state file. Without one, a temporary file that goes with the runtime.
        limits: The budget of each attempt.
        latency: What things take on the virtual clock.
        seed: Where identities, tokens and randomness come from. Without one, the file's own, or a new one.
        concurrency: How many executions of one instance may be in flight at once. On the virtual clock they
            interleave at crossings, in an order drawn from the seed.
        faithful_forks: Whether an execution that is tried again queues its tasks again, as a runtime without
            derived identities would.
        allow_private: Whether `fetch` may reach loopback, private and other special addresses.
        durability: `process`: what an `await` returned survives a killed process. `full`: also a power cut.

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
        seed: int | None = None,
        concurrency: int = 1,
        faithful_forks: bool = False,
        allow_private: bool = False,
        durability: Durability = "process",
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency={concurrency!r}: give a whole number of 1 or more")
        self.limits = limits or Limits()
        self.latency = latency or Latency()
        self.last_run: Run | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="plot_nb-")) if path is None else None
        self.path = Path(path) if path is not None else Path(str(self._folder), "state.db")
        self._given_seed = seed
        self._concurrency = concurrency
        self._faithful_forks = faithful_forks
        self._closed = False
        self._instances: dict[int, Instance] = {}
        self._backend = SqliteBackend(self.path, durability=durability)
        try:
            self._backend.recover(self._backend.latest_time() or 0)
            self._thread = EngineThread(
                workers=max(_WORKERS, concurrency),
                allow_private=allow_private,
                fetch_latency=self.latency.fetch.total_seconds(),
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
            limits=self.limits,
            latency=self.latency,
            seed=seed,
            concurrency=self._concurrency,
            faithful_forks=self._faithful_forks,
        )
        self._instances = {row[0]: restore_instance(row) for row in self._backend.instances()}
        self._engine.restore(list(self._instances.values()))
        self._thread.attach(self._engine)

    # twists

    async def deploy(
        self,
        source: str,
        instance: str = "default",
        options: Mapping[str, Any] | None = None,
        modules: Mapping[str, str] | None = None,
        *,
        filename: str = "<cell>",
    ) -> TwistHandle:
        """Install a twist, or its next version, and run its `activate` or `upgrade`.

        Unchanged source does nothing. If the lifecycle method fails, the version is deployed all the same, and the
        handle shows the failure.

        Args:
            source: Text with exactly one class that extends `Twist`.
            instance: Which installation of the twist: each has a state of its own.
            options: What the twist finds in `self.options`; never shown.
            modules: Source texts that the twist can import, by name.
            filename: What tracebacks call the source.

        Raises:
            DeployError: If it does not compile, has no twist class or two, or its `build` fails.
        """
        checked = check_source(source, modules, filename)
        given = check_options(options)
        return await self._submit(self._deploy(checked, instance, given))

    async def _deploy(self, source: Source, name: str, options: str) -> TwistHandle:
        await self._thread.ready()
        manifest = await self._inspect(source, options)
        found = next(
            (each for each in self._instances.values() if (each.twist, each.name) == (manifest.name, name)),
            None,
        )
        if found is not None and found.version.digest == source.digest:
            return TwistHandle(self, found.id, await self._deploy_again(found, options))
        program = source.program(manifest.name)
        if found is not None:
            self._thread.forget(found.version.program.id)
        was_active = found is not None and found.active

        def lifecycle(identity: int, _: int) -> Execution | None:
            return self._lifecycle(identity, "upgrade" if was_active else "activate", manifest.methods)

        identity, number, execution = self._backend.add_version(
            manifest.name,
            name,
            options,
            source.digest,
            program.text,
            msgspec.json.encode(manifest).decode(),
            self._engine.now,
            lifecycle,
        )
        version = make_version(number, source.digest, program, manifest)
        deployed = Instance(identity, manifest.name, name, version, msgspec.json.decode(options))
        self._instances[identity] = deployed
        self._engine.install(deployed)
        return TwistHandle(self, identity, await self._run_lifecycle(deployed, execution))

    async def _deploy_again(self, found: Instance, options: str) -> Run | None:
        """Unchanged source: what an earlier process did not end goes on; a deactivated twist is activated."""
        execution = None if found.active else self._lifecycle(found.id, "activate", found.version.methods)
        self._backend.save_instance(found.id, options, active=True, lifecycle=execution)
        found.options, found.active = msgspec.json.decode(options), True
        if execution is not None:
            return await self._run_lifecycle(found, execution)
        return await self._drive(
            f"{found.twist} continued", lambda ended: self._engine.continue_lifecycle(found, ended)
        )

    def _lifecycle(self, instance: int, method: str, methods: Collection[str]) -> Execution | None:
        if method not in methods:
            return None
        return self._engine.make_execution(instance, "lifecycle", method, '{"json":[]}', '{"json":{}}')

    async def _run_lifecycle(self, instance: Instance, execution: Execution | None) -> Run | None:
        if execution is None:
            return None
        return await self._drive(
            f"{instance.twist}.{execution.method}", lambda ended: self._engine.begin(execution, ended)
        )

    async def _deactivate(self, instance: int) -> Run:
        return await self._submit(self._deactivate_when_ready(self._active(instance)))

    async def _deactivate_when_ready(self, instance: Instance) -> Run:
        await self._thread.ready()
        options = msgspec.json.encode(instance.options).decode()
        execution = self._lifecycle(instance.id, "deactivate", instance.version.methods)
        if execution is not None:
            self._backend.save_instance(instance.id, options, active=True, lifecycle=execution)
        run = await self._run_lifecycle(instance, execution)
        self._engine.retire_all(instance)
        self._backend.save_instance(instance.id, options, active=False)
        instance.active = False
        return run or Run(self.path, f"{instance.twist} deactivated", Drive(lambda: None), self.limits)

    def twists(self) -> list[TwistHandle]:
        """All that is installed, in the order in which it came."""
        self._check_open()
        return [TwistHandle(self, instance, None) for instance in sorted(self._instances)]

    async def _inspect(self, source: Source, options: str) -> Manifest:
        looked: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        invocation = msgspec.json.encode(
            {
                "kind": "describe",
                "options": msgspec.json.decode(options),
                "seed": self.seed & (2**53 - 1),
                "now": self._engine.now / 1000,
            }
        )

        def done(result: Result) -> None:
            if not looked.done():
                looked.set_result(result)

        self._engine.inspect(source.program(None), invocation, done)
        return read_manifest(await looked)

    async def _call(self, instance: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        installed = self._active(instance)
        if method not in installed.version.methods:
            raise MethodNotFound(
                f"{installed.twist} (version {installed.version.number}) has no async method {method!r}: "
                f"{suggestion(method, installed.version.methods)}"
            )
        given = superjson.dumps(list(args)), superjson.dumps(kwargs)
        return await self._submit(self._call_when_ready(installed, method, *given))

    async def _call_when_ready(self, instance: Instance, method: str, args: str, kwargs: str) -> Run:
        await self._thread.ready()
        run = await self._drive(
            f"{instance.twist}.{method}",
            lambda ended: self._engine.begin(
                self._engine.make_execution(instance.id, "call", method, args, kwargs), ended
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
        if self._closed:
            raise RuntimeClosed(f"the runtime of {self.path} was closed: open it again with Runtime(...)")
        found = self._instances.get(instance)
        if found is None:
            raise RuntimeClosed("the runtime was reset since this twist was deployed: deploy it again")
        return found

    # time

    @property
    def now(self) -> datetime:
        """The runtime's time, in UTC."""
        return to_datetime(self._engine.now)

    async def advance(self, by: timedelta) -> Run:
        """Let time pass; whatever falls due meanwhile runs.

        Raises:
            ValueError: If `by` is negative.
        """
        if by < timedelta(0):
            raise ValueError(f"time cannot go back (by={by})")
        return await self._submit(self._pass_time(f"advance {by}", by, moves_clock=True, resume=False))

    async def run_until_idle(self, horizon: timedelta = timedelta(days=1)) -> Run:
        """Run all that waits and falls due within `horizon`: paused chains, and what a killed process left."""
        if horizon < timedelta(0):
            raise ValueError(f"time cannot go back (horizon={horizon})")
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

    async def _drive(self, title: str, begin: Callable[[Callable[[], None]], Drive | None]) -> Run | None:
        """On the engine's thread: let the engine go on until a drive has ended. Cancelling it stops what runs."""
        over = asyncio.Event()
        try:
            drive = begin(over.set)
        except sqlite3.Error as error:
            raise self._stopped(error) from error
        if drive is None:
            return None
        self._engine.turn()
        try:
            await over.wait()
        except asyncio.CancelledError:
            if self._closed:
                raise RuntimeClosed(
                    "the runtime was closed while this ran: what is unfinished runs again"
                ) from None
            self._engine.cancel(drive)
            await over.wait()
            self.last_run = self._run(title, drive)
            raise
        if drive.failure is not None:
            raise self._stopped(drive.failure) from drive.failure
        self.last_run = run = self._run(title, drive)
        return run

    def _stopped(self, error: Exception) -> PlotError:
        return PlotError(
            f"the runtime has stopped: {type(error).__name__}: {error}. What was committed is safe: "
            f"close it with `await rt.aclose()` and open {self.path} again"
        )

    def _run(self, title: str, drive: Drive) -> Run:
        return Run(self.path, title, drive, self.limits)

    # around it

    def mount(self, origin: str, app: AsgiApp) -> None:
        """Let an ASGI app answer `origin`, such as `https://api.example.com`, instead of the network."""
        self._check_open()
        self._thread.mount(origin, app)

    def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of one of this runtime's awaitables, from code that cannot await: handlers of widgets, scripts.

        It blocks the calling thread, and works whether or not an event loop runs there.
        """
        self._check_open()
        if self._thread.is_current():
            raise RuntimeError("rt.wait on the engine's own thread would wait for itself: await instead")

        async def awaited() -> T:
            return await awaitable

        future = self._thread.submit(awaited())
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
        self._backend.reset()
        self.last_run = None
        self._open()

    async def aclose(self) -> None:
        """Give the file free. What is unfinished runs again when it is opened next. More than once is no error."""
        if self._closed:
            return
        closing = self._thread.submit(self._thread.aclose())
        self._closed = True
        await asyncio.wrap_future(closing)
        self._finalizer()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        kept = "temporary" if self._folder else str(self.path)
        return f"<Runtime {kept}: {len(self._instances)} twists, {self.now:%Y-%m-%d %H:%M:%S} UTC>"

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeClosed(f"the runtime of {self.path} was closed: open it again with Runtime(...)")

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

    def _load(self, instance: int, values: Mapping[str, str]) -> None:
        installed = self._instance(instance)
        if not all(isinstance(part, str) for pair in values.items() for part in pair):
            raise TypeError("load takes superjson texts by key, as dump gives them")
        for key, text in values.items():
            check_key(key)
            check_value(key, text)
            superjson.loads(text)

        async def write() -> None:
            self._backend.set_many(Origin(installed.id, None, None, self._engine.now), list(values.items()))

        self.wait(write())


def _clean_up(thread: EngineThread, backend: SqliteBackend, folder: Path | None) -> None:
    """Give free what a runtime holds, also when it was never closed."""
    thread.end()
    with contextlib.suppress(Exception):
        backend.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


_current: list[Runtime] = []
"""The runtime of this process's notebook; empty until one is asked for."""


def current() -> Runtime:
    """The runtime that this notebook's magics use; made at the first call."""
    if not _current or _current[0]._closed:
        use(Runtime())
    return _current[0]


def opened() -> Runtime | None:
    """The current runtime if there is one already."""
    return _current[0] if _current and not _current[0]._closed else None


def use(runtime: Runtime) -> Runtime:
    """Make `runtime` the current one."""
    _current[:] = [runtime]
    return runtime
