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

    def delete_callback(self, origin: Origin, token: str | None) -> None:
        """Delete one callback, or all of an instance with None; a missing one is no error."""
        with self._commit("callback delete"):
            self._execute(
                "UPDATE callbacks SET deleted = ?"
                " WHERE instance = ? AND token = coalesce(?, token) AND deleted IS NULL",
                (origin.now, origin.instance, token),
            )
