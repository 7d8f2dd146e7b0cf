"""A thousand random programs, each run twice, at concurrency 1 and 4."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.runtime.programs import differences, overlapping, recorded

pytestmark = pytest.mark.prove

PROGRAMS = 1_000
EACH = 20
"""Programs on one runtime."""


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_thousand_random_programs_record_the_same_when_they_run_again(concurrency: int) -> None:
    began, overlaps = time.perf_counter(), 0
    outcomes: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for seed in range(PROGRAMS // EACH):
        first = recorded(10_000 + seed, EACH, concurrency=concurrency)
        assert differences(first, recorded(10_000 + seed, EACH, concurrency=concurrency)) == [], seed
        outcomes.update(row["outcome"] for row in first["attempts"])
        rows.update({table: len(found) for table, found in first.items()})
        overlaps += overlapping(first)
    print(
        f"\n{PROGRAMS} random programs at concurrency {concurrency}, run twice: the same journals; "
        f"{outcomes.total():,} attempts ({', '.join(f'{count:,} {name}' for name, count in outcomes.most_common())}), "
        f"{overlaps:,} begun while another of their instance ran; {rows['requests']:,} requests, "
        f"{rows['store_versions']:,} values, {rows['logs']:,} lines of log; {time.perf_counter() - began:.0f} s"
    )
    assert outcomes.total() > 10 * PROGRAMS
