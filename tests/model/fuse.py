"""A kill without a process of its own: a runtime that commits nothing more, and is abandoned as it is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from plot_nb import Runtime

LONGEST_STEP = 300.0
"""Real seconds after which a step has no end: the first of all may wait for the sandbox to be built."""


class Killed(BaseException):
    """The process is gone, as far as its state file can tell."""


class Fuse:
    """Kills a runtime at a commit point: from then on it commits nothing."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.blown = False
        self.kills: Counter[str] = Counter()
        self._tell: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def arm(self, nth: int) -> None:
        self.left, self.blown = nth, False

    def reset(self) -> None:
        self.left, self.blown, self._tell = None, False, None

    def at(self, name: str) -> None:
        """A commit point."""
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.left, self.blown = None, True
                self.kills[name] += 1
                if self._tell is not None:
                    loop, event = self._tell
                    loop.call_soon_threadsafe(event.set)
        if self.blown:
            raise Killed(name)

    async def watch(self, runtime: Runtime, work: Coroutine[Any, Any, Any]) -> Any:
        """Await what the runtime does; if the fuse blows meanwhile, abandon the runtime.

        Raises:
            Killed: If it has blown.
        """
        event = asyncio.Event()
        self._tell = asyncio.get_running_loop(), event
        doing, blown = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
        done, _ = await asyncio.wait(
            {doing, blown}, return_when=asyncio.FIRST_COMPLETED, timeout=LONGEST_STEP
        )
        self._tell = None
        blown.cancel()
        if self.blown:
            await runtime.aclose()
            await asyncio.wait({doing})
            doing.exception()
            raise Killed
        if not done:
            doing.cancel()
            raise AssertionError(f"nothing has come of it for {LONGEST_STEP:g} s")
        return await doing
