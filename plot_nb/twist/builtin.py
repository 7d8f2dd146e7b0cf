"""What the runtime's own tools have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from plot_nb.twist.request import Request

if TYPE_CHECKING:
    from plot_nb.twist.scoped import Scoped

T = TypeVar("T")


class BuiltIn:
    """A capability of the runtime's, reached as `self.tools.<name>`: its work is done outside of the sandbox.

    Attributes:
        can_be_built: Whether `build` makes it; the others are there without.
        urls: Patterns of the URLs that it lets the twist fetch.
    """

    can_be_built: ClassVar[bool] = True
    urls: Sequence[str] = ()

    def __init__(self, owner: Scoped) -> None:
        self._owner = owner

    def _request(
        self, operation: str, arguments: Sequence[Any], convert: Callable[[Any], T] | None = None
    ) -> Request[T]:
        """A request in the scope of the twist or tool that this belongs to."""
        return Request(self._owner._plot_place.prefix + operation, arguments, convert)
