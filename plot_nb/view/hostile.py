"""Text that came out of a twist, made safe to show.

Whatever a twist can choose (keys, URLs, messages, logs, results) passes here on its way into a picture.
`line` and `block` leave nothing that acts on a screen; what goes into HTML then passes through `markup`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from math import isnan
from typing import Any

import pandas as pd

_COLOUR = re.compile(r"\x1b\[[0-9;:]{0,64}m")
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")

# What reorders or hides the text around it is shown by its number, so that nobody is misled by it.
_MISLEADING = (0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_WORTH_COUNTING = 100
_TAGS = range(0xE0000, 0xE0080)


def _replacements() -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
    del table[ord("\n")], table[ord("\t")]
    for code in (*_MISLEADING, *_TAGS):
        table[code] = f"[U+{code:04X}]"
    # Neither UTF-8 nor XML can hold these, so one of them would cost the user the whole notebook.
    for code in (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF):
        table[code] = "\ufffd"
    return table


_TABLE = _replacements()


def missing(value: Any) -> bool:
    """Whether a cell of a table holds nothing (None, NaN, NA or NaT)."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and isnan(value))


def block(value: Any, limit: int) -> str:
    """Make text of several lines safe to show.

    Args:
        value: Any text; what is missing becomes the empty string.
        limit: Characters to keep. What is longer ends with an ellipsis and, names aside, with its true length.
    """
    if missing(value):
        return ""
    text = value if isinstance(value, str) else str(value)
    # Cut first: a line of a megabyte is not worth reading through.
    shown = text[: limit + 1024]
    shown = _NEWLINE.sub("\n", _COLOUR.sub("", shown)).translate(_TABLE)
    if len(text) > limit:
        return (
            f"{shown[:limit]}… ({len(text):,} characters)"
            if limit >= _WORTH_COUNTING
            else f"{shown[:limit]}…"
        )
    return shown


def line(value: Any, limit: int = 120) -> str:
    """As `block`, on one line."""
    return _SPACE.sub(" ", block(value, limit)).strip()


def markup(text: str) -> str:
    """Escape for HTML and SVG, elements and attributes alike."""
    return html.escape(text, quote=True)


def isolated(text: str) -> str:
    """Escape for HTML such that right-to-left letters do not rearrange what stands beside them."""
    return f"<bdi>{markup(text)}</bdi>" if text else ""


def width(text: str) -> int:
    """How many columns of a terminal a line takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) or char in "\u200c\u200d\ufe0e\ufe0f" else 2 if _wide(char) else 1
        for char in text
    )


def fit(text: str, columns: int) -> str:
    """Cut a line to a number of columns, with an ellipsis where something is lost."""
    if width(text) <= columns:
        return text
    kept, used = [], 0
    for char in text:
        used += width(char)
        if used > columns - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Fill a line with spaces up to a number of columns; `right` puts the text at the right."""
    text = fit(text, columns)
    fill = " " * (columns - width(text))
    return fill + text if right else text + fill


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"
