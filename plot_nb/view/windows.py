"""Where a twist stands in the windows of the rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plot_nb.view import terminal
from plot_nb.view.hostile import isolated, markup, missing
from plot_nb.view.rows import NEAR, OVER
from plot_nb.view.style import grid, page
from plot_nb.view.units import NOTHING, count, duration

if TYPE_CHECKING:
    import pandas as pd

_NEAR = 0.8
_BAR = 120


def windows(rates: pd.DataFrame, name: str) -> dict[str, str]:
    """The windows as bars, and what comes at this pace.

    Args:
        rates: As `Runtime.rates` gives them.
        name: The twist's.
    """
    rows = [_Row(row) for row in rates.to_dict("records")]
    verdict = sentence(rates)
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


def sentence(rates: pd.DataFrame) -> str:
    """What the windows come to: who suspended it, or when Plot would."""
    suspended = rates.attrs.get("suspended")
    if suspended == "user":
        return "Suspended by its user: nothing of it runs before it is resumed."
    if suspended == "rate":
        return "Suspended for its rate: nothing of it runs before a new version is deployed or it is resumed."
    does = "will be suspended" if rates.attrs.get("enforced") else "Plot would suspend this twist"
    ahead = [row for row in rates.to_dict("records") if not missing(row["suspended_in"])]
    if not ahead:
        return "At this pace nothing suspends it."
    soonest = min(ahead, key=lambda row: row["suspended_in"])
    ms = soonest["suspended_in"].total_seconds() * 1000
    window = f"the limit of any {soonest['window']}"
    if ms <= 0:
        return f"Over {window}: {does} here." if does.startswith("Plot") else f"Over {window}: it {does}."
    if does.startswith("Plot"):
        return f"At this pace {does} in {duration(ms)} ({window})."
    return f"At this pace it {does} in {duration(ms)} ({window})."


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
        return f"${number:,.2f}" if number >= 0.01 or not number else f"${number:.2g}"
    return f"{number:.3g}" if exact else count(number)
