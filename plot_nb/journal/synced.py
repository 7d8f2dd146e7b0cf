"""Which Store key tells how a sync gets on, where nobody has said so."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from plot_nb.journal.progress import Tracker
from plot_nb.journal.reader import id_list
from plot_nb.journal.scope import Scope, View

LOOKED_AT = 200
"""Attempts: a sync writes its state from the beginning on."""

_LEAST = 3
"""Executions that write a key, each one more than the one before: two would be chance."""

_KEYS = """
SELECT v.instance, v.key, count(DISTINCT a.execution) AS executions
FROM store_versions v JOIN attempts a ON a.id = v.attempt_id
WHERE v.attempt_id IN (SELECT value FROM json_each(?)) AND v.value IS NOT NULL
GROUP BY v.instance, v.key HAVING executions >= ? ORDER BY executions DESC, v.key LIMIT 5
"""


@dataclass(slots=True)
class Search:
    """Looks for that key until it is found, or there is enough to know that none is."""

    scope: Scope
    found: tuple[int, str] | None = None
    looked_at: int = 0

    def look(self, connection: sqlite3.Connection) -> tuple[int, str] | None:
        """The instance and the key that most executions wrote, each anew, and that counts upwards."""
        if self.found is None and self.looked_at < LOOKED_AT:
            attempts = View(connection, self.scope).attempts_after(0, LOOKED_AT)
            if len(attempts) > self.looked_at:
                self.looked_at = len(attempts)
                self.found = self._find(connection, attempts)
        return self.found

    def _find(self, connection: sqlite3.Connection, attempts: list[int]) -> tuple[int, str] | None:
        for instance, key, _ in connection.execute(_KEYS, (id_list(attempts), _LEAST)).fetchall():
            tracker = Tracker(key, instance, attempts=attempts)
            tracker.read(connection)
            if tracker.climbs(_LEAST):
                return instance, key
        return None
