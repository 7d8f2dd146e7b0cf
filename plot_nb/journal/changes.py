"""What is new in a state file, as rows for a picture: read while the engine goes on writing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from plot_nb.journal.progress import Tracker
from plot_nb.journal.wire import Cursor, Rows

START: Cursor = {"attempt": 0, "write": 0}


class Budget(Protocol):
    """The limits that a picture shows: `plot_nb.Limits`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a picture shows: the attempts of a run, all of one instance, or all of the file.

    Attributes:
        attempts: Ids, ascending; the list may grow while the run goes on.
        instance: An instance's id.
    """

    attempts: Sequence[int] | None = None
    instance: int | None = None


def changes(
    path: Path,
    scope: Scope,
    *,
    limits: Budget,
    after: Cursor = START,
    running: Collection[int] = (),
    origin: int | None = None,
    now: int | None = None,
    active: bool | None = None,
    paused: str | None = None,
    value: str | None = None,
    progress: Tracker | None = None,
    most: int = 800,
    size: int = 80_000,
) -> Rows:
    """What is in a scope after a cursor, a piece at a time.

    Args:
        path: The state file.
        scope: Which attempts, and with them which writes and tasks.
        limits: The budget of each attempt.
        after: Up to where the rows before went.
        running: Attempts that were given as running: they come again when they have ended.
        origin: Where times begin, in microseconds: the start of the scope's first attempt unless given.
        now: The runtime's time in microseconds; unless given, the latest that the file knows.
        active: Whether more may come though nothing runs at the moment; None: more comes only while an attempt runs.
        paused: Why a chain waits to be resumed.
        value: What the first execution returned, as its repr.
        progress: Follows one key.
        most: Attempts in one piece.
        size: Bytes of one piece, about.

    Returns:
        Rows; `running` is true also where there is more than fits in.
    """
    raise NotImplementedError


def origin_of(path: Path, scope: Scope) -> int | None:
    """The start of a scope's first attempt in microseconds; None while there is none."""
    raise NotImplementedError
