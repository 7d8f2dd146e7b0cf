"""Tasks: executions of their own, each with a fresh budget."""

from __future__ import annotations

from datetime import datetime, timedelta

from plot_nb.twist import drains
from plot_nb.twist.builtin import BuiltIn
from plot_nb.twist.callbacks import check_token
from plot_nb.twist.request import Request


class Tasks(BuiltIn):
    """Queues executions."""

    can_be_built = False

    def run(self, callback: str, run_at: datetime | None = None) -> Request[str | None]:
        """Queue a new execution of a callback's method, first in first out.

        Args:
            callback: What to run.
            run_at: When; now if it has passed. Without it the task is immediate, and cannot be cancelled.

        Returns:
            With `run_at` a token for `cancel`; otherwise None.
        """
        return self._request(
            "tasks.run", [check_token(callback), None if run_at is None else _moment(run_at)]
        )

    def cancel(self, token: str) -> Request[None]:
        """Drop a task that waits for its `run_at`; no error if it has begun or is gone."""
        if not isinstance(token, str):
            raise TypeError(f"a task's token is the str that run_task(run_at=...) gives, not {token!r}")
        return self._request("tasks.cancel", [token])

    def cancel_all(self) -> Request[None]:
        """Drop all tasks that wait for their time, keyed and recurring ones too; immediate ones run."""
        return self._request("tasks.cancel_all", [])

    def schedule(self, key: str, callback: str, run_at: datetime, *, coalesce: bool = False) -> Request[None]:
        """Have at most one pending task for `key`.

        Args:
            key: What it is known by; free again as soon as the task begins, so a task may schedule its own key.
            callback: What to run.
            run_at: When.
            coalesce: Keep a pending one, at the earlier of both times. Without it, the pending one is replaced.
        """
        return self._request(
            "tasks.schedule", [_key(key), check_token(callback), _moment(run_at), bool(coalesce)]
        )

    def schedule_recurring(
        self, key: str, callback: str, *, every: timedelta, first_run_at: datetime | None = None
    ) -> Request[None]:
        """Run a callback again and again; a run that fails does not end it.

        Args:
            key: What it is known by, as for `schedule`; `cancel_scheduled` ends it.
            callback: What to run.
            every: From one run to the next.
            first_run_at: May pull the first run earlier than `every` from now, never later.
        """
        if not isinstance(every, timedelta):
            raise TypeError(f"every is a timedelta, not {type(every).__name__}")
        if every < timedelta(milliseconds=1):
            raise ValueError(f"every={every}: give a millisecond or more")
        first = None if first_run_at is None else _moment(first_run_at)
        return self._request(
            "tasks.schedule_recurring",
            [_key(key), check_token(callback), every / timedelta(milliseconds=1), first],
        )

    def cancel_scheduled(self, key: str) -> Request[None]:
        """Drop the pending task of a key and end its recurrence; no error if there is none."""
        return self._request("tasks.cancel_scheduled", [_key(key)])


def _moment(moment: datetime) -> float:
    """Milliseconds since 1970."""
    if not isinstance(moment, datetime):
        raise TypeError(
            f"a time is a datetime, such as now() + timedelta(hours=1), not {type(moment).__name__}"
        )
    if moment.tzinfo is None:
        raise TypeError(f"{moment!r} has no time zone: now() gives one, or datetime(..., tzinfo=UTC)")
    return moment.timestamp() * 1000


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a task's key is a str, not {type(key).__name__}")
    if key.startswith(drains.PREFIX):
        raise ValueError(
            f"schedule keys that begin with {drains.PREFIX!r} are those of drains: use schedule_drain and cancel_drain"
        )
    return key
