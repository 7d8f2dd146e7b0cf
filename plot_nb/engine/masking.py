"""Options are secrets: their values never reach the journal (SPEC 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_SHORTEST = 4
"""Shorter texts are no secrets, and masking them would tear ordinary text apart."""

MASK = "•••"


class Mask:
    """Replaces the values of options wherever they appear in a text."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._secrets = sorted(set(_spellings(options)), key=len, reverse=True) if options else []

    def __call__(self, text: str | None) -> str | None:
        """The text with secrets masked."""
        if text is not None:
            for secret in self._secrets:
                text = text.replace(secret, MASK)
        return text

    def row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A journal row with secrets masked in its texts."""
        if not self._secrets:
            return row
        return tuple(self(cell) if isinstance(cell, str) else cell for cell in row)


def _spellings(value: object) -> Iterator[str]:
    """The texts in an option, each as it is and as it stands inside JSON."""
    if isinstance(value, str) and len(value) >= _SHORTEST:
        yield value
        yield json.dumps(value)[1:-1]
        yield json.dumps(value, ensure_ascii=False)[1:-1]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _spellings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _spellings(each)
