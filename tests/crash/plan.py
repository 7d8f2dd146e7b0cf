"""Which commit points there are, and in which runs of the scenario its process dies at which of them."""

from __future__ import annotations

import ast
import itertools
import json
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plot_nb
from tests.crash.killing import Place
from tests.crash.witness import Witness

COMMITS = {"_commit", "_announced"}
"""Methods of the backend that make something durable, and name the commit point in their first argument."""

STOPPED = "after lingering"
"""What the task is called that a Stop of the user's drops."""

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Record:
    """What the scenario came to when nothing killed it.

    Attributes:
        places: The commit points that it passed, in order, with those of a second process on the same file.
        unannounced: What it made durable at no commit point.
        store: What the Stores held in the end.
        work: What there was to do and what became of it.
    """

    places: list[Place]
    unannounced: list[str]
    store: dict[str, str]
    work: set[tuple[str, ...]]

    @property
    def points(self) -> set[str]:
        """All sides and names."""
        return {place.point for place in self.places}


def commits_in_source() -> set[str]:
    """The names of all commit points that the source of plot_nb has.

    Raises:
        ValueError: If one has no constant as its name: none could be found by it.
    """
    found = set()
    for path in Path(plot_nb.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in COMMITS:
                name = node.args[0] if node.args else None
                if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
                    raise ValueError(f"{path}:{node.lineno}: a commit point is named by a plain string")
                found.add(name.value)
    return found


def record(folder: Path) -> Record:
    """Run the scenario without a kill, and open its file once more."""
    report, passed, unannounced = {}, [], []
    for name in ("first", "second"):
        ended = run(folder, "--record", folder / name)
        assert ended.returncode == 0, ended.stderr
        report = json.loads(ended.stdout)
        noted = json.loads((folder / name).read_text())
        passed += [Place(*place) for place in noted["passed"]]
        unannounced += noted["unannounced"]
    # The second process finds all steps done: it has only opened the file, and come to the end.
    places = [place for place in dict.fromkeys(passed) if place.step != "end"]
    return Record(places, unannounced, report["store"], as_work(report))


def run(folder: Path, *options: object) -> subprocess.CompletedProcess[str]:
    """One process of the scenario."""
    command = [sys.executable, "-m", "tests.crash.scenario", str(folder), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=ROOT)


def killed(folder: Path, place: Place, *options: object) -> subprocess.CompletedProcess[str]:
    """One process of the scenario, that kills itself at a place."""
    return run(folder, *options, "--kill", place.step, place.point, place.nth)


@dataclass(frozen=True, slots=True)
class Survival:
    """What a run of the scenario came to.

    Attributes:
        died: Where its processes died.
        report: What the last one printed.
    """

    died: list[Place]
    report: Any


def survive(folder: Path, kills: Iterable[Place], *options: object) -> Survival:
    """Run the scenario, with a process that dies at each of some places, and a last one that comes to the end.

    Raises:
        AssertionError: If an invariant does not hold.
    """
    for place in kills:
        cut = killed(folder, place, *options)
        if cut.returncode != -signal.SIGKILL:
            assert cut.returncode == 0, f"after {died(folder)}, on the way to {place}:\n{cut.stderr}"
            break  # it came to the end without passing its place: that was in one of the last steps
    ended = run(folder, *options)
    assert ended.returncode == 0, f"after {died(folder)}:\n{ended.stderr}"
    return Survival(died(folder), json.loads(ended.stdout))


def died(folder: Path) -> list[Place]:
    """Where the processes of a run have died so far."""
    seen = Witness(folder / "witness.jsonl").facts()
    return [Place(*item) for who, what, item in seen if (who, what) == ("client", "died")]


def as_work(report: Any) -> set[tuple[str, ...]]:
    """What there was to do, of a process's report."""
    return {tuple(each) for each in report["work"]}


def differences(survival: Survival, expected: Record) -> Iterator[str]:
    """Where a run with kills came to another end than the one without.

    A client that does a step again queues its tasks again: what replaces or cancels them is more than once, too. A
    call that was cut off is done. A process that died before the user's Stop came goes on with what that would have
    dropped.
    """
    report, work = survival.report, as_work(survival.report)
    if any(place.step == "stop" for place in survival.died):
        report["store"].pop(f"Works/keyed:{STOPPED}", None)
        work = {each for each in work if STOPPED not in each[3]} | {
            each for each in expected.work if STOPPED in each[3]
        }
    for key in sorted(report["store"].keys() | expected.store.keys()):
        if report["store"].get(key) != expected.store.get(key):
            yield f"{key} is {report['store'].get(key)}, not {expected.store.get(key)}"
    yield from (f"{missing} is missing" for missing in sorted(expected.work - work))
    known = {each[:-1] for each in expected.work}
    for each in sorted(work - expected.work):
        if each[:-1] not in known or not (each[-1] in {"cancelled", "dropped"} or each[1] == "call"):
            yield f"{each} is new"


def each_point_once(places: list[Place], chance: random.Random, *, more: int = 0) -> list[list[Place]]:
    """Kills at each distinct point once, at any of its passings, and at some more places.

    Returns:
        The kills of one run each, in its order: at most one in a step, since the step is done again then.
    """
    by_point = defaultdict(list)
    for place in places:
        by_point[place.point].append(place)
    chosen = [chance.choice(found) for _, found in sorted(by_point.items())]
    chosen += chance.sample([place for place in places if place not in chosen], more)
    return in_runs(places, chosen)


def every_place(places: list[Place]) -> list[list[Place]]:
    """Kills at every place there is."""
    return in_runs(places, places)


def in_runs(places: list[Place], chosen: Iterable[Place]) -> list[list[Place]]:
    """Share kills among as few runs as can be: at most one in a step, and a kill while the file is opened after it."""
    by_step = defaultdict(list)
    for place in chosen:
        by_step[place.step].append(place)
    reopening = by_step.pop("reopen", [])
    steps = list(dict.fromkeys(place.step for place in places))
    runs = [
        [place for place in row if place is not None]
        for row in itertools.zip_longest(*(by_step[step] for step in steps if step in by_step))
    ]
    for number, place in enumerate(reopening):
        kills = runs[number % len(runs)]
        kills.insert(1 + number // len(runs) * 2 % len(kills), place)
    return runs
