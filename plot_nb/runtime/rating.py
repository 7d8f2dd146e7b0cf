"""Rates, and who may not run: what a user asks and says of them (SPEC 10)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from plot_nb.engine.model import Instance
from plot_nb.engine.prices import DOLLAR
from plot_nb.engine.rates import Standing
from plot_nb.runtime.run import Run, nothing_ran

if TYPE_CHECKING:
    import pandas as pd

    from plot_nb.runtime.runtime import Runtime

_COLUMNS = ("window", "used", "limit", "share", "unit", "pace", "suspended_in")
_MINUTE = 60 * 10**6


async def suspend(runtime: Runtime, instance: Instance) -> None:
    """Let nothing of an instance run; on the engine's thread."""
    runtime._engine.suspensions.suspend(instance, "user")
    runtime._engine.turn()


async def resume(runtime: Runtime, instance: Instance) -> Run:
    """End a suspension, and run what has fallen due meanwhile; on the engine's thread."""
    await runtime._thread.ready()
    if instance.suspended is None:
        return nothing_ran(runtime, f"{instance.twist} was not suspended")
    runtime._engine.suspensions.resume(instance)
    return await runtime._pass_time(
        f"{instance.twist} resumed", timedelta(0), moves_clock=False, resume=False
    )


def rates(runtime: Runtime, instance: Instance) -> pd.DataFrame:
    """Where an instance stands in each window."""
    import pandas as pd

    async def read() -> list[Standing]:
        return runtime._engine.suspensions.standings(instance)

    if runtime._thread.is_current():
        standings = runtime._engine.suspensions.standings(instance)
    else:
        standings = runtime.wait(read())
    frame = pd.DataFrame.from_records([_row(each) for each in standings], columns=list(_COLUMNS))
    frame["suspended_in"] = pd.to_timedelta(frame["suspended_in"].astype("Int64"), unit="us")
    frame.attrs["suspended"] = instance.suspended
    frame.attrs["enforced"] = runtime.limits.rate == "enforce"
    return frame


def _row(standing: Standing) -> tuple[object, ...]:
    window = standing.window
    scale = 1 if window.unit == "executions" else DOLLAR
    used, limit = standing.used / scale, window.limit / scale
    return (
        window.name,
        used,
        limit,
        used / limit,
        window.unit,
        standing.pace * _MINUTE / scale,
        standing.full_in,
    )
