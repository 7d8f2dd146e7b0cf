"""How errors and Stop look below a cell: a line of the cell, a message, and nothing of ours."""

from __future__ import annotations

import difflib
import linecache
import traceback
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from IPython import get_ipython

import plot_nb
from plot_nb.errors import PlotError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_OURS = str(Path(plot_nb.__file__).parent)
_STDLIB = str(Path(traceback.__file__).parent)
_NAMES = 8
_FRAMES = 3
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class MagicError(PlotError):
    """What was typed after `%%twist` or `%twist` cannot be done."""


def nearest(name: str, known: Iterable[str], *, listed: bool = True) -> str:
    """What else there is, for the end of a message about a name that is not there.

    Args:
        name: What was asked for.
        known: What there is.
        listed: Whether to name some of it where nothing is like `name`.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f": did you mean {close[0]!r}?"
    if not names or not listed:
        return ""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f": there is {', '.join(names[:_NAMES])}{more}"


def shorten(error: BaseException, place: str) -> None:
    """Have IPython show `place` and the error's message instead of a traceback."""
    _render_as(error, place, type(error).__name__, _safe(str(error)))


def _render_as(error: BaseException, place: str, name: str, message: str) -> None:
    def render() -> list[str]:
        shell = get_ipython()
        plain = shell is None or str(shell.colors).lower() == "nocolor"
        head = name if plain else f"{_RED}{name}{_PLAIN}"
        return [*place.splitlines(), *f"{head}: {message}".splitlines()]

    # IPython asks the exception itself how it wants to be shown, and ours know no IPython.
    vars(error)["_render_traceback_"] = render


def is_shortened(error: BaseException) -> bool:
    """Whether `shorten` was called for it."""
    return "_render_traceback_" in vars(error)


def excerpt(
    source: Sequence[str], marked: Collection[int], *, column: int | None = None, around: int = 1
) -> str:
    """Lines of a source as a reader of the cell knows them.

    Args:
        source: Its lines.
        marked: The numbers of those to point at, from 1.
        column: Where a caret goes below a marked line, from 1.
        around: How many lines to show before and after each.
    """
    shown = sorted(
        number
        for number in range(1, len(source) + 1)
        if any(abs(number - mark) <= around for mark in marked)
        and (number in marked or source[number - 1].strip())
    )
    digits = len(str(shown[-1])) if shown else 0
    found = []
    for number in shown:
        line = _safe(source[number - 1]).expandtabs()
        found.append(f"{'→' if number in marked else ' '} {number:>{digits}} │ {line}".rstrip())
        if number in marked and column is not None:
            before = source[number - 1][: column - 1].expandtabs()
            found.append(f"  {' ' * digits} │ {' ' * len(before)}^")
    return "\n".join(found)


def shorten_in_plain_cell(shell: InteractiveShell, error: PlotError, trace: TracebackType | None) -> None:
    """Show an error that a plain cell met by the cell's own lines."""
    if is_shortened(error):
        return
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(trace)
        if not _is_foreign(frame.f_code.co_filename)
    ]
    places = []
    for filename, number in frames[-_FRAMES:]:
        kind, name = shell.compile.format_code_name(filename) or ("File", filename)
        lines = [line.rstrip("\n") for line in linecache.getlines(filename)]
        places.append(f"{kind} {name}, line {number}\n{excerpt(lines, {number}, around=0)}".rstrip())
    shorten(error, "\n".join(places))


def shorten_stopped(error: BaseException) -> None:
    """Say what Stop did."""
    _render_as(
        error,
        "",
        "Stopped",
        "what ran was cancelled and its queued tasks were dropped. What the store was given stays.",
    )


def passed_through_here(trace: TracebackType | None) -> bool:
    """Whether a traceback has a frame of plot_nb."""
    return any(frame.f_code.co_filename.startswith(_OURS) for frame, _ in traceback.walk_tb(trace))


def _is_foreign(filename: str) -> bool:
    """Whether a frame says nothing to the author of a cell."""
    return filename.startswith((_OURS, _STDLIB)) or "site-packages" in filename


def _safe(text: str) -> str:
    from plot_nb.view.hostile import block

    return block(text, 4000)
