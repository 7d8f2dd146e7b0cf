"""The host side of the Store (SPEC 5): plain operations on superjson text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

from plot_nb.tools.operation import Context, Operation

KEY_LIMIT = 1024
"""Bytes of a key (SPEC 5)."""

VALUE_LIMIT = 2**20
"""Bytes of an encoded value (SPEC 5)."""


ANSWER_LIMIT = 32 * 2**20
"""Characters of what one request brings back; more would not fit into the memory of an execution."""


def check_key(key: str) -> None:
    """Refuse a key that the Store cannot hold.

    Raises:
        ValueError: Naming the key and its size.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError(f"key {_short(key)} holds half a surrogate pair: it is not text") from None
    if size > KEY_LIMIT:
        raise ValueError(f"key {_short(key)} is {size} bytes, the Store takes keys of at most {KEY_LIMIT}")


def check_value(key: str, text: str) -> None:
    """Refuse a value that is not superjson's form, or is too large.

    Raises:
        ValueError: Naming the key and the value's size.
    """
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    if size > VALUE_LIMIT:
        raise ValueError(
            f"the value for key {_short(key)} is {size} bytes encoded, the Store takes at most {VALUE_LIMIT}: "
            "store only what is needed, or split it over several keys"
        )
    try:
        text.encode()
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"the value for key {_short(key)} is not superjson text") from None
    if not isinstance(decoded, dict) or not ("json" in decoded or "meta" in decoded):
        raise ValueError(f"the value for key {_short(key)} is not superjson text")


def _short(key: str) -> str:
    return ascii(key) if len(key) <= 80 else f"{key[:80]!a}…"


def _set(context: Context, values: Sequence[tuple[str, str]]) -> None:
    for key, text in values:
        check_key(key)
        check_value(key, text)
    context.backend.set_many(context.origin, values)


def _get_many(context: Context, arguments: tuple[list[str]]) -> dict[str, str]:
    keys = dict.fromkeys(_checked(arguments[0]))
    found = ((key, context.backend.get(context.origin.instance, key)) for key in keys)
    return dict(_fitting((key, text) for key, text in found if text is not None))


def _list(context: Context, arguments: tuple[str]) -> list[str]:
    keys = context.backend.keys(context.origin.instance, arguments[0])
    return [key for key, _ in _fitting((key, "") for key in keys)]


def _list_entries(context: Context, arguments: tuple[str]) -> list[tuple[str, str]]:
    return list(_fitting(context.backend.entries(context.origin.instance, arguments[0])))


def _fitting(entries: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    size = 0
    for entry in entries:
        size += len(entry[0]) + len(entry[1])
        if size > ANSWER_LIMIT:
            raise ValueError(
                f"this would bring more than {ANSWER_LIMIT} bytes at once: ask for fewer keys, or by a longer prefix"
            )
        yield entry


def _checked(keys: Iterable[str]) -> Iterable[str]:
    for key in keys:
        check_key(key)
        yield key


def _get(context: Context, arguments: tuple[str]) -> str | None:
    check_key(arguments[0])
    return context.backend.get(context.origin.instance, arguments[0])


def _count(_: Context, arguments: tuple[Sized]) -> str:
    return f"{len(arguments[0])} keys"


OPERATIONS: dict[str, Operation[Any]] = {
    "get": Operation(tuple[str], lambda c, a: a[0], _get),
    "set": Operation(tuple[str, str], lambda c, a: a[0], lambda c, a: _set(c, [a])),
    "clear": Operation(
        tuple[str], lambda c, a: a[0], lambda c, a: c.backend.clear_many(c.origin, list(_checked(a)))
    ),
    "get_many": Operation(tuple[list[str]], _count, _get_many),
    "set_many": Operation(tuple[dict[str, str]], _count, lambda c, a: _set(c, list(a[0].items()))),
    "clear_many": Operation(
        tuple[list[str]], _count, lambda c, a: c.backend.clear_many(c.origin, list(_checked(a[0])))
    ),
    "clear_all": Operation(tuple[()], lambda c, a: "", lambda c, a: c.backend.clear_all(c.origin)),
    "list": Operation(tuple[str], lambda c, a: a[0], _list),
    "list_entries": Operation(tuple[str], lambda c, a: a[0], _list_entries),
}
