"""Webhooks: what the token in a URL stands for, and what was posted to it."""

from __future__ import annotations

from collections.abc import Iterable

from plot_nb.backend.queue import QueueTables
from plot_nb.backend.records import Origin, Webhook
from plot_nb.engine.model import Execution

_WEBHOOK = "SELECT token, instance, method, args, version, sync, derived FROM webhooks"


class WebhookTables(QueueTables):
    """Webhooks by token; a deleted one stays in the tables and is answered as if it had never been."""

    def add_webhook(
        self, origin: Origin, token: str, method: str, args: str, version: int, *, sync: bool, derived: bool
    ) -> None:
        """Keep what a token stands for."""
        with self._commit("webhook"):
            self._execute(
                "INSERT OR REPLACE INTO webhooks"
                " (token, instance, method, args, version, sync, derived, attempt_id, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    token,
                    origin.instance,
                    method,
                    args,
                    version,
                    sync,
                    derived,
                    origin.attempt_id,
                    origin.now,
                ),
            )

    def webhook(self, token: str) -> Webhook | None:
        """What a token stands for; None if it was deleted or never made."""
        row = self._execute(f"{_WEBHOOK} WHERE token = ? AND deleted IS NULL", (token,)).fetchone()
        return row and Webhook(*row)

    def live_webhooks(self, instance: int | None = None) -> list[Webhook]:
        """The webhooks of an instance, or of all, that were not deleted."""
        rows = self._execute(
            f"{_WEBHOOK} WHERE deleted IS NULL AND instance = coalesce(?, instance) ORDER BY created, token",
            (instance,),
        )
        return [Webhook(*row) for row in rows]

    def delete_webhook(self, origin: Origin, token: str) -> None:
        """Delete a webhook of an instance; a missing one is no error."""
        with self._commit("webhook delete"):
            self._execute(
                "UPDATE webhooks SET deleted = ? WHERE instance = ? AND deleted IS NULL AND token = ?",
                (origin.now, origin.instance, token),
            )

    def queue_posts(self, posts: Iterable[tuple[str, Execution]]) -> None:
        """Queue the executions of posts to asynchronous webhooks, all or none."""
        with self._commit("post"):
            for token, execution in posts:
                self._count_post(token)
                self._insert(execution)

    def count_post(self, token: str) -> None:
        """Count a post to a synchronous webhook, whose execution is in the tables when it begins."""
        with self._commit("post"):
            self._count_post(token)

    def _count_post(self, token: str) -> None:
        self._execute("UPDATE webhooks SET posts = posts + 1 WHERE token = ?", (token,))
