"""What the tables of an instance show, in the words of the model: places in the tables instead of identities."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

from plot_nb import Runtime, TwistHandle
from tests.model.facts import LOCKS, Facts, args_of

_VERSIONS = re.compile(r"version (\d+) made (?:the|this) callback, version (\d+) runs")


def rows(frame: Any) -> Any:
    """The rows of a table."""
    return frame.itertuples(index=False)


def error_of(text: str | None) -> Any:
    """An error's type, and the two versions if it names them."""
    if text is None:
        return None
    versions = _VERSIONS.search(text)
    kind = text.partition(":")[0]
    return (kind, *map(int, versions.groups())) if versions else kind


def microseconds(moment: Any) -> int:
    """A moment of the tables."""
    return int(pd.Timestamp(moment).value // 1000)


def observed(runtime: Runtime, handle: TwistHandle) -> Facts:
    """What the tables show of an instance, with places in the tables instead of identities."""
    tasks, attempts, store, callbacks = handle.tasks, handle.executions, handle.store, handle.callbacks
    refs: dict[str | None, Any] = {None: None}
    refs.update({identity: ("task", place) for place, identity in enumerate(tasks["execution"])})
    events = [each for each in dict.fromkeys(attempts["execution"]) if each not in refs]
    refs.update({identity: ("event", place) for place, identity in enumerate(events)})
    methods = dict(zip(callbacks["callback"], callbacks["method"], strict=True))
    webhooks = runtime.webhooks(handle)
    hooks = {row.url: ("webhook", row.method, row.sync) for row in rows(webhooks)}

    def value_of(key: str, value: Any) -> Any:
        if key.startswith(LOCKS):
            return ("lock", refs[value["execution"]], round(value["until"] * 1000))
        if isinstance(value, str) and value in methods:
            return ("callback", methods[value])
        if isinstance(value, str) and value in hooks:
            return hooks[value]
        return refs.get(value, value) if isinstance(value, str) else value

    seen: Facts = {}
    for row in rows(tasks):
        every = None if pd.isna(row.every_ms) else int(row.every_ms * 1000)
        seen[refs[row.execution]] = (
            *(row.cause, row.method, row.state, microseconds(row.run_at), microseconds(row.queued)),
            *(row.attempts, row.failures, row.key, every, refs[row.parent]),
        )
    for place, row in enumerate(rows(attempts)):
        ended = None if pd.isna(row.ended) else microseconds(row.ended)
        error = error_of(row.error) if row.outcome == "error" else None
        seen["attempt", place] = (
            *(refs[row.execution], row.attempt, refs[row.parent], row.version, row.method, row.cause),
            *(row.outcome, row.requests, microseconds(row.started), ended, error),
        )
    for row in rows(store):
        seen["store", row.key] = (
            *(value_of(row.key, row.value), row.version),
            *(microseconds(row.updated), refs[row.execution]),
        )
    seen["callbacks",] = sorted(
        (
            *(microseconds(row.created), row.method, args_of(row.method, json.loads(row.args)["json"])),
            *(row.version, refs[row.execution], row.deleted),
        )
        for row in rows(callbacks)
    )
    seen["webhooks",] = sorted(
        (
            *(microseconds(row.created), row.method, row.sync, row.version, refs[row.execution]),
            *(row.deleted, row.posts),
        )
        for row in rows(webhooks)
    )
    return seen


def difference(found: dict[Any, Any], expected: dict[Any, Any]) -> str:
    """Where two dicts differ."""
    lines = [
        f"{key}\n  found    {found.get(key)}\n  expected {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys(), key=str)
        if found.get(key) != expected.get(key)
    ]
    return "\n".join(lines)
