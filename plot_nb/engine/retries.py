"""What becomes of an execution after an attempt (SPEC 7)."""

from __future__ import annotations

from plot_nb.engine.model import Execution
from plot_nb.engine.outcomes import Verdict


def settle(
    execution: Execution, verdict: Verdict, now: int, *, attempts: int, delay: int
) -> list[tuple[str, str]]:
    """Give an execution its new state.

    A task that raised, or whose sandbox died, is queued again; one that went over a limit is dead at once.
    What somebody awaits and a lifecycle method are never tried again.

    Args:
        execution: Whose attempt has ended.
        verdict: How.
        now: When.
        attempts: How many a task has in all.
        delay: Microseconds before the second attempt; each further one waits twice as long.

    Returns:
        Journal entries (kind, text).
    """
    if verdict.outcome == "cancelled":
        execution.state = "cancelled"
        return []
    if verdict.outcome == "ok" or execution.awaited or execution.cause == "lifecycle":
        execution.state = "done"
        return []
    if verdict.outcome not in {"error", "crashed"}:
        execution.state = "dead"
        return [("dead", f"{execution.method} was given up: {verdict.outcome} is not tried again")]
    execution.failures += 1
    if execution.failures >= attempts:
        execution.state = "dead"
        why = f"{execution.method} was given up after {execution.failures} attempts: {verdict.error}"
        return [("dead", why[:500])]
    delay *= 2 ** (execution.failures - 1)
    execution.state, execution.due = "queued", now + delay
    return [("retry", f"{execution.method} ended {verdict.outcome}: tried again after {delay / 1e6:g} s")]
