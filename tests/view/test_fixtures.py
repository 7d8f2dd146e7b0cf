"""Both sides of the wire say the same: the front end's tests take the same tables of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plot_nb.view import hostile, units
from plot_nb.view.digest import digest
from tests.view.journal import Journal

if TYPE_CHECKING:
    from plot_nb.view.digest import Digest

FIXTURES = Path(__file__).parents[1] / "fixtures"
UNITS: dict[str, list[tuple[Any, Any]]] = json.loads((FIXTURES / "units.json").read_text())
TEXTS: list[tuple[str, str, int, str]] = json.loads((FIXTURES / "texts.json").read_text())["texts"]
RUNS: dict[str, dict[str, Any]] = json.loads((FIXTURES / "runs.json").read_text())


@pytest.mark.parametrize("name", sorted(UNITS))
def test_numbers_are_told_as_the_front_end_tells_them(name: str) -> None:
    tell = getattr(units, name)
    for given, told_as in UNITS[name]:
        assert tell(*(given if isinstance(given, list) else [given])) == told_as, (name, given)


@pytest.mark.parametrize("name", ["block", "line"])
def test_texts_are_made_safe_as_the_front_end_makes_them(name: str) -> None:
    cases = [case for case in TEXTS if case[0] == name]
    assert len(cases) > 20
    for _, raw, limit, shown in cases:
        assert getattr(hostile, name)(raw, limit) == shown, (raw[:80], limit)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_run_is_summed_up_as_the_front_end_does_it(name: str) -> None:
    run = RUNS[name]
    found = told(digest(journal_of(run["attempts"]).tables()))
    assert found == {part: run[part] for part in found}


def journal_of(attempts: list[dict[str, Any]]) -> Journal:
    """The run that a fixture's attempts make up, one after another."""
    journal = Journal()
    for place, attempt in enumerate(attempts):
        parent = attempt["parent"]
        journal.execution(
            f"e{attempt['execution']}",
            start=100.0 * place,
            parent=None if parent is None else f"e{parent}",
            spent={(kind, "any", 1): number for kind, number in attempt["spent"].items()},
            **{
                name: attempt[name]
                for name in ("attempt", "method", "outcome", "requests", "cpu_ms", "memory_peak", "line")
            },
        )
    return journal


def told(run: Digest) -> dict[str, Any]:
    """What a fixture holds about a run."""
    return {
        "headline": run.headline(),
        "near": run.near,
        "retried": run.retried,
        "told": [
            {
                "label": attempt.label,
                "failed": attempt.failed,
                "over": attempt.over,
                "near": list(attempt.near),
                "cause": -1 if attempt.cause_row is None else attempt.cause_row,
                "spent": [list(part) for part in attempt.spent],
            }
            for attempt in run.attempts
        ],
    }
