"""The program that crash tests kill: a recurring task on a state file.

    python -m tests.crash.recurring STATE MINUTES [POINT NTH]

It arms a task for each minute if the file is new, and lets the clock run until MINUTES after its beginning. At the
NTH time that the backend comes to the commit point POINT, the process kills itself. In the end it prints what the state
holds, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

from plot_nb import Runtime
from plot_nb.engine.clock import EPOCH
from tests.crash.killing import kill_at

TWIST = """
from datetime import datetime, timedelta, UTC

class Clock(Twist):
    async def activate(self):
        callback = await self.callback(self.tick)
        await self.schedule_recurring("tick", callback, every=timedelta(minutes=1))

    async def tick(self):
        minute = int((now() - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() // 60)
        await self.set(f"minute:{minute:03}", True)
"""


async def main(path: Path, minutes: int) -> None:
    """Begin or go on."""
    async with Runtime(path, seed=7) as runtime:
        twist = await runtime.deploy(TWIST)
        await runtime.advance(EPOCH + timedelta(minutes=minutes, seconds=30) - runtime.now)
        pending = twist.tasks.query("state == 'queued'")
        print(
            json.dumps(
                {
                    "minutes": [int(key.removeprefix("minute:")) for key in twist.store["key"]],
                    "pending": pending["key"].tolist(),
                    "other": sorted(set(twist.tasks["state"]) - {"queued", "done"}),
                }
            )
        )


if __name__ == "__main__":
    if len(sys.argv) > 3:
        kill_at(sys.argv[3], int(sys.argv[4]))
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
