"""Bugs that were put in on purpose: each patch in `mutants` breaks one rule, and the machine must tell.

The first line of a patch says which rule it breaks, the second which example is the first to be played. A patch is
applied to a copy of the package, and the machine is run on that copy in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MUTANTS = sorted((HERE / "mutants").glob("*.patch"))
PROGRAMS = 400


def apply(patch: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Apply a patch in a folder that holds the package."""
    command = [
        "patch",
        "-p1",
        "--batch",
        "--forward",
        "--fuzz=2",
        *options,
        "-d",
        str(folder),
        "-i",
        str(patch),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program patch")
def test_every_patch_applies_and_names_the_rule_it_breaks() -> None:
    assert len(MUTANTS) >= 20
    for patch in MUTANTS:
        assert patch.read_text().startswith("Breaks "), (
            f"{patch.name}: its first line says which rule it breaks"
        )
        tried = apply(patch, ROOT, "--dry-run")
        assert tried.returncode == 0, f"{patch.name} no longer applies:\n{tried.stdout}{tried.stderr}"


def hunt(patch: Path, folder: Path) -> str:
    """Run the machine on a copy of the package with a patch; what it said in the end, and how long it took.

    Raises:
        AssertionError: If it found no difference.
    """
    shutil.copytree(ROOT / "plot_nb", folder / "plot_nb", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    applied = apply(patch, folder)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    environment = {**os.environ, "PYTHONPATH": str(folder), "PROGRAMS": str(PROGRAMS)}
    environment["EXAMPLE"] = patch.read_text().split("\n", 2)[1].removeprefix("Seen in: ")
    if "+++ b/plot_nb/twist/" in patch.read_text():
        environment["PLOT_NB_CACHE"] = str(folder / "cache")  # its own component would push out those in use
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.model.hunting"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = (ran.stdout.strip().splitlines() or [""])[-1]
    assert ran.returncode == 1, f"{patch.name} was not caught:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
    assert said.startswith("different in "), ran.stdout[-2000:] + ran.stderr[-4000:]
    return f"{said}, {time.monotonic() - began:.0f} s"


@pytest.mark.prove
@pytest.mark.timeout(0)
@pytest.mark.parametrize("patch", MUTANTS, ids=lambda patch: patch.stem)
def test_the_machine_catches_a_bug_that_was_put_in(patch: Path, tmp_path: Path) -> None:
    print(f"\n{patch.stem}: {hunt(patch, tmp_path)}")
