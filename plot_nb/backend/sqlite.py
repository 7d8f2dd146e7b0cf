"""State in one SQLite file. Every method that writes has committed when it returns."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from plot_nb.backend.owner import Ownership
from plot_nb.backend.records import Ending, Enqueued, Origin
from plot_nb.backend.schema import SCHEMA, TABLES, VERSION
from plot_nb.engine.model import Callback, Execution
from plot_nb.errors import PlotError

Durability = Literal["process", "full"]

PAYLOAD_LIMIT = 64 * 1024
"""Characters of an argument, result or fetched body that the journal keeps (DESIGN, decision 3)."""


_EXECUTION = tuple(each.name for each in fields(Execution))
_INSERT_EXECUTION = (
    f"INSERT INTO executions ({', '.join(_EXECUTION)}) VALUES ({', '.join('?' * len(_EXECUTION))})"
)
_values = attrgetter(*_EXECUTION)

_NOTHING = frozenset({'{"json":[]}', '{"json":{}}', '{"json":null}'})
"""No arguments, or a result of None: what most executions have, and what no payload is kept for."""

_CHECKPOINT_PAGES = 4000
"""A checkpoint waits for the disk; at SQLite's 1000 pages a long chain would do so a dozen times a second."""


class SqliteBackend:
    """The tables of `schema`, behind the operations that the engine needs.

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

    # meta

    def meta(self, key: str) -> Any:
        """A setting that is saved with the state; None where it is missing."""
        row = self._execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row and row[0]

    def save_meta(self, key: str, value: object) -> None:
        """Keep a setting with the state."""
        with self._commit("meta"):
            self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def latest_time(self) -> int | None:
        """The latest moment that any saved row speaks of: where a reopened clock must stand at least."""
        sources = (
            "SELECT value FROM meta WHERE key = 'now'",
            "SELECT updated FROM store_versions WHERE id = (SELECT max(id) FROM store_versions)",
            "SELECT queued FROM executions WHERE number = (SELECT max(number) FROM executions)",
        )
        moments = [row[0] for sql in sources for row in self._execute(sql)]
        return max(moments, default=None)

    def last_numbers(self) -> tuple[int, int]:
        """The highest number of an execution and the highest id of an attempt."""
        numbers = self._execute("SELECT max(number) FROM executions").fetchone()[0]
        attempts = self._execute("SELECT max(id) FROM attempts").fetchone()[0]
        return numbers or 0, attempts or self.meta("attempts before reset") or 0

    # instances

    def instances(self) -> list[tuple[int, str, str, int, str, int, str, str, str]]:
        """Rows (id, twist, name, version, options, active, digest, program, manifest) of the versions in force."""
        return self._execute(
            "SELECT i.id, twist, name, i.version, options, active, digest, program, manifest"
            " FROM instances i JOIN versions v ON v.instance = i.id AND v.version = i.version ORDER BY i.id"
        ).fetchall()

    def add_version(
        self,
        twist: str,
        name: str,
        options: str,
        digest: str,
        program: str,
        manifest: str,
        now: int,
        lifecycle: Callable[[int, int], Execution | None],
    ) -> tuple[int, int, Execution | None]:
        """Make a new version the one in force, and queue its lifecycle method, at once.

        Args:
            twist: The class's name.
            name: The instance's.
            options: JSON.
            digest: Of the source.
            program: What a sandbox loads.
            manifest: What the source says of itself.
            now: When.
            lifecycle: Makes the execution for an instance's id and a version's number.

        Returns:
            The instance's id, the version's number, and the execution.
        """
        with self._commit("version"):
            self._execute(
                "INSERT INTO instances (twist, name, version, options, active) VALUES (?, ?, 1, ?, 1)"
                " ON CONFLICT (twist, name) DO UPDATE"
                " SET version = version + 1, options = excluded.options, active = 1",
                (twist, name, options),
            )
            instance, version = self._execute(
                "SELECT id, version FROM instances WHERE twist = ? AND name = ?", (twist, name)
            ).fetchone()
            self._execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
                (instance, version, digest, program, manifest, now),
            )
            execution = lifecycle(instance, version)
            if execution is not None:
                self._insert(execution)
        return instance, version, execution

    def save_instance(
        self, instance: int, options: str, *, active: bool, lifecycle: Execution | None = None
    ) -> None:
        """Change an instance's options, or whether it is active, and queue the lifecycle method for it, at once."""
        with self._commit("instance"):
            self._execute(
                "UPDATE instances SET options = ?, active = ? WHERE id = ?", (options, active, instance)
            )
            if lifecycle is not None:
                self._insert(lifecycle)

    # store

    def get(self, instance: int, key: str) -> str | None:
        """The value of a key as superjson text; None where there is none."""
        row = self._execute(
            "SELECT value FROM store s JOIN store_versions v ON v.id = s.head WHERE s.instance = ? AND s.key = ?",
            (instance, key),
        ).fetchone()
        return str(row[0]) if row else None

    def entries(self, instance: int, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Keys that begin with `prefix` and their values, ascending by code point; read one by one."""
        return self._execute(
            "SELECT s.key, value FROM store s JOIN store_versions v ON v.id = s.head"
            " WHERE s.instance = ? AND s.key >= ? AND s.key < ? ORDER BY s.key",
            (instance, prefix, _after(prefix)),
        )

    def keys(self, instance: int, prefix: str = "") -> Iterator[str]:
        """Keys that begin with `prefix`, ascending by code point; read one by one."""
        rows = self._execute(
            "SELECT key FROM store WHERE instance = ? AND key >= ? AND key < ? ORDER BY key",
            (instance, prefix, _after(prefix)),
        )
        return (key for (key,) in rows)

    def set_many(self, origin: Origin, values: Iterable[tuple[str, str]]) -> None:
        """Write values, all or none."""
        with self._commit("store write"):
            for key, value in values:
                head = self._add_store_version(origin, key, value)
                self._execute("INSERT OR REPLACE INTO store VALUES (?, ?, ?)", (origin.instance, key, head))

    def clear_many(self, origin: Origin, keys: Iterable[str]) -> None:
        """Remove keys, all or none; a missing one is no error."""
        with self._commit("store clear"):
            for key in keys:
                gone = self._execute(
                    "DELETE FROM store WHERE instance = ? AND key = ?", (origin.instance, key)
                )
                if gone.rowcount:
                    self._add_store_version(origin, key, None)

    def _add_store_version(self, origin: Origin, key: str, value: str | None) -> int | None:
        return self._execute(
            "INSERT INTO store_versions (instance, key, version, value, updated, attempt_id, seq) SELECT ?1, ?2,"
            " 1 + coalesce((SELECT max(version) FROM store_versions WHERE instance = ?1 AND key = ?2), 0),"
            " ?3, ?4, ?5, ?6",
            (origin.instance, key, value, origin.now, origin.attempt_id, origin.seq),
        ).lastrowid

    # callbacks

    def add_callback(self, origin: Origin, token: str, method: str, args: str, version: int) -> None:
        """Keep what a token stands for."""
        with self._commit("callback"):
            self._execute(
                "INSERT OR REPLACE INTO callbacks VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (token, origin.instance, method, args, version, origin.attempt_id, origin.now),
            )

    def callback(self, instance: int, token: str) -> Callback | None:
        """What a token stands for; None if this instance never made it."""
        row = self._execute(
            "SELECT token, instance, method, args, version, deleted IS NOT NULL FROM callbacks"
            " WHERE token = ? AND instance = ?",
            (token, instance),
        ).fetchone()
        return row and Callback(*row)

    def delete_callback(self, origin: Origin, token: str | None) -> None:
        """Delete one callback, or all of an instance with None; a missing one is no error."""
        with self._commit("callback delete"):
            self._execute(
                "UPDATE callbacks SET deleted = ?"
                " WHERE instance = ? AND token = coalesce(?, token) AND deleted IS NULL",
                (origin.now, origin.instance, token),
            )

    # queue

    def enqueue(self, execution: Execution, *, coalesce: bool = False) -> Enqueued:
        """Queue an execution, in one commit with what becomes of a pending one of the same key.

        Args:
            execution: What to queue.
            coalesce: Keep the pending one, at the earlier of both times, instead of replacing it.
        """
        with self._commit("enqueue"):
            known = self._execute("SELECT 1 FROM executions WHERE id = ?", (execution.id,)).fetchone()
            if known:
                return Enqueued(added=False)
            pending = self._pending(execution.instance, execution.key) if execution.key is not None else None
            if pending is not None and coalesce:
                self._execute(
                    "UPDATE executions SET due = min(due, ?) WHERE id = ?", (execution.due, pending)
                )
                return Enqueued(added=False, kept=pending)
            if pending is not None:
                self._execute("UPDATE executions SET state = 'cancelled' WHERE id = ?", (pending,))
                self._add_event(
                    pending, "replaced", f"{execution.key!r} was scheduled again", execution.queued
                )
            self._insert(execution)
        return Enqueued(added=True, replaced=pending)

    def _pending(self, instance: int, key: str | None) -> str | None:
        row = self._execute(
            "SELECT id FROM executions WHERE instance = ? AND key = ? AND state = 'queued' AND attempts = 0",
            (instance, key),
        ).fetchone()
        return row and str(row[0])

    def _insert(self, execution: Execution) -> None:
        self._execute(_INSERT_EXECUTION, _values(execution))

    def queued(self) -> list[Execution]:
        """All executions that wait, in the order of queueing."""
        rows = self._execute(
            f"SELECT {', '.join(_EXECUTION)} FROM executions WHERE state = 'queued' ORDER BY number"
        )
        return [Execution(*row) for row in rows]

    def claim(
        self,
        execution: Execution,
        attempt_id: int,
        version: int,
        now: int,
        args: str | None,
        kwargs: str | None,
        following: Execution | None,
    ) -> None:
        """Begin an attempt, and arm the next occurrence of a recurring task, at once.

        Args:
            execution: Already carries the attempt's number.
            attempt_id: The attempt's row.
            version: What it runs.
            now: When.
            args: Its arguments for the journal.
            kwargs: Those given by name.
            following: The next occurrence.
        """
        with self._commit("claim"):
            self._save(execution)
            self._execute(
                "INSERT INTO attempts (id, execution, attempt, instance, version, method, cause, parent, started, args,"
                " kwargs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    attempt_id,
                    execution.id,
                    execution.attempts,
                    execution.instance,
                    version,
                    execution.method,
                    execution.cause,
                    execution.parent,
                    now,
                    self._payload(args),
                    self._payload(kwargs),
                ),
            )
            if following is not None:
                self._insert(following)

    def finish(self, execution: Execution, attempt_id: int, ending: Ending) -> None:
        """End an attempt: its journal, the execution's new state and the clock, at once."""
        with self._commit("acknowledge"):
            self._execute(
                "UPDATE attempts SET outcome = ?, requests = ?, cpu_ms = ?, wall_ms = ?, memory_peak = ?, ended = ?,"
                " error = ?, line = ?, traceback = ?, result = ? WHERE id = ?",
                (
                    ending.outcome,
                    ending.used,
                    ending.cpu_ms,
                    ending.wall_ms,
                    ending.memory_peak,
                    ending.ended,
                    ending.error,
                    ending.line,
                    ending.traceback,
                    self._payload(ending.result),
                    attempt_id,
                ),
            )
            self._db.executemany(
                "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((attempt_id, *row[:-1], self._payload(row[-1])) for row in ending.requests),
            )
            self._db.executemany(
                "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((attempt_id, position, *row) for position, row in enumerate(ending.logs)),
            )
            self._save(execution)
            self._save_now(ending.ended)
            for kind, text in ending.events:
                self._add_event(execution.id, kind, text, ending.ended)

    def settle(self, execution: Execution, kind: str, text: str, now: int) -> None:
        """Save an execution's state and say why, outside any attempt."""
        with self._commit("settle"):
            self._save(execution)
            self._save_now(now)
            self._add_event(execution.id, kind, text, now)

    def _save(self, execution: Execution) -> None:
        """Save where an execution stands; a call is in the file only from its first attempt on."""
        self._execute(
            f"{_INSERT_EXECUTION} ON CONFLICT (number) DO UPDATE SET state = excluded.state, due = excluded.due,"
            " attempts = excluded.attempts, failures = excluded.failures",
            _values(execution),
        )

    def _save_now(self, now: int) -> None:
        self._execute("INSERT OR REPLACE INTO meta VALUES ('now', ?)", (now,))

    def _add_event(self, execution: str, kind: str, text: str, now: int) -> None:
        self._execute(
            "INSERT INTO events (time, execution, kind, text) VALUES (?, ?, ?, ?)",
            (now, execution, kind, text),
        )

    def _payload(self, body: str | None) -> str | None:
        if body is None or body in _NOTHING:
            return None
        kept = body[:PAYLOAD_LIMIT]
        digest = hashlib.blake2b(kept.encode(errors="surrogatepass"), digest_size=12).hexdigest()
        self._execute("INSERT OR IGNORE INTO payloads VALUES (?, ?)", (digest, kept))
        return digest

    def recover(self, now: int) -> None:
        """After a process that was killed: close its attempts, offer its tasks again.

        A task or lifecycle execution is queued again, the cut attempt not counted against it;
        a call is reported `crashed` and never run again (SPEC 7).
        """
        with self._commit("recover"):
            self._execute(
                "UPDATE attempts SET outcome = 'crashed', ended = max(started, ?), requests = coalesce(requests, 0),"
                " error = 'cut off: its runtime was closed or its process ended' WHERE outcome IS NULL",
                (now,),
            )
            self._execute(
                "INSERT INTO events (time, execution, kind, text) SELECT ?, id, 'crashed',"
                " CASE cause WHEN 'call' THEN 'cut off when its runtime was closed or its process ended; not run again'"
                " ELSE 'cut off when its runtime was closed or its process ended; offered again' END"
                " FROM executions WHERE state = 'running'",
                (now,),
            )
            # A call that had not begun is nobody's any more either: who awaited it is gone.
            self._execute(
                "UPDATE executions SET state = CASE cause WHEN 'call' THEN 'done' ELSE 'queued' END"
                " WHERE state = 'running' OR (state = 'queued' AND cause = 'call')"
            )

    def reset(self) -> None:
        """Drop everything and give the space back. Ids of attempts go on, so that a kept `Run` shows no other one."""
        _, attempts = self.last_numbers()
        with self._commit("reset"):
            for table in TABLES:
                self._execute(f"DELETE FROM {table}")
            self._execute("INSERT INTO meta VALUES ('attempts before reset', ?)", (attempts,))
        self._execute("VACUUM")


def _no_place(path: Path, error: Exception) -> PlotError:
    return PlotError(
        f"no state file can be at {str(path)!r} ({error}): give the path of a file in a folder that exists"
    )


def _after(prefix: str) -> str | bytes:
    """The least text above all that begins with `prefix`; a blob, which sorts above any text, if there is none."""
    while prefix:
        code = ord(prefix[-1]) + 1
        if code <= 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
        prefix = prefix[:-1]
    return b""
