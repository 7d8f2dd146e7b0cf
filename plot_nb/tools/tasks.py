"""The host side of tasks (SPEC 7): a callback queued as an execution of its own, now or later."""

from __future__ import annotations

from typing import Any

from plot_nb.tools.callbacks import find, method_of
from plot_nb.tools.operation import TOOL_KEYS, Context, Operation
from plot_nb.tools.store import check_key

LATEST_MS = 253_402_300_799_000
"""The end of the year 9999, the last that a datetime can say."""

SHORTEST_MS = 1


def _moment(milliseconds: float) -> int:
    """Milliseconds from the guest as microseconds.

    Raises:
        ValueError: If it is no moment that a clock can show.
    """
    if not 0 <= milliseconds <= LATEST_MS:
        raise ValueError(f"{milliseconds} is no time: give a datetime before the year 10000")
    return round(milliseconds * 1000)  # a float of milliseconds may be a hair below the one that was meant


def _physical(context: Context, key: str) -> str:
    """The schedule key as it is kept.

    Raises:
        ValueError: If it is a tool's.
    """
    if key.startswith(TOOL_KEYS):
        raise ValueError(
            f"schedule keys that begin with {TOOL_KEYS!r} are those of the twist's tools: only they use them"
        )
    return context.prefix + key


def _run(context: Context, arguments: tuple[str, float | None]) -> str | None:
    token, run_at = arguments
    callback = find(context, token)
    if run_at is None:
        context.tasks.queue(callback)
        return None
    return context.tasks.queue(callback, due=_moment(run_at)).id


def _schedule(context: Context, arguments: tuple[str, str, float, bool]) -> bool:
    """Returns whether the callback will run: not where the task was coalesced with a pending one."""
    key, token, run_at, coalesce = arguments
    check_key(key)
    physical = _physical(context, key)
    queued = context.tasks.queue(find(context, token), due=_moment(run_at), key=physical, coalesce=coalesce)
    return not queued.coalesced


def _schedule_recurring(context: Context, arguments: tuple[str, str, float, float | None]) -> None:
    key, token, every_ms, first_run_at = arguments
    check_key(key)
    physical = _physical(context, key)
    if not SHORTEST_MS <= every_ms <= LATEST_MS - context.origin.now / 1000:
        raise ValueError(
            f"every={every_ms} ms: give a timedelta of a millisecond or more, that ends before the year 10000"
        )
    every = round(every_ms * 1000)
    due = context.origin.now + every
    if first_run_at is not None:
        due = min(due, _moment(first_run_at))
    context.tasks.queue(find(context, token), due=due, key=physical, every=every)


def _cancel(context: Context, arguments: tuple[str]) -> None:
    context.tasks.cancel(execution=arguments[0])


def _cancel_scheduled(context: Context, arguments: tuple[str]) -> None:
    context.tasks.cancel(key=_physical(context, arguments[0]))


OPERATIONS: dict[str, Operation[Any]] = {
    "run": Operation(tuple[str, float | None], method_of, _run),
    "schedule": Operation(tuple[str, str, float, bool], lambda c, a: c.prefix + a[0], _schedule),
    "schedule_recurring": Operation(
        tuple[str, str, float, float | None], lambda c, a: c.prefix + a[0], _schedule_recurring
    ),
    "cancel": Operation(tuple[str], lambda c, a: a[0], _cancel),
    "cancel_all": Operation(tuple[()], lambda c, a: "", lambda c, a: c.tasks.cancel(scope=c.scope)),
    "cancel_scheduled": Operation(tuple[str], lambda c, a: c.prefix + a[0], _cancel_scheduled),
}
