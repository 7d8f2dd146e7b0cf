"""What must hold of the activities of a state file, wherever its process died."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.crash.invariants import When, check
from tests.crash.state import State


@check(When.LEFT)
def created_activities_are_there(state: State) -> Iterator[str]:
    """What a twist was told is created is in the file, each with its note."""
    there = {row["id"] for row in state["activities"]}
    noted = {row["activity"] for row in state["notes"]}
    for who, ids in state.seen("created"):
        if not there >= set(ids):
            yield f"{who} was told that {ids} are created, there are {there}"
    if there ^ noted:
        yield f"activities {there} were created with notes, {noted} have one"


@check(When.LEFT)
def no_attempt_creates_again(state: State) -> Iterator[str]:
    """What has no key is created once by an execution, however often it was cut off."""
    executions = {row["id"]: row["execution"] for row in state["attempts"]}
    created = Counter(
        (executions[row["attempt_id"]], title_of(row))
        for row in state["activities"]
        if row["attempt_id"] in executions
    )
    for (execution, title), count in created.items():
        if count > 1:
            yield f"{execution} created {title!r} {count} times"


@check(When.LEFT)
def an_edit_and_its_event_are_one_commit(state: State) -> Iterator[str]:
    """Where an edit is, what tells the twist of it is queued; and where that is, the edit is."""
    edited = any(fields(row).get("kind") == "edited" for row in state["activities"])
    told = any(row["cause"] == "event" for row in state["executions"])
    if edited != told and state.is_complete:
        yield f"an activity was edited: {edited}; the twist is told of an edit: {told}"


def fields(row: dict[str, Any]) -> dict[str, Any]:
    """What an activity holds."""
    found: dict[str, Any] = json.loads(row["document"])["json"]
    return found


def title_of(row: dict[str, Any]) -> str:
    """Its headline."""
    return str(fields(row)["title"])
