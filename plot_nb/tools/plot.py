"""The host side of Plot (SPEC 4): activities and notes, each checked again on this side of the wall."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from plot_nb.backend.activities import DocumentRow
from plot_nb.tools.drafts import Draft
from plot_nb.tools.operation import Context, Operation
from plot_nb.tools.store import ANSWER_LIMIT
from plot_nb.twist import superjson
from plot_nb.twist.documents import (
    ACTIVITY_FIELDS,
    BATCH_LIMIT,
    DOCUMENT_LIMIT,
    NOTE_FIELDS,
    NOTES_LIMIT,
    check_activity,
    check_note,
    check_reference,
    checked,
)

Row = tuple[str, str, str | None, int, int]
"""Document, id, key, and when it was created and updated, in microseconds."""


class Reference(msgspec.Struct, frozen=True):
    """Which activity is meant."""

    id: str | None = None
    key: str | None = None
    either: str | None = None

    @property
    def name(self) -> str:
        """What the journal shows."""
        return self.key or self.id or self.either or ""

    def checked(self) -> dict[str, str]:
        """As `Draft.find` takes it.

        Raises:
            TypeError: If it says nothing.
        """
        return check_reference(msgspec.structs.asdict(self), "activity")


class NoteReference(msgspec.Struct, frozen=True):
    """Which note is meant: by its id, or by its key on an activity."""

    id: str | None = None
    key: str | None = None
    either: str | None = None
    activity: Reference | None = None

    @property
    def name(self) -> str:
        """What the journal shows."""
        return self.key or self.id or self.either or ""


class Wanted(msgspec.Struct, frozen=True):
    """Which activities are wanted."""

    ids: list[str] | None = None
    keys: list[str] | None = None
    tag: str | None = None
    type: str | None = None
    archived: bool | None = None


class Given(NamedTuple):
    """A new activity or note, checked, and its text."""

    fields: dict[str, Any]
    text: str


_Check = Callable[[Mapping[str, Any]], dict[str, Any]]


def _draft(context: Context) -> Draft:
    return Draft(context.backend, context.origin, context.tasks.new_id)


def _loaded(text: str, check: _Check, what: str) -> dict[str, Any]:
    """What a guest sent.

    Raises:
        ValueError: If it is too large, or no superjson text.
        TypeError: If it is no object, has a field that there is none of, or a value of the wrong kind.
    """
    if len(text) > DOCUMENT_LIMIT or (
        not text.isascii() and len(text.encode(errors="replace")) > DOCUMENT_LIMIT
    ):
        raise ValueError(f"this {what} is more than {DOCUMENT_LIMIT} bytes encoded: Plot does not take it")
    try:
        given = superjson.loads(text)
    except ValueError as error:  # by its plain name, which a guest knows
        raise ValueError(f"this {what} cannot be read: {error}") from None
    if not isinstance(given, Mapping):
        raise TypeError(f"this is no {what}, but {type(given).__name__}")
    return check(given)


def _one(texts: tuple[str], check: _Check, what: str) -> list[Given]:
    return _several(list(texts), check, what)


def _several(texts: list[str], check: _Check, what: str) -> list[Given]:
    if len(texts) > BATCH_LIMIT:
        raise ValueError(f"{len(texts)} at once: at most {BATCH_LIMIT} go into one request")
    given = [Given(_loaded(text, check, what), text) for text in texts]
    notes = sum(len(each.fields.get("notes", ())) for each in given)
    if notes > NOTES_LIMIT:
        raise ValueError(f"{notes} notes at once: at most {NOTES_LIMIT} go along in one request")
    return given


def _create_activities(context: Context, given: list[Given]) -> list[str]:
    draft = _draft(context)
    ids = [draft.put_activity(fields, text) for fields, text in given]
    draft.commit()
    return ids


def _create_notes(context: Context, given: list[Given]) -> list[str]:
    draft = _draft(context)
    ids = []
    for fields, _ in given:
        note = dict(fields)
        activity = draft.find(note.pop("activity"))
        ids.append(draft.put_note(activity.id, note))
    draft.commit()
    return ids


def _update_activity(context: Context, reference: Reference, changes: Mapping[str, Any]) -> None:
    draft = _draft(context)
    draft.change(draft.find(reference.checked()), changes)
    draft.commit()


def _update_note(context: Context, arguments: tuple[NoteReference, str]) -> None:
    reference, text = arguments
    changes = _loaded(text, lambda given: checked(given, NOTE_FIELDS, "note"), "note")
    draft = _draft(context)
    activity = None if reference.activity is None else draft.find(reference.activity.checked())
    found = draft.find_note(reference.id or reference.either, reference.key, activity)
    if found is None:
        raise LookupError(f"there is no note {reference.name[:80]!r} on that activity: create_note makes one")
    draft.change_note(found, changes)
    draft.commit()


def _get_activity(context: Context, arguments: tuple[Reference]) -> Row | None:
    found = _draft(context).look(arguments[0].checked())
    return found and _row(found)


def _get_activities(context: Context, arguments: tuple[Wanted]) -> list[Row]:
    wanted = msgspec.structs.asdict(arguments[0])
    return _fitting(context.backend.activities(context.origin.instance, **wanted))


def _get_note(context: Context, arguments: tuple[NoteReference]) -> tuple[Row, Row] | None:
    draft, reference = _draft(context), arguments[0]
    activity = None if reference.activity is None else draft.look(reference.activity.checked())
    if activity is None and reference.activity is not None:
        return None
    found = draft.find_note(reference.id or reference.either, reference.key, activity)
    return found and (_row(draft.find({"id": found.activity})), _row(found))


def _get_notes(context: Context, arguments: tuple[Reference]) -> tuple[Row, list[Row]]:
    activity = _draft(context).find(arguments[0].checked())
    return _row(activity), _fitting(context.backend.notes(context.origin.instance, activity.id))


def _row(found: DocumentRow) -> Row:
    return found.document, found.id, found.key, found.created, found.updated


def _fitting(found: Iterable[DocumentRow]) -> list[Row]:
    rows, size = [], 0
    for each in found:
        size += len(each.document)
        if size > ANSWER_LIMIT:
            raise ValueError(
                f"this would bring more than {ANSWER_LIMIT} bytes at once: ask for fewer of them"
            )
        rows.append(_row(each))
    return rows


def _name(given: Mapping[str, Any]) -> str:
    """What the journal shows of something new: its key, or what can be read of it."""
    name = str(given.get("key") or given.get("title") or given.get("content") or given.get("id") or "")
    return name.encode(errors="replace").decode()  # half a surrogate pair could not be saved


def _wanted(_: Context, arguments: tuple[Wanted]) -> str:
    given = msgspec.structs.asdict(arguments[0])
    shown = {
        name: f"{len(value)} {name}" if isinstance(value, list) else f"{name}={value}"
        for name, value in given.items()
        if value is not None
    }
    return ", ".join(shown.values()) or "all"


def _changes(text: str) -> dict[str, Any]:
    return _loaded(text, lambda given: checked(given, ACTIVITY_FIELDS, "activity"), "activity")


OPERATIONS: dict[str, Operation[Any]] = {
    "create_activity": Operation(
        tuple[str],
        lambda c, given: _name(given[0].fields),
        lambda c, given: _create_activities(c, given)[0],
        lambda a: _one(a, check_activity, "activity"),
    ),
    "create_activities": Operation(
        tuple[list[str]],
        lambda c, a: f"{len(a[0])} activities",
        lambda c, a: _create_activities(c, _several(a[0], check_activity, "activity")),
    ),
    "create_note": Operation(
        tuple[str],
        lambda c, given: _name(given[0].fields),
        lambda c, given: _create_notes(c, given)[0],
        lambda a: _one(a, check_note, "note"),
    ),
    "create_notes": Operation(
        tuple[list[str]],
        lambda c, a: f"{len(a[0])} notes",
        lambda c, a: _create_notes(c, _several(a[0], check_note, "note")),
    ),
    "update_activity": Operation(
        tuple[Reference, str],
        lambda c, a: a[0].name,
        lambda c, a: _update_activity(c, a[0], _changes(a[1])),
    ),
    "archive_activity": Operation(
        tuple[Reference], lambda c, a: a[0].name, lambda c, a: _update_activity(c, a[0], {"archived": True})
    ),
    "update_note": Operation(tuple[NoteReference, str], lambda c, a: a[0].name, _update_note),
    "get_activity": Operation(tuple[Reference], lambda c, a: a[0].name, _get_activity),
    "get_activities": Operation(tuple[Wanted], _wanted, _get_activities),
    "get_note": Operation(tuple[NoteReference], lambda c, a: a[0].name, _get_note),
    "get_notes": Operation(tuple[Reference], lambda c, a: a[0].name, _get_notes),
}
