"""What is dropped when it is older than a user wants to keep it, so that a state file does not grow for ever."""

from __future__ import annotations

from plot_nb.backend.database import Database

# What has ended, and nothing can ask for again: a parent that may be tried again would queue its tasks a second time if
# they were not found, and a dead letter waits for its user. The newest rows stay, since numbers go on from them.
_OLD = """
CREATE TEMP TABLE old AS
SELECT e.id FROM executions e LEFT JOIN executions p ON p.id = e.parent
WHERE e.state IN ('done', 'dropped', 'cancelled') AND e.queued < ?1
  AND coalesce(p.state, 'done') NOT IN ('queued', 'running', 'dead')
  AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.execution = e.id AND coalesce(a.ended, ?1) >= ?1)
  AND e.number < (SELECT max(number) FROM executions)
  AND e.id != coalesce((SELECT execution FROM attempts WHERE id = (SELECT max(id) FROM attempts)), '')
"""

# To the latest moments of a minute: what is dropped counts a little longer, and never too short.
_TALLY = """
INSERT INTO tallies
SELECT a.instance, i.counted_from, a.started / 60000000 AS minute, count(*), max(a.started), max(a.ended), total(a.cost)
FROM attempts a JOIN instances i ON i.id = a.instance
WHERE a.execution IN (SELECT id FROM old) AND a.id > i.counted_from AND a.started >= ?1 GROUP BY a.instance, minute
ON CONFLICT (instance, counted_from, minute) DO UPDATE SET attempts = attempts + excluded.attempts,
    started = max(started, excluded.started), ended = max(ended, excluded.ended), cost = cost + excluded.cost
"""

_DROP = (
    "DELETE FROM requests WHERE attempt_id IN (SELECT id FROM attempts WHERE execution IN (SELECT id FROM old))",
    "DELETE FROM logs WHERE attempt_id IN (SELECT id FROM attempts WHERE execution IN (SELECT id FROM old))",
    "DELETE FROM attempts WHERE execution IN (SELECT id FROM old)",
    "DELETE FROM events WHERE execution IN (SELECT id FROM old)",
    "DELETE FROM executions WHERE id IN (SELECT id FROM old)",
)

# A version counts from when the next one took its place.
_DROP_BEFORE = (
    (
        "DELETE FROM store_versions WHERE id NOT IN (SELECT head FROM store) AND updated < ?1 AND (value IS NULL"
        " OR EXISTS (SELECT 1 FROM store_versions n WHERE n.instance = store_versions.instance"
        " AND n.key = store_versions.key AND n.version = store_versions.version + 1 AND n.updated < ?1))"
    ),
    "DELETE FROM callbacks WHERE deleted < ?1",
    "DELETE FROM webhooks WHERE deleted < ?1",
)

_DROP_PAYLOADS = """
DELETE FROM payloads WHERE digest NOT IN (
    SELECT args FROM attempts WHERE args IS NOT NULL UNION SELECT kwargs FROM attempts WHERE kwargs IS NOT NULL
    UNION SELECT result FROM attempts WHERE result IS NOT NULL
    UNION SELECT payload FROM requests WHERE payload IS NOT NULL)
"""

_WORTH_IT = 4
"""The file is written anew where a quarter of it is free: that takes as long as writing the rest."""


class RetentionTables(Database):
    """Drops what is old."""

    def drop_before(self, moment: int, counted: int) -> None:
        """Drop executions that ended before a moment with all that the journal has of them, and replaced values.

        What is live, dead letters and current values stay. The space goes back to the file system where it is much.

        Args:
            moment: What ended before it is dropped.
            counted: What began since then is counted still.
        """
        with self._commit("retention"):
            self._execute("DROP TABLE IF EXISTS temp.old")
            self._execute(_OLD, (moment,))
            self._execute(_TALLY, (counted,))
            self._execute("DELETE FROM tallies WHERE max(started, ended) < ?", (counted,))
            for statement in _DROP:
                self._execute(statement)
            for statement in _DROP_BEFORE:
                self._execute(statement, (moment,))
            self._execute(_DROP_PAYLOADS)
            self._execute("DROP TABLE temp.old")
        free = self._execute("PRAGMA freelist_count").fetchone()[0]
        if free * _WORTH_IT > self._execute("PRAGMA page_count").fetchone()[0]:
            self.give_back()

    def give_back(self) -> None:
        """Write the file anew without what is free in it."""
        with self._announced("vacuum"):
            self._execute("VACUUM")
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
