"""What twists and their users wrote with the Plot tool: activities and their notes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from plot_nb.backend.queue import QueueTables
from plot_nb.engine.model import Execution

_READ = "SELECT id, key, document, attempt_id, created, updated"


class DocumentRow(NamedTuple):
    """An activity or a note; `document` is superjson text of all but its id, its key and the times.

    Attributes:
        attempt_id: The attempt that created it; None for what a user wrote.
        activity: Of a note: the id of its activity.
    """

    id: str
    key: str | None
    document: str
    attempt_id: int | None
    created: int
    updated: int
    activity: str = ""


class ActivityTables(QueueTables):
    """Activities and notes by id and by key, which are an instance's own."""

    def activity(self, instance: int, id: str) -> DocumentRow | None:
        """The activity with an id."""
        return self._activity("id = ?", instance, id)

    def activity_by_key(self, instance: int, key: str) -> DocumentRow | None:
        """The activity with a key."""
        return self._activity("key = ?", instance, key)

    def _activity(self, where: str, instance: int, value: str) -> DocumentRow | None:
        row = self._execute(
            f"{_READ} FROM activities WHERE instance = ? AND {where}", (instance, value)
        ).fetchone()
        return row and DocumentRow(*row)

    def activities(
        self,
        instance: int,
        *,
        ids: Iterable[str] | None = None,
        keys: Iterable[str] | None = None,
        tag: str | None = None,
        type: str | None = None,
        archived: bool | None = None,
    ) -> Iterator[DocumentRow]:
        """The activities of an instance that fit all that is given, in the order of their creation; read one by one."""
        conditions: list[tuple[str, Any]] = [("instance = ?", instance)]
        if ids is not None:
            conditions.append(("id IN (SELECT value FROM json_each(?))", json.dumps(list(ids))))
        if keys is not None:
            conditions.append(("key IN (SELECT value FROM json_each(?))", json.dumps(list(keys))))
        if tag is not None:
            conditions.append(("? IN (SELECT value FROM json_each(document, '$.json.tags'))", tag))
        if type is not None:
            conditions.append(("json_extract(document, '$.json.type') = ?", type))
        if archived is not None:
            conditions.append(("coalesce(json_extract(document, '$.json.archived'), 0) = ?", archived))
        where = " AND ".join(condition for condition, _ in conditions)
        # Those that are named are found by their names, and put in order; not all gone through in their order.
        order = "number" if ids is None and keys is None else "+number"
        rows = self._execute(
            f"{_READ} FROM activities WHERE {where} ORDER BY {order}", [value for _, value in conditions]
        )
        return (DocumentRow(*row) for row in rows)

    def activity_owners(self, id: str) -> list[int]:
        """The instances that have an activity with an id."""
        rows = self._execute("SELECT instance FROM activities WHERE id = ? ORDER BY instance", (id,))
        return [instance for (instance,) in rows]

    def activity_ids(self, most: int) -> list[str]:
        """Ids of the latest activities of all instances."""
        rows = self._execute("SELECT id FROM activities ORDER BY number DESC LIMIT ?", (most,))
        return [name for (name,) in rows]

    def activity_names(self, instance: int, most: int) -> list[str]:
        """Keys of an instance's latest activities, and ids of those without."""
        rows = self._execute(
            "SELECT coalesce(key, id) FROM activities WHERE instance = ? ORDER BY number DESC LIMIT ?",
            (instance, most),
        )
        return [name for (name,) in rows]

    def note(self, instance: int, id: str) -> DocumentRow | None:
        """The note with an id."""
        row = self._execute(
            f"{_READ}, activity FROM notes WHERE instance = ? AND id = ?", (instance, id)
        ).fetchone()
        return row and DocumentRow(*row)

    def note_by_key(self, instance: int, activity: str, key: str) -> DocumentRow | None:
        """The note with a key on an activity."""
        row = self._execute(
            f"{_READ}, activity FROM notes WHERE instance = ? AND activity = ? AND key = ?",
            (instance, activity, key),
        ).fetchone()
        return row and DocumentRow(*row)

    def notes(self, instance: int, activity: str) -> Iterator[DocumentRow]:
        """The notes of an activity in the order of their creation; read one by one."""
        rows = self._execute(
            f"{_READ}, activity FROM notes WHERE instance = ? AND activity = ? ORDER BY number",
            (instance, activity),
        )
        return (DocumentRow(*row) for row in rows)

    def write_activities(
        self,
        instance: int,
        activities: Iterable[DocumentRow],
        notes: Iterable[DocumentRow],
        event: Execution | None = None,
    ) -> None:
        """Write activities and notes, new ones and changed ones, and queue what tells the twist of it, at once."""
        activities, notes = list(activities), list(notes)
        with self._commit("activities"):
            self._free_keys("activities", instance, activities)
            self._free_keys("notes", instance, notes)
            self._db.executemany(
                "INSERT INTO activities (instance, id, key, document, attempt_id, created, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, id)"
                " DO UPDATE SET key = excluded.key, document = excluded.document, updated = excluded.updated",
                ((instance, *row[:-1]) for row in activities),
            )
            self._db.executemany(
                "INSERT INTO notes (instance, id, key, document, attempt_id, created, updated, activity)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, id)"
                " DO UPDATE SET key = excluded.key, document = excluded.document, updated = excluded.updated",
                ((instance, *row) for row in notes),
            )
            if event is not None:
                self._insert(event)

    def _free_keys(self, table: str, instance: int, rows: list[DocumentRow]) -> None:
        """Give free the keys that rows have until now and will not have: another of them may come to have it."""
        if len(rows) > 1:
            self._db.executemany(
                f"UPDATE {table} SET key = NULL WHERE instance = ? AND id = ? AND key IS NOT NULL AND key IS NOT ?",
                ((instance, row.id, row.key) for row in rows),
            )
