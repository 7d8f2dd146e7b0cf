"""The program that crash tests kill: a chain of tasks on a state file.

    python -m tests.crash.chain STATE LENGTH [POINT NTH]

It begins the chain if the file is new, otherwise it goes on with it. At the NTH time that the backend comes to the
commit point POINT, the process kills itself. In the end it prints what the state holds, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from plot_nb import Runtime
from tests.crash.killing import kill_at

TWIST = """
class Chain(Twist):
    async def step(self, n, length):
        await self.set(f"item:{n:05}", "processed")
        if n + 1 < length:
            await self.run_task(await self.callback(self.step, n + 1, length))
"""


async def main(path: Path, length: int, *, begun: bool) -> None:
    """Begin or go on."""
    async with Runtime(path, seed=7) as runtime:
        twist = await runtime.deploy(TWIST)
        if begun:
            await runtime.run_until_idle()
        else:
            await twist.step(0, length)
        tasks, executions = twist.tasks, twist.executions
        print(
            json.dumps(
                {
                    "items": len(twist.store),
                    "tasks": len(tasks),
                    "states": sorted(set(tasks["state"])),
                    "ends": int((~executions["execution"].isin(set(tasks["parent"]))).sum()),
                    "crashed": int((executions["outcome"] == "crashed").sum()),
                    "ok": int(executions.loc[executions["outcome"] == "ok", "execution"].nunique()),
                }
            )
        )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        kill_at(sys.argv[3], int(sys.argv[4]))
    state = Path(sys.argv[1])
    asyncio.run(main(state, int(sys.argv[2]), begun=state.exists()))
