"""What the journal keeps of an attempt: options masked."""

from __future__ import annotations

from dataclasses import replace

from plot_nb.backend.records import Ending
from plot_nb.engine.attempt import Attempt
from plot_nb.engine.outcomes import Verdict
from plot_nb.sandbox.pool import Result


def masked(attempt: Attempt, verdict: Verdict) -> Verdict:
    """A verdict as it may be shown."""
    mask = attempt.instance.mask
    if not mask.hides:
        return verdict
    return replace(
        verdict, error=mask(verdict.error), traceback=mask(verdict.traceback), value=mask(verdict.value)
    )


def ending_of(
    attempt: Attempt,
    shown: Verdict,
    result: Result | None,
    events: list[tuple[str, str]],
    *,
    ended: int,
    wall_ms: float,
    cost: float,
) -> Ending:
    """The rows of an attempt that has ended.

    Args:
        attempt: With its requests and logs; requests that nothing awaited become warnings among them.
        shown: How it ended, masked.
        result: What its sandbox said in the end; None if it never had one.
        events: Journal entries (kind, text) about its execution.
        ended: When, on the runtime's clock.
        wall_ms: Real milliseconds.
        cost: Dollars.
    """
    for line, operation, detail in shown.unawaited:
        if operation == "task":
            text = f"{detail}() was still under way in a task when the method returned, and was ended: await the task"
        else:
            what = f"{operation} {detail}".strip()
            text = f"{what} was not performed: nothing awaited it (await is missing?)"
        attempt.note("warning", line or None, text, ended)
    mask = attempt.instance.mask
    return Ending(
        outcome=shown.outcome,
        ended=ended,
        used=attempt.used,
        cpu_ms=result.cpu_ms if result else 0.0,
        wall_ms=wall_ms,
        memory_peak=result.memory_peak if result else None,
        cost=cost,
        error=shown.error,
        line=shown.line,
        traceback=shown.traceback,
        result=shown.value,
        requests=[mask.row(row.as_tuple()) for row in attempt.requests],
        logs=[mask.row(row) for row in attempt.logs],
        events=events,
    )
