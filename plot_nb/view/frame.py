"""A DataFrame as a table of text: nothing in a cell can act on the page or the terminal."""

from __future__ import annotations

import reprlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from plot_nb.view import terminal
from plot_nb.view.hostile import isolated, line, markup, missing
from plot_nb.view.style import grid, page
from plot_nb.view.units import NOTHING, count

if TYPE_CHECKING:
    from pandas import DataFrame

_ROWS = 60
_HEAD = 50
_CELL = 160
_COLUMNS = 40
_NUMBERS = (int, float, np.integer, np.floating)

_brief = reprlib.Repr()
_brief.maxlevel = 4
_brief.maxstring = _brief.maxother = _brief.maxlong = _CELL
_brief.maxdict = _brief.maxlist = _brief.maxtuple = _brief.maxset = 12


def table(df: DataFrame, caption: str = "") -> dict[str, str]:
    """A DataFrame as HTML and text; a long one by its first and last rows."""
    rows = len(df)
    shown = df if rows <= _ROWS else df.iloc[[*range(_HEAD), *range(rows - _ROWS + _HEAD, rows)]]
    columns = _columns(shown)
    note = (
        ""
        if rows <= _ROWS
        else f"{count(rows)} rows; {count(rows - _ROWS)} between #{_HEAD} and the last are not shown."
    )
    if len(df.columns) > _COLUMNS:
        note += f" {count(len(df.columns) - _COLUMNS)} more columns are not shown."
    caption = line(caption, 200)
    if not rows:
        note = "No rows."
    return {
        "text/html": page(
            _html(columns, caption), f'<p class="m">{markup(note.strip())}</p>' if note else ""
        ),
        "text/plain": terminal.table(columns, caption, note.strip()),
    }


def cell(value: Any) -> str:
    """One value on one line."""
    if isinstance(value, str):
        return line(value, _CELL)
    if missing(value):
        return "None" if value is None else NOTHING
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    if isinstance(value, pd.Timedelta):
        return str(value)
    return line(_brief.repr(value), _CELL)


def _columns(df: DataFrame) -> list[tuple[str, list[str], bool]]:
    found = []
    if not isinstance(df.index, pd.RangeIndex) and len(df) <= _ROWS and df.index.name is not None:
        found.append((line(df.index.name, 40), [cell(value) for value in df.index], False))
    for place, name in enumerate(df.columns[:_COLUMNS]):
        values = df.iloc[:, place].tolist()
        numeric = bool(values) and all(
            missing(value) or (isinstance(value, _NUMBERS) and not isinstance(value, bool))
            for value in values
        )
        found.append((line(name, 40), [cell(value) for value in values], numeric))
    return found


def _html(columns: list[tuple[str, list[str], bool]], caption: str) -> str:
    head = "".join(f"<th{_at(right)}>{isolated(name)}</th>" for name, _, right in columns)
    rows = [
        "<tr>"
        + "".join(f"<td{_at(columns[place][2])}>{isolated(text)}</td>" for place, text in enumerate(row))
        + "</tr>"
        for row in zip(*(cells for _, cells, _ in columns), strict=True)
    ]
    return grid(head, rows, caption=isolated(caption))


def _at(right: bool) -> str:
    return ' class="n"' if right else ""
