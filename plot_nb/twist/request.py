"""A metered operation, as an awaitable that knows the line it was written on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from plot_nb.twist.wall import current

T = TypeVar("T")


class Request(Coroutine[Any, Any, T], Generic[T]):
    """One request, performed when it is first awaited.

    It is a coroutine in the sense of `collections.abc`, so `create_task`, `TaskGroup`, `gather`, `wait_for` and
    `as_completed` take it. One that is never awaited is never performed; the sandbox reports it with its line.
    """

    __slots__ = ("_arguments", "_convert", "_line", "_operation", "_steps", "_wall")

    def __init__(
        self, operation: str, arguments: Sequence[Any], convert: Callable[[Any], T] | None = None
    ) -> None:
        self._wall = current()
        self._operation = operation
        self._arguments = arguments
        self._convert = convert
        self._line = self._wall.line()
        self._steps: Generator[Any, Any, T] | None = None
        self._wall.created[self] = None

    @property
    def report(self) -> tuple[int, str, str]:
        """Line, operation and first argument, for the warning about a forgotten `await`."""
        detail = self._arguments[0] if self._arguments else ""
        return (self._line, self._operation, (detail if isinstance(detail, str) else repr(detail))[:200])

    def __await__(self) -> Generator[Any, Any, T]:
        self._begin()
        value = yield from self._wall.send(self._operation, self._arguments, self._line)
        return value if self._convert is None else self._convert(value)

    def _begin(self) -> None:
        if self._wall.created.pop(self, self) is self:
            raise RuntimeError(f"this {self._operation} was awaited before: a request is performed once")

    def send(self, value: Any) -> Any:
        """Run to the next suspension; what a task calls."""
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.send(value)

    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Any:
        """Raise at the suspension; what a cancelled task calls."""
        if self._steps is None:
            self._steps = self.__await__()
        if isinstance(typ, BaseException):
            return self._steps.throw(typ)
        return self._steps.throw(typ, val, tb)

    def close(self) -> None:
        """Give it up."""
        if self._steps is not None:
            self._steps.close()

    def __repr__(self) -> str:
        line, operation, detail = self.report
        return f"<request {operation}({detail!r}) of line {line}>"
