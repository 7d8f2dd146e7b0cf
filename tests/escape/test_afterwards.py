"""What attacks leave behind: tasks that die and are tried again, answers that nobody could hold, a state file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest

from plot_nb import Runtime
from tests.escape.siege import LIMITS, Attack, Siege
from tests.escape.test_deploy import DEPLOYED
from tests.escape.test_pictures import BOMBS, EVIL


@pytest.mark.rule("11.6")
def test_a_task_that_kills_its_sandbox_is_tried_again_and_counted_each_time(siege: Siege) -> None:
    attack = Attack(
        "a task that dies",
        "await self.run_task(await self.callback(self.die))",
        requests=2,
        methods="""
        async def die(self):
            await self.set("died", True)
            os._exit(1)
        """,
    )
    after = siege.endure(attack)
    assert after.run.executions["outcome"].tolist() == ["ok", "crashed", "crashed", "crashed"]
    assert after.run.executions["requests"].tolist() == [2, 1, 1, 1]


@pytest.mark.rule("7.21")
def test_a_task_over_a_limit_is_not_tried_again(siege: Siege) -> None:
    attack = Attack(
        "a task that never ends",
        "await self.run_task(await self.callback(self.loop))",
        requests=2,
        methods="""
        async def loop(self):
            while True:
                pass
        """,
    )
    assert siege.endure(attack).run.executions["outcome"].tolist() == ["ok", "over_cpu"]


def test_bodies_that_outgrow_the_twist_do_not_fill_the_user_s_process(siege: Siege) -> None:
    body = b"b" * 4 * 2**20

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-latency-ms", b"100")]})
        await send({"type": "http.response.body", "body": body})

    siege.runtime.mount("https://bodies.example.com", app)
    before = psutil.Process().memory_info().rss
    attack = Attack(
        "bodies",
        "await asyncio.gather(*(fetch(f'https://bodies.example.com/{n}') for n in range(50)))",
        "over_memory",
        requests=50,
        methods='def build(self, build): return {"n": build(Network, urls=["https://bodies.example.com/*"])}',
        says="ask for less",
    )
    siege.endure(attack)
    assert psutil.Process().memory_info().rss - before < 250 * 2**20


def test_a_state_file_that_attacks_have_filled_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    filling = Attack(
        "filling",
        """
        for name, text in args[0]:
            await self.set(name, 1)
            cross([1, "store.set", [name, text], 1], [2, "callbacks.create", ["task", text], 1])
        print(args[1])
        raise ValueError(args[1])
        """,
    )
    bombs = [[name, text] for name, text in BOMBS.items() if len(text) < 50_000][:15]

    async def fill() -> dict[str, str]:
        async with Runtime(path, seed=1, limits=LIMITS) as runtime:
            for name, source in DEPLOYED.items():
                await runtime.deploy(source, name)
            twist = await runtime.deploy(filling.source(), "filling")
            assert (await twist.go(bombs, EVIL.replace("\ud800", ""))).outcome == "error"
            return twist.dump()

    async def look(dumped: dict[str, str]) -> None:
        async with Runtime(path, seed=1, limits=LIMITS) as runtime:
            assert len(runtime.twists()) == len(DEPLOYED) + 1
            [twist] = [each for each in runtime.twists() if each._instance.name == "filling"]
            assert twist.dump() == dumped
            assert len(twist.store) == len(dumped)
            assert len(twist.callbacks) > 0
            assert (await twist.look()).outcome == "ok"

    asyncio.run(look(asyncio.run(fill())))
