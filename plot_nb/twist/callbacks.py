"""Callbacks: durable references to a method by its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any

from plot_nb.twist import superjson
from plot_nb.twist.request import Request
from plot_nb.twist.tool import Tool


class Run(Request[Any]):
    """Resolves a callback, then runs its method in the same execution and on the same budget."""

    __slots__ = ("_args", "_twist")

    def __init__(self, twist: Any, callback: str, args: tuple[Any, ...]) -> None:
        super().__init__("callbacks.resolve", [check_token(callback)])
        self._twist = twist
        self._args = args

    def __await__(self) -> Generator[Any, Any, Any]:
        found = yield from super().__await__()
        method = getattr(self._twist, found["method"])
        stored = superjson.loads(found["args"])
        return (yield from method(*self._args, *stored).__await__())


class Callbacks(Tool):
    """Makes, runs and deletes callbacks."""

    def create(self, method: str | Callable[..., Any], *args: Any) -> Request[str]:
        """A callback for a method of this twist.

        Args:
            method: The method, or its name.
            *args: Extra arguments; the method gets them after those of the call.

        Raises:
            TypeError: If it is neither, or an argument cannot be stored.
            ValueError: If the twist has no such method.
        """
        name = self._name(method)
        return Request("callbacks.create", [name, superjson.dumps(list(args))])

    def run(self, callback: str, *args: Any) -> Request[Any]:
        """Run a callback's method here and now, on this execution's budget."""
        return Run(self._twist, callback, args)

    def delete(self, callback: str) -> Request[None]:
        """Delete a callback; running it afterwards raises `CallbackDeleted`."""
        return Request("callbacks.delete", [check_token(callback)])

    def delete_all(self) -> Request[None]:
        """Delete all callbacks of this twist."""
        return Request("callbacks.delete_all", [])

    def _name(self, method: str | Callable[..., Any]) -> str:
        if isinstance(method, str):
            name = method
        elif getattr(method, "__self__", None) is self._twist:
            name = getattr(method, "__name__", "")
        else:
            raise TypeError(
                f"a callback stands for a method of this twist: pass self.method or its name, not {method!r}"
            )
        found = inspect.getattr_static(type(self._twist), name, None)
        if found is None:
            raise ValueError(f"{type(self._twist).__name__} has no method {name!r} to call back")
        if not inspect.iscoroutinefunction(found) or name.startswith("_"):
            raise ValueError(
                f"{type(self._twist).__name__}.{name} cannot be called back: "
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
