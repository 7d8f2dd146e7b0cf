"""The program that crash tests kill: one bulk write on a state file.

    python -m tests.crash.bulk STATE [POINT]

It writes if the file is new; at the first time that the backend comes to the commit point POINT, the process kills
itself. Otherwise it prints how many keys the Store holds.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from plot_nb import Runtime
from tests.crash.killing import kill_at

TWIST = """
class Bulk(Twist):
    async def write(self):
        await self.set_many({f"key:{n}": n for n in range(100)})
"""


async def main(path: Path, *, begun: bool) -> None:
    """Write, or count what is there."""
    async with Runtime(path, seed=7) as runtime:
        twist = await runtime.deploy(TWIST)
        if not begun:
            await twist.write()
        print(len(twist.store))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        kill_at(sys.argv[2], 1)
    state = Path(sys.argv[1])
    asyncio.run(main(state, begun=state.exists()))
