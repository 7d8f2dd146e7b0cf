"""The source of a twist, as pictures show it."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

from plot_nb.engine.masking import Mask

_HOLDING = frozenset({tokenize.STRING, tokenize.NUMBER, tokenize.COMMENT})

_Place = tuple[int, int]


def masked_cell(source: str, mask: Mask) -> str:
    """A source with options masked in its texts, numbers and comments, on as many lines as before.

    Names stay: an option `sync` that was masked in each `start_sync` would make a source unreadable, and hide nothing.
    """
    if not mask.hides:
        return source
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    parts: list[str] = []
    done = 0
    try:
        for (first, left), (last, right) in _holding(source):
            start, end = starts[first - 1] + left, starts[last - 1] + right
            parts += [source[done:start], mask.lines(source[start:end])]
            done = end
    except (tokenize.TokenError, SyntaxError):  # written for a newer Python than the notebook's
        return mask.lines(source)
    return "".join([*parts, source[done:]])


def _holding(source: str) -> Iterator[tuple[_Place, _Place]]:
    """From where to where there are tokens that can hold a secret."""
    depth = 0
    begun = (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in {"FSTRING_START", "TSTRING_START"}:
            begun = begun if depth else token.start
            depth += 1
        elif kind in {"FSTRING_END", "TSTRING_END"}:
            depth -= 1
            if not depth:
                yield begun, token.end
        elif token.type == tokenize.ERRORTOKEN:
            raise SyntaxError(token.string)
        elif not depth and token.type in _HOLDING:
            yield token.start, token.end
