"""The Store as its user edits it, with the checks that a twist's own writes go through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.engine.model import Instance
from plot_nb.runtime.watching import tell_changed
from plot_nb.tools.operation import TOOL_KEYS
from plot_nb.tools.store import check_key, check_value, check_writable
from plot_nb.twist import superjson

if TYPE_CHECKING:
    from plot_nb.runtime.runtime import Runtime

_OF_A_TOOL = re.compile("__tool__:[^:]+:")
"""What the keys of a tool begin with: behind it, it is a key as those of the twist are."""


def write_by_hand(runtime: Runtime, instance: Instance, entries: Mapping[str, str | None]) -> None:
    """Check entries and write them, whichever thread this is. Arguments and errors as of `check_entries`."""
    check_entries(entries)

    async def write() -> None:
        write_entries(runtime._backend, instance.id, entries, runtime._engine.now)

    if runtime._thread.is_current():  # in an app that is mounted, say
        write_entries(runtime._backend, instance.id, entries, runtime._engine.now)
    else:
        runtime.wait(write())
    tell_changed(runtime)


def check_entries(entries: Mapping[str, str | None]) -> None:
    """Refuse what the Store cannot hold. Keys of tools and ids of drains are written as others are.

    Args:
        entries: superjson text by key; None clears it.

    Raises:
        TypeError: If a key or value is no text.
        ValueError: If a key or value is too large, no superjson, or a lock.
    """
    if not all(isinstance(part, str | None) for pair in entries.items() for part in pair):
        raise TypeError("load takes superjson texts by key, as dump gives them")
    for key, text in entries.items():
        check_writable([_OF_A_TOOL.sub("", key, count=1) if key.startswith(TOOL_KEYS) else key])
        check_key(key)
        if text is not None:
            check_value(key, text)
            superjson.loads(text)


def write_entries(backend: SqliteBackend, instance: int, entries: Mapping[str, str | None], now: int) -> None:
    """Write and clear; the journal says of each that no attempt did it. On the engine's thread."""
    origin = Origin(instance, None, None, now)
    written = [(key, text) for key, text in entries.items() if text is not None]
    cleared = [key for key, text in entries.items() if text is None]
    if written:
        backend.set_many(origin, written)
    if cleared:
        backend.clear_many(origin, cleared)
