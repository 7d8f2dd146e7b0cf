"""Activities and notes that one commit will write: each later change sees the earlier ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plot_nb.backend.activities import DocumentRow
from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.engine.model import Execution
from plot_nb.twist import superjson
from plot_nb.twist.activities import encoded
from plot_nb.twist.documents import changed

_NAMES = 500
"""Keys that are looked through for one like a key that is not there."""


@dataclass(slots=True)
class Draft:
    """What is to be written of an instance.

    Attributes:
        origin: Who writes, and when.
        new_id: Makes an id for what has neither id nor key, from what it holds.
    """

    backend: SqliteBackend
    origin: Origin
    new_id: Callable[[str], str]
    _activities: dict[str, DocumentRow] = field(default_factory=dict)
    _notes: dict[str, DocumentRow] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)
    _note_keys: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, reference: Mapping[str, str]) -> DocumentRow:
        """The activity that a reference means.

        Raises:
            LookupError: If there is none, with one that is called alike.
        """
        found = self.look(reference)
        if found is None:
            (how, name), *_ = reference.items()
            raise LookupError(self._no_activity(how, name))
        return found

    def look(self, reference: Mapping[str, str]) -> DocumentRow | None:
        """The activity that a reference means; None if there is none, which costs no more than to find it."""
        (how, name), *_ = reference.items()
        found = self._by_id(name) if how in {"id", "either"} else None
        return self._by_key(name) if found is None and how in {"key", "either"} else found

    def _no_activity(self, how: str, name: str) -> str:
        what = "id or key" if how == "either" else how
        close = difflib.get_close_matches(
            name[:80], [each[:80] for each in self.backend.activity_names(self.origin.instance, _NAMES)], n=1
        )
        hint = f"did you mean {close[0]!r}?" if close else "this twist created none such"
        return f"there is no activity with the {what} {name[:80]!r}: {hint}"

    def put_activity(self, given: Mapping[str, Any], text: str) -> str:
        """Create an activity with its notes, or update the one with its key or id.

        Args:
            given: Checked.
            text: The same, encoded.

        Returns:
            Its id.

        Raises:
            ValueError: If its key is another's, or it becomes too large.
        """
        fields = dict(given)
        identity: str | None = fields.pop("id", None)
        key: str | None = fields.pop("key", None)
        notes = fields.pop("notes", ())
        named = None if identity is None else self._by_id(identity)
        keyed = None if key is None else self._by_key(key)
        if named and keyed and named.id != keyed.id:
            raise ValueError(f"the key {keyed.key!r} is that of another activity, {keyed.id[:80]!r}")
        found = keyed or named
        if found:
            self.change(found, fields if key is None else {**fields, "key": key})
        else:
            if identity is None:
                identity, found = self._place(text, key)
            if found is None:
                found = self._new(identity, key, encoded(changed({"type": "note"}, fields), "activity"))
                self._keep(found)
        for note in notes:
            self.put_note(found.id, note)
        return found.id

    def _place(self, text: str, key: str | None) -> tuple[str, DocumentRow | None]:
        """An id for a new activity; and that activity, if an earlier attempt of the execution made it already."""
        if key is None:
            identity = self.new_id(text)
            return identity, self._by_id(identity)
        identity = self.new_id(f"key {key}")
        while self._by_id(identity):  # that one had this key and has another now
            identity = self.new_id(f"key {key}")
        return identity, None

    def put_note(self, activity: str, given: Mapping[str, Any]) -> str:
        """Create a note on an activity, or update the one with its key or id; gives its id.

        Raises:
            ValueError: If its id or key is another's, or it becomes too large.
        """
        fields = dict(given)
        identity: str | None = fields.pop("id", None)
        key: str | None = fields.pop("key", None)
        named = None if identity is None else self._note(identity)
        keyed = None if key is None else self._note_by_key(activity, key)
        if named and (named.activity != activity or (keyed and keyed.id != named.id)):
            raise ValueError(f"the id {named.id[:80]!r} is that of another note, on {named.activity[:80]!r}")
        found = keyed or named
        if found:
            self.change_note(found, fields if key is None else {**fields, "key": key})
            return found.id
        document = encoded(changed({}, fields), "note")
        if identity is None:
            identity = self.new_id(f"note {activity} {key or ''} {document}")
            while key is not None and self._note(identity):
                identity = self.new_id(f"note {activity} {key} {document}")
        if not self._note(identity):
            self._keep_note(self._new(identity, key, document, activity))
        return identity

    def change(self, row: DocumentRow, changes: Mapping[str, Any]) -> DocumentRow:
        """Change an activity.

        Raises:
            ValueError: If its new key is another's, or it becomes too large.
        """
        after = self._changed(row, changes, "activity")
        other = after.key is not None and self._by_key(after.key)
        if other and other.id != row.id:
            raise ValueError(f"the key {other.key!r} is that of another activity, {other.id[:80]!r}")
        if after != row:
            self._keep(after)
        return after

    def change_note(self, row: DocumentRow, changes: Mapping[str, Any]) -> DocumentRow:
        """Change a note.

        Raises:
            ValueError: If its new key is another's, or it becomes too large.
        """
        after = self._changed(row, changes, "note")
        other = after.key is not None and self._note_by_key(row.activity, after.key)
        if other and other.id != row.id:
            raise ValueError(f"the key {other.key!r} is that of another note, {other.id[:80]!r}")
        if after != row:
            self._keep_note(after)
        return after

    def find_note(self, id: str | None, key: str | None, activity: DocumentRow | None) -> DocumentRow | None:
        """A note by its id, or by its key on an activity; None if there is none, or it is on another activity."""
        if id is not None:
            found = self._note(id)
            return found if found and (activity is None or activity.id == found.activity) else None
        return self._note_by_key(activity.id, key) if activity is not None and key is not None else None

    def commit(self, event: Execution | None = None) -> None:
        """Write all of it at once, with an execution that tells the twist."""
        if self._activities or self._notes or event is not None:
            self.backend.write_activities(
                self.origin.instance, self._activities.values(), self._notes.values(), event
            )

    def _changed(self, row: DocumentRow, changes: Mapping[str, Any], what: str) -> DocumentRow:
        fields = dict(changes)
        key = fields.pop("key", row.key)
        if fields.pop("id", row.id) != row.id:
            raise ValueError(f"the id of {what} {row.id[:80]!r} stays what it is")
        document = encoded(changed(superjson.loads(row.document), fields), what)
        if (key, document) == (row.key, row.document):
            return row
        return row._replace(key=key, document=document, updated=self.origin.now)

    def _new(self, id: str, key: str | None, document: str, activity: str = "") -> DocumentRow:
        now = self.origin.now
        return DocumentRow(id, key, document, self.origin.attempt_id, now, now, activity)

    def _keep(self, row: DocumentRow) -> None:
        before = self._by_id(row.id)
        if before is not None and before.key is not None:
            self._keys.pop(before.key, None)
        self._activities[row.id] = row
        if row.key is not None:
            self._keys[row.key] = row.id

    def _keep_note(self, row: DocumentRow) -> None:
        self._notes[row.id] = row
        if row.key is not None:
            self._note_keys[row.activity, row.key] = row.id

    def _by_id(self, id: str) -> DocumentRow | None:
        return self._activities.get(id) or self.backend.activity(self.origin.instance, id)

    def _by_key(self, key: str) -> DocumentRow | None:
        if key in self._keys:
            return self._activities[self._keys[key]]
        found = self.backend.activity_by_key(self.origin.instance, key)
        # What the file has under it may have another key by now.
        return None if found is None or found.id in self._activities else found

    def _note(self, id: str) -> DocumentRow | None:
        return self._notes.get(id) or self.backend.note(self.origin.instance, id)

    def _note_by_key(self, activity: str, key: str) -> DocumentRow | None:
        if (activity, key) in self._note_keys:
            found = self._notes[self._note_keys[activity, key]]
            return found if found.key == key else None
        kept = self.backend.note_by_key(self.origin.instance, activity, key)
        return None if kept is None or kept.id in self._notes else kept
