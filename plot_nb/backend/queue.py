"""The queue and the journal of attempts: what waits, what runs, and how it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import repeat, takewhile
from operator import attrgetter

from plot_nb.backend.database import Database
from plot_nb.backend.records import Ending, Enqueued
from plot_nb.engine.model import Execution

PAYLOAD_LIMIT = 64 * 1024
"""Characters of an argument, result or fetched body that the journal keeps (DESIGN, decision 3)."""

_EXECUTION = tuple(each.name for each in fields(Execution))
_INSERT_EXECUTION = (
    f"INSERT INTO executions ({', '.join(_EXECUTION)}) VALUES ({', '.join('?' * len(_EXECUTION))})"
)
_values = attrgetter(*_EXECUTION)

UNFINISHED = "state IN ('queued', 'running')"
"""In the words of the index: SQLite takes it for no others, and would read through all that has ended."""

_NOTHING = frozenset({'{"json":[]}', '{"json":{}}', '{"json":null}'})
"""No arguments, or a result of None: what most executions have, and what no payload is kept for."""


class QueueTables(Database):
    """Executions and their attempts."""

    def enqueue(self, execution: Execution, *, coalesce: bool = False) -> Enqueued:
        """Queue an execution, in one commit with what becomes of a pending one of the same key.

        Args:
            execution: What to queue.
            coalesce: Keep the pending one, at the earlier of both times, instead of replacing it; not one whose
                callback was deleted, which would only be dropped.
        """
        with self._commit("enqueue"):
            known = self._execute("SELECT 1 FROM executions WHERE id = ?", (execution.id,)).fetchone()
            if known:
                return Enqueued(added=False)
            pending = self._pending(execution.instance, execution.key) if execution.key is not None else None
            if pending is not None and coalesce and not self._has_lost_callback(pending):
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

    def _has_lost_callback(self, pending: str) -> bool:
        row = self._execute(
            "SELECT 1 FROM executions e JOIN callbacks c ON c.token = e.callback"
            " WHERE e.id = ? AND c.deleted IS NOT NULL",
            (pending,),
        ).fetchone()
        return row is not None

    def _insert(self, execution: Execution) -> None:
        self._execute(_INSERT_EXECUTION, _values(execution))

    def queued(self) -> list[Execution]:
        """All executions that wait, in the order of queueing."""
        rows = self._execute(
            f"SELECT {', '.join(_EXECUTION)} FROM executions WHERE {UNFINISHED} AND state = 'queued' ORDER BY number"
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
        events: Sequence[tuple[str, str]] = (),
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
            events: Journal entries (kind, text).
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
            for kind, text in events:
                self._add_event(execution.id, kind, text, now)

    def finish(self, execution: Execution, attempt_id: int, ending: Ending) -> None:
        """End an attempt: its journal, the execution's new state and the clock, at once."""
        with self._commit("acknowledge"):
            self._execute(
                "UPDATE attempts SET outcome = ?, requests = ?, cpu_ms = ?, wall_ms = ?, memory_peak = ?, ended = ?,"
                " error = ?, line = ?, traceback = ?, result = ?, cost = ? WHERE id = ?",
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
                    ending.cost,
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

    def execution(self, identity: str) -> Execution | None:
        """An execution in any state; None where there is none of that id."""
        row = self._execute(
            f"SELECT {', '.join(_EXECUTION)} FROM executions WHERE id = ?", (identity,)
        ).fetchone()
        return row and Execution(*row)

    def revive(self, execution: Execution, now: int) -> str | None:
        """Save that a dead letter is queued again; returns the id of the task that has its key, if one has.

        The id stays, so that what it queued before it died is known and is not queued a second time.
        """
        with self._commit("retry by hand"):
            taken = self._pending(execution.instance, execution.key) if execution.key is not None else None
            if taken is None:
                self._save(execution)
                self._save_now(now)
                self._add_event(execution.id, "retry", "retried by hand", now)
        return taken

    def counted(self, since: int) -> Iterator[tuple[int, int, int | None, float | None]]:
        """Rows (instance, started, ended, dollars) of what counts in a rate window: what is kept, the newest first.

        Then what was dropped, of each minute the dollars once.
        """
        found = self._execute(
            "SELECT a.instance, started, ended, cost FROM attempts a JOIN instances i ON i.id = a.instance"
            " WHERE a.id > counted_from ORDER BY a.id DESC"
        )
        yield from takewhile(lambda row: row[1] >= since, found)
        tallies = self._execute(
            "SELECT t.instance, attempts, started, ended, cost FROM tallies t"
            " JOIN instances i ON i.id = t.instance AND i.counted_from = t.counted_from WHERE started >= ?",
            (since,),
        )
        for instance, attempts, started, ended, cost in tallies:
            yield instance, started, ended, cost
            yield from repeat((instance, started, None, None), attempts - 1)

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
                " CASE WHEN awaited THEN 'cut off when its runtime was closed or its process ended; not run again'"
                " ELSE 'cut off when its runtime was closed or its process ended; offered again' END"
                f" FROM executions WHERE {UNFINISHED} AND state = 'running'",
                (now,),
            )
            # A call that had not begun is nobody's any more either: who awaited it is gone.
            self._execute(
                "UPDATE executions SET state = CASE WHEN awaited THEN 'done' ELSE 'queued' END"
                f" WHERE {UNFINISHED} AND (state = 'running' OR awaited)"
            )
