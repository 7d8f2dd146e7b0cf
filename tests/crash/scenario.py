"""The program that crash tests kill: one client that uses all that the runtime has.

    python -m tests.crash.scenario FOLDER [--kill STEP POINT NTH] [--forks] [--record FILE]

What it keeps is in FOLDER. Its steps are those of a client that knows what was acknowledged to it and nothing else:
a process that finds FOLDER as a killed one left it does again the step that was not acknowledged, and goes on. At the
place that `--kill` names, the process kills itself. In the end it prints what the state holds, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import astuple, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from plot_nb import Limits, Run, Runtime, TwistHandle
from plot_nb.engine.clock import EPOCH
from tests.crash import activities as _  # noqa: F401  # its invariants are checked with the others
from tests.crash.invariants import When, clock_violations, table_violations, violations
from tests.crash.killing import Passage, Place
from tests.crash.sources import LEAVES, TEMPORARY, works
from tests.crash.state import State
from tests.crash.witness import ORIGIN, Witness

CHAIN = 10
"""Executions after which a chain pauses."""

REQUESTS = 100
"""The budget of each attempt."""

RETENTION = timedelta(hours=10)
"""How long the journal is kept: all steps but the last are sooner over."""

APART = timedelta(minutes=20)
"""From one step to the next on the runtime's clock; a step that is done again ends before the next begins."""


@dataclass(slots=True)
class Client:
    """Who drives the runtime."""

    runtime: Runtime
    witness: Witness
    look: Path
    handles: dict[str, TwistHandle] = field(default_factory=dict)

    async def deploy(self, source: str, **settings: Any) -> TwistHandle:
        """Deploy, and know the handle from now on."""
        handle = await self.runtime.deploy(source, **settings)
        self.handles[handle.name] = handle
        return handle

    def __getitem__(self, name: str) -> TwistHandle:
        if name not in self.handles:
            self.handles.update({twist.name: twist for twist in self.runtime.twists()})
        return self.handles[name]

    async def call(self, twist: str, method: str, *args: Any) -> Run:
        """Call a method that must succeed."""
        run = await self[twist].call(method, *args)
        run.raise_for_outcome()
        return run

    async def post(self, twist: str, webhook: str, body: object) -> httpx.Response:
        """Post to a webhook whose URL a twist has kept."""
        kept = self[twist].store.set_index("key")["value"]
        return await self.runtime.post_webhook(kept[f"volatile:{webhook}"], json=body)

    async def come_to(self, moment: timedelta) -> None:
        """Let the clock run until a moment after its beginning, unless it is past that."""
        await self.runtime.advance(max(timedelta(0), EPOCH + moment - self.runtime.now))


@dataclass(frozen=True, slots=True)
class Ledger:
    """A tool of the host's: what is entered is seen."""

    witness: Witness

    def enter(self, item: str) -> str:
        """Keep an entry."""
        self.witness.saw("Works", "entered", item)
        return item


Step = Callable[[Client], Awaitable[None]]
STEPS: dict[str, Step] = {}


def step(work: Step) -> Step:
    """A step of the scenario. It may be cut off anywhere and begun again."""
    STEPS[work.__name__] = work
    return work


@step
async def reset(client: Client) -> None:
    """What was before is gone."""
    await client.deploy(TEMPORARY)
    await client.call("Temporary", "go")
    await client.runtime.reset()
    client.handles.clear()


@step
async def install(client: Client) -> None:
    """Version 1, with its `activate`."""
    await client.deploy(works(1), options={"token": "hidden-1"})


@step
async def chain(client: Client) -> None:
    """A chain of immediate tasks."""
    await client.call("Works", "link", 0, 7)


@step
async def locks(client: Client) -> None:
    """Tasks side by side that want the same lock."""
    await client.call("Works", "contend", 4)


@step
async def failures(client: Client) -> None:
    """Tasks that fail once, and always."""
    await client.call("Works", "attempt")
    await client.call("Works", "attempt_other")


@step
async def keys(client: Client) -> None:
    """Keyed tasks, replaced, coalesced, cancelled, and one that schedules itself."""
    await client.call("Works", "arrange")


@step
async def tools(client: Client) -> None:
    """Tools, one in the other, with Stores, callbacks and tasks of their own."""
    await client.call("Works", "shelve")


@step
async def drain(client: Client) -> None:
    """Ids that a handler gets in batches, one of them twice."""
    await client.call("Works", "gather")
    await client.runtime.advance(timedelta(minutes=2))


@step
async def webhooks(client: Client) -> None:
    """Posts to webhooks that queue, that answer at once, and to one that is deleted."""
    await client.call("Works", "listen")
    for n in range(3):
        posted = await client.post("Works", "queued", n)
        assert (posted.status_code, posted.json()) == (200, {"queued": True})
        client.witness.saw("Works", "accepted", n)
        asked = await client.post("Works", "at once", n)
        assert (asked.status_code, asked.json()) == (200, {"got": n})
    assert (await client.post("Works", "deleted", 0)).status_code == 404
    await client.runtime.run_until_idle(timedelta(0))


@step
async def ledger(client: Client) -> None:
    """A tool that is an object of the host's."""
    await client.call("Works", "enter")


@step
async def activities(client: Client) -> None:
    """Activities, one of which the user edits."""
    await client.call("Works", "plan")
    edit = {"kind": "edited"}
    (await client.runtime.emit("activity_updated", "plan", edit, twist=client["Works"])).raise_for_outcome()


@step
async def upgrade(client: Client) -> None:
    """Version 2; what waits goes on with it."""
    await client.deploy(works(2), options={"token": "hidden-1"})


@step
async def minutes(client: Client) -> None:
    """What was scheduled falls due."""
    await client.runtime.advance(timedelta(minutes=15))


@step
async def callbacks(client: Client) -> None:
    """A task whose callback is deleted is dropped when it falls due."""
    await client.call("Works", "doom")
    await client.runtime.advance(timedelta(minutes=2))


@step
async def bulk(client: Client) -> None:
    """Bulk writes and clears."""
    await client.call("Works", "bulk")
    client["Works"].load({"by hand": json.dumps({"json": 1})})
    client.witness.saw("Works", "kept", "by hand")


@step
async def options(client: Client) -> None:
    """The same source with other options."""
    await client.deploy(works(2), options={"token": "hidden-2"})


@step
async def retry(client: Client) -> None:
    """A dead letter is tried again, when its reason is gone."""
    client["Works"].load({"mended": json.dumps({"json": True})})
    dead = client.runtime.dead_letters(client["Works"])
    for execution in dead.loc[dead["method"] == "mendable", "execution"]:
        (await client.runtime.retry(execution)).raise_for_outcome()


@step
async def suspend(client: Client) -> None:
    """Nothing of a suspended twist runs; what falls due waits until it is resumed.

    Until the same moment when it is done again: what recurs is kept by the half hour in which it ran.
    """
    await client.runtime.suspend(client["Works"])
    client.witness.saw("Works", "suspended", None)
    assert (await client["Works"].call("link", 0, 0)).outcome == "suspended"
    await client.come_to(list(STEPS).index("suspend") * APART + timedelta(minutes=12))
    client.witness.saw("Works", "may run", None)
    await client.runtime.resume(client["Works"])


@step
async def pause(client: Client) -> None:
    """A chain that is too long pauses, and goes on when it is told to."""
    await client.call("Works", "link", 100, 100 + CHAIN + 3)
    await client.runtime.run_until_idle(timedelta(0))


@step
async def stop(client: Client) -> None:
    """The user stops a call, and what it has queued is dropped."""
    lingers, never = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def on_lingers() -> None:
        loop.call_soon_threadsafe(lingers.set)
        await never.wait()

    client.witness.on["lingers"] = on_lingers
    call = asyncio.create_task(client["Works"].call("linger"))
    await lingers.wait()
    call.cancel()
    await asyncio.wait([call])


@step
async def second(client: Client) -> None:
    """Another twist, with tasks of all kinds that it cancels."""
    await client.deploy(LEAVES, instance="second")
    await client.call("Leaves", "forget")


@step
async def leave(client: Client) -> None:
    """It is deactivated, with all that waits and runs."""
    twist = await client.deploy(LEAVES, instance="second")
    lingers = asyncio.create_task(twist.call("linger"))
    await twist.deactivate()
    assert (await lingers).outcome == "cancelled"
    client.witness.saw("Leaves", "inactive", None)


@step
async def back(client: Client) -> None:
    """It is activated again."""
    await client.deploy(LEAVES, instance="second")
    await client.runtime.advance(timedelta(minutes=10))


@step
async def look(client: Client) -> None:
    """What there was to do, before retention drops it."""
    state = State.copy_of(client.runtime.path, client.witness)
    client.look.write_text(json.dumps(state.work()))


@step
async def retention(client: Client) -> None:
    """Time passes until what came first is too old to be kept."""
    await client.come_to(RETENTION + timedelta(hours=4))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill", nargs=3, metavar=("STEP", "POINT", "NTH"))
    parser.add_argument("--forks", action="store_true")
    parser.add_argument("--record", type=Path)
    return parser.parse_args()


async def main(given: argparse.Namespace) -> None:
    """Begin or go on."""
    path, witness = given.folder / "state.db", Witness(given.folder / "witness.jsonl")
    deadly = Place(given.kill[0], given.kill[1], int(given.kill[2])) if given.kill else None
    if path.exists():
        left = State.copy_of(path, witness)
        expect_none("as the process before left it", violations(left, When.LEFT))
    passage = Passage(
        ["open", "reopen", *STEPS, "end"],
        lambda place: witness.saw("client", "died", astuple(place)),
        deadly,
        "reopen" if path.exists() else "open",
    )
    passage.watch()
    settings: dict[str, Any] = {
        "limits": Limits(chain=CHAIN, requests=REQUESTS),
        "concurrency": 2,
        "faithful_forks": given.forks,
        "retention": RETENTION,
    }
    async with Runtime(path, seed=7, **settings) as runtime:
        opened = State.copy_of(path, witness)
        expect_none("opened again", violations(opened, When.OPENED) + clock_violations(opened, runtime.now))
        runtime.mount(ORIGIN, witness.app)
        runtime.mount_tool("ledger", Ledger(witness))
        client = Client(runtime, witness, given.folder / "look.json")
        done = {item for who, what, item in witness.facts() if (who, what) == ("client", "step")}
        for number, (name, work) in enumerate(STEPS.items()):
            if name not in done:
                passage.step = name
                await client.come_to(number * APART)
                await work(client)
                witness.saw("client", "step", name)
        passage.step = "end"
        await runtime.run_until_idle(timedelta(0))
        state = State.copy_of(path, witness)
        expect_none("in the end", violations(state, When.IDLE) + table_violations(state, runtime.twists()))
        print(json.dumps({"store": state.final_store(), "work": json.loads(client.look.read_text())}))
    if given.record:
        given.record.write_text(json.dumps(passage.as_record()))


def expect_none(when: str, found: list[str]) -> None:
    """End this process where an invariant does not hold."""
    if found:
        sys.exit("\n".join(f"{when}: {each}" for each in found))


if __name__ == "__main__":
    asyncio.run(main(arguments()))
