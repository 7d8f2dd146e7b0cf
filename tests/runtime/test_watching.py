from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from plot_nb import PlotError, Run, Runtime
from plot_nb.runtime.watching import unwatch, watch
from tests.runtime.twists import methods, on_runtime

CHAIN = methods(
    """
    async def step(self, n):
        await self.set("n", n)
        if n < 5:
            await self.run_task(await self.callback("step", n + 1))

    async def spin(self):
        await self.set("began", True)
        while True:
            pass
    """
)


class Notes:
    """What a watcher was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bool]] = []
        self.runs: list[Run] = []
        self.changes = 0

    def began(self, run: Run) -> None:
        self.told.append(("began", run.title, run.running))
        self.runs.append(run)

    def ended(self, run: Run) -> None:
        self.told.append(("ended", run.title, run.running))

    def changed(self, runtime: Runtime) -> None:
        self.changes += 1


class Broken(Notes):
    """One that fails at whatever it is told."""

    def began(self, run: Run) -> None:
        raise ValueError("a fault of the picture")

    ended = began


@pytest.fixture
def notes() -> Iterator[Notes]:
    notes = Notes()
    watch(notes)
    yield notes
    unwatch(notes)


def test_a_watcher_sees_the_run_that_its_caller_gets(notes: Notes) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        run = await twist.step(0)

        assert notes.told == [("began", "Sync.step", True), ("ended", "Sync.step", False)]
        assert notes.runs == [run]
        assert runtime.running == ()
        assert len(run.executions) == 6

    on_runtime(work)


def test_a_run_can_be_looked_at_while_it_grows(notes: Notes) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN, options={"secret": "open sesame"})
        call = asyncio.ensure_future(twist.spin())
        while not len(twist.store):  # noqa: ASYNC110  # it runs on another thread
            await asyncio.sleep(0)
        run = notes.runs[0]

        assert runtime.running == (run,)
        assert (run.running, run.outcome, run.paused) == (True, None, None)
        assert list(run.executions["outcome"]) == ["running"]
        assert repr(run) == "<Run Sync.spin: running, 1 execution>"
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (run.running, run.outcome) == (False, "cancelled")
        assert notes.told[-1] == ("ended", "Sync.spin", False)

    on_runtime(work)


def test_what_a_closing_runtime_cuts_off_has_ended(notes: Notes) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        call = asyncio.ensure_future(twist.spin())
        while not len(twist.store):  # noqa: ASYNC110  # it runs on another thread
            await asyncio.sleep(0)
        await runtime.aclose()
        with pytest.raises(PlotError):
            await call

        assert notes.told[-1] == ("ended", "Sync.spin", False)
        assert notes.changes == 1

    on_runtime(work)


def test_changes_by_hand_are_told(notes: Notes) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        twist.load({"n": '{"json":1}'})
        with pytest.raises(ValueError, match="superjson"):
            twist.load({"n": "1"})
        await runtime.reset()

        assert notes.changes == 2

    on_runtime(work)


def test_a_watcher_that_fails_leaves_the_run_alone(caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken()
    watch(broken)

    async def work(runtime: Runtime) -> None:
        assert (await (await runtime.deploy(CHAIN)).step(5)).ok

    try:
        on_runtime(work)
    finally:
        unwatch(broken)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "a fault of the picture"
    ] * 2
