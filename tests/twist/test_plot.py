"""Activities and notes as a twist writes them: what is refused, and how it says so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from plot_nb import UNDEFINED, Activity, ActivityType, Note
from plot_nb.twist import superjson
from plot_nb.twist.activities import (
    encoded,
    event_arguments,
    plain_activity,
    plain_changes,
    plain_note,
    reference,
    restored,
)
from plot_nb.twist.documents import changed

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.rule("4.13")
def test_an_activity_is_the_same_as_an_object_and_as_a_dict() -> None:
    notes: list[Any] = [Note("first", key="a"), {"content": "second"}, "third"]
    made = Activity("Title", type=ActivityType.ACTION, key="k", start=NOON, tags={"x"}, notes=notes)  # type: ignore[arg-type]
    given = {"title": "Title", "type": "action", "key": "k", "start": NOON, "tags": ["x"], "notes": notes}
    assert plain_activity(made) == plain_activity(given)
    assert plain_activity(made)["notes"] == [
        {"content": "first", "key": "a"},
        {"content": "second"},
        {"content": "third"},
    ]


def test_a_type_is_a_str_in_any_case_that_the_store_takes_too() -> None:
    assert plain_activity({"type": "Event"})["type"] == "event"
    assert superjson.loads(superjson.dumps(ActivityType.EVENT)) == "event"


def test_what_is_not_given_is_left_out_and_none_is_told() -> None:
    assert plain_changes(Activity(title=None)) == {"title": None}
    assert plain_changes({"title": UNDEFINED, "kind": None}) == {"kind": None}


@pytest.mark.rule("4.41")
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"titel": "x"}, "an activity has no field 'titel': did you mean 'title'?"),
        ({"recurrenceRule": "x"}, "no field 'recurrenceRule': did you mean 'recurrence_rule'?"),
        ({"source": "x"}, "no field 'source': what it is known by is its 'key'"),
        ({"content": "x"}, r"notes=\[Note\(content=...\)\]"),
        ({"zzzzzzzz": 1}, "no field 'zzzzzzzz': it has id, key, author"),
        ({5: 1}, "a field of an activity is named by a str, not by int"),
        ({"title": 5}, "'title' of an activity is a str, not int"),
        ({"type": "task"}, "'type' of an activity is an ActivityType.*'note', 'action', 'event', not 'task'"),
        ({"type": None}, "'type' of an activity is an ActivityType"),
        ({"start": datetime(2026, 1, 1)}, "'start' of an activity is a datetime with a time zone"),  # noqa: DTZ001
        ({"start": "tomorrow"}, "'YYYY-MM-DD', not 'tomorrow'"),
        ({"due": "2026-13-01"}, "'due' of an activity is a datetime"),
        ({"archived": 1}, "'archived' of an activity is True or False, not int"),
        ({"tags": "done"}, "'tags' of an activity is a list of names"),
        ({"tags": [1]}, "a name is a str of 1 to 100 characters"),
        ({"tags": ["\0"]}, "a name is a str of 1 to 100 characters"),
        ({"tags": {"done": 1}}, "adds and removes"),
        ({"tags": [str(n) for n in range(101)]}, "at most 100 names"),
        ({"key": ""}, "'key' of an activity is a str that is not empty"),
        ({"key": "\ud800"}, "'key' of an activity is text of at most 1024 bytes"),
        ({"key": "ä" * 513}, "'key' of an activity is text of at most 1024 bytes"),
        ({"id": None}, "'id' of an activity is a str that is not empty, such as Uuid.generate"),
        ({"meta": {1: 2}}, "'meta' of an activity is a dict with str keys"),
        ({"recurrence_count": -1}, "a whole number, 0 or more"),
        ({"assignee": 5}, "'assignee' of an activity is an id, or a dict"),
        ({"notes": "text"}, "'notes' of an activity is a list of notes, not str"),
        ({"notes": [5]}, r"this takes Note\(...\) or a dict of its fields, not int"),
        ({"notes": [{"text": "x"}]}, "a note has no field 'text': did you mean 'content'?"),
        ({"notes": [{"activity": "x"}]}, "a note has no field 'activity'"),
        ("Title", r"this takes Activity\(...\) or a dict of its fields, not str"),
        (None, r"this takes Activity\(...\) or a dict"),
    ],
)
def test_what_no_activity_can_hold_is_refused_by_the_name_of_its_field(given: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        plain_activity(given)


def test_values_that_are_not_data_are_refused_with_where_they_lie() -> None:
    with pytest.raises(TypeError, match=r"activity\.meta\.when"):
        encoded(plain_activity({"meta": {"when": datetime(2026, 1, 1)}}), "activity")  # noqa: DTZ001


@pytest.mark.rule("4.42")
def test_an_activity_of_more_than_a_mebibyte_is_refused_with_its_size() -> None:
    assert len(encoded(plain_activity(Activity("x" * (2**20 - 100))), "activity")) < 2**20
    with pytest.raises(
        ValueError, match=r"this activity is 1048\d{3} bytes encoded, Plot takes at most 1048576"
    ):
        encoded(plain_activity(Activity(notes=["x" * 2**20])), "activity")


def test_a_day_is_kept_as_a_day() -> None:
    assert plain_activity({"start": date(2026, 2, 3)})["start"] == "2026-02-03"


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        ("a", {"either": "a"}),
        ({"id": "a"}, {"id": "a"}),
        ({"key": "k"}, {"key": "k"}),
        (Activity(id="a", key="k"), {"id": "a"}),
        (Activity(key="k"), {"key": "k"}),
    ],
)
def test_an_activity_is_meant_by_id_or_key(activity: Any, expected: dict[str, str]) -> None:
    assert reference(activity, "activity") == expected
    assert plain_note(Note("text", activity=activity)) == {"activity": expected, "content": "text"}


@pytest.mark.parametrize("activity", [None, "", 5, {}, {"id": None}, Activity("no name")])
def test_a_note_says_on_which_activity_it_is(activity: Any) -> None:
    with pytest.raises(TypeError, match="say which activity is meant"):
        plain_note({"content": "text", "activity": activity})


def test_an_object_that_was_read_can_be_written_back() -> None:
    read = restored({"id": "a", "type": "action", "title": "T", "created": NOON, "updated": NOON}, Activity)
    assert (read.type, read.tags, read.archived, read.start) == (ActivityType.ACTION, [], False, None)
    assert plain_changes(read)["title"] == "T"
    assert "created" not in plain_changes(read)
    note = restored({"id": "n", "content": "C", "activity": read}, Note)
    assert plain_note(note)["activity"] == {"id": "a"}


def test_objects_show_what_they_hold() -> None:
    assert repr(Activity("T", key="k", start=None, tags=[])) == "Activity(title='T', key='k')"
    assert repr(Note("C")) == "Note(content='C')"


@pytest.mark.rule("4.17")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "new"}, {"title": "new", "tags": ["a", "b"]}),
        ({"title": None}, {"tags": ["a", "b"]}),
        ({"tags": {"a": False, "c": True, "x": False}}, {"title": "old", "tags": ["b", "c"]}),
        ({"tags": ["z"]}, {"title": "old", "tags": ["z"]}),
        ({"tags": []}, {"title": "old"}),
    ],
)
def test_changes_leave_the_rest(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changed({"title": "old", "tags": ["a", "b"]}, changes) == expected


def test_a_thread_event_hands_over_objects() -> None:
    activity = {"id": "a", "type": "note", "title": "T"}
    updated, changes = event_arguments("on_activity_updated", [activity, {"title": "T"}])
    assert isinstance(updated, Activity)
    assert (updated.title, changes) == ("T", {"title": "T"})
    (note,) = event_arguments("on_note_created", [{"id": "n", "content": "C", "activity": activity}])
    assert isinstance(note, Note)
    assert isinstance(note.activity, Activity)
    assert event_arguments("other", [activity]) == [activity]
