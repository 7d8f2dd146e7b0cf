"""Tools of the user's own making: an object of the notebook's process whose methods twists can call."""

from __future__ import annotations

import asyncio
import builtins
import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from plot_nb.tools.network import BODY_BYTES
from plot_nb.twist import superjson

RESERVED = frozenset({"store", "callbacks", "tasks", "network", "plot"})
"""The names of the tools that every runtime has."""

DETAIL_LIMIT = 2048
"""Characters of the arguments that the journal shows beside a call."""


MESSAGE_LIMIT = 16 * 2**10
"""Characters of an exception's message that the twist is told."""


class ToolFailure(Exception):
    """A call failed; raised in the twist under `name`."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class _Mounted:
    tool: object
    methods: tuple[str, ...]


class MountedTools:
    """The objects that were mounted, by name. `mount` may be called from any thread."""

    def __init__(self) -> None:
        self._tools: dict[str, _Mounted] = {}
        self._left_behind: set[asyncio.Task[Any]] = set()

    def mount(self, name: str, tool: object) -> None:
        """Let twists call the public methods of an object; one that had the name before is replaced.

        Raises:
            TypeError: If the name is no text.
            ValueError: If it cannot be a tool's name, or if the object has no method to call.
        """
        if not isinstance(name, str):
            raise TypeError(
                f"mount_tool takes a name and an object, such as mount_tool('geo', geo), not {name!r}"
            )
        if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise ValueError(f"{name[:80]!r} cannot be the name of a tool: give one such as 'geo'")
        if name in RESERVED:
            raise ValueError(f"{name!r} is a tool that every twist has: give another name")
        methods = tuple(each for each in dir(tool) if _is_method(tool, each))
        if not methods:
            raise ValueError(
                f"{type(tool).__name__} has no public method that a twist could call: give an object that has one"
            )
        self._tools[name] = _Mounted(tool, methods)

    def methods(self) -> dict[str, tuple[str, ...]]:
        """What can be called, by the tools' names."""
        return {name: mounted.methods for name, mounted in self._tools.items()}

    def has(self, name: str) -> bool:
        """Whether something is mounted under a name."""
        return name in self._tools

    async def call(self, name: str, method: str, args: str, kwargs: str) -> str:
        """Call a method. A synchronous one runs in a thread, an asynchronous one on this loop.

        Args:
            name: The tool's.
            method: The method's; hostile, like the arguments.
            args: superjson text of a list.
            kwargs: superjson text of a dict.

        Returns:
            superjson text of what it returned.

        Raises:
            ToolFailure: If it cannot be called so, if it raised, or if it returned what superjson does not have.
        """
        mounted = self._tools.get(name)
        if mounted is None or method not in mounted.methods:
            raise ToolFailure("AttributeError", f"the tool {name!r} has no method {method[:80]!r}")
        given, named = _decoded(args, list), _decoded(kwargs, dict)
        if not all(isinstance(key, str) for key in named):
            raise ToolFailure("TypeError", "the names of arguments are not text")
        # A task of its own, so that one that swallows its cancellation does not hold up the engine.
        task = asyncio.ensure_future(_returned(getattr(mounted.tool, method), given, named))
        try:
            await asyncio.wait({task})
        finally:
            if not task.done():
                self._left_behind.add(task)
                task.add_done_callback(self._forget)
                task.cancel()
        if task.cancelled() or isinstance(task.exception(), GeneratorExit):
            raise ToolFailure("RuntimeError", f"{name}.{method}() cancelled itself")
        return _encoded(task.result(), f"{name}.{method}()")

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left_behind.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it as lost


def shown(args: str, kwargs: str) -> str:
    """The arguments of a call as the journal shows them."""
    try:
        given, named = json.loads(args)["json"], json.loads(kwargs)["json"]
        parts = [json.dumps(each, ensure_ascii=False) for each in given]
        parts += [f"{key}={json.dumps(each, ensure_ascii=False)}" for key, each in named.items()]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return ""
    return _text(", ".join(parts))[:DETAIL_LIMIT]


def _text(text: str) -> str:
    """A text that every encoding has: half a surrogate pair made visible."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _is_method(tool: object, name: str) -> bool:
    """Whether it is public and can be called; a property is not asked."""
    if name.startswith("_"):
        return False
    try:
        found = inspect.getattr_static(tool, name)
    except AttributeError:
        return False
    if isinstance(found, staticmethod | classmethod):
        return True
    return callable(found) and not isinstance(found, property)


def _decoded(text: str, kind: type[Any]) -> Any:
    try:
        value = superjson.loads(text)
    except ValueError as error:
        raise ToolFailure(
            "ValueError", f"the arguments are not superjson text: {_text(str(error))}"
        ) from None
    if not isinstance(value, kind):
        raise ToolFailure("TypeError", f"the arguments are no {kind.__name__}")
    return value


def _encoded(value: object, what: str) -> str:
    try:
        text = superjson.dumps(value, name=what)
    except (TypeError, ValueError) as error:
        raise ToolFailure(type(error).__name__, _text(str(error))) from None
    if len(text) > BODY_BYTES:
        raise ToolFailure(
            "ValueError", f"{what} returned {len(text):,} bytes encoded, at most {BODY_BYTES:,} fit"
        )
    return text


async def _returned(method: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        if inspect.iscoroutinefunction(method):
            return await method(*args, **kwargs)
        value = await asyncio.to_thread(_call, method, args, kwargs)
        return await value if isinstance(value, Awaitable) else value
    except (asyncio.CancelledError, GeneratorExit, ToolFailure):
        raise
    # SystemExit among them: it would end the engine's loop.
    except BaseException as error:
        raise _failure(error) from error


def _call(method: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        return method(*args, **kwargs)
    except BaseException as error:  # StopIteration among them, which no future can hold
        raise _failure(error) from error


def _failure(error: BaseException) -> ToolFailure:
    """What the twist sees: the exception itself where every Python has it, else its name."""
    name = type(error).__name__
    try:
        # A KeyError shows its key as it would in source; it is shown so once, by the twist's own.
        said = error.args[0] if isinstance(error, KeyError) and len(error.args) == 1 else error
        message = _text(str(said))[:MESSAGE_LIMIT]
    except Exception:
        message = ""
    if _can_be_raised(type(error)):
        return ToolFailure(name, message)
    return ToolFailure("RuntimeError", f"{name}: {message}" if message else name)


def _can_be_raised(kind: type[BaseException]) -> bool:
    """Whether a twist can be given it: by its name, with a message, and without a meaning to the runtime itself."""
    if getattr(builtins, kind.__name__, None) is not kind or not issubclass(kind, Exception):
        return False
    if issubclass(kind, MemoryError | StopIteration | StopAsyncIteration | ExceptionGroup):
        return False
    try:
        kind("message")
    except TypeError:  # those of Unicode need more
        return False
    return True
