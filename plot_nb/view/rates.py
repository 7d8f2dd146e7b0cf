"""How near a twist is to the rates at which Plot suspends it: its windows as bars, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import TYPE_CHECKING, Any

from plot_nb.view import terminal
from plot_nb.view.hostile import isolated, markup, missing
from plot_nb.view.rows import NEAR, OVER
from plot_nb.view.style import grid, page
from plot_nb.view.units import NOTHING, count, counted, duration, percent

if TYPE_CHECKING:
    from pandas import DataFrame

    from plot_nb.journal.wire import Cell, StateTable

_NEAR = 0.8
_BAR = 120


def windows(rates: DataFrame, name: str) -> dict[str, str]:
    """The windows as bars, and what comes at this pace.

    Args:
        rates: As `Runtime.rates` gives them.
        name: The twist's.
    """
    rows = [_Row(row) for row in rates.to_dict("records")]
    verdict = forecast(rates)
    head = "".join(
        f"<th{kind}>{text}</th>"
        for text, kind in (
            ("in any", ""),
            ("used", ' class="n"'),
            ("of", ' class="n"'),
            ("", ' class="g" hidden'),
            ("", ""),
            ("pace", ' class="n"'),
            ("full in", ' class="n"'),
        )
    )
    body = [
        f'<tr><td>{markup(row.window)}</td><td class="n">{row.used}</td><td class="n">{row.limit}</td>'
        f'<td class="g" hidden>{row.bar}</td><td>{row.word_html}</td><td class="n">{row.pace}</td>'
        f'<td class="n">{row.full_in}</td></tr>'
        for row in rows
    ]
    shape = '<span class="bad">✕</span>' if rates.attrs.get("suspended") else "▸"
    above = f'<p class="h">{shape} {isolated(verdict)}</p>'
    columns = [
        ("in any", [row.window for row in rows], False),
        ("used", [row.used for row in rows], True),
        ("of", [row.limit for row in rows], True),
        ("", [row.word for row in rows], False),
        ("pace", [row.pace for row in rows], True),
        ("full in", [row.full_in for row in rows], True),
    ]
    return {
        "text/html": page(above, grid(head, body, caption=f"Rate limits of {isolated(name)}")),
        "text/plain": terminal.table(columns, f"Rate limits of {name}", verdict),
    }


def limits(standings: Sequence[tuple[str, DataFrame]]) -> StateTable:
    """The windows of several twists, each with its name and as `Runtime.rates` gives them, in one table."""
    rows: list[list[Cell]] = [
        [name, found.window, found.used, found.limit, found.word, found.pace, found.full_in]
        for name, rates in standings
        for found in map(_Row, rates.to_dict("records"))
    ]
    columns = ["twist", "in any", "used", "of", "near", "pace", "full in"]
    return {"name": "Limits", "columns": columns, "rows": rows, "total": len(rows)}


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


class _Row:
    """One window in words."""

    def __init__(self, row: dict[Any, Any]) -> None:
        self.window = str(row["window"])
        self._share = float(row["share"])
        money = row["unit"] == "$"
        self.used = _amount(row["used"], money)
        self.limit = _amount(row["limit"], money)
        self.pace = f"{_amount(row['pace'], money, exact=True)}/min"
        left = row["suspended_in"]
        self.full_in = NOTHING if missing(left) else duration(left.total_seconds() * 1000)

    @property
    def word(self) -> str:
        """How near it is, by shape and word."""
        return f"{OVER} over" if self._share > 1 else f"{NEAR} near" if self._share >= _NEAR else ""

    @property
    def word_html(self) -> str:
        """The same for HTML."""
        kind = "bad" if self._share > 1 else "near"
        return f'<span class="{kind}">{self.word}</span>' if self.word else ""

    @property
    def bar(self) -> str:
        """The share of the limit."""
        width = min(self._share, 1) * _BAR
        return (
            f'<svg width="{_BAR + 2}" height="12" aria-hidden="true"><rect class="ks" width="{width:.1f}" height="12"/>'
            f'<line class="lim" x1="{_BAR}" x2="{_BAR}" y1="0" y2="12"/></svg>'
        )


def _amount(number: float, money: bool, *, exact: bool = False) -> str:
    if money:
        # Two digits that count, and no exponent.
        places = 2 if number >= 0.01 or not number else 1 - floor(log10(number))
        return f"${number:,.{places}f}"
    return f"{number:.3g}" if exact else count(number)
