"""Tasks that were given up, and trying them again (SPEC 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plot_nb.engine.masking import Mask
from plot_nb.errors import RetryRefused
from plot_nb.journal import frames
from plot_nb.runtime.handle import instance_of
from plot_nb.runtime.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from plot_nb.runtime.runtime import Runtime


def listed(runtime: Runtime, twist: object) -> pd.DataFrame:
    """One row per task that was given up; of one twist, or with None of all."""
    runtime._check_open()
    instance = None if twist is None else instance_of(runtime, twist, "dead_letters").id
    mask = Mask({str(each.id): each.secrets for each in runtime._instances.values()})
    return frames.dead_letters(runtime.path, instance=instance, mask=mask)


async def retry(runtime: Runtime, identity: object) -> Run:
    """Queue a dead letter again and drive its chain; on the engine's thread.

    Raises:
        TypeError: If it is no id.
        RetryRefused: If it cannot be retried.
        TwistInactive: If its twist was deactivated.
    """
    if not isinstance(identity, str):
        raise TypeError(
            f"retry takes the id of an execution, as `rt.dead_letters()` has it, not {identity!r}"
        )
    await runtime._thread.ready()
    found = runtime._backend.execution(identity)
    if found is None:
        raise RetryRefused(
            f"there is no execution {identity!r}: `rt.dead_letters()` lists what can be retried"
        )
    if found.state != "dead":
        raise RetryRefused(
            f"{found.method} ({identity}) is {found.state}: only what was given up can be retried, "
            "`rt.dead_letters()` lists it"
        )
    instance = runtime._active(found.instance)
    callback = found.callback and runtime._backend.callback(found.instance, found.callback)
    if found.callback is not None and (not callback or callback.deleted):
        raise RetryRefused(
            f"{found.method} ({identity}) is not retried: its callback was deleted, so it would be dropped unrun. "
            "Queue it again from the twist; a drain by another schedule_drain of its key, with its ids"
        )
    found.state, found.failures, found.due = "queued", 0, runtime._engine.now
    taken = runtime._backend.revive(found, runtime._engine.now)
    if taken is not None:
        key = Mask(instance.secrets)(found.key)
        raise RetryRefused(
            f"{found.method} ({identity}) is not retried: its key {key!r} is taken by task {taken}, which waits. "
            "Let that run or cancel it first"
        )
    run = await runtime._drive(
        f"{instance.twist}.{found.method} retried", lambda ended: runtime._engine.begin([found], ended)
    )
    assert run is not None
    return run
