"""Plot itself, as a twist sees it: activities and their notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from plot_nb.twist import superjson
from plot_nb.twist.activities import (
    Activity,
    ActivityType,
    Note,
    encoded,
    plain,
    plain_activity,
    plain_note,
    reference,
    restored,
)
from plot_nb.twist.builtin import BuiltIn
from plot_nb.twist.documents import ACTIVITY_FIELDS, BATCH_LIMIT, NOTE_FIELDS, check_reference, checked
from plot_nb.twist.request import Request

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Plot(BuiltIn):
    """Activities and their notes in Plot: `build(Plot)`. Every call is one request, whatever its size.

    An activity is an `Activity` or a dict with the same names. Which one is meant can be said by its id, as
    `{"key": ...}`, or by the object itself; a bare str is looked for among the ids, then among the keys.
    """

    def create_activity(self, activity: Activity | Mapping[str, Any]) -> Request[str]:
        """Create an activity with its notes, or update the one that has its id or key; gives its id.

        Raises:
            TypeError: If it has a field that no activity has, or a value of the wrong kind.
            ValueError: If it is larger than 1 MiB encoded.
        """
        return self._request("plot.create_activity", [_activity_text(activity)])

    def create_activities(self, activities: Iterable[Activity | Mapping[str, Any]]) -> Request[list[str]]:
        """Create up to 1000 activities with their notes, all or none; gives their ids in order."""
        texts = [_activity_text(each) for each in _several(activities, "activities")]
        return self._request("plot.create_activities", [texts])

    def create_note(self, note: Note | Mapping[str, Any]) -> Request[str]:
        """Put a note on the activity that it names, or update the one with its id or key; gives its id.

        Raises:
            LookupError: If there is no such activity.
        """
        return self._request("plot.create_note", [_note_text(note)])

    def create_notes(self, notes: Iterable[Note | Mapping[str, Any]]) -> Request[list[str]]:
        """Create up to 1000 notes, all or none; gives their ids in order."""
        return self._request("plot.create_notes", [[_note_text(each) for each in _several(notes, "notes")]])

    def update_activity(
        self, activity: Activity | Mapping[str, Any] | str | None = None, /, **changes: Any
    ) -> Request[None]:
        """Change what is given and leave the rest.

        Args:
            activity: Which one, by id or key; as an `Activity` or dict, with changes.
            **changes: More of them. `tags={"done": True, "new": False}` adds and removes, `archived=True` archives.

        Raises:
            LookupError: If there is no such activity.
        """
        given = {"either": activity} if isinstance(activity, str) else plain(activity or {}, Activity)
        which = _taken(given, changes, "activity")
        if given.get("notes") is None:
            given.pop("notes", None)
        return self._request(
            "plot.update_activity", [which, _changes_text(given, changes, ACTIVITY_FIELDS, "activity")]
        )

    def archive_activity(self, activity: Activity | Mapping[str, str] | str) -> Request[None]:
        """Archive an activity; `update_activity(activity, archived=False)` brings it back."""
        return self._request("plot.archive_activity", [reference(activity, "activity")])

    def update_note(
        self, note: Note | Mapping[str, Any] | str | None = None, /, **changes: Any
    ) -> Request[None]:
        """Change what is given of a note and leave the rest.

        Args:
            note: Which one, by id, or as a `Note` or dict with its key and activity; with changes.
            **changes: More of them.

        Raises:
            LookupError: If there is no such note.
        """
        given = {"id": note} if isinstance(note, str) else plain(note or {}, Note)
        which = _note_taken(given, changes)
        return self._request("plot.update_note", [which, _changes_text(given, changes, NOTE_FIELDS, "note")])

    def get_activity(
        self,
        activity: Activity | Mapping[str, str] | str | None = None,
        /,
        *,
        id: str | None = None,
        key: str | None = None,
    ) -> Request[Activity | None]:
        """An activity by its id or key, archived or not; None if there is none."""
        which = reference({"id": id, "key": key} if activity is None else activity, "activity")
        return self._request(
            "plot.get_activity", [which], lambda row: None if row is None else _activity(row)
        )

    def get_activities(
        self,
        *,
        ids: Iterable[str] | None = None,
        keys: Iterable[str] | None = None,
        tag: str | None = None,
        type: ActivityType | str | None = None,
        archived: bool | None = None,
    ) -> Request[list[Activity]]:
        """The activities that fit all of this, in the order of their creation; without arguments, all.

        Args:
            ids: One of these ids.
            keys: One of these keys.
            tag: With this tag.
            type: Of this type.
            archived: Only those that are, or are not; None for both.
        """
        wanted: dict[str, Any] = {
            "ids": None if ids is None else list(_several(ids, "ids")),
            "keys": None if keys is None else list(_several(keys, "keys")),
            "tag": tag,
            "archived": archived,
            **({"type": None} if type is None else checked({"type": type}, ACTIVITY_FIELDS, "activity")),
        }
        return self._request("plot.get_activities", [wanted], lambda rows: [_activity(row) for row in rows])

    def get_note(
        self,
        note: Note | Mapping[str, Any] | str | None = None,
        /,
        *,
        id: str | None = None,
        key: str | None = None,
        activity: Activity | Mapping[str, str] | str | None = None,
    ) -> Request[Note | None]:
        """A note by its id, or by its key and activity, archived or not; None if there is none."""
        given: dict[str, Any]
        if note is None:
            given = {"id": id, "key": key, "activity": activity}
        else:
            given = {"id": note} if isinstance(note, str) else plain(note, Note)
        return self._request(
            "plot.get_note",
            [_note_taken({name: value for name, value in given.items() if value is not None}, {})],
            lambda found: None if found is None else _note(found[1], _activity(found[0])),
        )

    def get_notes(self, activity: Activity | Mapping[str, str] | str) -> Request[list[Note]]:
        """The notes of an activity in the order of their creation, archived ones too.

        Raises:
            LookupError: If there is no such activity.
        """
        return self._request("plot.get_notes", [reference(activity, "activity")], _notes)

    create_thread = create_activity
    create_threads = create_activities
    update_thread = update_activity
    archive_thread = archive_activity
    get_thread = get_activity
    get_threads = get_activities


def _activity_text(activity: object) -> str:
    return encoded(plain_activity(activity), "activity")


def _note_text(note: object) -> str:
    return encoded(plain_note(note), "note")


def _changes_text(
    given: Mapping[str, Any], more: Mapping[str, Any], known: Mapping[str, Any], what: str
) -> str:
    return encoded(checked({**given, **more}, known, what), what)


def _several(values: Iterable[Any], what: str) -> list[Any]:
    if isinstance(values, str | Mapping | Activity | Note):
        raise TypeError(f"this takes a list of {what}, not one {type(values).__name__}")
    listed = list(values)
    if len(listed) > BATCH_LIMIT:
        raise ValueError(f"{len(listed)} {what} at once: at most {BATCH_LIMIT} go into one request")
    return listed


def _taken(given: dict[str, Any], changes: dict[str, Any], what: str) -> dict[str, str]:
    """Which one is meant; what says so is no change any more."""
    for source in (given, changes):
        for name in ("id", "either", "key"):
            if isinstance(source.get(name), str):
                return check_reference({name: source.pop(name)}, what)
    raise TypeError(f"say which {what} is meant: by its id, or by key=")


def _note_taken(given: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    activity = given.pop("activity", None) or changes.pop("activity", None)
    which: dict[str, Any] = _taken(given, changes, "note")
    if activity is not None:
        which = {**which, "activity": reference(activity, "activity")}
    if "key" in which and "activity" not in which:
        raise TypeError("a note's key is unique within its activity: say activity= too")
    return which


def _moment(microseconds: int) -> datetime:
    return _UNIX + timedelta(milliseconds=microseconds // 1000)


def _read(row: list[Any]) -> dict[str, Any]:
    text, identity, key, created, updated = row
    given = superjson.loads(text)
    return {**given, "id": identity, "key": key, "created": _moment(created), "updated": _moment(updated)}


def _activity(row: list[Any]) -> Activity:
    return restored(_read(row), Activity)


def _note(row: list[Any], activity: Activity) -> Note:
    return restored({**_read(row), "activity": activity}, Note)


def _notes(found: list[Any]) -> list[Note]:
    activity = _activity(found[0])
    return [_note(row, activity) for row in found[1]]
