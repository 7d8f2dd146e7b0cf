"""What every tool's host side is made of: operations, each with its arguments' type, which the wall enforces."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.engine.model import Callback

A = TypeVar("A")

TOOL_KEYS = "__tool__:"
"""What the keys of tools begin with; a twist and its tools cannot name them otherwise than by their scope."""


class Queued(NamedTuple):
    """What became of a task: its id, or that of the pending one it was coalesced with."""

    id: str
    coalesced: bool


class TaskQueue(Protocol):
    """What the engine does for the attempt that asks. Times are microseconds on the runtime's clock."""

    @property
    def derives_tokens(self) -> bool:
        """Whether new tokens follow from the seed; they are random where others can post to this runtime."""

    @property
    def webhook_base(self) -> str:
        """What the URL of a webhook begins with."""

    def new_token(self, kind: Literal["callback", "webhook"]) -> str:
        """A token that cannot be guessed."""

    def new_id(self, content: str) -> str:
        """An id that every attempt of the execution gives to the same content, in the order of its asking."""

    def queue(
        self,
        callback: Callback,
        *,
        due: int | None = None,
        key: str | None = None,
        every: int | None = None,
        coalesce: bool = False,
    ) -> Queued:
        """Queue an execution of a callback."""

    def cancel(
        self, *, execution: str | None = None, key: str | None = None, scope: str | None = None
    ) -> None:
        """Drop a pending scheduled task by id or by key, or with neither all of a scope."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation may use: the durable state, who asks, and the engine's queue.

    Attributes:
        scope: The tool that asks, as a path of names such as `calendar.auth`; empty for the twist itself.
        execution: The id of the execution that asks.
        version: The number of the version that it runs.
        methods: The methods of that version.
    """

    backend: SqliteBackend
    origin: Origin
    execution: str
    version: int
    methods: Collection[str]
    tasks: TaskQueue
    scope: str = ""

    @property
    def prefix(self) -> str:
        """What the keys of this scope begin with in the tables: each tool has a Store and schedule keys of its own."""
        return f"{TOOL_KEYS}{self.scope}:" if self.scope else ""

    def qualified(self, method: str) -> str:
        """A method of this scope by the name that callbacks, executions and the journal have for it."""
        return f"{self.scope}.{method}" if self.scope else method


@dataclass(frozen=True, slots=True)
class Operation(Generic[A]):
    """One metered operation.

    Attributes:
        arguments: The type that the guest's arguments are decoded to; what does not fit is refused.
        read: Makes of them what the other two take, where that takes more than a type; its errors are the twist's too.
        detail: The key or URL that the journal shows.
        perform: Does it. ValueError, TypeError, LookupError and their like are raised in the twist.
    """

    arguments: type[Any]
    detail: Callable[[Context, A], str]
    perform: Callable[[Context, A], Any]
    read: Callable[[Any], A] | None = None

    def decode(self, raw: msgspec.Raw) -> A:
        """Decode what came through the wall.

        Raises:
            ValueError: If it is not of the operation's type.
        """
        decoded = msgspec.json.decode(raw, type=self.arguments)
        return decoded if self.read is None else self.read(decoded)


class CallbackDeleted(Exception):
    """The callback was deleted; raised in the twist under the same name."""


class CallbackNotFound(Exception):
    """No such callback, or its method is gone; raised in the twist under the same name."""
