"""Spans of time as one types them: `2h`, `1d 30m`, `90s`."""

from __future__ import annotations

import re
from datetime import timedelta

from plot_nb.notebook.problems import MagicError

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_WORDS = {
    **dict.fromkeys(("millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("sec", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "minute", "minutes"), "m"),
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*,?", re.IGNORECASE)

USAGE = "write `2h`, `1d 30m`, `90s` or `500ms`"


def parse_duration(text: str) -> timedelta:
    """Read a span of time.

    Raises:
        MagicError: If it is none.
    """
    if not text.strip():
        raise MagicError(f"how far? {USAGE}")
    span, at = timedelta(0), 0
    while at < len(text):
        part = _PART.match(text, at)
        unit = part[2].lower() if part else ""
        unit = _WORDS.get(unit, unit)
        if part is None or unit not in _UNITS:
            raise MagicError(f"{text!r} is no span of time: {USAGE}")
        try:
            span += float(part[1]) * _UNITS[unit]
        except OverflowError:
            raise MagicError(f"{text!r} is longer than any clock can go") from None
        at = part.end()
    return span
