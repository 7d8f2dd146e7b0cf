"""Random twists, what happens to them, and all that a runtime recorded of it.

A feature joins in with one entry: of `OPERATIONS`, what a method may do; of `HAPPENINGS`, what may happen to a twist.
"""

from __future__ import annotations

import json
import random
import sqlite3
import textwrap
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from plot_nb import ActivityNotFound, Limits, Runtime, TwistHandle, demo
from plot_nb.errors import RetryRefused, TwistInactive
from tests.runtime.twists import on_runtime

METHODS = 4
FUEL = 4
"""How often, in a chain of calls and tasks, one may lead to the next."""

MEASURED = frozenset({"cpu_ms", "wall_ms", "memory_peak"})
"""Columns that the machine measures; all others are the same each time."""

LIMITS = Limits(requests=60, time=300.0, chain=60)


class Draw:
    """What a program is drawn from."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, items: Any) -> Any:
        return self._random.choice(items)

    def some(self, least: int, most: int) -> range:
        return range(self._random.randint(least, most))

    def chances(self, odds: float) -> bool:
        return self._random.random() < odds

    def operation(self) -> str:
        """The name of an operation; those that lead to further executions more often."""
        return str(self.pick(FURTHER if self.chances(0.25) else list(OPERATIONS)))

    def key(self) -> str:
        """An expression of a key of the Store."""
        return str(self.pick(("'a'", "'b'", "f'k{n}'", "f'k{random.randint(0, 5)}'", "'ü:' + str(n)")))

    def value(self) -> str:
        """An expression of a value of the Store."""
        return str(self.pick(VALUES))

    def callback(self, fuel: str = "n - 1") -> str:
        """An expression of a callback for one of the methods, which takes what is left of the fuel."""
        return f"await self.callback({self.pick([f'self.m{m}' for m in range(METHODS)])}, {fuel})"

    def delay(self) -> str:
        """An expression of some time."""
        return f"timedelta(seconds={self.pick((0, 0.001, 0.5, 1, 20, 600, 4000))})"


VALUES = (
    *(
        "n",
        "None",
        "random.random()",
        "{'n': n, 'at': now()}",
        "'x' * (n * 50)",
        "[n, [n, {'deep': [None]}]]",
        "2**60 + n",
    ),
    *(
        "{'b', 'a', str(n), 'ü'}",
        "{n: 'map', 'x': 1}",
        "ValueError(n)",
        "UNDEFINED",
        "float('inf')",
        "str(uuid.uuid4())",
    ),
    *(
        "Uuid.generate()",
        "(await self.get('a'))",
        "len(await self.list_entries())",
        "dict.fromkeys('cab', n)",
    ),
)

Operation: TypeAlias = Callable[[Draw], str]
"""Draws one statement of a method; `n` is the fuel that is left."""

OPERATIONS: Mapping[str, Operation] = {
    "set": lambda draw: f"await self.set({draw.key()}, {draw.value()})",
    "set again": lambda draw: f"await self.set({draw.key()}, ((await self.get('n') or 0), n))",
    "count": lambda _: "await self.set('count', (await self.get('count') or 0) + 1)",
    "set many": lambda draw: f"await self.set_many({{{draw.key()}: {draw.value()}, 'a': n}})",
    "get": lambda draw: f"print(await self.get({draw.key()}))",
    "get many": lambda draw: f"print(await self.get_many(['a', {draw.key()}]))",
    "list": lambda _: "print(await self.tools.store.list('k'))",
    "list entries": lambda _: "print(sorted((await self.list_entries()).items(), key=str))",
    "clear": lambda draw: f"await self.clear({draw.key()})",
    "clear many": lambda draw: f"await self.clear_many(['b', {draw.key()}])",
    "clear all": lambda draw: "await self.clear_all()" if draw.chances(0.3) else "await self.clear('a')",
    "lock": lambda draw: (
        f"print(await self.tools.store.acquire_lock('l{draw.pick('12')}', {draw.delay()} or 1))"
    ),
    "release": lambda draw: f"await self.tools.store.release_lock('l{draw.pick('12')}')",
    "sleep": lambda draw: f"await asyncio.sleep(random.random() * {draw.pick((0.01, 1, 100))})",
    "sleep too long": lambda draw: "await asyncio.sleep(400)" if draw.chances(0.15) else "time.sleep(0.05)",
    "clock": lambda _: "print(now(), datetime.now(UTC), time.time(), asyncio.get_running_loop().time())",
    "chance": lambda _: (
        "print(random.random(), uuid.uuid4(), secrets.token_hex(4), Uuid.generate(), hash('a'))"
    ),
    "order": lambda _: "print(list({'one', 'two', 'three', str(n)}), list({n: 1, 'a': 2}))",
    "log": lambda _: "self.log.warning('at', n, now())",
    "gather": lambda draw: (
        f"print(await asyncio.gather(self.get({draw.key()}), self.set({draw.key()}, n), asyncio.sleep(0.02), "
        f"self.get('a'), return_exceptions=True))"
    ),
    "gather many": lambda draw: (
        f"await asyncio.gather(*(self.set(f'g{{i}}', n) for i in range({draw.pick((2, 7, 30))})))"
    ),
    "race": lambda draw: (
        f"done = await asyncio.wait([asyncio.ensure_future(fetch(URL + str(i))) for i in range({draw.pick((1, 3))})], "
        "timeout=random.random() / 4); print([len(each) for each in done])"
    ),
    "fetch": lambda draw: f"print((await fetch(URL + '{draw.pick(('1', '2', '99'))}')).status)",
    "fetch elsewhere": lambda _: (
        "print(repr(await asyncio.gather(fetch('https://evil.example/'), return_exceptions=True)))"
    ),
    "forget": lambda draw: f"self.get({draw.key()})",
    "run": lambda draw: f"n > 0 and print(await self.run({draw.callback()}))",
    "run task": lambda draw: f"n > 0 and await self.run_task({draw.callback()})",
    "run two tasks": lambda draw: (
        f"[await self.run_task({draw.callback('n - 2')}) for _ in range(2) if n > 1]"
    ),
    "run task later": lambda draw: (
        f"n > 0 and await self.set('token', await self.run_task({draw.callback()}, run_at=now() + {draw.delay()}))"
    ),
    "cancel task": lambda _: "await self.cancel_task(await self.get('token') or 'none')",
    "cancel tasks": lambda draw: "await self.cancel_all_tasks()" if draw.chances(0.4) else "print('kept')",
    "schedule": lambda draw: (
        f"n > 0 and await self.schedule_task('s{draw.pick('12')}', {draw.callback()}, "
        f"now() + {draw.delay()}, coalesce={draw.chances(0.5)})"
    ),
    "recur": lambda draw: (
        f"n > 2 and await self.schedule_recurring('r', {draw.callback('0')}, "
        f"every=timedelta(minutes={draw.pick((30, 300))}))"
    ),
    "cancel schedule": lambda draw: f"await self.cancel_scheduled_task('{draw.pick(('s1', 's2', 'r'))}')",
    "keep callback": lambda draw: f"await self.set('callback', {draw.callback('0')})",
    "run kept callback": lambda _: "(kept := await self.get('callback')) and print(await self.run(kept))",
    "delete callback": lambda _: "(kept := await self.get('callback')) and await self.delete_callback(kept)",
    "delete callbacks": lambda draw: (
        "await self.delete_all_callbacks()" if draw.chances(0.3) else "print('kept')"
    ),
    "tool": lambda draw: (
        f"n > 0 and hasattr(self.tools, 'part') and print(await self.tools.part.m{draw.pick('01')}(n - 1))"
    ),
    "tool's task": lambda draw: (
        "n > 0 and hasattr(self.tools, 'part') and await self.tools.part.later(n - 1)"
    ),
    "activity": lambda draw: (
        "hasattr(self.tools, 'plot') and await self.tools.plot.create_activity("
        f"{{'title': f't{{n}}', 'key': 'a{draw.pick('123')}', 'notes': [Note('written')], 'tags': ['x']}})"
    ),
    "activities": lambda _: (
        "hasattr(self.tools, 'plot') and print(await self.tools.plot.create_activities("
        "[Activity(f'many {i}', key=f'a{i}') for i in range(3)] + [Activity('without a key')]))"
    ),
    "update activity": lambda draw: (
        f"hasattr(self.tools, 'plot') and (it := await self.tools.plot.get_activity(key='a{draw.pick('12')}')) "
        f"and await self.tools.plot.update_activity(it, title=str(now()), archived={draw.chances(0.3)})"
    ),
    "note": lambda draw: (
        f"hasattr(self.tools, 'plot') and (it := await self.tools.plot.get_activity(key='a{draw.pick('12')}')) "
        "and print(await self.tools.plot.create_note(Note(f'n{n}', key='note', activity=it)))"
    ),
    "mounted": lambda draw: f"print(await self.tools.books.{draw.pick(('put', 'take'))}({draw.key()}, n))",
    "mounted, gathered": lambda _: (
        "print(await asyncio.gather(*(self.tools.books.put(str(i), i) for i in range(5))))"
    ),
    "webhook": lambda draw: (
        "hasattr(self.tools, 'part') and "
        f"await self.set('hook', await self.tools.network.create_webhook(self.hook, n - 1, sync={draw.chances(0.5)}))"
    ),
    "delete webhook": lambda draw: (
        "(hook := await self.get('hook')) and hasattr(self.tools, 'part') and "
        f"await self.tools.network.delete_webhook({draw.pick(('hook', 'hook + str(n)'))})"
    ),
    "drain": lambda draw: (
        f"n > 0 and await self.schedule_drain('d{draw.pick('12')}', self.drained, [str(n), str(n * 3 % 5), 'é:%'], "
        f"batch_size={draw.pick((1, 2, 20))}, delay={draw.delay()}, max_attempts={draw.pick((1, 3))}, "
        "handler_args=(n - 1,))"
    ),
    "cancel drain": lambda draw: f"await self.cancel_drain('d{draw.pick('12')}')",
    "raise": lambda draw: f"assert random.random() < {draw.pick((0.5, 0.9, 1))}, f'no luck {{n}}'",
    "raise something": lambda _: "random.random() < 0.1 and {}[now()]",
}

FURTHER = (
    "run task",
    "run task",
    "run two tasks",
    "run task later",
    "schedule",
    "recur",
    "webhook",
    "activity",
    "drain",
)

Recorded: TypeAlias = dict[str, list[dict[str, Any]]]
"""The rows of each table of a state file."""

Happening: TypeAlias = Callable[["Stage"], Awaitable[object]]


@dataclass
class Stage:
    """A runtime with a random twist on it, and what is drawn for it next."""

    runtime: Runtime
    instance: str
    draw: Draw
    twist: TwistHandle | None = None

    async def deploy(self) -> None:
        options = {**OPTIONS, "size": self.draw.pick((1, 2))}
        self.twist = await self.runtime.deploy(source(self.draw), self.instance, options, MODULES)

    async def call(self) -> None:
        assert self.twist is not None
        await self.twist.call(f"m{self.draw.pick(range(METHODS))}", FUEL)

    async def advance(self) -> None:
        await self.runtime.advance(timedelta(seconds=self.draw.pick((0, 0.3, 30, 600, 4000))))

    async def idle(self) -> None:
        await self.runtime.run_until_idle(horizon=timedelta(minutes=self.draw.pick((10, 65))))

    async def post(self) -> None:
        assert self.twist is not None
        hooks = [text for key, text in self.twist.dump().items() if key.endswith("hook")]
        if not hooks:
            return
        url = json.loads(self.draw.pick(hooks))["json"]
        answer = await self.runtime.post_webhook(str(url), json={"n": self.draw.pick((1, 2))})
        assert answer.status_code in {200, 404, 500}, answer.text

    async def edit(self) -> None:
        assert self.twist is not None
        self.twist.load({"a": '{"json":"by hand"}', self.draw.pick(("k1", "k2")): '{"json":[1]}'})
        await self.call()

    async def emit(self) -> None:
        with suppress(ActivityNotFound):
            key = f"a{self.draw.pick('123')}"
            if self.draw.chances(0.5):
                await self.runtime.emit("activity_updated", key, {"title": "a user's"}, twist=self.twist)
            else:
                await self.runtime.emit("note_created", key, "a user's note", twist=self.twist)

    async def suspend(self) -> None:
        assert self.twist is not None
        await self.runtime.suspend(self.twist)
        await self.call()
        await self.advance()
        await self.runtime.resume(self.twist)

    async def retry(self) -> None:
        dead = self.runtime.dead_letters()["execution"]
        if len(dead):
            with suppress(RetryRefused, TwistInactive):
                await self.runtime.retry(str(self.draw.pick(list(dead))))

    async def check(self) -> None:
        await self.runtime.check_upgrade(source(self.draw), self.instance, OPTIONS, MODULES)

    async def deactivate(self) -> None:
        assert self.twist is not None
        await self.twist.deactivate()
        if self.draw.chances(0.2):
            await self.deploy()
            await self.call()


HAPPENINGS: Mapping[str, Happening] = {
    "call": Stage.call,
    "call again": Stage.call,
    "advance": Stage.advance,
    "idle": Stage.idle,
    "upgrade": Stage.deploy,
    "check an upgrade": Stage.check,
    "post": Stage.post,
    "edit": Stage.edit,
    "emit": Stage.emit,
    "suspend": Stage.suspend,
    "retry": Stage.retry,
}
"""What may happen to a deployed twist; being deactivated comes last."""

HEAD = """
import asyncio, random, secrets, time, uuid
from datetime import UTC, datetime, timedelta
import given

URL = "https://api.example.com/items?page="
"""

BUILD = """
def build(self, build):
    return {
        "network": build(Network, urls=["https://api.example.com/*"]),
        "plot": build(Plot),
        "part": build(Part, size=self.options["size"]),
    }
"""

RETRY = "{'retry': [each for each in ids if random.random() < 0.4]}"
OPTIONS = {"size": 3, "token": "secret"}
MODULES = {"given": "import random\nAT_LOAD = random.random()\n"}


class Books:
    """A tool on the side of the host."""

    def __init__(self) -> None:
        self._kept: dict[str, int] = {}

    async def put(self, key: str, number: int) -> int:
        self._kept[key] = number
        return len(self._kept)

    async def take(self, key: str, number: int) -> int:
        if number == 2:
            raise LookupError(key)
        return self._kept.pop(key, number)


def source(draw: Draw) -> str:
    """A twist with random methods, and a tool of its own."""
    part = [
        _method(f"m{number}(self, n)", draw, 2, "return self.options['size']") for number in range(METHODS)
    ]
    part += [
        _method(f"{name}(self, *, n=1)", draw, 1)
        for name in ("pre_activate", "post_upgrade", "pre_deactivate")
    ]
    part += [f"async def later(self, n): await self.run_task({draw.callback('n')})"]
    part += ["async def hook(self, request, n): return n"]
    part += ["async def drained(self, ids, n): await self.set('drained', [*ids, n])"]
    twist = [BUILD]
    twist += [_method(f"{name}(self, *, n=1)", draw, 1) for name in ("activate", "upgrade", "deactivate")]
    twist += [_method("on_options_changed(self, old, new, *, n=1)", draw, 2, "return new['size']")]
    twist += [
        _method(
            "on_activity_updated(self, activity, changes, *, n=1)", draw, 2, "print(activity.title, changes)"
        )
    ]
    twist += [
        _method("on_note_created(self, note, *, n=1)", draw, 2, "print(note.content, note.activity.key)")
    ]
    twist += [_method("hook(self, request, n)", draw, 3, "return {'n': n, 'sent': request.body}")]
    twist += [_method("drained(self, ids, left, n=0)", draw, 2, f"return {draw.pick(('None', RETRY))}")]
    twist += [_method(f"m{number}(self, n)", draw, 8, "return n, given.AT_LOAD") for number in range(METHODS)]
    return "\n".join([HEAD, *_class("Part(Tool)", part), *_class("Random(Twist)", twist)])


def _class(head: str, parts: list[str]) -> list[str]:
    return [f"class {head}:", *(textwrap.indent(part, "    ") for part in parts)]


def _method(head: str, draw: Draw, most: int, last: str = "return n") -> str:
    statements = [OPERATIONS[draw.operation()](draw) for _ in draw.some(1, most)]
    return "\n    ".join([f"async def {head}:", *statements, last])


async def happen(runtime: Runtime, seed: int, programs: int) -> None:
    """Let programs happen on a runtime.

    Each is an instance of its own; what earlier ones have scheduled goes on beside the later ones.
    """
    draw = Draw(seed)
    runtime.mount("https://api.example.com", demo.make_app(items=40, failures=0.2, seed=seed % 7))
    runtime.mount_tool("books", Books())
    for number in range(programs):
        stage = Stage(runtime, f"program {number}", draw)
        await stage.deploy()
        await stage.call()
        for _ in draw.some(1, 3):
            await HAPPENINGS[draw.pick(list(HAPPENINGS))](stage)
        await stage.idle()
        if draw.chances(0.9):
            await stage.deactivate()
    # Longer than an attempt may last: none is left under way.
    await runtime.run_until_idle(horizon=timedelta(seconds=2 * LIMITS.time))


def recorded(seed: int, programs: int, *, concurrency: int = 1) -> Recorded:
    """Let programs happen on a new runtime, and give all rows of its state file, by table."""

    async def work(runtime: Runtime) -> Recorded:
        await happen(runtime, seed, programs)
        return rows(runtime.path)

    return on_runtime(work, seed=seed, concurrency=concurrency, limits=LIMITS)


def rows(path: Path) -> Recorded:
    """What a state file holds, without what the machine measures."""
    held: Recorded = {}
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        for (table,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).fetchall():
            keys = [
                column["name"] for column in database.execute(f"PRAGMA table_info({table})") if column["pk"]
            ]
            held[table] = [
                {name: value for name, value in dict(row).items() if name not in MEASURED}
                for row in database.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}")
            ]
    return held


def differences(one: Recorded, other: Recorded) -> list[str]:
    """The first row of each table that differs."""
    return [
        f"{table}: {mine}\n{' ' * len(table)}  {theirs}"
        for table in one.keys() | other.keys()
        if one[table] != other[table]
        for mine, theirs in [
            next(pair for pair in zip_longest(one[table], other[table]) if pair[0] != pair[1])
        ]
    ]


def overlapping(found: Recorded) -> int:
    """How many attempts began while an earlier one of their instance still ran."""
    count, ends = 0, dict[int, int]()
    for row in sorted(found["attempts"], key=lambda row: (row["started"], row["id"])):
        count += row["started"] < ends.get(row["instance"], 0)
        ends[row["instance"]] = max(row["ended"], ends.get(row["instance"], 0))
    return count
