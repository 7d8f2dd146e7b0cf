"""The same seed and the same inputs give the same journal, over random programs; tests/prove has a thousand of them."""

from __future__ import annotations

import pytest

from tests.runtime.programs import differences, overlapping, recorded

PROGRAMS = 10


@pytest.mark.rule("7.46", "2.12")
def test_random_programs_record_the_same_when_they_run_again() -> None:
    first = recorded(1, PROGRAMS)
    assert len(first["attempts"]) > 5 * PROGRAMS
    assert differences(first, recorded(1, PROGRAMS)) == []


@pytest.mark.rule("7.36", "7.37")
def test_random_programs_of_concurrent_executions_record_the_same_when_they_run_again() -> None:
    first = recorded(3, PROGRAMS, concurrency=4)
    assert overlapping(first) > PROGRAMS
    assert differences(first, recorded(3, PROGRAMS, concurrency=4)) == []


def test_another_seed_records_something_else() -> None:
    assert len(differences(recorded(1, 1), recorded(2, 1))) > 5
