"""The class that a twist extends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from plot_nb.twist.callbacks import Callbacks
from plot_nb.twist.log import Log
from plot_nb.twist.network import Network
from plot_nb.twist.request import Request
from plot_nb.twist.store import Store
from plot_nb.twist.tasks import Tasks
from plot_nb.twist.tool import Tool
from plot_nb.twist.wall import current

ToolT = TypeVar("ToolT", bound=Tool)


class Build:
    """Collects the tools that a twist's `build` asks for."""

    def __init__(self, twist: Twist) -> None:
        self._twist = twist
        self.urls: list[str] = []

    def __call__(self, tool: type[ToolT], **options: Any) -> ToolT:
        """Make a tool.

        Raises:
            TypeError: If it is not one that can be built.
        """
        if tool is not Network:
            raise TypeError(f"build() makes {Network.__name__}, not {getattr(tool, '__name__', tool)!r}")
        made = Network(self._twist, **options)
        self.urls += made.urls
        return made  # type: ignore[return-value]  # `tool` is Network itself


class Tools:
    """The tools of one twist by name; `store`, `callbacks` and `tasks` are always there."""

    store: Store
    callbacks: Callbacks
    tasks: Tasks

    def __init__(self, twist: Twist) -> None:
        self.store = Store(twist)
        self.callbacks = Callbacks(twist)
        self.tasks = Tasks(twist)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"no tool {name!r}: build() returned none of that name; there are {', '.join(sorted(vars(self)))}"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))


class Twist:
    """The base of every twist: what happens to one instance is written as its `async def` methods.

    Nothing assigned to `self` survives the execution; the Store does.

    Attributes:
        tools: `store`, `callbacks`, `tasks`, and what `build` returned.
        options: The options given at deploy.
        log: Writes to the journal's log.
    """

    tools: Tools
    options: Mapping[str, Any]
    log: Log

    def __getattr__(self, name: str) -> Any:
        if name in Twist.__annotations__:
            current()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def build(self, build: Build) -> Mapping[str, Tool]:
        """Say which tools the twist uses, by the names it uses them under."""
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
        """Remove every key of this twist."""
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
        """A callback for a method of this twist; its token can be stored."""
        return self.tools.callbacks.create(method, *args)

    def run(self, callback: str, *args: Any) -> Request[Any]:
        """Run a callback here and now, on this execution's budget."""
        return self.tools.callbacks.run(callback, *args)

    def delete_callback(self, callback: str) -> Request[None]:
        """Delete a callback."""
        return self.tools.callbacks.delete(callback)

    def delete_all_callbacks(self) -> Request[None]:
        """Delete all callbacks of this twist."""
        return self.tools.callbacks.delete_all()

    def run_task(self, callback: str, run_at: datetime | None = None) -> Request[str | None]:
        """Queue a callback as an execution of its own, with a fresh budget; with `run_at` gives a token."""
        return self.tools.tasks.run(callback, run_at)

    def cancel_task(self, token: str) -> Request[None]:
        """Drop a task that waits for its `run_at`."""
        return self.tools.tasks.cancel(token)

    def cancel_all_tasks(self) -> Request[None]:
        """Drop all tasks that wait for their time."""
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


def equip(twist: Twist, options: Mapping[str, Any]) -> Build:
    """Give an instance its tools, as the sandbox does before it calls a method.

    Args:
        twist: A new instance.
        options: Those given at deploy.

    Returns:
        What its `build` asked for.

    Raises:
        TypeError: If `build` does not return tools by name.
        ValueError: If it names a tool like one that is always there.
    """
    twist.options = options
    twist.log = Log()
    twist.tools = Tools(twist)
    build = Build(twist)
    tools = twist.build(build)
    if not isinstance(tools, Mapping):
        raise TypeError(f"build() returns a dict of tools by name, not {type(tools).__name__}")
    for name, tool in tools.items():
        if not isinstance(tool, Tool):
            raise TypeError(
                f"build() returned {type(tool).__name__} as {name!r}: a tool is what build(...) makes"
            )
        if name in vars(twist.tools):
            raise ValueError(f"the tool name {name!r} is taken: it is there without build()")
        setattr(twist.tools, name, tool)
    return build
