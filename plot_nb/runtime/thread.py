"""The thread that drives the engine, with the event loop that sandboxes and fetches report to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from plot_nb.engine.engine import Engine
from plot_nb.errors import RuntimeClosed
from plot_nb.sandbox.pool import Crossing, Pool, Program, Result, Seat
from plot_nb.tools.mounted import MountedTools, ToolFailure
from plot_nb.tools.network import AsgiApp, Fetcher, FetchRequest, FetchResponse, Patterns

T = TypeVar("T")


class EngineThread:
    """Owns the event loop, the pool of sandboxes and the fetches; the engine lives on it.

    Args:
        workers: Sandboxes that can run at once.
    """

    def __init__(self, *, workers: int, allow_private: bool, fetch_latency: float) -> None:
        self.sandboxes = workers
        self.tools = MountedTools()
        self._fetcher = Fetcher(allow_private=allow_private, fetch_latency=fetch_latency)
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._live, name="plot_nb engine", daemon=True)
        self._engine: Engine | None = None
        self._pool: Pool | None = None
        self._working: set[asyncio.Task[Any]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._taking = threading.Lock()
        self._starting = asyncio.Lock()
        self._last_taken = False
        self._thread.start()

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def attach(self, engine: Engine) -> None:
        """Tell whom to report to."""
        self._engine = engine

    def submit(self, work: Coroutine[Any, Any, T], *, last: bool = False) -> Future[T]:
        """Run a coroutine on the engine's thread; callable from any other.

        Args:
            work: What to run.
            last: Whether nothing is taken after it: what came behind it would wait for ever.

        Raises:
            RuntimeClosed: If the last was taken.
        """
        with self._taking:
            if self._last_taken:
                work.close()
                raise RuntimeClosed("this runtime was closed")
            self._last_taken = last
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def submit_cancellable(self, work: Coroutine[Any, Any, T]) -> tuple[Future[T], Callable[[], object]]:
        """Like `submit`; the function cancels the work, and the future is done only when the work has ended."""
        tasks: list[asyncio.Task[T]] = []
        cancelled = False

        async def tracked() -> T:
            if cancelled:  # before its first step
                work.close()
                raise asyncio.CancelledError
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            self._working.add(task)
            try:
                return await work
            except asyncio.CancelledError:
                if self._engine is None:
                    raise RuntimeClosed("the runtime was closed while this ran") from None
                raise
            finally:
                self._working.discard(task)

        def cancel() -> None:
            nonlocal cancelled
            cancelled = True
            for task in tasks:
                task.cancel()

        try:
            return self.submit(tracked()), partial(self._loop.call_soon_threadsafe, cancel)
        except RuntimeClosed:
            work.close()
            raise

    def is_current(self) -> bool:
        """Whether the caller is on the engine's thread."""
        return threading.current_thread() is self._thread

    async def ready(self) -> None:
        """Wait until sandboxes can be had: the first time on a machine, the component is compiled."""
        async with self._starting:
            if self._pool is None:
                pool = Pool(self, size=self.sandboxes)
                await pool.start(self._loop)
                self._pool = pool

    async def aclose(self, by: asyncio.Task[Any] | None = None) -> None:
        """End sandboxes and fetches. Who still waits is told; the engine hears of nothing any more.

        Args:
            by: Who closes, and waits for it: on this thread too if it came by `rt.wait`.
        """
        self._engine = None
        for task in self._working - {by}:
            task.cancel()
        if self._alarm is not None:
            self._alarm.cancel()
        for task in list(self._answering):
            task.cancel()
        if self._pool is not None:
            await self._pool.aclose()
        await self._fetcher.aclose()

    def end(self) -> None:
        """Stop the loop and wait for the thread, unless it is the caller's own."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        if not self.is_current():
            self._thread.join()

    # what the pool reports

    def on_crossing(self, seat: Seat, crossing: Crossing) -> None:
        """A guest has asked."""
        if self._engine is not None:
            self._engine.on_crossing(seat, crossing)

    def on_result(self, seat: Seat, result: Result) -> None:
        """A sandbox has ended."""
        if self._engine is not None:
            self._engine.on_result(seat, result)

    def on_free(self) -> None:
        """A sandbox can be had."""
        if self._engine is not None:
            self._engine.on_free()

    # what the engine needs of the world

    def run(
        self, program: Program, invocation: bytes, *, cpu: float, memory: int, beside: bool
    ) -> Seat | None:
        """Run a method in a sandbox; None while none can be had."""
        assert self._pool is not None
        return self._pool.run(program, invocation, cpu=cpu, memory=memory, beside=beside)

    def forget(self, program: str) -> None:
        """Throw away the sandboxes that were prepared for a program."""
        if self._pool is not None:
            self._pool.forget(program)

    def monotonic(self) -> float:
        """Real seconds."""
        return time.perf_counter()

    def wake_after(self, seconds: float) -> None:
        """Have the engine look again; it asks anew each time, so the earliest alarm is enough."""
        if self._alarm is not None:
            if self._alarm.when() <= self._loop.time() + seconds:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        if self._engine is not None:
            self._engine.turn()

    def mount(self, origin: str, app: AsgiApp) -> None:
        """Let an app answer an origin; callable from any thread."""
        self._fetcher.mount(origin, app)

    def fetch(
        self,
        request: FetchRequest,
        urls: Patterns,
        charge: Callable[[str], None],
        done: Callable[[FetchResponse | BaseException], None],
    ) -> Callable[[], object]:
        """Begin a fetch; `done` is called later, once. Returns what cancels it."""
        return self._begin(_report(self._fetcher.fetch(request, urls, charge), done))

    def call_tool(
        self, name: str, method: str, args: str, kwargs: str, done: Callable[[str | ToolFailure], None]
    ) -> Callable[[], object]:
        """Begin a call of a tool that the user mounted; as `fetch`."""

        async def call() -> None:
            try:
                outcome: str | ToolFailure = await self.tools.call(name, method, args, kwargs)
            except ToolFailure as failure:
                outcome = failure
            done(outcome)

        return self._begin(call())

    def _begin(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        task = self._loop.create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        return task.cancel

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background, until it has ended or the runtime is closed. On this thread only."""
        # In no cell's context: nothing that a cell shows is of it.
        task = self._loop.create_task(work, context=Context())
        self._working.add(task)
        task.add_done_callback(self._working.discard)


async def _report(
    work: Awaitable[FetchResponse], done: Callable[[FetchResponse | BaseException], None]
) -> None:
    try:
        outcome: FetchResponse | BaseException = await work
    except Exception as error:
        outcome = error
    done(outcome)
