"""What an activity and a note may hold: the check that both sides of the wall make."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from plot_nb.twist.values import UNDEFINED

DOCUMENT_LIMIT = 2**20
"""Bytes of an activity with the notes that come along, or of a note, encoded."""

BATCH_LIMIT = 1000
"""Activities, or notes of `create_notes`, in one request."""

NOTES_LIMIT = 10_000
"""Notes that come along with the activities of one request."""

KEY_LIMIT = 1024
TAG_LIMIT = 100
TAGS_LIMIT = 100

TYPES: Final = ("note", "action", "event")

Check = Callable[[Any], Any]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    raise TypeError("a str")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError("True or False")


def _count(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53):
        return value
    raise TypeError("a whole number, 0 or more")


def _time(value: Any) -> datetime | str | None:
    """A moment, or a whole day."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a datetime with a time zone, such as now() or datetime(..., tzinfo=UTC)")
        return value
    if isinstance(value, date):
        return value.isoformat()
    if value is None:
        return None
    if isinstance(value, str) and _is_day(value):
        return str(value)
    raise TypeError("a datetime with a time zone, or for a whole day a date or 'YYYY-MM-DD'")


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and text.isascii() and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _times(value: Any) -> list[datetime | str | None] | None:
    if value is None or isinstance(value, list | tuple):
        return None if value is None else [_time(each) for each in value]
    raise TypeError("a list of datetimes with time zones, or of days as 'YYYY-MM-DD'")


def _list(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list | tuple):
        return None if value is None else list(value)
    raise TypeError("a list")


def _entries(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return dict(value)
    raise TypeError("a dict with str keys")


def _actor(value: Any) -> str | dict[str, Any] | None:
    if isinstance(value, str):
        return str(value)
    try:
        return _entries(value)
    except TypeError:
        raise TypeError("an id, or a dict such as {'email': 'ada@example.com'}") from None


def _type(value: Any) -> str:
    if isinstance(value, str) and value.lower() in TYPES:
        return str(value.lower())
    raise TypeError("an ActivityType, which is one of " + ", ".join(map(repr, TYPES)))


def _content_type(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value in {"text", "markdown", "html"}):
        return None if value is None else str(value)
    raise TypeError("'text', 'markdown' or 'html'")


def _tags(value: Any) -> list[str] | dict[str, bool]:
    """The tags there are, as a list, or those to add and to remove, as a dict."""
    wanted = "a list of names, or a dict such as {'done': True, 'urgent': False} that adds and removes"
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(wanted)
    names = list(value)
    if not all(isinstance(name, str) and 0 < len(name) <= TAG_LIMIT and _is_text(name) for name in names):
        raise TypeError(f"{wanted}; a name is a str of 1 to {TAG_LIMIT} characters")
    if len(names) > TAGS_LIMIT:
        raise TypeError(f"at most {TAGS_LIMIT} names")
    if not isinstance(value, Mapping):
        return sorted({str(name) for name in names})
    if not all(isinstance(there, bool) for there in value.values()):
        raise TypeError(wanted)
    return {str(name): there for name, there in value.items()}


def _identity(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a str that is not empty, such as Uuid.generate() gives")
    return _limited(value)


def _key(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise TypeError("a str that is not empty, such as 'github:issue:42'")
    return _limited(value)


def _limited(value: str) -> str:
    if not _is_text(value) or len(value.encode()) > KEY_LIMIT:
        raise TypeError(f"text of at most {KEY_LIMIT} bytes")
    return str(value)


def _is_text(value: str) -> bool:
    """Half a surrogate pair is none, and what looks for a text in a file does not see past a null character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


_BOTH: Final[dict[str, Check]] = {
    "id": _identity,
    "key": _key,
    "author": _actor,
    "private": _flag,
    "unread": _flag,
    "archived": _flag,
    "tags": _tags,
    "mentions": _list,
    "links": _list,
}

ACTIVITY_FIELDS: Final[dict[str, Check]] = {
    **_BOTH,
    "type": _type,
    "title": _text,
    "kind": _text,
    "preview": _text,
    "start": _time,
    "end": _time,
    "due": _time,
    "done": _time,
    "assignee": _actor,
    "priority": _actor,
    "meta": _entries,
    "recurrence_rule": _text,
    "recurrence_until": _time,
    "recurrence_count": _count,
    "recurrence_dates": _times,
    "recurrence_exdates": _times,
}

NOTE_FIELDS: Final[dict[str, Check]] = {**_BOTH, "content": _text, "content_type": _content_type}

_HINTS: Final = {
    ("activity", "source"): "what it is known by is its 'key'",
    ("activity", "content"): "text goes into its notes: notes=[Note(content=...)]",
    ("activity", "description"): "text goes into its notes: notes=[Note(content=...)]",
    ("note", "note"): "did you mean 'content'?",
    ("note", "text"): "did you mean 'content'?",
    ("note", "title"): "a note has only 'content', its activity has a 'title'",
}


def checked(given: Mapping[Any, Any], fields: Mapping[str, Check], what: str) -> dict[str, Any]:
    """The fields that are given, each as it is stored; those that are UNDEFINED are left out.

    Args:
        given: Values by field.
        fields: What there is.
        what: `activity` or `note`.

    Raises:
        TypeError: Naming the field that there is none of, or whose value is of the wrong kind.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is UNDEFINED:
            continue
        check = fields.get(name)
        if check is None:
            raise TypeError(_no_field(name, fields, what))
        try:
            found[name] = check(value)
        except TypeError as error:
            shown = type(value).__name__ if not isinstance(value, str) else repr(value[:80])
            raise TypeError(f"{name!r} of {_a(what)} is {error}, not {shown}") from None
    return found


def _no_field(name: object, fields: Mapping[str, Check], what: str) -> str:
    import difflib

    if not isinstance(name, str):
        return f"a field of {_a(what)} is named by a str, not by {type(name).__name__}"
    hint = _HINTS.get((what, name))
    if hint is None and (what, name) in {("activity", "notes"), ("note", "activity")}:
        hint = "this cannot change it; create_note and update_note do"
    if hint is None:
        snake = re.sub("(?<=[a-z])(?=[A-Z])", "_", name[:80]).lower()
        close = difflib.get_close_matches(snake, fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(fields)}"
    return f"{_a(what)} has no field {name[:80]!r}: {hint}"


def _a(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def check_activity(given: Mapping[str, Any]) -> dict[str, Any]:
    """A new activity with its `notes`, each a mapping, as it is stored.

    Raises:
        TypeError: Naming the field at fault.
    """
    rest = dict(given)
    notes = rest.pop("notes", None)
    if notes is None or notes is UNDEFINED:
        notes = []
    if not isinstance(notes, list | tuple) or not all(isinstance(note, Mapping) for note in notes):
        raise TypeError(f"'notes' of an activity is a list of notes, not {type(notes).__name__}")
    found = checked(rest, ACTIVITY_FIELDS, "activity")
    if notes:
        found["notes"] = [checked(note, NOTE_FIELDS, "note") for note in notes]
    return found


def check_note(given: Mapping[str, Any]) -> dict[str, Any]:
    """A new note with the reference to its `activity`, as it is stored.

    Raises:
        TypeError: Naming the field at fault.
    """
    rest = dict(given)
    activity = check_reference(rest.pop("activity", None), "activity")
    return {"activity": activity, **checked(rest, NOTE_FIELDS, "note")}


def check_reference(given: Any, what: str) -> dict[str, str]:
    """Which activity or note is meant: an id, a key, or either.

    Args:
        given: A str, or a mapping with `id` or `key`.
        what: `activity` or `note`.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(given, str) and given:
        return {"either": _limited(given)}
    if isinstance(given, Mapping):
        for name in ("id", "key", "either"):
            value = given.get(name)
            if isinstance(value, str) and value:
                return {name: _limited(value)}
    raise TypeError(f"say which {what} is meant: by its id, or as {{'key': ...}}")


def changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A document after changes: None takes a field away, a dict of tags adds and removes."""
    after = dict(document)
    for name, value in changes.items():
        if name == "tags":
            tags = set(after.pop("tags", ()))
            if isinstance(value, dict):
                tags |= {tag for tag, there in value.items() if there}
                tags -= {tag for tag, there in value.items() if not there}
            else:
                tags = set(value)
            if tags:
                after["tags"] = sorted(tags)
        elif value is None:
            after.pop(name, None)
        else:
            after[name] = value
    return after
