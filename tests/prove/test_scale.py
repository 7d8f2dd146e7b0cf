"""Large counts and long runs. Figures are printed; the last ones are in docs/proofs.md."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from plot_nb import Limits, Runtime
from tests.crash.test_killed import finished, run_chain
from tests.runtime.twists import methods, on_runtime

pytestmark = pytest.mark.prove

CHAIN = """
async def link(self, left):
    await self.set("left", left)
    await self.get("left")
    await self.set("again", left)
    if left:
        await self.run_task(await self.callback(self.link, left - 1))
"""


def test_ten_thousand_executions_leave_the_kernel_s_memory_flat(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        me = psutil.Process()
        twist = await runtime.deploy(methods(CHAIN))
        await twist.link(500)
        before, workers = me.memory_info().rss, workers_memory()
        began = time.perf_counter()
        run = await twist.link(9_999)
        taken = time.perf_counter() - began
        grown, worker_growth = me.memory_info().rss - before, workers_memory() - workers
        frame = run.executions
        assert len(frame) == 10_000
        assert set(frame["outcome"]) == {"ok"}
        assert int(frame["requests"].sum()) == 5 * 9_999 + 3
        print(
            f"\n10,000 executions, 49,998 requests: {taken:.1f} s; the kernel grew by {grown / 2**20:.0f} MiB, "
            f"workers by {worker_growth / 2**20:.0f} MiB; the file has {runtime.path.stat().st_size / 2**20:.0f} MiB, "
            f"{runtime.path.stat().st_size / 10_500:.0f} bytes an execution"
        )
        assert grown < 64 * 2**20
        assert worker_growth < 64 * 2**20

    on_runtime(work, limits=Limits(chain=20_000))


def workers_memory() -> int:
    """Bytes of all child processes."""
    return sum(child.memory_info().rss for child in psutil.Process().children(recursive=True))


def test_a_hundred_kills_at_random_commit_points_lose_and_fork_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    sides, commits = ("before", "after"), ("claim", "store write", "callback", "enqueue", "acknowledge")
    kills = 0
    for chain in range(10):
        path = tmp_path / f"{chain}.db"
        for place in range(10):
            point = f"{chance.choice(sides)} {chance.choice(commits)}"
            # The first kill must come after the call that begins the chain: a call is not run again.
            killed = run_chain(path, point, chance.randint(3, 15) if place == 0 else chance.randint(1, 15))
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            kills += 1
        found = finished(path)
        assert (found["items"], found["tasks"], found["states"], found["ok"]) == (200, 199, ["done"], 200)
    print(f"\n{kills} kills in 10 chains of 200: every item processed, no task lost, no fork")


def test_workers_killed_all_the_time_fail_nothing_but_their_attempt() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(CHAIN))
        chance, kills = random.Random(3), 0
        call = asyncio.create_task(twist.link(2_000))
        while not call.done():
            await asyncio.sleep(0.2)
            children = psutil.Process().children()
            if children and not call.done():
                os.kill(chance.choice(children).pid, signal.SIGKILL)
                kills += 1
        run = await call
        frame = run.executions
        crashed = int((frame["outcome"] == "crashed").sum())
        dead = int((run.tasks["state"] == "dead").sum())
        print(
            f"\n{kills} workers killed in a chain of {frame['execution'].nunique()}: "
            f"{crashed} attempts crashed, {dead} dead"
        )
        assert frame["execution"].is_unique or crashed
        assert dead == 0 or crashed >= 3 * dead
        assert (await twist.link(0)).ok

    on_runtime(work, limits=Limits(chain=20_000))


def test_a_soak_of_calls_leaves_no_process_no_descriptor_and_no_file_behind() -> None:
    body = CHAIN + (
        "async def loop(self):\n    while True: pass\n"
        "async def hog(self):\n    x = bytearray(200 * 2**20)\n"
        "async def greedy(self):\n    for n in range(2000): await self.set(f'k{n}', 'v' * 100)\n"
        "async def chatty(self):\n    for n in range(2000): print('x' * 1000)\n"
    )

    async def work(runtime: Runtime) -> None:
        me, chance = psutil.Process(), random.Random(5)
        twist = await runtime.deploy(methods(body))
        outcomes: dict[str, int] = {}
        calls: list[tuple[str, tuple[Any, ...]]] = [
            ("link", (20,)),
            ("hog", ()),
            ("greedy", ()),
            ("chatty", ()),
            ("loop", ()),
        ]
        await twist.link(20)
        descriptors, began = me.num_fds(), time.perf_counter()
        while time.perf_counter() - began < 120:
            method, arguments = chance.choices(calls, weights=[10, 3, 3, 3, 1])[0]
            run = await twist.call(method, *arguments)
            outcomes[str(run.outcome)] = outcomes.get(str(run.outcome), 0) + 1
        assert set(outcomes) == {"ok", "over_memory", "over_requests", "over_cpu"}
        assert len(me.children(recursive=True)) <= 3
        assert me.num_fds() <= descriptors + 2
        print(f"\nsoak of 120 s: {outcomes}; descriptors {descriptors} before, {me.num_fds()} after")

    on_runtime(work, limits=Limits(cpu=0.3))
