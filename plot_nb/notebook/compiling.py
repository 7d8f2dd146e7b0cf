"""The first cell on a machine waits for the sandbox to be compiled, and says so."""

from __future__ import annotations

import asyncio
import sys

from plot_nb.notebook.problems import MagicError

_PATIENCE_S = 0.3
_POLL_S = 0.1


async def sandbox_compiled() -> None:
    """Wait until sandboxes can start, with a line that shows the seconds.

    Raises:
        MagicError: If the component cannot be compiled, with the reason.
    """
    from plot_nb.sandbox.component import compilation

    compiling = compilation()
    shown = -1
    while not compiling.done:
        seconds = int(compiling.elapsed)
        if compiling.elapsed > _PATIENCE_S and seconds != shown:
            shown = seconds
            _say(f"compiling the sandbox, once per machine … {seconds} s")
        await asyncio.sleep(_POLL_S)
    if shown >= 0:
        _say(f"compiled the sandbox, once per machine, in {compiling.elapsed:.0f} s\n")
    problem = compiling.result.exception()
    if problem is not None:
        raise MagicError(f"no sandbox can start: {problem}") from None


def _say(text: str) -> None:
    # A carriage return overwrites the line before, in a notebook as in a terminal.
    sys.stdout.write(f"\r{text}")
    sys.stdout.flush()
