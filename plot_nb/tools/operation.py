"""What every tool's host side is made of: operations, each with its arguments' type, which the wall enforces."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from plot_nb.backend.sqlite import Origin, SqliteBackend

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation may use: the durable state, who asks, and the engine's two services.

    Attributes:
        version: The number of the version that the attempt runs.
        methods: The methods of that version.
        new_token: A token that cannot be guessed.
        queue_task: Queue an execution for a callback (by its token and method).
    """

    backend: SqliteBackend
    origin: Origin
    version: int
    methods: Collection[str]
    new_token: Callable[[], str]
    queue_task: Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Operation(Generic[A]):
    """One metered operation.

    Attributes:
        arguments: The type that the guest's arguments are decoded to; what does not fit is refused.
        detail: The key or URL that the journal shows.
        perform: Does it. ValueError, TypeError, LookupError and their like are raised in the twist.
    """

    arguments: type[A]
    detail: Callable[[Context, A], str]
    perform: Callable[[Context, A], Any]

    def decode(self, raw: msgspec.Raw) -> A:
        """Decode what came through the wall.

        Raises:
            ValueError: If it is not of the operation's type.
        """
        return msgspec.json.decode(raw, type=self.arguments)


class CallbackDeleted(Exception):
    """The callback was deleted; raised in the twist under the same name."""


class CallbackNotFound(Exception):
    """No such callback, or its method is gone; raised in the twist under the same name."""
