"""SPEC 7: a process killed at any instant loses no committed state, and its chain goes on without a fork."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LENGTH = 200
POINTS = [
    f"{side} {commit}"
    for commit in ("claim", "store write", "callback", "enqueue", "acknowledge")
    for side in ("before", "after")
]


def run_chain(path: Path, *kill: object) -> subprocess.CompletedProcess[str]:
    return run_program("chain", path, LENGTH, *kill)


def run_program(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"tests.crash.{name}", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[2]
    )


def finished(path: Path) -> Any:
    ended = run_chain(path)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.rule("7.25", "7.26", "7.43", "7.45")
@pytest.mark.parametrize("point", POINTS)
def test_a_chain_that_was_killed_ends_once_with_every_item(tmp_path: Path, point: str) -> None:
    path = tmp_path / "state.db"
    for nth in (20, 30):
        killed = run_chain(path, point, nth)
        assert killed.returncode == -signal.SIGKILL, (killed.stdout, killed.stderr)
    assert finished(path) == {
        "items": LENGTH,
        "tasks": LENGTH - 1,
        "states": ["done"],
        "ends": 1,
        "crashed": 0 if point in {"before claim", "after acknowledge"} else 2,
        "ok": LENGTH,
    }


@pytest.mark.rule("5.1", "7.22", "7.23")
def test_a_call_that_was_cut_off_is_reported_crashed_and_not_run_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    assert run_chain(path, "after store write", 1).returncode == -signal.SIGKILL
    found = finished(path)
    assert (found["crashed"], found["ok"], found["tasks"], found["items"]) == (1, 0, 0, 1)


@pytest.mark.rule("7.33", "7.43")
@pytest.mark.parametrize(
    "point", ["before claim", "after claim", "after store write", "before acknowledge", "after acknowledge"]
)
def test_a_recurring_task_misses_no_occurrence_and_is_pending_once(tmp_path: Path, point: str) -> None:
    path = tmp_path / "state.db"
    for nth in (5, 7):
        killed = run_program("recurring", path, 30, point, nth)
        assert killed.returncode == -signal.SIGKILL, (killed.stdout, killed.stderr)
    ended = run_program("recurring", path, 30)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"minutes": list(range(1, 31)), "pending": ["tick"], "other": []}


@pytest.mark.rule("7.24")
@pytest.mark.parametrize(
    "point", ["after version", "after claim", "after callback", "after enqueue", "before acknowledge"]
)
def test_an_activate_that_did_not_end_runs_again_at_the_next_deploy(tmp_path: Path, point: str) -> None:
    path = tmp_path / "state.db"
    killed = run_program("recurring", path, 10, point, 1)
    assert killed.returncode == -signal.SIGKILL, (killed.stdout, killed.stderr)
    ended = run_program("recurring", path, 10)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["minutes"], found["pending"]) == (list(range(1, 11)), ["tick"])
