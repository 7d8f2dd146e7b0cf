"""What an upgrade breaks: callbacks are found by name in the version that is deployed when they run (SPEC 6 and 10)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.engine.masking import Mask
from plot_nb.engine.model import Callback, Instance, Version
from plot_nb.twist import drains

if TYPE_CHECKING:
    import pandas as pd

Holder = Literal["task", "schedule", "webhook", "event", "drain", "store"]

_TOKEN = re.compile(r"cb_[0-9a-f]{28}")

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Broken:
    """A callback that the new version cannot run.

    Attributes:
        held_by: What will run it; `store`: its token stands in a value, and may be run.
        holder: The id of the execution, the token of the webhook, or the key of the Store.
        key: Of a keyed task, or of a drain.
        method: The name that it looks for.
        made_by: The version that made it.
        problem: `gone`: there is no such method. `arity`: it cannot take the arguments.
        detail: What is wrong, in words.
    """

    held_by: Holder
    holder: str
    key: str | None
    method: str
    made_by: int
    problem: Literal["gone", "arity"]
    detail: str


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What a new version would break, before it takes effect.

    Attributes:
        twist: The class's name.
        before: The version in force.
        after: The one to be deployed; the same where only the options change what `build` makes.
        broken: What waits and cannot run on the new version.
        may_run: What stands in the Store as a token, and could not run either.
    """

    twist: str
    before: int
    after: int
    broken: tuple[Broken, ...]
    may_run: tuple[Broken, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that waits breaks."""
        return not self.broken

    @property
    def frame(self) -> pd.DataFrame:
        """One row per callback that breaks; `waits` tells what will run from what may."""
        import pandas as pd

        rows = [(True, each) for each in self.broken] + [(False, each) for each in self.may_run]
        columns = ["waits", "held_by", "holder", "key", "method", "made_by", "problem", "detail"]
        return pd.DataFrame(
            [(waits, *(getattr(each, name) for name in columns[1:])) for waits, each in rows],
            columns=columns,
            dtype=object,
        )

    def lines(self) -> list[str]:
        """In words, a line for each; nothing where nothing breaks."""
        found: list[str] = []
        for title, broken in (
            (f"{self._what} breaks {len(self.broken)} that wait:", self.broken),
            (f"and {len(self.may_run)} in the Store that may run:", self.may_run),
        ):
            if broken:
                found.append(title)
                found += [f"  {_where(each)}: {each.detail}" for each in broken[:_SHOWN]]
                if len(broken) > _SHOWN:
                    found.append(f"  and {len(broken) - _SHOWN} more")
        return found

    def __str__(self) -> str:
        return "\n".join(self.lines()) or f"{self._what} breaks nothing that waits"

    @property
    def _what(self) -> str:
        options = " with these options" if self.after == self.before else ""
        return f"version {self.after} of {self.twist}{options}"


def _where(broken: Broken) -> str:
    if broken.held_by == "store":
        return f"the key {broken.holder!r}"
    return f"{broken.held_by} {broken.key!r}" if broken.key else f"{broken.held_by} {broken.holder}"


def report_upgrade(backend: SqliteBackend, instance: Instance, after: Version) -> UpgradeReport:
    """What breaks of an instance when `after` replaces the version in force; options masked."""
    mask = Mask(instance.secrets)
    broken = [*_queued(backend, instance, after, mask), *_webhooks(backend, instance, after)]
    return UpgradeReport(
        instance.twist,
        instance.version.number,
        after.number,
        tuple(broken),
        tuple(_stored(backend, instance, after, mask)),
    )


def _queued(backend: SqliteBackend, instance: Instance, after: Version, mask: Mask) -> Iterator[Broken]:
    for execution in backend.queued():
        if execution.instance != instance.id or execution.cause == "call" or execution.cause == "lifecycle":  # noqa: PLR1714  mypy reads `==`
            continue
        method, given, key = execution.method, _count(execution.args), execution.key
        held_by: Holder = execution.cause
        handed = drains.read(execution.args) if method.rpartition(".")[2] == drains.METHOD else None
        if handed is not None:
            held_by, key, given = "drain", handed.key, handed.given
            method = f"{execution.scope}.{handed.handler}" if execution.scope else handed.handler
        callback = backend.callback(instance.id, execution.callback) if execution.callback else None
        if callback is not None and callback.deleted:
            continue  # it will be dropped
        made_by = callback.version if callback is not None else instance.version.number
        problem = _problem(after, method, given, given)
        if problem is not None:
            yield Broken(held_by, execution.id, mask(key), method, made_by, *problem)


def _webhooks(backend: SqliteBackend, instance: Instance, after: Version) -> Iterator[Broken]:
    for webhook in backend.live_webhooks(instance.id):
        given = 1 + _count(webhook.args)
        problem = _problem(after, webhook.method, given, given)
        if problem is not None:
            yield Broken("webhook", webhook.token, None, webhook.method, webhook.version, *problem)


def _stored(backend: SqliteBackend, instance: Instance, after: Version, mask: Mask) -> Iterator[Broken]:
    """Tokens in values: who runs them may add arguments, so fewer than are needed is no fault yet."""
    for key, text in backend.entries(instance.id):
        for token in dict.fromkeys(_TOKEN.findall(text)):
            callback: Callback | None = backend.callback(instance.id, token)
            if callback is None or callback.deleted:
                continue
            problem = _problem(after, callback.method, _count(callback.args), None)
            if problem is not None:
                yield Broken("store", str(mask(key)), None, callback.method, callback.version, *problem)


def _problem(
    after: Version, method: str, given: int, at_most: int | None
) -> tuple[Literal["gone", "arity"], str] | None:
    """What is wrong with a method for `given` arguments, where no more than `at_most` can come."""
    found = after.methods.get(method)
    if found is None:
        return "gone", f"method {method!r} is gone"
    if found.keywords:
        needed = " and ".join(f"{name}=" for name in found.keywords)
        return "arity", f"{method}() needs {needed} in version {after.number}, which no callback gives"
    too_many = found.maximum is not None and given > found.maximum
    too_few = at_most is not None and at_most < found.required
    if not too_many and not too_few:
        return None
    takes = _takes(found.required, found.maximum)
    return "arity", f"{method}() takes {takes} in version {after.number}, it gets {given}"


def _takes(required: int, maximum: int | None) -> str:
    if maximum is None:
        return f"{required} or more arguments"
    count = str(maximum) if required == maximum else f"{required} to {maximum}"
    return f"{count} argument{'s' * (count != '1')}"


def _count(args: str) -> int:
    found = json.loads(args).get("json")
    return len(found) if isinstance(found, list) else 0
