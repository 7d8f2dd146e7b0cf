"""The one place where a twist's code meets the sandbox it runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from plot_nb.twist.request import Request


class Wall(Protocol):
    """What the sandbox offers to the API.

    Attributes:
        created: Requests that were made and not yet awaited, in the order of their making.
        callback: The token of the callback that this execution runs; None if it runs none.
    """

    created: dict[Request[Any], None]
    callback: str | None

    def send(self, operation: str, arguments: Sequence[Any], line: int) -> asyncio.Future[Any]:
        """Let a request cross with the loop's next turn."""

    def line(self) -> int:
        """The line of the cell that is being executed; 0 when none is."""

    def log(self, level: str, text: str) -> None:
        """Write one entry of the log."""


class _Attached:
    """Holds the sandbox; empty wherever a twist cannot run."""

    wall: Wall | None = None


def attach(wall: Wall) -> None:
    """Make `wall` the one that every API call uses."""
    _Attached.wall = wall


def current() -> Wall:
    """The sandbox that this code runs in.

    Raises:
        RuntimeError: Outside of a sandbox.
    """
    wall = _Attached.wall
    if wall is None:
        raise RuntimeError(
            "the twist API works only inside a sandbox: deploy the class (%%twist, or await runtime.deploy(source)) "
            "and call its methods through the handle"
        )
    return wall
