"""What a twist created with the Plot tool, as a DataFrame."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plot_nb.engine.clock import to_datetime
from plot_nb.engine.masking import Mask
from plot_nb.journal.reader import reading
from plot_nb.twist import superjson

if TYPE_CHECKING:
    import pandas as pd

_ACTIVITIES = """
SELECT c.id, c.key, c.document, c.created, c.updated, a.execution
FROM activities c LEFT JOIN attempts a ON a.id = c.attempt_id WHERE c.instance = ? ORDER BY c.number
"""
_NOTES = """
SELECT n.activity, n.id, n.key, n.document, n.created, n.updated, a.execution
FROM notes n LEFT JOIN attempts a ON a.id = n.attempt_id WHERE n.instance = ? ORDER BY n.number
"""
COLUMNS = (
    "id",
    "key",
    "type",
    "title",
    "start",
    "end",
    "due",
    "done",
    "notes",
    "tags",
    "archived",
    "created",
    "updated",
    "execution",
    "document",
)
_FIELDS = ("id", "key", "type", "title", "start", "end", "due", "done", "tags", "archived")


def activities(path: Path, instance: int, mask: Mask) -> pd.DataFrame:
    """One row per activity, in the order of creation; options masked.

    `notes` are dicts, `document` is a dict of all that the activity holds, notes aside. `execution` created it; of a
    note that is None where the user wrote it.
    """
    import pandas as pd

    with reading(path) as connection:
        notes = _notes(connection, instance, mask)
        found = connection.execute(_ACTIVITIES, (instance,)).fetchall()
    shown = []
    for identity, key, text, created, updated, execution in found:
        document = _document(identity, key, text, mask)
        own = {name: document[name] for name in _FIELDS if name in document}
        others = {"notes": notes.get(identity, []), "execution": execution, "document": document}
        shown.append({"tags": [], "archived": False, **own, **others, "created": created, "updated": updated})
    columns = {name: pd.Series([row.get(name) for row in shown], dtype=object) for name in COLUMNS}
    frame = pd.DataFrame(columns)
    for name in ("created", "updated"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="us", utc=True)
    frame["archived"] = frame["archived"].astype(bool)
    return frame


def _notes(connection: sqlite3.Connection, instance: int, mask: Mask) -> dict[str, list[dict[str, Any]]]:
    """Notes by their activity's id, in the order of creation."""
    notes: dict[str, list[dict[str, Any]]] = {}
    for activity, *note, created, updated, execution in connection.execute(_NOTES, (instance,)):
        times = {"created": to_datetime(created), "updated": to_datetime(updated)}
        notes.setdefault(activity, []).append(
            {**_document(note[0], note[1], note[2], mask), **times, "execution": execution}
        )
    return notes


def _document(identity: str, key: str | None, text: str, mask: Mask) -> dict[str, Any]:
    given = {"id": identity, **({} if key is None else {"key": key}), **superjson.loads(text)}
    masked: dict[str, Any] = _masked(given, mask) if mask.hides else given
    return masked


def _masked(value: Any, mask: Mask) -> Any:
    """A value in which options are masked wherever they stand as text or number."""
    if isinstance(value, Mapping):
        return {_masked(key, mask): _masked(item, mask) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_masked(item, mask) for item in value)
    if value is None or isinstance(value, bool):
        return value
    shown = mask(str(value))
    return value if shown == str(value) else shown
