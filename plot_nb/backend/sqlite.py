"""State in one SQLite file. Every method that writes has committed when it returns."""

from __future__ import annotations

from plot_nb.backend.activities import ActivityTables
from plot_nb.backend.callbacks import CallbackTables
from plot_nb.backend.database import Durability
from plot_nb.backend.instances import InstanceTables
from plot_nb.backend.queue import PAYLOAD_LIMIT
from plot_nb.backend.retention import RetentionTables
from plot_nb.backend.schema import TABLES
from plot_nb.backend.store import StoreTables
from plot_nb.backend.webhooks import WebhookTables

__all__ = ["PAYLOAD_LIMIT", "Durability", "SqliteBackend"]


class SqliteBackend(
    InstanceTables, StoreTables, CallbackTables, WebhookTables, ActivityTables, RetentionTables
):
    """The tables of `schema`, behind the operations that the engine needs: each family has a module of its own."""

    def latest_time(self) -> int | None:
        """The latest moment that any saved row speaks of: where a reopened clock must stand at least."""
        sources = (
            "SELECT value FROM meta WHERE key = 'now'",
            "SELECT updated FROM store_versions WHERE id = (SELECT max(id) FROM store_versions)",
            "SELECT queued FROM executions WHERE number = (SELECT max(number) FROM executions)",
            "SELECT started FROM attempts WHERE id = (SELECT max(id) FROM attempts)",
            "SELECT max(created) FROM versions",
            "SELECT max(max(created), coalesce(max(deleted), 0)) FROM callbacks",
            "SELECT max(max(created), coalesce(max(deleted), 0)) FROM webhooks",
            "SELECT max(updated) FROM activities",
            "SELECT max(updated) FROM notes",
        )
        moments = [row[0] for sql in sources for row in self._execute(sql)]
        return max((moment for moment in moments if moment is not None), default=None)

    def last_numbers(self) -> tuple[int, int]:
        """The highest number of an execution and the highest id of an attempt."""
        numbers = self._execute("SELECT max(number) FROM executions").fetchone()[0]
        attempts = self._execute("SELECT max(id) FROM attempts").fetchone()[0]
        return numbers or 0, attempts or self.meta("attempts before reset") or 0

    def reset(self) -> None:
        """Drop everything and give the space back. Ids of attempts go on, so that a kept `Run` shows no other one."""
        _, attempts = self.last_numbers()
        with self._commit("reset"):
            for table in TABLES:
                self._execute(f"DELETE FROM {table}")
            self._execute("INSERT INTO meta VALUES ('attempts before reset', ?)", (attempts,))
        self.give_back()
