"""What twists and tools can do: each with a Store, callbacks and tasks of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from plot_nb.twist import drains
from plot_nb.twist.callbacks import Callbacks
from plot_nb.twist.log import Log
from plot_nb.twist.request import Request
from plot_nb.twist.store import Store
from plot_nb.twist.tasks import Tasks
from plot_nb.twist.wall import current

if TYPE_CHECKING:
    from plot_nb.twist.build import Build
    from plot_nb.twist.builtin import BuiltIn
    from plot_nb.twist.tool import Tool


class Place:
    """Where a twist or a tool stands.

    Attributes:
        owner: Whose place it is.
        scope: Its path of names, such as `calendar.auth`; empty for the twist. Known only after `build` has returned.
        prefix: What its requests begin with.
        scopes: The twist and its tools, by their scopes.
    """

    __slots__ = ("owner", "prefix", "scope", "scopes")

    owner: Scoped
    prefix: str
    scope: str
    scopes: dict[str, Scoped]

    def __init__(self, owner: Scoped) -> None:
        self.owner = owner

    def enter(self, scope: str, scopes: dict[str, Scoped]) -> None:
        """Take a scope."""
        self.scope = scope
        self.prefix = f"{scope}/" if scope else ""
        self.scopes = scopes
        scopes[scope] = self.owner

    def __getattr__(self, name: str) -> Any:
        tool = type(self.owner).__name__
        raise RuntimeError(
            f"{tool} has no name yet, and so no Store, callbacks and tasks: build() must return it by a name, "
            "and it can ask for something only after that"
        )


class Tools:
    """The tools of a twist or tool by name; `store`, `callbacks` and `tasks` are always there."""

    store: Store
    callbacks: Callbacks
    tasks: Tasks

    def __init__(self, owner: Scoped) -> None:
        self.store = Store(owner)
        self.callbacks = Callbacks(owner)
        self.tasks = Tasks(owner)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"no tool {name!r}: build() returned none of that name; there are {', '.join(sorted(vars(self)))}"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))


class Scoped:
    """What a twist and a tool have in common.

    Nothing assigned to `self` survives the execution; the Store does.

    Attributes:
        tools: `store`, `callbacks`, `tasks`, and what `build` returned.
        options: The options given at deploy, or where a tool is built.
        log: Writes to the journal's log.
    """

    tools: Tools
    options: Mapping[str, Any]
    log: Log
    _plot_place: Place

    def __getattr__(self, name: str) -> Any:
        if name in Scoped.__annotations__:
            current()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def build(self, build: Build) -> Mapping[str, Tool | BuiltIn]:
        """Say which tools are used, by the names they are used under."""
        return {}

    def get(self, key: str) -> Request[Any]:
        """The stored value of `key`, or None."""
        return self.tools.store.get(key)

    def set(self, key: str, value: Any) -> Request[None]:
        """Store a value."""
        return self.tools.store.set(key, value)

    def clear(self, key: str) -> Request[None]:
        """Remove a key."""
        return self.tools.store.clear(key)

    def clear_all(self) -> Request[None]:
        """Remove every key of this twist, or of this tool."""
        return self.tools.store.clear_all()

    def get_many(self, keys: Iterable[str]) -> Request[dict[str, Any]]:
        """The values of several keys, None for a missing one."""
        return self.tools.store.get_many(keys)

    def set_many(self, values: Mapping[str, Any]) -> Request[None]:
        """Store several values, all or none."""
        return self.tools.store.set_many(values)

    def clear_many(self, keys: Iterable[str]) -> Request[None]:
        """Remove several keys, all or none."""
        return self.tools.store.clear_many(keys)

    def list_entries(self, prefix: str = "") -> Request[dict[str, Any]]:
        """Keys and values whose key starts with `prefix`."""
        return self.tools.store.list_entries(prefix)

    def callback(self, method: str | Callable[..., Any], *args: Any) -> Request[str]:
        """A callback for a method of this twist or tool; its token can be stored."""
        return self.tools.callbacks.create(method, *args)

    def run(self, callback: str, *args: Any) -> Request[Any]:
        """Run a callback here and now, on this execution's budget."""
        return self.tools.callbacks.run(callback, *args)

    def delete_callback(self, callback: str) -> Request[None]:
        """Delete a callback."""
        return self.tools.callbacks.delete(callback)

    def delete_all_callbacks(self) -> Request[None]:
        """Delete all callbacks of this twist, or of this tool."""
        return self.tools.callbacks.delete_all()

    def run_task(self, callback: str, run_at: datetime | None = None) -> Request[str | None]:
        """Queue a callback as an execution of its own, with a fresh budget; with `run_at` gives a token."""
        return self.tools.tasks.run(callback, run_at)

    def cancel_task(self, token: str) -> Request[None]:
        """Drop a task that waits for its `run_at`."""
        return self.tools.tasks.cancel(token)

    def cancel_all_tasks(self) -> Request[None]:
        """Drop all tasks of this twist, or of this tool, that wait for their time."""
        return self.tools.tasks.cancel_all()

    def schedule_task(
        self, key: str, callback: str, run_at: datetime, *, coalesce: bool = False
    ) -> Request[None]:
        """Have at most one pending task for `key`: scheduling again replaces it, or keeps the earlier time."""
        return self.tools.tasks.schedule(key, callback, run_at, coalesce=coalesce)

    def schedule_recurring(
        self, key: str, callback: str, *, every: timedelta, first_run_at: datetime | None = None
    ) -> Request[None]:
        """Run a callback again and again, until `cancel_scheduled_task`."""
        return self.tools.tasks.schedule_recurring(key, callback, every=every, first_run_at=first_run_at)

    def cancel_scheduled_task(self, key: str) -> Request[None]:
        """Drop the pending task of a key and end its recurrence."""
        return self.tools.tasks.cancel_scheduled(key)

    def schedule_drain(
        self,
        key: str,
        handler: str | Callable[..., Any],
        ids: Iterable[str] = (),
        batch_size: int = 20,
        delay: timedelta = timedelta(seconds=10),
        max_attempts: int = 5,
        handler_args: Sequence[Any] = (),
    ) -> Request[None]:
        """Record ids that a handler gets later, in batches, each until it was handled.

        A burst of calls with one key makes one pending pass, with the options of its first call. Costs 3 requests, and
        1 more where a pass is pending already. A pass costs 5 besides those of the handler, 1 more where ids are left
        for another or were given up, and 3 more where it is the last.

        Args:
            key: What the drain is known by.
            handler: A method, or its name. It gets a list of ids and `handler_args`, and may return
                `{"retry": [...]}`: those ids stay for another pass.
            ids: What to record; recording an id again sets its attempts to 0. Without any the handler gets `[]`.
            batch_size: How many ids a pass gets at most.
            delay: From the first call of a burst to its pass, and from a pass to what it left to be tried again.
            max_attempts: How often an id is tried; then it is dropped with a warning in the log.
            handler_args: What the handler gets after the ids.

        Raises:
            TypeError: If something is of the wrong kind.
            ValueError: If there is no such method, or an id is empty or too long.
        """
        return drains.schedule(
            self,
            key,
            handler,
            ids,
            batch_size=batch_size,
            delay=delay,
            max_attempts=max_attempts,
            handler_args=handler_args,
        )

    def cancel_drain(self, key: str) -> Request[None]:
        """Drop the ids of a drain and its pending pass; no error if there is none.

        Costs 2 requests, and 1 more where ids are recorded.
        """
        return drains.cancel(self, key)

    async def __drain__(
        self,
        key: str,
        handler: str,
        batch_size: int,
        max_attempts: int,
        delay: float,
        handler_args: list[Any],
    ) -> None:
        await drains.Pass(self, key, handler, batch_size, max_attempts, delay, handler_args).run()
