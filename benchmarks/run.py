"""DESIGN.md's table, measured: each figure beside its budget.

    python benchmarks/run.py [NAME ...]

Figures are medians of several rounds. Nothing is asserted: machines are noisy, who reads them decides.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import psutil

from plot_nb import Latency, Limits, Runtime, TwistHandle

TWIST = """
import asyncio
from datetime import timedelta

class Bench(Twist):
    async def nothing(self):
        pass

    async def serial(self, count):
        for number in range(count):
            await self.set("n", number)

    async def gathered(self, count):
        await asyncio.gather(*(self.get("n") for number in range(count)))

    async def start(self):
        await self.schedule_recurring("tick", await self.callback(self.tick), every=timedelta(minutes=1))

    async def tick(self):
        await self.set("ticks", (await self.get("ticks") or 0) + 1)

    async def link(self, left):
        await self.set("left", left)
        await self.get("left")
        await self.set("again", left)
        if left:
            await self.run_task(await self.callback(self.link, left - 1))
"""


async def on_engine(runtime: Runtime, work: Awaitable[float]) -> float:
    """The result of work that runs on the engine's own thread, so that no other thread's wake-up is in the figure."""

    async def awaited() -> float:
        return await work

    return await asyncio.wrap_future(runtime._thread.submit(awaited()))


async def deployed(runtime: Runtime) -> TwistHandle:
    """The twist that is measured."""
    return await runtime.deploy(TWIST)


async def latency(runtime: Runtime, twist: TwistHandle, *, rounds: int, pause: float) -> float:
    """Median ms from event to result, after a pause in which the next sandbox can be prepared."""

    async def work() -> float:
        taken = []
        for _ in range(rounds):
            await asyncio.sleep(pause)
            began = time.perf_counter()
            await twist.nothing()
            taken.append((time.perf_counter() - began) * 1000)
        return statistics.median(taken)

    return await on_engine(runtime, work())


async def prepared_ahead() -> str:
    """Event to result of a minimal execution, journal and commit included."""
    async with Runtime(seed=1) as runtime:
        twist = await deployed(runtime)
        short = await latency(runtime, twist, rounds=300, pause=0.003)
        long = await latency(runtime, twist, rounds=60, pause=0.05)
        return f"{short:.2f} ms 3 ms after the last one; {long:.2f} ms after 50, when the processors sleep"


async def not_prepared() -> str:
    """The same, when the sandbox's next instance was thrown away."""
    async with Runtime(seed=1) as runtime:
        twist = await deployed(runtime)

        async def work() -> float:
            taken = []
            for _ in range(100):
                runtime._thread.forget(twist._instance.version.program.id)
                await asyncio.sleep(0.003)
                began = time.perf_counter()
                await twist.nothing()
                taken.append((time.perf_counter() - began) * 1000)
            return statistics.median(taken)

        return f"{await on_engine(runtime, work()):.2f} ms"


async def _rate(method: str, count: int, rounds: int) -> float:
    async with Runtime(seed=1, limits=Limits(requests=10**6)) as runtime:
        twist = await deployed(runtime)
        rates: list[float] = []
        for _ in range(rounds):
            run = await twist.call(method, count)
            run.raise_for_outcome()
            rates.append(count / run.executions["wall_ms"].iloc[0] * 1000)
        return float(statistics.median(rates))


async def serial_requests() -> str:
    """Store writes, each committed before the next."""
    return f"{await _rate('serial', 2000, 5):,.0f} /s"


async def gathered_requests() -> str:
    """Store reads that share crossings."""
    return f"{await _rate('gathered', 10_000, 5):,.0f} /s"


async def chain() -> str:
    """10,000 executions with 5 requests each."""
    me = psutil.Process()
    async with Runtime(seed=1, limits=Limits(chain=20_000)) as runtime:
        twist = await deployed(runtime)
        await twist.link(200)
        before = me.memory_info().rss
        began = time.perf_counter()
        run = await twist.link(9_999)
        taken = time.perf_counter() - began
        grown = (me.memory_info().rss - before) / 2**20
        began = time.perf_counter()
        frame = run.executions
        table = time.perf_counter() - began
        assert len(frame) == 10_000
        began = time.perf_counter()
        bundle = run._repr_mimebundle_()
        picture = time.perf_counter() - began
        size = sum(len(each) for each in bundle.values()) / 1000
    return (
        f"{taken:.1f} s, the kernel grew by {grown:.0f} MiB; table of 10,000 rows {table:.2f} s; "
        f"picture {picture:.2f} s, {size:.0f} kB"
    )


async def day() -> str:
    """A day of a task each minute that counts, in one call."""
    taken = []
    for _ in range(3):
        async with Runtime(seed=1) as runtime:
            twist = await deployed(runtime)
            await twist.start()
            began = time.perf_counter()
            run = await runtime.advance(timedelta(days=1))
            taken.append(time.perf_counter() - began)
            assert len(run.executions) == 1440
    return f"{statistics.median(taken):.1f} s for 1,440 executions with 2 requests each"


async def engine_share() -> str:
    """CPU of the engine's thread per execution of a chain without a pause: scheduling, backend, journal."""
    async with Runtime(seed=1, limits=Limits(chain=20_000), latency=Latency(start=timedelta(0))) as runtime:
        twist = await deployed(runtime)

        async def work() -> float:
            began = time.thread_time()
            await twist.link(999)
            return (time.thread_time() - began) / 1000 * 1000

        return f"{await on_engine(runtime, work()):.2f} ms with 5 requests"


async def load_ext() -> str:
    """`%load_ext plot_nb` in a new IPython, the component compiled before."""
    program = (
        "import time; from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance(); "
        "t = time.perf_counter(); s.run_line_magic('load_ext', 'plot_nb'); print(time.perf_counter() - t)"
    )
    taken = [
        float(
            subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(5)
    ]
    return f"{statistics.median(taken):.2f} s"


BENCHMARKS: dict[str, tuple[Callable[[], Awaitable[str]], str]] = {
    "prepared_ahead": (prepared_ahead, "1.0 ms or less; aim at 0.7"),
    "not_prepared": (not_prepared, "3.2 ms or less"),
    "serial_requests": (serial_requests, "4,000 /s or more; aim at 10,000"),
    "gathered_requests": (gathered_requests, "25,000 /s or more; aim at 50,000"),
    "day": (day, "a day of 1,440 in under 5 s"),
    "engine_share": (engine_share, "0.3 ms or less"),
    "load_ext": (load_ext, "under 0.5 s"),
    "chain": (chain, "30 s or less, aim at 20; memory flat; table under 1 s"),
}


def chosen(names: list[str]) -> Iterator[tuple[str, tuple[Callable[[], Awaitable[str]], str]]]:
    """The benchmarks named, or all."""
    for name in names or BENCHMARKS:
        yield name, BENCHMARKS[name]


def main(names: list[str]) -> Any:
    """Measure and print."""
    print(f"{'what':<20}{'budget':<58}measured", flush=True)
    for name, (measure, budget) in chosen(names):
        print(f"{name:<20}{budget:<58}{asyncio.run(measure())}", flush=True)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1:])
