"""What pictures ask, as it comes from a browser: nothing of it is taken for granted."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_View = Annotated[str, Meta(max_length=64)]
_Number = Annotated[int, Meta(ge=0, le=2**53)]
_Ids = Annotated[list[_Number], Meta(max_length=1000)]


class _Ask(msgspec.Struct, frozen=True, tag_field="ask"):
    view: _View


class Cursor(msgspec.Struct, frozen=True):
    """Up to which attempt and which write a picture has rows."""

    attempt: _Number
    write: _Number


class Follow(_Ask, frozen=True, tag="follow"):
    """Send what changed, from now on.

    Attributes:
        after: What the picture has.
        running: Attempts that it has as running.
    """

    after: Cursor
    running: Annotated[list[_Number], Meta(max_length=100_000)]


class Detail(_Ask, frozen=True, tag="detail"):
    """All about one attempt."""

    number: _Number
    id: _Number


class Values(_Ask, frozen=True, tag="values"):
    """The texts of writes."""

    number: _Number
    ids: _Ids


class State(_Ask, frozen=True, tag="state"):
    """What the runtime holds at this moment."""

    number: _Number


class Write(_Ask, frozen=True, tag="write"):
    """Write a key by hand; None clears it."""

    number: _Number
    twist: Annotated[str, Meta(max_length=500)]
    key: str
    text: str | None


class Select(_Ask, frozen=True, tag="select"):
    """An attempt was selected; None: none is."""

    id: _Number | None


class Close(_Ask, frozen=True, tag="close"):
    """The picture is no more."""


Ask = Follow | Detail | Values | State | Write | Select | Close
Answer = dict[str, Any]
"""The names are those of `Answer` in `labextension/src/charts/wire.ts`."""


def read_ask(data: object) -> Ask:
    """What a message asks.

    Raises:
        ValueError: If it is no ask, saying what is wrong with it.
    """
    ask: Ask = msgspec.convert(data, Ask)
    return ask


def refusal(data: object, why: str) -> Answer | None:
    """What tells a picture that its message is no ask; None where it left no way to tell it."""
    if not isinstance(data, dict):
        return None
    view, number = data.get("view"), data.get("number")
    if not isinstance(view, str) or not isinstance(number, int):
        return None
    return {"view": view, "number": number, "error": f"the kernel did not understand this: {why}"}
