"""How the tests of the runtime run a twist."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from plot_nb import Run, Runtime, TwistHandle

T = TypeVar("T")


def on_runtime(work: Callable[[Runtime], Awaitable[T]], **settings: Any) -> T:
    """Run `work` with a runtime of its own."""

    async def main() -> T:
        async with Runtime(**{"seed": 1, **settings}) as runtime:
            return await work(runtime)

    return asyncio.run(main())


def methods(body: str, *, head: str = "") -> str:
    """A cell with one twist class `Sync` around methods."""
    return f"{textwrap.dedent(head)}\nclass Sync(Twist):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"


def line_of(source: str, fragment: str) -> int:
    """The only line of a source that has a fragment."""
    found = [number for number, line in enumerate(source.splitlines(), 1) if fragment in line]
    assert len(found) == 1, (fragment, found)
    return found[0]


def called(body: str, *args: Any, method: str = "go", head: str = "", **settings: Any) -> Called:
    """Deploy methods, call one, and look at what came of it before the runtime is closed."""

    async def work(runtime: Runtime) -> Called:
        twist = await runtime.deploy(methods(body, head=head))
        return Called(await twist.call(method, *args), twist)

    return on_runtime(work, **settings)


class Called:
    """A run and its tables, kept after the runtime is closed."""

    def __init__(self, run: Run, twist: TwistHandle) -> None:
        self.outcome, self.value, self.error, self.line = run.outcome, run.value, run.error, run.line
        self.traceback, self.paused, self.title = run.traceback, run.paused, run.title
        self.executions, self.requests, self.tasks, self.logs = (
            run.executions,
            run.requests,
            run.tasks,
            run.logs,
        )
        self.store = dict(zip(twist.store["key"], twist.store["value"], strict=True))

    def texts(self, level: str) -> list[str]:
        """The log lines of one level."""
        return list(self.logs.loc[self.logs["level"] == level, "text"])
