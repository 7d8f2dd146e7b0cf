"""The writes of Store keys, as rows for a picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from plot_nb.journal.frames import decoded
from plot_nb.journal.instances import Instances
from plot_nb.journal.reader import id_list
from plot_nb.journal.scope import View
from plot_nb.journal.wire import WriteRows, milliseconds, words

NEWEST = 5000
"""Writes that are given at most: the newest."""

TEXT = 2048
"""Bytes of a value that goes with its row; a longer one has to be asked for."""

_AT_ONCE = 400
_DECODED = 4 * 2**20
"""Bytes of values that are read for one piece; what their types are is known only by decoding them."""

_WRITES = """
SELECT v.id, v.instance, v.key, v.version, v.value, v.updated, v.attempt_id, b.id, b.attempt_id
FROM json_each(?) j CROSS JOIN store_versions v ON v.id = j.value
LEFT JOIN store_versions b ON b.instance = v.instance AND b.key = v.key AND b.version = v.version - 1
ORDER BY v.id
"""


@dataclass(frozen=True, slots=True)
class Write:
    """One write or clear, as the file has it; `value` with options masked."""

    id: int
    twist: str
    key: str
    version: int
    type: str
    bytes: int
    updated: int
    by: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """Some writes.

    Attributes:
        to: Up to where they go.
        left_out: Writes before them that are not given at all.
        more: Whether there are more.
    """

    writes: list[Write]
    to: int
    left_out: int
    more: bool


def new_writes(
    view: View, instances: Instances, after: int, size: int, *, active: bool, began: int | None
) -> Piece:
    """The writes after one, a piece at a time; before each that a run made, the version that it replaced.

    Args:
        view: Whose writes; of a run also what was written by hand since.
        instances: Names and masks.
        after: Up to where the piece before went.
        size: Bytes of the piece, about.
        active: Whether the scope goes on; the writes of a run that is over are found without reading all others.
        began: When the scope's first attempt began.
    """
    top = view.connection.execute("SELECT max(id) FROM store_versions").fetchone()[0] or 0
    ids = _of_run(view, after, top, began, active=active) if view.ids is not None else _of_file(view, after)
    left_out = max(len(ids) - NEWEST, 0)
    ids = ids[left_out:]
    found: list[Write] = []
    used = decoded_bytes = 0
    last = 0
    given: set[int] = set()
    for row in _rows(view, ids[:_AT_ONCE]):
        if found and (used > size or decoded_bytes > _DECODED):
            break
        before, replaced, replaced_by = len(found), row[7], row[8]
        if view.ids is not None and replaced not in given and not view.has(replaced_by):
            found += [write_of(instances, each) for each in _rows(view, [replaced] if replaced else [])]
        given.add(row[0])
        found.append(write_of(instances, row))
        used += sum(map(_size, found[before:]))
        decoded_bytes += found[-1].bytes
        last = row[0]
    more = bool(ids) and last < ids[-1]
    return Piece(found, last if more else max(top, after), left_out, more)


def _of_file(view: View, after: int) -> list[int]:
    where, given = ("", (after,)) if view.instance is None else ("AND instance = ?", (after, view.instance))
    found = view.connection.execute(f"SELECT id FROM store_versions WHERE id > ? {where} ORDER BY id", given)
    return [write for (write,) in found]


def _of_run(view: View, after: int, top: int, began: int | None, *, active: bool) -> list[int]:
    assert view.ids is not None
    if not view.ids:
        return []
    execute = view.connection.execute
    first, last = after, top
    if after == 0 or not active:
        bounds = "SELECT min(id), max(id) FROM store_versions WHERE attempt_id BETWEEN ? AND ?"
        low, high = execute(bounds, (view.ids[0], view.ids[-1])).fetchone()
        first, last = max(after, (low or 0) - 1), top if active else high or 0
    scanned = execute(
        "SELECT id, attempt_id FROM store_versions WHERE id > ? AND id <= ? AND attempt_id IS NOT NULL",
        (first, last),
    )
    ids = [write for write, by in scanned if view.has(by)]
    by_hand = execute(
        "SELECT id, instance FROM store_versions WHERE attempt_id IS NULL AND id > ? AND updated >= ?",
        (after, began or 0),
    ).fetchall()
    if by_hand:
        of_run = "SELECT DISTINCT instance FROM attempts WHERE id IN (SELECT value FROM json_each(?))"
        mine = {instance for (instance,) in execute(of_run, (id_list(view.ids),))}
        ids += [write for write, instance in by_hand if instance in mine]
    return sorted(ids)


def _rows(view: View, ids: list[int]) -> Any:
    return view.connection.execute(_WRITES, (id_list(ids),)) if ids else ()


def write_of(instances: Instances, row: tuple[Any, ...], most: int = TEXT) -> Write:
    """A row of the query above."""
    number, instance, key, version, value, updated, by = row[:7]
    kind, _, size = decoded(value)
    mask = instances.mask(instance)
    text = None if value is None or size > most else mask(value)
    label = instances.labels.get(instance, "?")
    return Write(number, label, mask(key) or "", version, kind, size, updated, by, text)


def write_rows(writes: list[Write], origin: int) -> WriteRows:
    """Writes as columns."""
    return {
        "id": [write.id for write in writes],
        "twist": words(write.twist for write in writes),
        "key": words(write.key for write in writes),
        "version": [write.version for write in writes],
        "type": words(write.type for write in writes),
        "bytes": [write.bytes for write in writes],
        "updated": [milliseconds(write.updated, origin) for write in writes],
        "by": [write.by for write in writes],
        "text": [write.text for write in writes],
    }


def newest_writes(view: View, instances: Instances, began: int | None, size: int, most: int) -> Piece:
    """The newest writes whose rows together take no more than `size`, for a picture that is saved."""
    ids = _of_run(view, 0, 2**62, began, active=False) if view.ids is not None else _of_file(view, 0)
    found: list[Write] = []
    used = 0
    for number in islice(reversed(ids), most):
        (row,) = _rows(view, [number])
        write = write_of(instances, row, most=size // 8)
        used += _size(write)
        if used > size:
            break
        found.append(write)
    return Piece(found[::-1], ids[-1] if ids else 0, len(ids) - len(found), more=False)


def _size(write: Write) -> int:
    return 60 + len(msgspec.json.encode(write.key)) + len(msgspec.json.encode(write.text))
