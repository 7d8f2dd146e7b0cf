"""The wire format of superjson 2: JSON, and beside it what JSON cannot say.

`{"json": ..., "meta": {"values": {"when": ["Date"]}, "v": 1}}`. The text is the one the npm package writes
for the same value, byte for byte, but for three things: `meta.referentialEqualities` is read and never written
(what is shared is written twice), a set is written in an order of its own, since it has none in Python, and an
Error whose cause is null or undefined is written without one.

JavaScript has one type of number. So `1.0` is written `1` and read as an `int`, and a number beyond 2**53-1
is read as a `float`, for an `int` of that size is a BigInt. A Date is kept in milliseconds. A dict some of
whose keys are strings like "12" comes back with these first, by number, as in JavaScript.
"""

from collections.abc import Iterable
from typing import Any, Final

from plot_nb.twist.superjson_reader import check, decode, revived
from plot_nb.twist.superjson_writer import (
    MAX_DEPTH,
    MAX_SAFE_INTEGER,
    REFUSED_KEYS,
    SURROGATE,
    Writer,
    encode,
    escaped,
)

__all__ = ["MAX_DEPTH", "dumps", "loads"]

_LEAVES: Final = frozenset({str, bool, type(None)})


def dumps(value: object, *, name: str = "value") -> str:
    """Write a value.

    Args:
        value: What to write.
        name: What a refusal calls it.

    Returns:
        One line of compact JSON; `loads` gives an equal value.

    Raises:
        TypeError: If something within is not data; the message says where it lies.
        ValueError: If it is nested too deeply, or something is beyond what the format can hold.
    """
    try:
        if _is_plain((value,), MAX_DEPTH):
            text = encode(value)
            if text.isascii() or not SURROGATE.search(text):
                return f'{{"json":{text}}}'
        text, annotation = Writer(name).write(value)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply to be written from within so many calls") from None
    if annotation is None:
        return f'{{"json":{text}}}'
    values = escaped(encode(annotation))
    return f'{{"json":{text},"meta":{{"values":{values},"v":1}}}}'


def loads(text: str) -> Any:
    """Read a value.

    Args:
        text: What `dumps` or the npm package wrote; it need not be trusted.

    Returns:
        The value. Within a set and for the key of a dict, a list is a tuple and a set is a frozenset.

    Raises:
        ValueError: If it is not that, or holds what has no place here: a set of objects, a cycle, a class.
    """
    try:
        document, in_doubt = decode(text)
        if type(document) is not dict or "json" not in document:
            raise ValueError("not superjson text: no object with the key json")
        plain, meta = document["json"], document.get("meta")
        if in_doubt:
            check(plain)
        return plain if meta is None else revived(plain, meta, len(text))
    except RecursionError:
        raise ValueError(f"not superjson text: nested more than {MAX_DEPTH} levels deep") from None


def _is_plain(items: Iterable[Any], depth: int) -> bool:
    """Tell whether Python's encoder writes the items as JavaScript does. It may say no too often."""
    for item in items:
        kind = type(item)
        if kind in _LEAVES:
            continue
        if kind is int:
            if not -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER:
                return False
        elif kind is float:
            if not 0.0001 <= abs(item) < 1e16 or item.is_integer():
                return False
        elif kind is dict:
            if depth == 0:
                return False
            for key in item:
                if type(key) is not str or key in REFUSED_KEYS or key.isdecimal():
                    return False
            if item and not _is_plain(item.values(), depth - 1):
                return False
        elif kind is list or kind is tuple:
            if depth == 0 or not _is_plain(item, depth - 1):
                return False
        else:
            return False
    return True
