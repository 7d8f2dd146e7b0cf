"""Callbacks: what a token stands for."""

from __future__ import annotations

from plot_nb.backend.database import Database
from plot_nb.backend.records import Origin
from plot_nb.engine.model import Callback


class CallbackTables(Database):
    """Callbacks by token; a deleted one stays, so that it can be told from one that never was."""

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

    def delete_callback(self, origin: Origin, token: str) -> None:
        """Delete a callback; a missing one is no error."""
        with self._commit("callback delete"):
            self._execute(
                "UPDATE callbacks SET deleted = ? WHERE instance = ? AND token = ? AND deleted IS NULL",
                (origin.now, origin.instance, token),
            )

    def delete_callbacks(self, origin: Origin, scope: str | None = None) -> None:
        """Delete all callbacks for the methods of a scope; without one, of the whole instance."""
        found = self._execute(
            "SELECT token, method FROM callbacks WHERE instance = ? AND deleted IS NULL", (origin.instance,)
        ).fetchall()
        with self._commit("callback delete"):
            self._db.executemany(
                "UPDATE callbacks SET deleted = ? WHERE token = ?",
                [
                    (origin.now, token)
                    for token, method in found
                    if scope in {None, method.rpartition(".")[0]}
                ],
            )
