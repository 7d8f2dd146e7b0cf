"""One attempt in full, the source that it ran, and the values that it wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from plot_nb.journal.wire import Detail, Source


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of an attempt is given.

    Attributes:
        requests: Rows of requests; the totals by line count all.
        logs: Rows of logs.
        log_text: Characters of all logs together.
        text: Characters of arguments, result and traceback, each.
    """

    requests: int = 2000
    logs: int = 1000
    log_text: int = 100_000
    text: int = 20_000


def details(path: Path, attempt_id: int, *, limit: int, origin: int, bounds: Bounds = Bounds()) -> Detail | None:  # noqa: B008
    """All about one attempt; None if the file has no such attempt (any more).

    Args:
        path: The state file.
        attempt_id: The attempt's id.
        limit: Requests that an attempt may make: what is above was refused.
        origin: Where times begin, in microseconds.
        bounds: How much of it.
    """
    raise NotImplementedError


def source_of(path: Path, twist: str, version: int) -> Source | None:
    """The text of a version; `twist` as the rows name it, `Name` or `Name/instance`."""
    raise NotImplementedError


def source_for(path: Path, attempt_id: int) -> Source | None:
    """The text that an attempt ran."""
    raise NotImplementedError


def values(path: Path, ids: Iterable[int]) -> list[tuple[int, str]]:
    """Writes by id with their superjson text, options masked; those that are clears or unknown are left out."""
    raise NotImplementedError


def instance_of(path: Path, twist: str) -> int | None:
    """The id of the instance that rows name `twist`; None if there is none."""
    raise NotImplementedError
