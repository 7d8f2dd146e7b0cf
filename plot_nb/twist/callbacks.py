"""Callbacks: durable references to a method by its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from plot_nb.twist import superjson
from plot_nb.twist.builtin import BuiltIn
from plot_nb.twist.request import Request

if TYPE_CHECKING:
    from plot_nb.twist.scoped import Scoped


class Run(Request[Any]):
    """Resolves a callback, then runs its method in the same execution and on the same budget."""

    __slots__ = ("_args", "_place")

    def __init__(self, owner: Scoped, callback: str, args: tuple[Any, ...]) -> None:
        place = owner._plot_place
        super().__init__(f"{place.prefix}callbacks.resolve", [check_token(callback)])
        self._place = place
        self._args = args

    def __await__(self) -> Generator[Any, Any, Any]:
        found = yield from super().__await__()
        scope, _, name = found["method"].rpartition(".")
        method = getattr(self._place.scopes[scope], name)
        args = [*self._args, *superjson.loads(found["args"])]
        try:
            inspect.signature(method).bind(*args)
        except TypeError as error:
            raise TypeError(f"{found['method']}() {error} ({found['versions']})") from None
        return (yield from method(*args).__await__())


class Callbacks(BuiltIn):
    """Makes, runs and deletes callbacks."""

    can_be_built = False

    def create(self, method: str | Callable[..., Any], *args: Any) -> Request[str]:
        """A callback for a method of this twist or tool.

        Args:
            method: The method, or its name.
            *args: Extra arguments; the method gets them after those of the call.

        Raises:
            TypeError: If it is neither, or an argument cannot be stored.
            ValueError: If there is no such method.
        """
        name = method_name(self._owner, method, "a callback", "called back")
        return self._request("callbacks.create", [name, superjson.dumps(list(args))])

    def run(self, callback: str, *args: Any) -> Request[Any]:
        """Run a callback's method here and now, on this execution's budget; it may be one that another tool made."""
        return Run(self._owner, callback, args)

    def delete(self, callback: str) -> Request[None]:
        """Delete a callback; running it afterwards raises `CallbackDeleted`."""
        return self._request("callbacks.delete", [check_token(callback)])

    def delete_all(self) -> Request[None]:
        """Delete all callbacks of this twist, or of this tool."""
        return self._request("callbacks.delete_all", [])


def method_name(owner: Scoped, method: str | Callable[..., Any], what: str, done: str) -> str:
    """The name of a method that an event can run.

    Args:
        owner: The twist or tool that it must be of.
        method: The method, or its name.
        what: What is to stand for it, for a message.
        done: What will be done to it, for a message.

    Raises:
        TypeError: If it is neither.
        ValueError: If there is no such method.
    """
    kind = type(owner).__name__
    if isinstance(method, str):
        name = method
    elif getattr(method, "__self__", None) is owner:
        name = getattr(method, "__name__", "")
    else:
        raise TypeError(
            f"{what} stands for a method of this {kind}: pass self.method or its name, not {method!r}"
        )
    found = inspect.getattr_static(type(owner), name, None)
    if found is None:
        raise ValueError(f"{kind} has no method {name!r} to be {done}")
    if not inspect.iscoroutinefunction(found) or name.startswith("_"):
        raise ValueError(
            f"{kind}.{name} cannot be {done}: "
            "that takes an `async def` method whose name does not start with an underscore"
        )
    return name


def check_token(callback: str) -> str:
    """Refuse what is not a callback's token, most often a callback that was not awaited."""
    if not isinstance(callback, str):
        hint = ": await self.callback(...) first" if isinstance(callback, Request) else ""
        raise TypeError(
            f"a callback is the str that self.callback() gives, not {type(callback).__name__}{hint}"
        )
    return callback
