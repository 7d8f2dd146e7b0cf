"""Tools that the host lends: objects of the notebook's, whose methods a twist may call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plot_nb.twist import superjson
from plot_nb.twist.request import Request


class Mounted:
    """One such tool: each call of a method is a request. It has no public attribute that could hide one of them."""

    def __init__(self, name: str, methods: Sequence[str]) -> None:
        self._name = name
        self._methods = methods

    def __getattr__(self, name: str) -> Callable[..., Request[Any]]:
        if name not in self._methods:
            raise AttributeError(
                f"the mounted tool {self._name!r} has no method {name!r}: "
                f"it has {', '.join(sorted(self._methods)) or 'none'}",
                name=name,
                obj=self,
            )

        def call(*args: Any, **kwargs: Any) -> Request[Any]:
            sent = [superjson.dumps(list(args)), superjson.dumps(kwargs)]
            return Request(f"{self._name}.{name}", sent, superjson.loads)

        return call

    def __dir__(self) -> list[str]:
        return sorted(self._methods)
