"""Values as Python has them, drawn from a seed, each with what it must be in JavaScript.

`python -m tests.twist.superjson_drawn FILE` writes a line [description, text] for each; `make golden` has them read
by the npm package, and keeps the lines. The draws are made of `random.Random.random` alone, which is the same in every
version of Python.
"""

from __future__ import annotations

import json
import random
import re
import struct
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeAlias

from plot_nb.twist.superjson import dumps
from plot_nb.twist.values import UNDEFINED, Error, Map, Url

COUNT = 4_000

Drawn: TypeAlias = tuple[Any, Any]
"""A value and its description."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PIECES = (
    *(
        "a",
        "key",
        "x.y",
        ".",
        "\\",
        "\\.",
        "/",
        '"',
        "\n",
        "\0",
        "\x1f",
        "\x7f",
        "\x80",
        "\u2028",
        "\ufeff",
        "é",
        "漢字",
    ),
    *(
        "😀",
        "\ud83d\ude00",
        "\ud83d",
        "\ude00",
        "0",
        "1",
        "01",
        "-1",
        "10",
        "4294967294",
        "4294967295",
        "json",
        "meta",
    ),
    *("values", "toString", "length", " ", "</script>", "\t", "\u202e", "e\u0301"),
)
_PATTERNS = (
    (re.compile("abc"), "abc", ""),
    (re.compile(""), "", ""),
    (re.compile("a/b", re.IGNORECASE), "a\\/b", "i"),
    (re.compile("[/]x"), "[/]x", ""),
    (re.compile("[]/]"), "[\\]/]", ""),
    (re.compile(r"(?P<year>\d{4})-(?P=year)"), r"(?<year>\d{4})-\k<year>", ""),
    (re.compile("(?im)^a$"), "^a$", "im"),
    (re.compile(r"^\s*.$", re.MULTILINE | re.DOTALL), r"^\s*.$", "ms"),
    (re.compile("\n"), "\\n", ""),
    (re.compile(r"(?<=a)b(?!c)"), "(?<=a)b(?!c)", ""),
)
_URLS = (
    "https://example.com",
    "HTTP://EXAMPLE.com:80/a/../b?x=y#z",
    "https://user:pass@example.com:8443/x y/ü",
    "https://[::1]:3000/",
    "mailto:someone@example.com",
    "data:text/plain,hi",
    "https://bücher.example/?q='ü'",
)
_ERRORS: tuple[type[Exception], ...] = (
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    TimeoutError,
    LookupError,
)


class Draw:
    """Draws one value after another."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def value(self, depth: int) -> Drawn:
        """Any value, of so many levels at most."""
        if depth == 0 or self._random() < 0.2:
            return self._one_of(*_LEAVES)
        return self._one_of(*_CONTAINERS, depth=depth)

    def shared(self) -> Drawn:
        """A value with one object in several places, which Python writes out at each."""
        inner, said = self._one_of(*_CONTAINERS, depth=2)
        other, other_said = self.value(1)
        value = {
            "first": inner,
            "s.t": [inner, other],
            "map": {1: inner, "u\\": {"again": inner}},
            "e": Error("x", "E", [inner]),
        }
        return value, {
            "first": said,
            "s.t": ["list", said, other_said],
            "map": ["map", [1, said], ["u\\", {"again": said}]],
            "e": ["error", "E", "x", ["list", said]],
        }

    def deep(self) -> Drawn:
        """A value of many levels."""
        value, said = self._one_of(*_LEAVES)
        for _ in range(10 + self._below(60)):
            key = self._text()
            value, said = self._pick(
                [
                    ([value], ["list", said]),
                    ({key: value}, {key: said}),
                    (Map({key: value}), ["map", [key, said]]),
                ]
            )
        return value, said

    def _below(self, limit: int) -> int:
        return int(self._random() * limit)

    def _pick(self, items: Any) -> Any:
        return items[self._below(len(items))]

    def _one_of(self, *makers: Callable[..., Drawn], **arguments: Any) -> Drawn:
        made: Drawn = self._pick(makers)(self, **arguments)
        return made

    def _text(self) -> str:
        pieces = "".join(self._pick(_PIECES) for _ in range(self._below(4)))
        return "" if pieces in {"constructor", "prototype", "__proto__"} else pieces

    def text(self) -> Drawn:
        text = self._text()
        return text, text

    def constant(self) -> Drawn:
        drawn: Drawn = self._pick([(None, None), (True, True), (False, False), (UNDEFINED, ["undefined"])])
        return drawn

    def integer(self) -> Drawn:
        value = self._pick([1, -1]) * self._below(2 ** (1 + self._below(53)))
        return value, ["bits", _bits(value)]

    def bigint(self) -> Drawn:
        value = self._pick([1, -1]) * (2**53 + self._below(2**31) ** (1 + self._below(8)))
        return value, ["bigint", str(value)]

    def number(self) -> Drawn:
        digits = float(f"{self._random() - 0.5:.{1 + self._below(17)}g}") * 10.0 ** (self._below(80) - 40)
        value = self._pick(
            [
                digits,
                digits,
                digits,
                float("nan"),
                float("inf"),
                -float("inf"),
                -0.0,
                2.0**53,
                1e21,
                5e-324,
                0.0,
            ]
        )
        return value, ["bits", _bits(value)]

    def zero(self) -> Drawn:
        """What a Set and the key of a Map make one number of."""
        return self._pick([0.0, -0.0]), ["bits", _bits(0)]

    def date(self) -> Drawn:
        zone = timezone(timedelta(minutes=self._below(28 * 60) - 14 * 60))
        milliseconds = self._below(4 * 10**12) - 10**12
        moment = _EPOCH + timedelta(milliseconds=milliseconds, microseconds=self._below(1000))
        return moment.astimezone(self._pick([zone, UTC])), ["date", milliseconds]

    def pattern(self) -> Drawn:
        pattern, source, flags = self._pick(_PATTERNS)
        return pattern, ["regexp", source, flags]

    def url(self) -> Drawn:
        text = self._pick(_URLS)
        return Url(text), ["url", text]

    def error(self, depth: int = 0) -> Drawn:
        message, kind = self._text(), self._pick(_ERRORS)
        if self._random() < 0.3:
            error, said = Error(message, "Own"), ["error", "Own", message]
        else:
            error, said = kind(message), ["error", kind.__name__, message]
        if depth and self._random() < 0.5:
            error.__cause__, cause = self.error(depth - 1)
            said.append(cause)
        return error, said

    def hashable(self) -> Drawn:
        if self._random() < 0.2:
            members = [self._one_of(*_LEAVES[:8]) for _ in range(self._below(3))]
            return tuple(value for value, _ in members), ["list", *(said for _, said in members)]
        return self._one_of(*_HASHABLES)

    def items(self, depth: int) -> Drawn:
        items = [self.value(depth - 1) for _ in range(self._below(5))]
        values = [value for value, _ in items]
        return self._pick([values, tuple(values)]), ["list", *(said for _, said in items)]

    def object(self, depth: int) -> Drawn:
        entries = {_one_spelling(self._text()): self.value(depth - 1) for _ in range(self._below(5))}
        return {key: value for key, (value, _) in entries.items()}, {
            key: said for key, (_, said) in entries.items()
        }

    def map(self, depth: int) -> Drawn:
        entries: dict[Any, tuple[Any, Any, Any]] = {}
        for _ in range(self._below(5)):
            key, said = self.hashable()
            entries.setdefault(key, (said, *self.value(depth - 1)))
        pairs = {key: value for key, (_, value, _) in entries.items()}
        value = Map(pairs) if all(isinstance(key, str) for key in pairs) else pairs
        return value, ["map", *([said, of_value] for said, _, of_value in entries.values())]

    def members(self, depth: int) -> Drawn:
        members = dict(self.hashable() for _ in range(self._below(5)))
        return self._pick([set, frozenset])(members), ["set", *members.values()]


_LEAVES = (
    *(Draw.text, Draw.text, Draw.constant, Draw.integer, Draw.bigint, Draw.number, Draw.number, Draw.date),
    *(Draw.pattern, Draw.url, Draw.error),
)
_HASHABLES = (Draw.text, Draw.text, Draw.integer, Draw.bigint, Draw.zero, Draw.date, Draw.url, Draw.pattern)
_CONTAINERS = (Draw.items, Draw.object, Draw.object, Draw.map, Draw.members, Draw.error)


def drawn() -> Iterator[Drawn]:
    """All the values."""
    draw = Draw(20240607)
    for number in range(COUNT):
        kind = number % 20
        yield draw.deep() if kind == 0 else draw.shared() if kind == 1 else draw.value(kind % 5)


def _bits(value: float) -> str:
    return struct.pack(">d", value).hex()


def _one_spelling(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def main(path: Path) -> None:
    """Write the lines for the package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{json.dumps([said, dumps(value)], separators=(',', ':'))}\n" for value, said in drawn())
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
