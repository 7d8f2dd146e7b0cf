"""What an execution costs does not grow with the journal, and what the journal takes is given back.

Counted, not timed: what SQLite computes for an execution, how it finds its rows, and pages. tests/prove has the times.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime
from plot_nb.journal.reader import reading
from plot_nb.journal.scope import Scope, View
from tests.runtime.filling import CHAIN, LIMITS, filled
from tests.runtime.programs import LIMITS as PROGRAM_LIMITS
from tests.runtime.programs import happen
from tests.runtime.twists import methods, on_runtime

FEW, MANY = 100, 5_000
GROWING = (
    "executions",
    "attempts",
    "requests",
    "logs",
    "callbacks",
    "webhooks",
    "store_versions",
    "events",
    "payloads",
)
SMALL_INDEXES = (
    "executions_unfinished",
    "executions_by_key",
    "attempts_running",
    "callbacks_live",
    "webhooks_live",
    "executions_dead",
    "events_of_rates",
)
"""Indexes of what is not over, or is seldom: they are as long as the queue, and not as the journal."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """State files by the number of executions in them."""
    folder = tmp_path_factory.mktemp("growth")
    found = {}
    for executions in (FEW, MANY):
        found[executions] = folder / f"{executions}.db"
        assert filled(found[executions], executions) == executions
    return found


def connecting(patch: pytest.MonkeyPatch, watch: Callable[[sqlite3.Connection], object]) -> None:
    connect = sqlite3.connect

    def connected(*args: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **named)
        watch(connection)
        return connection

    patch.setattr(sqlite3, "connect", connected)


def steps_of_a_chain(path: Path, length: int) -> int:
    """Hundreds of instructions that SQLite computes while a chain runs."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    async def work() -> int:
        async with Runtime(path, limits=LIMITS) as runtime:
            twist = await runtime.deploy(methods(CHAIN))
            await twist.page(1)
            before = counted
            (await twist.page(length - 1)).raise_for_outcome()
            return counted - before

    with pytest.MonkeyPatch.context() as patch:
        connecting(patch, lambda connection: connection.set_progress_handler(count, 100))
        return asyncio.run(work())


def test_an_execution_computes_as_much_with_five_thousand_in_the_journal_as_with_a_hundred(
    files: dict[int, Path],
) -> None:
    few, many = (steps_of_a_chain(files[executions], 40) for executions in (FEW, MANY))
    assert few > 40
    assert many <= 1.1 * few


def test_no_statement_of_a_running_program_scans_a_table_that_grows(files: dict[int, Path]) -> None:
    statements: set[str] = set()

    async def work(runtime: Runtime) -> None:
        statements.clear()  # What opens a file is no execution's.
        await happen(runtime, 5, 12)

    with pytest.MonkeyPatch.context() as patch:
        connecting(patch, lambda connection: connection.set_trace_callback(statements.add))
        on_runtime(work, limits=PROGRAM_LIMITS)
    with closing(sqlite3.connect(files[MANY])) as database:
        scans = {scan for statement in statements for scan in scanned(database, statement)}
    assert len(statements) > 500
    assert scans == set()


def test_no_table_of_a_run_and_no_live_picture_of_it_scans_a_table_that_grows(files: dict[int, Path]) -> None:
    statements: set[str] = set()

    async def work(runtime: Runtime) -> None:
        run = await (await runtime.deploy(methods(CHAIN))).page(3)
        statements.clear()
        with reading(runtime.path) as connection:
            View(connection, Scope(run._attempts)).rate()
            View(connection, Scope()).rate()
        assert len(run.tasks) == 3
        assert len(run.executions) == 4
        assert len(run.logs) == 4
        assert runtime.dead_letters().empty

    with pytest.MonkeyPatch.context() as patch:
        connecting(patch, lambda connection: connection.set_trace_callback(statements.add))
        on_runtime(work)
    with closing(sqlite3.connect(files[MANY])) as database:
        scans = {scan for statement in statements for scan in scanned(database, statement.strip())}
    assert len(statements) > 5
    assert scans == set()


def scanned(database: sqlite3.Connection, statement: str) -> list[str]:
    """The growing tables that a statement reads through, with the statement."""
    if statement.partition(" ")[0].upper() not in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
        return []
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
    return [
        f"{step}: {statement[:200]}"
        for step in plan
        if step.startswith("SCAN")
        and step.split()[1] in GROWING
        and not any(index in step for index in SMALL_INDEXES)
    ]


@pytest.mark.rule("5.23")
def test_reset_gives_back_every_page(files: dict[int, Path], tmp_path: Path) -> None:
    path = Path(shutil.copy(files[MANY], tmp_path / "reset.db"))

    async def work() -> tuple[int, int]:
        async with Runtime(path) as runtime:
            await runtime.reset()
            return pages(path)

    (total, free), (of_a_new_file, _) = asyncio.run(work()), asyncio.run(fresh(tmp_path / "new.db"))
    assert (total, free) == (of_a_new_file, 0)
    assert path.stat().st_size == total * 4096


@pytest.mark.rule("5.24")
def test_retention_gives_back_what_its_executions_took(files: dict[int, Path], tmp_path: Path) -> None:
    path = Path(shutil.copy(files[MANY], tmp_path / "kept.db"))
    before, _ = pages(path)

    async def work() -> tuple[int, int]:
        async with Runtime(path, retention=timedelta(seconds=10)) as runtime:
            twist = await runtime.deploy(methods(CHAIN))
            await runtime.advance(timedelta(minutes=1))
            await twist.page(0)
            return pages(path)

    after, free = asyncio.run(work())
    assert rows_of(path, "executions") == rows_of(path, "attempts") == 1
    assert rows_of(path, "requests") == 3
    # Callbacks stay: nobody deleted them, and a token may be kept anywhere.
    assert after - free < before / 3
    assert free * 4 <= after


async def fresh(path: Path) -> tuple[int, int]:
    async with Runtime(path):
        return pages(path)


def pages(path: Path) -> tuple[int, int]:
    """How many pages a state file has, and how many of them are free."""
    with closing(sqlite3.connect(path)) as database:
        total, free = (
            database.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count")
        )
    return total, free


def rows_of(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
