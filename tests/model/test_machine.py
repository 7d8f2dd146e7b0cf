"""The engine on a real state file does what a plain model of the rules says, whatever it is told to do."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.examples import EXAMPLES
from tests.model.machine import Machine, counted, play


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


@pytest.mark.rule("7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.11", "7.12", "7.13")
@pytest.mark.rule("7.14", "7.15", "7.16", "7.17", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26")
@pytest.mark.rule("7.28", "7.29", "7.30", "7.31", "7.32", "7.33", "7.34", "7.35", "7.38", "7.39", "7.43")
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_the_plain_model_does(name: str) -> None:
    play(*EXAMPLES[name])


@pytest.mark.rule("7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.11", "7.12", "7.13")
@pytest.mark.rule("7.14", "7.15", "7.16", "7.17", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26")
@pytest.mark.rule("7.28", "7.29", "7.30", "7.31", "7.32", "7.33", "7.34", "7.35", "7.38", "7.39", "7.43")
def test_random_programs_do_what_the_plain_model_does() -> None:
    compare(10, 20, derandomize=True)


@pytest.mark.prove
@pytest.mark.timeout(0)
def test_many_random_programs_do_what_the_plain_model_does() -> None:
    print("\n" + compare(int(os.environ.get("PROGRAMS", "400")), 40, derandomize=False))
