from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from plot_nb import Run, Runtime, TwistHandle
from plot_nb.runtime.watching import unwatch
from plot_nb.widgets.asks import Follow, read_ask
from plot_nb.widgets.following import ALLOWANCE, CREDIT, INTERVAL_S, Following
from plot_nb.widgets.source import Source
from tests.runtime.twists import methods, on_runtime
from tests.widgets.page import Clock, Page

CHAIN = methods(
    """
    async def step(self, n, last):
        await self.set("n", n)
        await self.set(f"page:{n:03}", "x" * 50)
        if n < last:
            await self.run_task(await self.callback("step", n + 1, last))
    """
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def following(clock: Clock) -> Any:
    following = Following(clock, threaded=False)
    yield following
    unwatch(following)


def tick(following: Following, clock: Clock, seconds: float = INTERVAL_S) -> float | None:
    clock.now = round(clock.now + seconds, 6)
    return following.tick()


def until_idle(following: Following, clock: Clock) -> None:
    """Tick until nothing more is to be said."""
    for _ in range(1000):
        if tick(following, clock) is None:
            return
    raise AssertionError("it never comes to an end")


async def watched(
    runtime: Runtime,
    twist: TwistHandle,
    last: int,
    look: Callable[[Source], Page],
    following: Following,
    clock: Clock,
) -> tuple[Run, Page]:
    """A chain, followed by a page from its first moments to its end."""
    call = asyncio.ensure_future(twist.call("step", 0, last))
    while not runtime.running:  # noqa: ASYNC110  # it runs on another thread
        await asyncio.sleep(0)
    page = look(Source(runtime.running[0]))
    page.follow()
    while not call.done():
        tick(following, clock)
        await asyncio.sleep(0)
    until_idle(following, clock)
    return await call, page


def test_a_chain_loses_no_execution_and_no_write(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        run, page = await watched(
            runtime, twist, 299, lambda source: Page(source, following, clock), following, clock
        )

        assert page.attempts == dict.fromkeys(run._attempts, "ok")
        assert len(page.attempts) == 300
        assert len(page.writes) == 600
        assert page.running is False
        assert len(page.times) > 3

    on_runtime(work)


def test_what_is_lost_on_the_way_is_asked_for_again(following: Following, clock: Clock) -> None:
    chance = random.Random(7)
    before = [False]

    def loses() -> bool:
        before[0] = not before[0] and chance.random() < 0.5
        return before[0]

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        run, page = await watched(
            runtime, twist, 299, lambda source: Page(source, following, clock, loses=loses), following, clock
        )

        assert page.lost > 0
        assert page.attempts == dict.fromkeys(run._attempts, "ok")
        assert len(page.writes) == 600
        assert page.running is False

    on_runtime(work)


def test_how_a_sync_gets_on_is_told_from_its_first_write_on(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        _, page = await watched(
            runtime, twist, 80, lambda source: Page(source, following, clock), following, clock
        )

        assert page.rows["progress"]["key"] == "n"
        assert sorted(page.totals.values()) == list(range(81))

    on_runtime(work)


def test_the_loss_of_the_last_rows_is_seen(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        run = await twist.call("step", 0, 5)
        losses = [True, False, False]
        page = Page(Source(run), following, clock, loses=lambda: losses.pop(0) if losses else False)
        page.follow()
        until_idle(following, clock)

        assert page.lost == 1
        assert len(page.attempts) == 6

    on_runtime(work)


def test_a_view_gets_at_most_ten_messages_a_second_and_few_bytes(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        await twist.call("step", 0, 400)
        page = Page(Source(runtime), following, clock)
        page.follow()
        for _ in range(2000):
            tick(following, clock, 0.01)

        assert len(page.attempts) == 401
        between = [after - before for before, after in zip(page.times, page.times[1:], strict=False)]
        assert min(between, default=1) >= INTERVAL_S - 1e-6
        assert max(page.sizes) < ALLOWANCE * 1.2

    on_runtime(work)


def test_pictures_share_what_jupyters_server_lets_through(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        await twist.call("step", 0, 600)
        pages = [Page(Source(runtime), following, clock, view=str(number)) for number in range(5)]
        for page in pages:
            page.follow()
        until_idle(following, clock)
        sent: dict[float, int] = {}
        for page in pages:
            for time, size in zip(page.times, page.sizes, strict=True):
                sent[time] = sent.get(time, 0) + size

        assert all(len(page.attempts) == 601 for page in pages)
        assert max(sent.values()) < ALLOWANCE * 1.2

    on_runtime(work)


def test_a_picture_of_a_notebook_gets_the_final_one_and_a_widget_does_not(
    following: Following, clock: Clock
) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        run, page = await watched(
            runtime, twist, 5, lambda source: Page(source, following, clock), following, clock
        )
        widget = Page(Source(run), following, clock, keeps=False)
        widget.follow()
        until_idle(following, clock)

        assert [list(answer) for answer in page.answers] == [["view", "picture"]]
        assert page.answers[0]["picture"]["rows"]["running"] is False
        assert page.answers[0]["picture"]["rows"]["executions"]["id"] == run._attempts
        assert widget.answers == []

    on_runtime(work)


def test_a_document_that_is_complete_is_not_changed(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        await twist.call("step", 0, 5)
        page = Page(Source(twist), following, clock)
        for _ in range(3):
            page.follow()
            until_idle(following, clock)
        assert [list(answer) for answer in page.answers] == [["view", "picture"]]
        await twist.call("step", 0, 1)
        until_idle(following, clock)
        assert [list(answer) for answer in page.answers] == [["view", "picture"]] * 2

    on_runtime(work)


def test_a_picture_that_has_ended_is_left_alone_until_something_changes(
    following: Following, clock: Clock
) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        await twist.call("step", 0, 3)
        page = Page(Source(twist), following, clock, keeps=False)
        page.follow()
        until_idle(following, clock)
        pushes = len(page.times)

        assert tick(following, clock, 60) is None
        assert len(page.times) == pushes
        twist.load({"page:000": '{"json":"by hand"}'})
        until_idle(following, clock)
        assert page.writes[max(page.writes)] == '{"json":"by hand"}'
        await twist.call("step", 0, 3)
        until_idle(following, clock)
        assert len(page.attempts) == 8

    on_runtime(work)


def test_the_picture_of_a_run_is_followed_until_it_is_complete(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        page = Page(Source(await twist.call("step", 0, 3)), following, clock)
        page.follow()
        until_idle(following, clock)

        assert len(page.attempts) == 4
        assert len(following) == 0

    on_runtime(work)


def test_a_closed_runtime_is_gone(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        await twist.call("step", 0, 3)
        page = Page(Source(runtime), following, clock)
        page.follow()
        until_idle(following, clock)
        page.answers.clear()
        await runtime.aclose()
        until_idle(following, clock)

        assert page.answers == [{"view": "v", "gone": True}]
        assert len(following) == 0
        assert page.ask(ask="detail", id=1) == {"view": "v", "gone": True}

    on_runtime(work)


def test_a_reset_runtime_is_gone(following: Following, clock: Clock) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHAIN)
        run = await twist.call("step", 0, 3)
        pages = [Page(Source(each), following, clock) for each in (run, twist, runtime)]
        await runtime.reset()
        for page in pages:
            page.follow()

        assert [page.answers for page in pages] == [[{"view": "v", "gone": True}]] * 3

    on_runtime(work)


class Endless:
    """A source in which something new happens each time one looks."""

    title = "endless"
    running = True
    over = False

    def __init__(self, fails_at: int | None = None) -> None:
        self.looks = 0
        self._fails_at = fails_at

    def tracker(self) -> None:
        return None

    def rows(self, *, after: dict[str, int], **_: Any) -> dict[str, Any]:
        self.looks += 1
        if self.looks == self._fails_at:
            raise ValueError("a fault of ours")
        to = {**after, "attempt": after["attempt"] + 1}
        executions = {"id": [to["attempt"]], "outcome": {"words": ["ok"], "at": [0]}}
        rows = dict.fromkeys(("paused", "value", "scheduled", "left_out", "progress"))
        return {
            **rows,
            "running": True,
            "from": after,
            "to": to,
            "executions": executions,
            "writes": {"id": []},
        }


def ask() -> Follow:
    found = read_ask({"ask": "follow", "view": "v", "after": {"attempt": 0, "write": 0}, "running": []})
    assert isinstance(found, Follow)
    return found


def test_a_page_that_never_asks_again_is_sent_no_more(following: Following, clock: Clock) -> None:
    sent: list[Any] = []
    following.follow("page", Endless(), ask(), sent.append, keeps=True)  # type: ignore[arg-type]
    for _ in range(200):
        tick(following, clock)

    assert len(sent) == CREDIT
    assert tick(following, clock) is None
    assert len(following) == 0
    following.follow("page", Endless(), ask(), sent.append, keeps=True)  # type: ignore[arg-type]
    tick(following, clock)
    assert len(sent) == CREDIT + 1


def test_asking_again_brings_nothing_sooner(following: Following, clock: Clock) -> None:
    times: list[float] = []

    def again(_: Any) -> None:
        times.append(clock.now)
        following.follow("page", Endless(), ask(), again, keeps=True)  # type: ignore[arg-type]

    following.follow("page", Endless(), ask(), again, keeps=True)  # type: ignore[arg-type]
    for _ in range(100):
        tick(following, clock, INTERVAL_S / 10)

    assert len(times) == 10


def test_one_picture_that_fails_leaves_the_others_going(
    following: Following, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    good: list[Any] = []
    bad: list[Any] = []
    closed: list[Any] = []

    def refuse(answer: Any) -> None:
        closed.append(answer)
        raise OSError("the page is closed")

    following.follow("bad", Endless(fails_at=3), ask(), bad.append, keeps=True)  # type: ignore[arg-type]
    following.follow("closed", Endless(), ask(), refuse, keeps=True)  # type: ignore[arg-type]
    following.follow("good", Endless(), ask(), good.append, keeps=True)  # type: ignore[arg-type]
    for _ in range(10):
        tick(following, clock)

    assert bad[-1] == {"view": "v", "gone": True}
    assert len(bad) == 3
    assert len(closed) == 2
    assert len(good) == 10
    assert "a fault of ours" in caplog.text


def test_a_closed_picture_is_sent_nothing(following: Following, clock: Clock) -> None:
    sent: list[Any] = []
    following.follow("page", Endless(), ask(), sent.append, keeps=True)  # type: ignore[arg-type]
    tick(following, clock)
    following.drop("page")
    tick(following, clock)

    assert len(sent) == 1
    assert len(following) == 0
