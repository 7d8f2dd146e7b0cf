"""A process may die at any commit: what it had committed goes on, and nothing is lost, doubled or torn."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.crash.killing import Place
from tests.crash.plan import (
    Record,
    Survival,
    commits_in_source,
    differences,
    each_point_once,
    every_place,
    killed,
    record,
    run,
    survive,
)


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return record(tmp_path_factory.mktemp("unharmed"))


def survive_all(folder: Path, unharmed: Record, runs: list[list[Place]]) -> int:
    """Make runs with kills, two at a time, and compare their ends with that of the run without any.

    A place that a run did not come to, since it was cut off before, gets a run of its own.

    Returns:
        How many processes died.
    """

    def one(kills: list[Place]) -> Survival:
        return survive(Path(tempfile.mkdtemp(dir=folder)), kills)

    with ThreadPoolExecutor(2) as pool:
        survivals = list(pool.map(one, runs))
        reached = {place for survival in survivals for place in survival.died}
        left = [place for kills in runs for place in kills if place not in reached]
        survivals += pool.map(one, [[place] for place in left])
    found = [(survival.died, list(differences(survival, unharmed))) for survival in survivals]
    assert [(places, different) for places, different in found if different] == []
    died = [place for survival in survivals for place in survival.died]
    assert {place for kills in runs for place in kills} <= set(died)
    return len(died)


def test_the_scenario_has_work_of_all_kinds(unharmed: Record) -> None:
    assert {each[-1] for each in unharmed.work} == {"queued", "done", "dead", "dropped", "cancelled"}
    assert {each[1] for each in unharmed.work} >= {"lifecycle", "call", "task", "schedule"}
    assert len(unharmed.store) > 50


def test_the_scenario_passes_every_commit_that_the_source_has(unharmed: Record) -> None:
    sides = {f"{side} {name}" for name in commits_in_source() for side in ("before", "after")}
    assert unharmed.points == sides


def test_nothing_becomes_durable_but_at_a_commit_point(unharmed: Record) -> None:
    assert unharmed.unannounced == []


@pytest.mark.timeout(900)
@pytest.mark.rule("5.1", "5.25", "7.7", "7.25", "7.26", "7.28", "7.43", "10.43")
def test_a_process_that_dies_at_any_commit_point_loses_doubles_and_tears_nothing(
    tmp_path: Path, unharmed: Record
) -> None:
    survive_all(tmp_path, unharmed, each_point_once(unharmed.places, random.Random(4), more=6))


@pytest.mark.rule("7.27")
def test_a_fork_that_was_asked_for_is_seen(tmp_path: Path) -> None:
    for place in (Place("chain", "after enqueue", 3), Place("locks", "before claim", 1)):
        assert killed(tmp_path, place, "--forks").returncode == -signal.SIGKILL
    opened = run(tmp_path, "--forks")
    assert opened.returncode == 1
    assert "chains_do_not_fork: link " in opened.stderr


@pytest.mark.prove
def test_a_process_that_dies_at_each_passing_of_each_commit_point(tmp_path: Path, unharmed: Record) -> None:
    runs = every_place(unharmed.places)
    began = time.monotonic()
    kills = survive_all(tmp_path, unharmed, runs)
    print(
        f"\n{kills} kills, at each of {len(unharmed.places)} passings of {len(unharmed.points)} commit points: "
        f"every end the same, no invariant broken; {time.monotonic() - began:.0f} s"
    )
    assert kills >= len(unharmed.places)
