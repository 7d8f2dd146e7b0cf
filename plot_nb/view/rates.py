"""How near a twist is to the rates at which Plot suspends it, as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plot_nb.view.units import counted, duration, percent

if TYPE_CHECKING:
    from pandas import DataFrame


def forecast(rates: DataFrame) -> str:
    """What `Runtime.rates` comes to: when the first window goes over, or which is fullest."""
    by = rates.attrs["suspended"]
    if by is not None:
        return "It is suspended by `rt.suspend`." if by == "user" else "It is suspended for its rate."
    who = "this runtime suspends this twist" if rates.attrs["enforced"] else "Plot would suspend this twist"
    soonest = rates.dropna(subset=["suspended_in"]).sort_values("suspended_in", kind="stable")
    for row in soonest.head(1).to_dict("records"):
        seconds = row["suspended_in"].total_seconds()
        when = f"at this pace {who} in {duration(seconds * 1000)}" if seconds else f"{who} here"
        return f"{when[0].upper()}{when[1:]}: {_standing(row)}."
    fullest: list[dict[Any, Any]] = rates.sort_values("share", kind="stable").tail(1).to_dict("records")
    return f"At this pace it goes over no rate limit: {_standing(fullest[0])}."


def _standing(row: dict[Any, Any]) -> str:
    used, limit = row["used"], row["limit"]
    if row["unit"] == "executions":
        amounts = f"{counted(round(used), 'execution')} in {row['window']}, at most {round(limit)}"
    else:
        amounts = f"${used:,.2f} in {row['window']}, at most ${limit:,.2f}"
    return f"{amounts} ({percent(used, limit)})"
