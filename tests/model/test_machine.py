"""The engine on a real state file does what a plain model of the rules says, whatever it is told to do."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.facts import Source
from tests.model.machine import Machine, counted, play
from tests.model.operations import EVERYTHING


def compare(programs: int, steps: int, *, derandomize: bool) -> str:
    """Run programs on both sides; says what ran."""
    counted.clear()
    began = time.monotonic()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=programs,
            stateful_step_count=steps,
            derandomize=derandomize,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if "SHRINK" in os.environ else [Phase.generate],
        ),
    )
    kills = {name: number for name, number in counted.items() if name.startswith("kills")}
    return (
        f"{counted['programs']} programs, {sum(counted.values()) - counted['programs'] - sum(kills.values())} "
        f"steps in {time.monotonic() - began:.0f} s, {sum(kills.values())} kills at {len(kills)} commit points"
    )


ALL = EVERYTHING
DEPLOYED = ("deploy", "default", Source(ALL, {}))
LIVELY = Source(ALL, {"deactivate": [["set", "a", 1]], "upgrade": [["set", "b", 1]]})


ONCE: dict[str, list[Any]] = {
    "a clock of milliseconds": [DEPLOYED, ("call", "default", "alpha", [["get", "a"], ["clock"]])],
    "a kill after a task far ahead was claimed": [
        DEPLOYED,
        ("call", "default", "alpha", [["later", "beta", 3600, "x", [["get", "a"]]]]),
        (("advance", 7200), 2),
        ("advance", 1),
    ],
    "a moment of a second and 45 ms": [
        DEPLOYED,
        (
            *("call", "default", "alpha"),
            [["burn", 2], ["burn", 2], ["get", "a"], ["drain", "k", [], [1, 1, 1], [], [["clock"]]]],
        ),
        ("advance", 60),
    ],
    "a suspended twist that is upgraded and deactivated": [
        ("deploy", "default", LIVELY),
        ("suspend", "default"),
        ("deploy", "default", replace(LIVELY, salt=1)),
        ("deactivate", "default"),
        ("resume", "default"),
    ],
}
"""Programs on which the engine and the model differed once."""


@pytest.mark.parametrize("name", ONCE)
def test_a_program_that_once_differed_does_what_the_plain_model_does(name: str) -> None:
    play(*ONCE[name])


@pytest.mark.rule("7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.11", "7.12", "7.13")
@pytest.mark.rule("7.14", "7.15", "7.16", "7.17", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26")
@pytest.mark.rule("7.28", "7.29", "7.30", "7.31", "7.32", "7.33", "7.34", "7.35", "7.38", "7.39", "7.43")
def test_random_programs_do_what_the_plain_model_does() -> None:
    compare(15, 20, derandomize=True)


@pytest.mark.prove
@pytest.mark.timeout(0)
def test_many_random_programs_do_what_the_plain_model_does() -> None:
    print("\n" + compare(int(os.environ.get("PROGRAMS", "400")), 40, derandomize=False))
