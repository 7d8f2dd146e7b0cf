"""What an execution takes with a hundred thousand in the journal, beside what it takes with a hundred."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from datetime import timedelta
from pathlib import Path

import pytest

from plot_nb import Runtime
from tests.runtime.filling import CHAIN, LIMITS, filled
from tests.runtime.twists import methods

pytestmark = pytest.mark.prove

FEW, MANY = 100, 100_000
SERIES = 30
LENGTH = 200
"""Executions of a series."""


def test_an_execution_takes_no_longer_with_a_hundred_thousand_in_the_journal(tmp_path: Path) -> None:
    few, many = tmp_path / "few.db", tmp_path / "many.db"
    assert (filled(few, FEW), filled(many, MANY)) == (FEW, MANY)
    size = many.stat().st_size
    opened: list[float] = []
    took: dict[Path, list[tuple[float, float]]] = {few: [], many: []}
    for number in range(SERIES):
        for path in (few, many) if number % 2 else (many, few):
            # What a series adds to the small file must not add up.
            used = Path(shutil.copy(few, tmp_path / f"few {number}.db")) if path == few else many
            opening, wall, cpu = asyncio.run(series(used))
            took[path].append((wall, cpu))
            opened += [opening] if path == many else []
    small, large = (
        [statistics.median(each) * 1000 / LENGTH for each in zip(*took[path], strict=True)]
        for path in (few, many)
    )
    grown, grown_cpu = (
        statistics.median(b[kind] / a[kind] for a, b in zip(took[few], took[many], strict=True))
        for kind in (0, 1)
    )
    print(
        f"\n{SERIES} series of {LENGTH} executions with {FEW} and {MANY:,} in the journal, in turns: "
        f"median {small[0]:.2f} and {large[0]:.2f} ms an execution, {grown - 1:+.1%} from series to series "
        f"(CPU of the kernel's process {small[1]:.2f} and {large[1]:.2f} ms, {grown_cpu - 1:+.1%}); "
        f"{size / MANY:,.0f} bytes an execution; opening the file {statistics.median(opened):.2f} s"
    )
    print(given_back(many, tmp_path / "kept.db"))
    assert min(grown, grown_cpu) <= 1.1


async def series(path: Path) -> tuple[float, float, float]:
    """Seconds that opening took; that the executions took, by the clock and of this process."""
    began = time.perf_counter()
    async with Runtime(path, limits=LIMITS) as runtime:
        opened = time.perf_counter() - began
        twist = await runtime.deploy(methods(CHAIN))
        await twist.page(20)
        began, before = time.perf_counter(), time.process_time()
        run = await twist.page(LENGTH - 1)
        wall, cpu = time.perf_counter() - began, time.process_time() - before
        assert run.ok
    return opened, wall, cpu


def given_back(path: Path, kept: Path) -> str:
    """Keep a minute of a copy of a full file, and reset the file; says what both left."""
    shutil.copy(path, kept)
    full = kept.stat().st_size

    async def keep() -> float:
        began = time.perf_counter()
        # What is old is dropped as the file is opened.
        async with Runtime(kept, limits=LIMITS, retention=timedelta(minutes=1)):
            return time.perf_counter() - began

    async def reset() -> float:
        async with Runtime(path, limits=LIMITS) as runtime:
            began = time.perf_counter()
            await runtime.reset()
            return time.perf_counter() - began

    keeping, resetting = asyncio.run(keep()), asyncio.run(reset())
    left, empty = kept.stat().st_size, path.stat().st_size
    assert left < full / 3
    assert empty < 2**18
    return (
        f"of {full / 2**20:.0f} MiB retention gave back all but {left / 2**20:.1f} MiB in {keeping:.1f} s, "
        f"and `reset` all but {empty / 2**10:.0f} KiB in {resetting:.1f} s"
    )
