"""What an event runs: a method of the twist or of one of its tools, or a step of their life."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from plot_nb.twist.activities import event_arguments
from plot_nb.twist.build import Built
from plot_nb.twist.scoped import Scoped
from plot_nb.twist.webhook import WebhookRequest

AROUND = ("activate", "upgrade", "deactivate")
"""The steps of a twist's life that its tools have methods around."""

LIFECYCLE = (*AROUND, "on_options_changed")
"""The steps of a twist's life that it may have a method for."""

TOOL_LIFECYCLE = frozenset(f"{when}_{step}" for when in ("pre", "post") for step in AROUND)
"""The methods of tools that no other event runs."""


def begin(built: Built, cause: str | None, method: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The coroutine that an event asks for, not begun.

    Args:
        built: The twist and its tools.
        cause: What kind of event it is.
        method: The name of a method, that of a tool with its path before it; or of a step of the twist's life.
        args: What the event gives to the method.
        kwargs: The same, by name.
    """
    if cause == "lifecycle" and method in AROUND:
        return _step(built, method, args)
    if cause == "webhook" and args:
        request, *extra = args
        args = [WebhookRequest(**request), *extra]
    if cause == "event":
        args = event_arguments(method, args)
    scope, _, name = method.rpartition(".")
    return getattr(built.scopes[scope], name)(*args, **kwargs)


async def _step(built: Built, step: str, context: Sequence[Any]) -> Any:
    tools = built.deepest_first()
    for tool in tools:
        await _run(tool, f"pre_{step}", context)
    value = await _run(built.twist, step, context)
    for tool in reversed(tools):
        await _run(tool, f"post_{step}", context)
    return value


async def _run(owner: Scoped, name: str, context: Sequence[Any]) -> Any:
    """Run a method if there is one, with as much of the context as it takes."""
    if not inspect.iscoroutinefunction(inspect.getattr_static(type(owner), name, None)):
        return None
    method: Callable[..., Coroutine[Any, Any, Any]] = getattr(owner, name)
    return await method(*context[: _takes(method)])


def _takes(method: Callable[..., Any]) -> int | None:
    """How many positional arguments a method takes; None for any number."""
    parameters = inspect.signature(method).parameters.values()
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return None
    return sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)
