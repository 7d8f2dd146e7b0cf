"""The host side of the Store (SPEC 5): plain operations on superjson text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Annotated, Any

import msgspec

from plot_nb.tools.operation import TOOL_KEYS, Context, Operation
from plot_nb.twist import drains

KEY_LIMIT = 1024
"""Bytes of a key (SPEC 5)."""

LONGEST_LOCK_MS = 86_400_000
"""A day: who holds a lock longer has forgotten it."""

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
    check_writable(key for key, _ in values)
    for key, text in values:
        check_key(key)
        check_value(key, text)
    context.backend.set_many(context.origin, [(context.prefix + key, text) for key, text in values])


def _get_many(context: Context, arguments: tuple[list[str]]) -> dict[str, str]:
    keys = dict.fromkeys(_checked(arguments[0]))
    found = ((key, context.backend.get(context.origin.instance, context.prefix + key)) for key in keys)
    return dict(_fitting((key, text) for key, text in found if text is not None))


class _Listing(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    prefix: str
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None


def _list(context: Context, listing: _Listing) -> list[str]:
    keys = islice(_keys(context, listing.prefix), listing.limit)
    return [key for key, _ in _fitting((key, "") for key in keys)]


def _keys(context: Context, prefix: str) -> Iterator[str]:
    """The keys of the scope, by the names that it has for them."""
    own = len(context.prefix)
    keys = context.backend.keys(context.origin.instance, context.prefix + prefix)
    return (key[own:] for key in keys if _is_visible(key[own:], prefix))


def _list_entries(context: Context, listing: _Listing) -> list[tuple[str, str]]:
    own = len(context.prefix)
    entries = context.backend.entries(context.origin.instance, context.prefix + listing.prefix)
    named = ((key[own:], text) for key, text in entries)
    visible = (entry for entry in named if _is_visible(entry[0], listing.prefix))
    return list(_fitting(islice(visible, listing.limit)))


def _is_visible(key: str, prefix: str) -> bool:
    """Locks and what drains keep are not, unless they were asked for; the keys of tools never are."""
    return not key.startswith(TOOL_KEYS) and all(
        prefix.startswith(hidden) or not key.startswith(hidden) for hidden in (LOCKS, drains.PREFIX)
    )


def _clear(context: Context, keys: list[str]) -> None:
    check_writable(_checked(keys))
    context.backend.clear_many(context.origin, [context.prefix + key for key in keys])


def _clear_all(context: Context) -> None:
    """Clear what a listing shows: locks that are held, and what drains have still to do, stay."""
    context.backend.clear_many(context.origin, [context.prefix + key for key in _keys(context, "")])


def _clear_unchanged(context: Context, arguments: tuple[dict[str, str]]) -> None:
    """Clear those keys that still have the text that is given, at once: what was written meanwhile stays."""
    check_writable(_checked(arguments[0]))
    context.backend.clear_many(
        context.origin,
        [
            context.prefix + key
            for key, text in arguments[0].items()
            if context.backend.get(context.origin.instance, context.prefix + key) == text
        ],
    )


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
    return context.backend.get(context.origin.instance, context.prefix + arguments[0])


LOCKS = "__lock__:"
"""Where locks are kept: listed only when this prefix is asked for (SPEC 5)."""


def _acquire_lock(context: Context, arguments: tuple[str, float]) -> bool:
    key, milliseconds = arguments
    check_key(LOCKS + key)
    if not 0 < milliseconds <= LONGEST_LOCK_MS:
        raise ValueError(f"a lock's time of {milliseconds} ms: give more than 0 and at most 24 hours")
    held = _holder(context, key)
    if held is not None and held["until"] * 1000 > context.origin.now:
        return False
    until = context.origin.now / 1000 + milliseconds
    lock = json.dumps({"json": {"execution": context.execution, "until": until}})
    context.backend.set_many(context.origin, [(context.prefix + LOCKS + key, lock)])
    return True


def _release_lock(context: Context, arguments: tuple[str]) -> None:
    held = _holder(context, arguments[0])
    if held is not None and held["execution"] == context.execution:
        context.backend.clear_many(context.origin, [context.prefix + LOCKS + arguments[0]])


def _holder(context: Context, key: str) -> Any:
    text = context.backend.get(context.origin.instance, context.prefix + LOCKS + key)
    return None if text is None else json.loads(text)["json"]


def check_writable(keys: Iterable[str]) -> None:
    """Refuse keys that are locks or another scope's.

    Raises:
        ValueError: Naming the operations for locks, or whose keys they are.
    """
    for key in keys:
        if key.startswith(TOOL_KEYS):
            raise ValueError(
                f"keys that begin with {TOOL_KEYS!r} are those of the twist's tools: only they write them"
            )
        if key.startswith(LOCKS):
            raise ValueError(f"keys that begin with {LOCKS!r} are locks: use acquire_lock and release_lock")


def _count(_: Context, arguments: tuple[Sized]) -> str:
    return f"{len(arguments[0])} keys"


OPERATIONS: dict[str, Operation[Any]] = {
    "get": Operation(tuple[str], lambda c, a: c.prefix + a[0], _get),
    "set": Operation(tuple[str, str], lambda c, a: c.prefix + a[0], lambda c, a: _set(c, [a])),
    "clear": Operation(tuple[str], lambda c, a: c.prefix + a[0], lambda c, a: _clear(c, list(a))),
    "get_many": Operation(tuple[list[str]], _count, _get_many),
    "set_many": Operation(tuple[dict[str, str]], _count, lambda c, a: _set(c, list(a[0].items()))),
    "clear_many": Operation(tuple[list[str]], _count, lambda c, a: _clear(c, a[0])),
    "clear_unchanged": Operation(tuple[dict[str, str]], _count, _clear_unchanged),
    "clear_all": Operation(tuple[()], lambda c, a: "", lambda c, a: _clear_all(c)),
    "acquire_lock": Operation(tuple[str, float], lambda c, a: c.prefix + a[0], _acquire_lock),
    "release_lock": Operation(tuple[str], lambda c, a: c.prefix + a[0], _release_lock),
    "list": Operation(_Listing, lambda c, a: c.prefix + a.prefix, _list),
    "list_entries": Operation(_Listing, lambda c, a: c.prefix + a.prefix, _list_entries),
}
