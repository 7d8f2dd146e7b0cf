"""The file itself: its connection, its commits, and the settings that are saved with the state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from plot_nb.backend.owner import Ownership
from plot_nb.backend.schema import SCHEMA, VERSION
from plot_nb.errors import PlotError

Durability = Literal["process", "full"]

_CHECKPOINT_PAGES = 4000
"""A checkpoint waits for the disk; at SQLite's 1000 pages a long chain would do so a dozen times a second."""


class Database:
    """One SQLite file that belongs to one runtime at a time.

    Args:
        path: The file; made if it is not there.
        durability: `process` survives a killed process; `full` also a power cut, at a tenth of the speed.

    Raises:
        RuntimeOwned: If another runtime has the file.
        PlotError: If the file is not a state file, or of another version.
    """

    def __init__(self, path: Path, *, durability: Durability = "process") -> None:
        self.path = path
        try:
            self._owner = Ownership(path)
        except (OSError, ValueError) as error:
            raise _no_place(path, error) from None
        try:
            try:
                self._db = sqlite3.connect(
                    path, isolation_level=None, check_same_thread=False, cached_statements=256
                )
            except sqlite3.OperationalError as error:
                raise _no_place(path, error) from None
            self._execute = self._db.execute
            try:
                self._open(durability)
            except sqlite3.DatabaseError as error:
                self._db.close()
                raise PlotError(
                    f"{path} is not a state file of plot_nb ({error}): open another path"
                ) from None
        except BaseException:
            self._owner.release()
            raise

    def _open(self, durability: Durability) -> None:
        self._execute("PRAGMA journal_mode = WAL")
        self._execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
        version = self._execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            if self._execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError("it holds another program's tables")
            with self._announced("schema"):
                self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"its format is {version}, this release reads {VERSION}")

    def close(self) -> None:
        """Close the file and give it free."""
        self._db.close()
        self._owner.release()

    def commit_point(self, name: str) -> None:
        """Called just before and after each commit, with its name; crash tests override it."""

    @contextmanager
    def _commit(self, name: str) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self.commit_point(f"before {name}")
            self._execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # some errors have ended it already
                self._execute("ROLLBACK")
            raise
        self.commit_point(f"after {name}")

    @contextmanager
    def _announced(self, name: str) -> Iterator[None]:
        """Around what SQLite commits by itself."""
        self.commit_point(f"before {name}")
        yield
        self.commit_point(f"after {name}")

    def meta(self, key: str) -> Any:
        """A setting that is saved with the state; None where it is missing."""
        row = self._execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row and row[0]

    def save_meta(self, key: str, value: object) -> None:
        """Keep a setting with the state."""
        with self._commit("meta"):
            self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _no_place(path: Path, error: Exception) -> PlotError:
    return PlotError(
        f"no state file can be at {str(path)!r} ({error}): give the path of a file in a folder that exists"
    )
