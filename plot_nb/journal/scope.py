"""What a picture shows of a state file."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The attempts of a run, all of one instance, or all of the file.

    Attributes:
        attempts: Ids, ascending; the list may grow while the run goes on.
        instance: An instance's id.
    """

    attempts: Sequence[int] | None = None
    instance: int | None = None


class View:
    """A scope at the moment that a connection sees.

    Attributes:
        ids: The attempts of a run that are in the file; None for other scopes.
    """

    def __init__(self, connection: sqlite3.Connection, scope: Scope) -> None:
        self.connection = connection
        self.instance = scope.instance
        # The file first: what an attempt wrote is in it only when the attempt is in the list.
        last = connection.execute("SELECT max(id) FROM attempts").fetchone()[0] or 0
        self.ids: list[int] | None = None
        self._set: frozenset[int] | None = None
        if scope.attempts is not None:
            ids = list(scope.attempts)
            self.ids = ids[: bisect_right(ids, last)]
            if self.ids and self.ids[-1] - self.ids[0] + 1 != len(self.ids):
                self._set = frozenset(self.ids)

    def has(self, attempt: int | None) -> bool:
        """Whether an attempt belongs to it; for the scope of a run."""
        if attempt is None or not self.ids:
            return False
        if self._set is not None:
            return attempt in self._set
        return self.ids[0] <= attempt <= self.ids[-1]

    def attempts_after(self, after: int, most: int) -> list[int]:
        """The next attempts, one more than `most` where there are more."""
        if self.ids is not None:
            first = bisect_right(self.ids, after)
            return self.ids[first : first + most + 1]
        where = "" if self.instance is None else "AND instance = ?3"
        given = (after, most + 1) if self.instance is None else (after, most + 1, self.instance)
        found = self.connection.execute(
            f"SELECT id FROM attempts WHERE id > ?1 {where} ORDER BY id LIMIT ?2", given
        )
        return [attempt for (attempt,) in found]

    def unfinished(self) -> bool:
        """Whether an attempt of it runs."""
        found = self.connection.execute("SELECT id, instance FROM attempts WHERE outcome IS NULL")
        return any(
            self.has(attempt) if self.ids is not None else self.instance in {None, instance}
            for attempt, instance in found
        )

    def rate(self) -> str | None:
        """The first notice that Plot would suspend the twist for its rate."""
        found = self.connection.execute(
            "SELECT e.text, a.id, a.instance FROM events e JOIN attempts a ON a.execution = e.execution"
            " WHERE e.kind = 'rate' ORDER BY e.id"
        )
        return next(
            (
                text
                for text, attempt, instance in found
                if (self.has(attempt) if self.ids is not None else self.instance in {None, instance})
            ),
            None,
        )

    def origin(self) -> int | None:
        """Where its times begin, in microseconds: at its first attempt, or at a write by hand before that.

        None while there is neither; once there is one, it stays the same.
        """
        began = self.began()
        if self.ids is not None:
            return began
        where, given = ("", ()) if self.instance is None else ("WHERE instance = ?", (self.instance,))
        first = self.connection.execute(
            f"SELECT updated FROM store_versions WHERE id = (SELECT min(id) FROM store_versions {where})",
            given,
        ).fetchone()
        return min((each for each in (began, first and first[0]) if each is not None), default=None)

    def began(self) -> int | None:
        """The start of its first attempt, in microseconds."""
        first = self.attempts_after(0, 1)[:1]
        if not first:
            return None
        found = self.connection.execute("SELECT started FROM attempts WHERE id = ?", first).fetchone()
        return int(found[0]) if found else None
