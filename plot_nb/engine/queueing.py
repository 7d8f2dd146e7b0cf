"""Tasks that an attempt queues, schedules and cancels (SPEC 7)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from plot_nb.engine.attempt import Attempt
from plot_nb.engine.model import Callback, Cause, Execution, derive_id, derive_uuid
from plot_nb.tools.callbacks import is_hidden
from plot_nb.tools.operation import Queued

if TYPE_CHECKING:
    from plot_nb.engine.engine import Engine

CREATED_LIMIT = 100_000
"""What an attempt may create without ids: the host remembers it while the attempt runs."""


EMPTY = '{"json":{}}'
"""No arguments by name."""


@dataclass(frozen=True, slots=True)
class AttemptTasks:
    """The engine's queue in the hands of one attempt."""

    engine: Engine
    attempt: Attempt

    @property
    def derives_tokens(self) -> bool:
        """Whether new tokens follow from the seed."""
        return self.engine.derives_tokens

    @property
    def webhook_base(self) -> str:
        """What the URL of a webhook begins with."""
        return self.engine.webhook_base

    def new_token(self, kind: Literal["callback", "webhook"]) -> str:
        """A token of a callback or webhook: opaque, and not to be guessed without the seed.

        Random on a runtime that serves webhooks on a port: there, others than the notebook's reader can try.
        """
        attempt, prefix = self.attempt, "cb" if kind == "callback" else "wh"
        if not self.derives_tokens:
            return f"{prefix}_{secrets.token_hex(14)}"
        attempt.tokens += 1
        parts = (self.engine.seed, kind, attempt.execution.id, attempt.execution.attempts, attempt.tokens)
        return f"{prefix}_{derive_id(*parts)}{derive_id('second half', *parts)}"

    def new_id(self, content: str) -> str:
        """An id for what the twist creates without saying what it is known by.

        It derives from the execution and the content, so that an execution that is tried again creates it once. Not
        from its place alone: an attempt that goes on where the one before it ended creates other things.
        """
        attempt, made = self.attempt, self.attempt.made
        fork = attempt.execution.attempts if self.engine.faithful_forks else "any attempt"
        digest = derive_id(content)
        ordinal = made.get(digest, 0)
        if not ordinal and len(made) >= CREATED_LIMIT:
            raise ValueError(
                f"an execution creates at most {CREATED_LIMIT:,} activities and notes without an id: go on in a task"
            )
        made[digest] = ordinal + 1
        return derive_uuid("created", attempt.execution.id, fork, digest, ordinal)

    def queue(
        self,
        callback: Callback,
        *,
        due: int | None = None,
        key: str | None = None,
        every: int | None = None,
        coalesce: bool = False,
    ) -> Queued:
        """Queue an execution of a callback.

        Its identity derives from what queues it, so that an execution that is tried again queues it once; with
        `faithful_forks` each attempt queues its own. Work for later is a chain of its own, so nobody waits for it.
        """
        engine, parent = self.engine, self.attempt.execution
        ordinal = self.attempt.queued.get(callback.method, 0)
        self.attempt.queued[callback.method] = ordinal + 1
        # A drain has at most one pending pass, whoever queues it; and an id that a later attempt records needs one.
        is_own = engine.faithful_forks or is_hidden(callback.method)
        fork = parent.attempts if is_own else "any attempt"
        identity = derive_id("task", parent.id, callback.method, ordinal, fork)
        is_later = due is not None and due > engine.now
        execution = Execution(
            engine.next_number(),
            identity,
            self.attempt.instance.id,
            "task" if key is None else "schedule",
            callback.method,
            callback.token,
            callback.args,
            EMPTY,
            parent.id,
            identity if is_later else parent.chain,
            due if due is not None and is_later else engine.now,
            engine.now,
            key=key,
            every=every,
        )
        kept = engine.enqueue(execution, coalesce=coalesce)
        return Queued(kept or identity, coalesced=kept is not None)

    def cancel(
        self, *, execution: str | None = None, key: str | None = None, scope: str | None = None
    ) -> None:
        """Drop a pending scheduled task by id or by key, or with neither all of a scope.

        An immediate task cannot be cancelled, and one that is not there is no error.
        """
        instance = self.attempt.instance.id
        for task in self.engine.live.scheduled(instance, execution=execution, key=key):
            if can_be_cancelled(task, execution, key, scope):
                what = "the task" if task.key is None else f"the schedule {task.key!r}"
                self.engine.retire(task, "cancelled", f"the twist cancelled {what}")


def can_be_cancelled(task: Execution, execution: str | None, key: str | None, scope: str | None) -> bool:
    """Whether it is a scheduled task that has not begun, and one that is meant: by id, by key, or by its scope.

    One with a key is scheduled also where it is due at once, in the chain of what scheduled it.
    """
    is_scheduled = task.is_scheduled or task.key is not None
    pending = task.state == "queued" and not task.attempts and is_scheduled
    return (
        pending and execution in {None, task.id} and key in {None, task.key} and scope in {None, task.scope}
    )


def first_of_chain(
    number: int,
    identity: str,
    now: int,
    instance: int,
    cause: Cause,
    method: str,
    args: str,
    kwargs: str,
    awaited: bool,
) -> Execution:
    """An execution for an event from outside."""
    return Execution(
        number,
        identity,
        instance,
        cause,
        method,
        None,
        args,
        kwargs,
        None,
        identity,
        now,
        now,
        awaited=awaited,
    )


def next_occurrence(execution: Execution, number: int, now: int) -> Execution | None:
    """What is armed before a recurring task begins, so that a run that fails or is lost does not end the cadence.

    Occurrences that were missed while something else ran are left out.
    """
    if execution.every is None or execution.attempts > 1:
        return None
    missed = max(0, now - execution.due) // execution.every
    due = execution.due + (missed + 1) * execution.every
    identity = derive_id("occurrence", execution.id)
    return Execution(
        number,
        identity,
        execution.instance,
        "schedule",
        execution.method,
        execution.callback,
        execution.args,
        execution.kwargs,
        execution.id,
        identity,
        due,
        now,
        key=execution.key,
        every=execution.every,
    )
