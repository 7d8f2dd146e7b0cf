"""Activities and notes as objects, and as what crosses the wall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from plot_nb.twist import superjson
from plot_nb.twist.documents import (
    ACTIVITY_FIELDS,
    DOCUMENT_LIMIT,
    check_activity,
    check_note,
    check_reference,
    checked,
)
from plot_nb.twist.request import Request
from plot_nb.twist.values import UNDEFINED

D = TypeVar("D", "Activity", "Note")

_NOT_GIVEN: Any = UNDEFINED

_EMPTY: tuple[Any, ...] = (None, [], False)
"""What a field that nobody has set holds in an object that was read."""

_RUNTIMES_OWN = frozenset({"created", "updated"})


class ActivityType(StrEnum):
    """What kind of thing an activity is."""

    NOTE = "note"
    """Something to know."""
    ACTION = "action"
    """Something to do."""
    EVENT = "event"
    """Something that takes place, with a start."""


class _Shown:
    """Shows the fields that hold something."""

    __slots__ = ()

    def __repr__(self) -> str:
        names = [each.name for each in fields(self) if each.name not in _RUNTIMES_OWN]  # type: ignore[arg-type]
        given = [(name, getattr(self, name)) for name in names]
        shown = (
            f"{name}={value!r}" for name, value in given if value is not UNDEFINED and value not in _EMPTY
        )
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(slots=True, repr=False)
class Note(_Shown):
    """One entry within an activity. A field that is not given is left as it is; None takes its value away.

    Attributes:
        content: Its text.
        activity: Where it belongs: an id, `{"key": ...}`, or an `Activity`. A note that was read has the `Activity`.
        id: What it is known by; made where it is not given.
        key: What an outer system knows it by, unique within its activity: a second one with it updates the first.
        content_type: `markdown`, `text` or `html`.
        tags: Names; as a dict, those to add (True) and to remove (False).
        created: When it was made on the runtime's clock; not written.
        updated: When it was changed last; not written.
    """

    content: str | None = _NOT_GIVEN
    _: KW_ONLY
    activity: Activity | str | dict[str, str] = _NOT_GIVEN
    id: str = _NOT_GIVEN
    key: str | None = _NOT_GIVEN
    content_type: str = _NOT_GIVEN
    author: str | dict[str, Any] | None = _NOT_GIVEN
    private: bool = _NOT_GIVEN
    unread: bool = _NOT_GIVEN
    archived: bool = _NOT_GIVEN
    tags: list[str] | dict[str, bool] = _NOT_GIVEN
    mentions: list[Any] | None = _NOT_GIVEN
    links: list[Any] | None = _NOT_GIVEN
    created: datetime = field(default=_NOT_GIVEN, compare=False)
    updated: datetime = field(default=_NOT_GIVEN, compare=False)


@dataclass(slots=True, repr=False)
class Activity(_Shown):
    """Something in Plot. A field that is not given is left as it is; None takes its value away.

    Attributes:
        title: Its headline.
        type: What kind of thing it is; a new one is a note where it is not given.
        id: What it is known by; made where it is not given.
        key: What an outer system knows it by, unique within the twist: a second one with it updates the first.
        notes: Notes to put on it; an activity that was read has none, `get_notes` brings them.
        start: A moment, or a day as `date` or 'YYYY-MM-DD'; likewise `end`, `due` and `done`.
        tags: Names; as a dict, those to add (True) and to remove (False).
        meta: Whatever belongs to it, as a dict.
        created: When it was made on the runtime's clock; not written.
        updated: When it was changed last; not written.
    """

    title: str | None = _NOT_GIVEN
    _: KW_ONLY
    type: ActivityType | str = _NOT_GIVEN
    id: str = _NOT_GIVEN
    key: str | None = _NOT_GIVEN
    notes: list[Note | dict[str, Any] | str] | None = _NOT_GIVEN
    kind: str | None = _NOT_GIVEN
    preview: str | None = _NOT_GIVEN
    start: datetime | date | str | None = _NOT_GIVEN
    end: datetime | date | str | None = _NOT_GIVEN
    due: datetime | date | str | None = _NOT_GIVEN
    done: datetime | date | str | None = _NOT_GIVEN
    assignee: str | dict[str, Any] | None = _NOT_GIVEN
    author: str | dict[str, Any] | None = _NOT_GIVEN
    priority: str | dict[str, Any] | None = _NOT_GIVEN
    private: bool = _NOT_GIVEN
    unread: bool = _NOT_GIVEN
    archived: bool = _NOT_GIVEN
    tags: list[str] | dict[str, bool] = _NOT_GIVEN
    mentions: list[Any] | None = _NOT_GIVEN
    links: list[Any] | None = _NOT_GIVEN
    meta: dict[str, Any] | None = _NOT_GIVEN
    recurrence_rule: str | None = _NOT_GIVEN
    recurrence_until: datetime | date | str | None = _NOT_GIVEN
    recurrence_count: int | None = _NOT_GIVEN
    recurrence_dates: list[datetime | str] = _NOT_GIVEN
    recurrence_exdates: list[datetime | str] = _NOT_GIVEN
    created: datetime = field(default=_NOT_GIVEN, compare=False)
    updated: datetime = field(default=_NOT_GIVEN, compare=False)


def restored(values: Mapping[str, Any], kind: type[D]) -> D:
    """An object as the host tells of it; fields that hold nothing are None."""
    known = {each.name: None for each in fields(kind)}
    found = {**known, "tags": [], **dict.fromkeys(("private", "unread", "archived"), False), **values}
    if kind is Activity:
        found["type"] = ActivityType(found["type"])
    elif isinstance(found.get("activity"), Mapping):
        found["activity"] = restored(found["activity"], Activity)
    return kind(**{name: found[name] for name in known})


def event_arguments(method: str, args: Sequence[Any]) -> Sequence[Any]:
    """What a twist's method for a thread event gets: objects, as its own lookups bring them."""
    if args and isinstance(args[0], Mapping):
        kind = {"on_activity_updated": Activity, "on_note_created": Note}.get(method)
        if kind is not None:
            return [restored(args[0], kind), *args[1:]]
    return args


def plain_activity(activity: object) -> dict[str, Any]:
    """A new activity and its notes, checked, as what crosses.

    Raises:
        TypeError: Naming the field at fault.
    """
    given = plain(activity, Activity)
    notes = given.get("notes")
    if isinstance(notes, list | tuple):
        given["notes"] = [plain(note, Note) for note in notes]
    return check_activity(given)


def plain_note(note: object) -> dict[str, Any]:
    """A new note, checked, as what crosses.

    Raises:
        TypeError: Naming the field at fault.
    """
    given = plain(note, Note)
    return check_note({**given, "activity": reference(given.get("activity"), "activity")})


def plain_changes(changes: object) -> dict[str, Any]:
    """Changes of an activity, checked.

    Raises:
        TypeError: Naming the field at fault.
    """
    given = plain(changes, Activity)
    if given.get("notes") is None:
        given.pop("notes", None)
    return checked(given, ACTIVITY_FIELDS, "activity")


def encoded(document: Mapping[str, Any], what: str) -> str:
    """A document as superjson text.

    Raises:
        TypeError: If something within is not data.
        ValueError: If it is too large.
    """
    text = superjson.dumps(document, name=what)
    if len(text) > DOCUMENT_LIMIT // 4:
        size = len(text.encode(errors="replace"))
        if size > DOCUMENT_LIMIT:
            raise ValueError(f"this {what} is {size} bytes encoded, Plot takes at most {DOCUMENT_LIMIT}")
    return text


def plain(value: object, kind: type[Activity | Note]) -> dict[str, Any]:
    """The fields that are given; what only the runtime writes is left out."""
    if isinstance(value, kind):
        given = {each.name: getattr(value, each.name) for each in fields(value)}
    elif isinstance(value, Mapping):
        given = dict(value)
    elif isinstance(value, str) and kind is Note:
        given = {"content": value}
    else:
        what = kind.__name__
        hint = ": await it first" if isinstance(value, Request) else ""
        raise TypeError(f"this takes {what}(...) or a dict of its fields, not {type(value).__name__}{hint}")
    return {name: item for name, item in given.items() if item is not UNDEFINED and name not in _RUNTIMES_OWN}


def reference(value: object, what: str) -> dict[str, str]:
    """Which activity or note is meant: `id`, `key` or `either`.

    Raises:
        TypeError: If nothing says so.
    """
    if isinstance(value, Activity | Note):
        value = {name: item for name in ("id", "key") if isinstance(item := getattr(value, name), str)}
    return check_reference(value, what)
