"""Options are secrets: neither journal nor pictures show their values (SPEC 4).

Found are texts of four characters or more and numbers of four digits or more, as they are or encoded for JSON or a URL.
A twist that hides them otherwise, backwards say, shows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

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

    @property
    def hides(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._secrets)

    def lines(self, text: str) -> str:
        """The text with secrets masked, and as many lines as before."""
        for secret in self._secrets:
            text = text.replace(secret, MASK + "\n" * secret.count("\n"))
        return text

    def row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A journal row with secrets masked in its texts."""
        if not self._secrets:
            return row
        return tuple(self(cell) if isinstance(cell, str) else cell for cell in row)


def _spellings(value: object) -> Iterator[str]:
    """The texts and whole numbers in an option, each as it is and as it stands inside JSON or a URL."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and len(value) >= _SHORTEST:
        yield value
        yield quote(value)
        yield quote(value, safe="")
        yield quote_plus(value)
        yield json.dumps(value)[1:-1]
        yield json.dumps(value, ensure_ascii=False)[1:-1]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _spellings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _spellings(each)
