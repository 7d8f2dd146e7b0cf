"""The Store as a twist sees it: the only memory that outlives an execution."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from plot_nb.twist import superjson
from plot_nb.twist.builtin import BuiltIn
from plot_nb.twist.request import Request

KEY_LIMIT = 1024
VALUE_LIMIT = 2**20


class Store(BuiltIn):
    """Durable values by key. Every call is one request, whatever its size."""

    can_be_built = False

    def get(self, key: str) -> Request[Any]:
        """The value of `key`, or None."""
        return self._request("store.get", [_key(key)], _decode)

    def set(self, key: str, value: Any) -> Request[None]:
        """Store a value; durable when the `await` returns."""
        return self._request("store.set", [_key(key), _encode(key, value)])

    def clear(self, key: str) -> Request[None]:
        """Remove a key; no error if it is missing."""
        return self._request("store.clear", [_key(key)])

    def get_many(self, keys: Iterable[str]) -> Request[dict[str, Any]]:
        """The values of several keys in their order, None for a missing one."""
        wanted = _keys(keys)
        return self._request(
            "store.get_many", [wanted], lambda found: {key: _decode(found.get(key)) for key in wanted}
        )

    def set_many(self, values: Mapping[str, Any]) -> Request[None]:
        """Store several values, all or none."""
        if not isinstance(values, Mapping):
            raise TypeError(f"set_many() takes a dict of values by key, not {type(values).__name__}")
        return self._request(
            "store.set_many", [{_key(key): _encode(key, value) for key, value in values.items()}]
        )

    def clear_many(self, keys: Iterable[str]) -> Request[None]:
        """Remove several keys, all or none."""
        return self._request("store.clear_many", [_keys(keys)])

    def clear_all(self) -> Request[None]:
        """Remove every key of this twist, or of this tool."""
        return self._request("store.clear_all", [])

    def list(self, prefix: str = "") -> Request[builtins.list[str]]:
        """The keys that start with `prefix`, ascending."""
        return self._request("store.list", [_prefix(prefix)])

    def list_entries(self, prefix: str = "") -> Request[dict[str, Any]]:
        """Keys and values whose key starts with `prefix`, ascending."""
        return self._request(
            "store.list_entries",
            [_prefix(prefix)],
            lambda entries: {key: superjson.loads(text) for key, text in entries},
        )

    def acquire_lock(self, key: str, ttl: timedelta | float) -> Request[bool]:
        """Take a lock that nobody else can hold until it is released, or its time has passed.

        Args:
            key: The lock's name; locks are no keys of the Store.
            ttl: How long it holds at most, as a timedelta or in seconds. A day at most.

        Returns:
            False while another execution, or this one, holds it.
        """
        seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
        if not 0 < seconds <= 86_400:
            raise ValueError(f"ttl={ttl!r}: give a timedelta, or seconds, above 0 and of a day at most")
        return self._request("store.acquire_lock", [_key(key), seconds * 1000])

    def release_lock(self, key: str) -> Request[None]:
        """Give a lock free; no error if this execution does not hold it."""
        return self._request("store.release_lock", [_key(key)])


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of the Store is a str, not {type(key).__name__}")
    if len(key) > KEY_LIMIT // 4:
        size = len(key.encode(errors="replace"))
        if size > KEY_LIMIT:
            raise ValueError(
                f"key {key[:80]!r}… is {size} bytes, the Store takes keys of at most {KEY_LIMIT} bytes"
            )
    return key


def _keys(keys: Iterable[str]) -> builtins.list[str]:
    if isinstance(keys, str):
        raise TypeError(f"this takes several keys, not one str: pass [{keys[:80]!r}]")
    return [_key(key) for key in keys]


def _prefix(prefix: str) -> str:
    if not isinstance(prefix, str):
        raise TypeError(f"a prefix is a str, not {type(prefix).__name__}")
    return _key(prefix)


def _encode(key: str, value: Any) -> str:
    text = superjson.dumps(value)
    if len(text) > VALUE_LIMIT // 4:
        size = len(text.encode(errors="replace"))
        if size > VALUE_LIMIT:
            raise ValueError(
                f"the value for key {key[:80]!r} is {size} bytes encoded, the Store takes at most {VALUE_LIMIT}: "
                "split it over several keys"
            )
    return text


def _decode(text: str | None) -> Any:
    return None if text is None else superjson.loads(text)
