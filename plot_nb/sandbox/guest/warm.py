"""What is imported and run once at build time, so that no execution pays for it."""

from __future__ import annotations

import importlib
import json

from plot_nb.twist.twist import Twist

ROUNDS = 40
"""So many runs, and the interpreter has specialised the code that every execution goes through."""

MODULES = (
    "asyncio base64 bisect calendar collections contextlib contextvars copy csv dataclasses datetime decimal enum "
    "fractions functools hashlib heapq hmac html itertools json logging math operator random re secrets statistics "
    "string textwrap threading time traceback types typing unicodedata urllib.parse uuid warnings zlib zoneinfo"
)
"""Imported at build time; every other module of the standard library is imported when a twist asks for it."""

SOURCE = '''
import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

@dataclass
class Item:
    name: str
    tags: list[str] = field(default_factory=list)

class Kind(Enum):
    A = 1

class Helper(Tool):
    async def help(self):
        await self.set("helped", True)

class Warm(Twist):
    def build(self, build):
        return {"network": build(Network, urls=["https://example.com/*"]), "helper": build(Helper)}

    async def go(self, n, *, flag=False):
        """Use every part of the API once."""
        print("warm", n)
        self.log.info("info")
        await asyncio.gather(*(self.get(f"key:{i}") for i in range(3)), return_exceptions=True)
        await self.set("a", {"n": 1, "f": 1.5, "t": now(), "s": {1, 2}, "l": [None, True]})
        callback = await self.callback(self.go, 1)
        await self.run_task(callback)
        await self.set_many({"a": 1})
        await self.get_many(["a"])
        await self.list_entries("a")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.get("a"))
        async with asyncio.timeout(5):
            await asyncio.sleep(0.01)
        await asyncio.wait_for(self.get("b"), 1)
        for done in asyncio.as_completed([self.get("c")]):
            await done
        response = await fetch("https://example.com/", json={"a": 1})
        await response.json()
        await self.tools.helper.help()
        await self.schedule_drain("key", self.go, ["a"])
        Item("a"), Kind.A, Uuid.generate(), re.sub("a+", "b", "aaa"), f"{1.5:.2f}"
        self.clear("never awaited")
        raise ValueError("warm")
'''


INVOCATION = json.dumps(
    {
        "kind": "call",
        "execution": "rehearsal",
        "attempt": 1,
        "method": "go",
        "args": '{"json":["key"]}',
        "kwargs": '{"json":{}}',
        "options": {},
        "seed": 2**40,
        "now": 1.7e12,
        "version": 1,
        "limit": 1000,
    }
)


class Rehearsal(Twist):
    """Stands for the user's twist in a rehearsal."""

    async def go(self, key: str) -> object:
        """One request of the most frequent kinds."""
        await self.set(key, {"page": 1})
        return await self.get(key)


class Host:
    """Answers as a host would, as far as the warm-up needs it."""

    now = 1.7e12

    def call(self, frame: str) -> str:
        """Answer every request of a frame."""
        answers = [
            [number, True, ANSWERS.get(operation)] for number, operation, *_ in json.loads(frame)["requests"]
        ]
        self.now += 20
        return json.dumps({"now": self.now, "answers": answers})

    def log(self, level: str, line: int, text: str) -> None:
        """Drop it."""


ANSWERS = {
    "store.get": '{"json": {"a": "2026-01-01T00:00:00.000Z"}, "meta": {"values": {"a": ["Date"]}}}',
    "store.get_many": {"a": '{"json": 1}'},
    "store.list_entries": [["a", '{"json": 1}']],
    "callbacks.create": "token",
    "network.fetch": {
        "status": 200,
        "url": "https://example.com/",
        "headers": [["content-type", "application/json"]],
        "body": "{}",
        "encoding": "utf-8",
    },
}


def modules() -> None:
    """Import what twists commonly use."""
    for name in MODULES.split():
        importlib.import_module(name)


def execution(world: object) -> None:
    """Load and run a twist that uses everything once.

    Raises:
        RuntimeError: If it does not end as expected, which would make a useless component.
    """
    program = {"name": "Warm", "filename": "warm", "source": SOURCE, "modules": {}}
    call = {"method": "go", "args": '{"json": [1]}', "kwargs": '{"json": {"flag": true}}'}
    call |= {"kind": "call", "options": {}, "seed": 1, "now": 1.7e12}  # type: ignore[dict-item]
    steps = [world.load(json.dumps(program)), world.run(json.dumps(call))]  # type: ignore[attr-defined]
    result = json.loads(steps[-1])
    if result["ok"] or result["error"]["message"] != "warm" or result["unawaited"][0][1] != "store.clear":
        raise RuntimeError(f"the warm-up failed: {steps}")
