"""A user's edit, played back to the twist whose activity it is (SPEC 4)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from plot_nb.backend.activities import DocumentRow
from plot_nb.backend.records import Origin
from plot_nb.engine.clock import to_datetime
from plot_nb.engine.model import Execution, Instance, derive_uuid
from plot_nb.errors import ActivityNotFound
from plot_nb.journal.instances import label
from plot_nb.runtime.handle import instance_of
from plot_nb.runtime.run import Run, nothing_ran
from plot_nb.tools.drafts import Draft
from plot_nb.twist import superjson
from plot_nb.twist.activities import Note, encoded, plain, plain_changes, reference
from plot_nb.twist.documents import NOTE_FIELDS, checked

if TYPE_CHECKING:
    from plot_nb.runtime.runtime import Runtime

Event = Literal["activity_updated", "note_created"]

EVENTS = get_args(Event)

_LOOKED_AT = 500
"""Ids that are looked through for one like an id that is not there."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a user did, checked.

    Attributes:
        activity: Which one, as `id`, `key` or `either`.
        given: The changes, or the new note.
        instance: Whose activity; None where the id alone says so.
    """

    event: Event
    activity: Mapping[str, str]
    given: Mapping[str, Any]
    instance: int | None


def check_edit(runtime: Runtime, event: object, activity: object, given: object, twist: object) -> Edit:
    """Check what a user gave.

    Raises:
        ValueError: If there is no such event, the document is too large, or the twist is another runtime's.
        TypeError: If an argument is of the wrong kind, or names a field that there is none of.
    """
    if event not in EVENTS:
        close = difflib.get_close_matches(str(event), EVENTS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"there is no event {event!r}: {hint}there are {' and '.join(map(repr, EVENTS))}")
    instance = None if twist is None else instance_of(runtime, twist, "emit").id
    which = reference(activity, "activity")
    if event == "activity_updated":
        given = plain_changes(given)
        encoded(given, "activity")
    else:
        note = {name: value for name, value in plain(given, Note).items() if name != "activity"}
        given = checked(note, NOTE_FIELDS, "note")
        encoded(given, "note")
    return Edit(cast("Event", event), which, given, instance)


async def play(runtime: Runtime, edit: Edit) -> Run:
    """Store an edit and run the twist's method for it, to the chain's end; on the engine's thread.

    Raises:
        ActivityNotFound: If there is no such activity.
        TwistInactive: If its twist was deactivated.
        ValueError: If the edit cannot be stored.
    """
    await runtime._thread.ready()
    instance = runtime._active(_owner(runtime, edit))
    engine = runtime._engine
    method = f"on_{edit.event}"
    title = f"{instance.twist}.{method}"
    event = engine.make_execution(instance.id, "event", method, '{"json":[]}')
    draft = Draft(runtime._backend, Origin(instance.id, None, None, engine.now), _new_ids(runtime, event))
    try:
        event.args = _applied(draft, edit)
    except LookupError as error:
        raise ActivityNotFound(str(error)) from None
    if method not in instance.version.methods:
        draft.commit()
        return nothing_ran(runtime, f"{title}: there is no such method, the edit is stored")
    draft.commit(event)
    run = await runtime._drive(title, lambda ended: engine.begin([event], ended))
    assert run is not None
    return run


def _owner(runtime: Runtime, edit: Edit) -> int:
    """The instance whose activity was edited."""
    if edit.instance is not None:
        return edit.instance
    name = next(iter(edit.activity.values()))
    if "key" not in edit.activity:
        found = runtime._backend.activity_owners(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise ActivityNotFound(
                f"{len(found)} twists have an activity with the id {name[:80]!r}: say whose, with twist=handle"
            )
    with_key = [
        each for each in runtime._instances.values() if runtime._backend.activity_by_key(each.id, name)
    ]
    if with_key:
        raise ActivityNotFound(
            f"{name[:80]!r} is the key of an activity of {_listed(with_key)}: say whose is meant, with twist=handle"
        )
    close = difflib.get_close_matches(name[:80], runtime._backend.activity_ids(_LOOKED_AT), n=1)
    hint = f"did you mean {close[0]!r}?" if close else "twist.activities has the ids of what a twist created"
    raise ActivityNotFound(f"there is no activity with the id {name[:80]!r}: {hint}")


def _listed(instances: list[Instance]) -> str:
    return " and ".join(label(each.twist, each.name) for each in instances)


def _new_ids(runtime: Runtime, event: Execution) -> Callable[[str], str]:
    """Makes ids for notes of a user's.

    The execution's number alone would not do: of an event that the twist has no method for nothing is kept.
    """

    def new_id(content: str) -> str:
        for ordinal in count():
            made = derive_uuid("event", event.id, ordinal, content)
            if runtime._backend.note(event.instance, made) is None:
                return made
        raise AssertionError

    return new_id


def _applied(draft: Draft, edit: Edit) -> str:
    """Put the edit into the draft.

    Returns:
        What the twist's method gets, as superjson text.
    """
    found = draft.find(edit.activity)
    if edit.event == "activity_updated":
        return superjson.dumps([_told(draft.change(found, edit.given)), edit.given])
    note = draft.find_note(draft.put_note(found.id, edit.given), None, None)
    assert note is not None
    return superjson.dumps([{**_told(note), "activity": _told(found)}])


def _told(row: DocumentRow) -> dict[str, Any]:
    times = {"created": to_datetime(row.created), "updated": to_datetime(row.updated)}
    return {**superjson.loads(row.document), "id": row.id, "key": row.key, **times}
