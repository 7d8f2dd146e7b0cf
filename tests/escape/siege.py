"""How an attack is made, and what must hold after every one of them."""

from __future__ import annotations

import os
import tempfile
import textwrap
import threading
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import psutil

from plot_nb import Limits, Run, Runtime, TwistHandle
from tests.view.test_bundle import parsed

T = TypeVar("T")

OUTCOMES = {"ok", "error", "over_requests", "over_cpu", "over_memory", "over_time", "cancelled", "crashed"}
"""SPEC 11, without suspension."""

SECRET = "xyzzy-correct-horse-battery-staple"
"""Stands in the process's environment, in its memory and in a file; no twist may see it."""

PWNED = "pwned"
"""What attacks call the files they make and the names they set."""

PATIENCE_S = 60.0
"""Real time after which an attack has hung the runtime."""

LIMITS = Limits(requests=60, cpu=0.6, memory=64 * 2**20, time=120, chain=40)

_STORE_WRITES = ("set", "set_many", "clear", "clear_many", "clear_all")

# Every cell begins with this, so that the innocent twist and the hostile ones look at the same world.
_HEAD = """
import asyncio, builtins, gc, json, os, random, sys, time
import wit_world.imports.host as host

def cross(*requests, timeout=None):
    return json.loads(host.call(json.dumps({"requests": requests, "timeout": timeout})))

def look_around(twist):
    modules = [asyncio, builtins, gc, json, os, random, sys, time, host, asyncio.base_events]
    loop = asyncio.get_running_loop()
    names = [f"{module.__name__}: {sorted(vars(module))}" for module in modules]
    classes = [type(loop), Twist, Twist.__mro__[1], type(twist.tools.store), dict, asyncio.Task, asyncio.Future]
    names += [f"{each.__name__}: {sorted(vars(each))}" for each in classes]
    functions = [json.dumps, json.loads, loop.select, loop.time, twist.set, twist.get, host.call, host.log]
    functions += [print, len, open, time.sleep, time.time, asyncio.sleep, asyncio.gather, sys.exit, os._exit]
    names += [f"{each.__qualname__} {getattr(each, '__code__', each)!s:.40}" for each in functions]
    names += [repr(each) for each in (os.environ, sys.argv, sys.path, sys.gettrace(), sys.getrecursionlimit())]
    names += [repr(each) for each in (gc.isenabled(), sys.stdout.__class__, len(sys.meta_path), len(gc.garbage))]
    return names
"""
_METHODS = """
    async def task(self, *args):
        await self.set("task", True)

    async def look(self):
        await self.set("look", "around")
        return [await self.get("look"), *look_around(self)]
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """A hostile twist.

    Attributes:
        what: What it attacks.
        code: The body of its `async def go(self, *args)`.
        outcomes: Those that are right, with spaces between.
        value: What `go` must return; `...` for anything.
        requests: What the meter must show for `go`; None for anything up to the limit.
        says: What the error must say.
        methods: More of the class.
        head: More of the module.
        spoils: Whether it spoils its own module on purpose, so that only others can be looked at afterwards.
    """

    what: str
    code: str
    outcomes: str = "ok"
    value: object = ...
    requests: int | None = 0
    says: str = ""
    methods: str = ""
    head: str = ""
    spoils: bool = False
    args: tuple[Any, ...] = ()

    def source(self) -> str:
        """The cell."""
        go = textwrap.indent(textwrap.dedent(self.code).strip("\n"), " " * 8)
        more = textwrap.indent(textwrap.dedent(self.methods), " " * 4)
        head = textwrap.dedent(self.head)
        return f"{_HEAD}\n{head}\nclass Hostile(Twist):\n    async def go(self, *args):\n{go}\n{more}\n{_METHODS}"

    def __str__(self) -> str:
        return self.what


INNOCENT = f"{_HEAD}\nclass Innocent(Twist):\n{_METHODS}"


class Tables:
    """What the journal and the backend say of a run and its twist, read once."""

    def __init__(self, run: Run, twist: TwistHandle) -> None:
        self.executions, self.requests, self.logs = run.executions, run.requests, run.logs
        self.history, self.callbacks, self.tasks = twist.store_history, twist.callbacks, twist.tasks


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What came of an attack."""

    run: Run
    twist: TwistHandle
    html: str
    text: str


class Siege:
    """One runtime that stands through many attacks."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._others = _children()  # of runtimes that earlier tests left to the garbage collector
        self.limits = runtime.limits
        self.innocent = self.wait(runtime.deploy(INNOCENT))
        self.world = self.wait(self.innocent.look()).value
        self._pid, self._threads = os.getpid(), threading.active_count()
        self._descriptors = psutil.Process().num_fds()

    def wait(self, awaitable: Awaitable[T]) -> T:
        """Wait as `Runtime.wait` does, but not for ever."""
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                results.append(self.runtime.wait(awaitable))
            except BaseException as error:  # raised again below
                errors.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the runtime hangs"
        if errors:
            raise errors[0]
        return results[0]

    def endure(self, attack: Attack) -> Aftermath:
        """Make an attack and check all that must hold after any."""
        twist = self.wait(self.runtime.deploy(attack.source(), attack.what))
        run = self.wait(twist.call("go", *attack.args))
        assert run.outcome in attack.outcomes.split(), (run.outcome, run.error, run.value)
        assert run.outcome in OUTCOMES
        assert run.ok or (run.error and attack.says in run.error), run.error
        if attack.value is not ...:
            assert run.value == attack.value, (run.value, run.error)
        tables = Tables(run, twist)
        asked = int(tables.executions["requests"].iloc[0])
        assert attack.requests in {asked, None}, (asked, tables.requests)
        html, text = self.check_picture(run)
        self.check_meter(tables)
        self.check_secret(run, twist, tables, html, text)
        if not attack.spoils:
            self.check_next(twist)
        self.check_next(self.innocent)
        self.check_host()
        return Aftermath(run, twist, html, text)

    def check_next(self, twist: TwistHandle) -> None:
        """The next execution works, and sees nothing of the attack."""
        run = self.wait(twist.call("look"))
        assert run.outcome == "ok", run.error
        assert run.value == self.world
        assert len(run.requests) == 2

    def check_host(self) -> None:
        """This process is unharmed."""
        assert os.getpid() == self._pid
        assert threading.active_count() <= self._threads
        # A reader of the state file or a worker being replaced may hold one more for a moment.
        assert psutil.Process().num_fds() <= self._descriptors + 3
        assert len(_children() - self._others) <= 2
        assert [str(path) for path in traces()] == []
        assert Path("secret.txt").read_text(encoding="utf-8") == SECRET
        assert Path("secret.txt").stat().st_mode & 0o777 == 0o600

    def check_meter(self, tables: Tables) -> None:
        """What was counted, what was journaled and what was done are the same."""
        executions, requests, history = tables.executions, tables.requests, tables.history
        callbacks, tasks = tables.callbacks, tables.tasks
        for execution, attempt, counted, version in executions[
            ["execution", "attempt", "requests", "version"]
        ].itertuples(index=False):
            mine = requests[(requests["execution"] == execution) & (requests["attempt"] == attempt)]
            assert mine["seq"].tolist() == list(range(1, counted + 1)), (execution, version)
            assert counted <= self.limits.requests
            done = mine[mine["error"].isna()]
            wrote = history[(history["execution"] == execution) & (history["attempt"] == attempt)][
                "seq"
            ].tolist()
            sets = _of(done, "store", "set")
            assert [seq for seq in wrote if seq in sets] == sets
            assert set(wrote) <= set(_of(done, "store", *_STORE_WRITES))
            if executions["execution"].eq(execution).sum() == 1:
                made = callbacks[callbacks["execution"] == execution]
                assert len(made) == len(_of(done, "callbacks", "create"))
                queued = tasks[tasks["parent"] == execution]
                scheduled = len(_of(done, "tasks", "schedule", "schedule_recurring"))
                immediate = len(_of(done, "tasks", "run"))
                assert immediate <= len(queued) <= immediate + scheduled

    def check_picture(self, run: Run) -> tuple[str, str]:
        """What is drawn is text, whatever the twist calls itself."""
        bundle = run._repr_mimebundle_()
        html, text = bundle["text/html"], bundle["text/plain"]
        for tag, attributes in parsed(html).tags:
            assert tag not in {
                "script",
                "img",
                "iframe",
                "object",
                "embed",
                "link",
                "base",
                "form",
                "foreignobject",
            }
            assert not any(
                name.startswith("on") or name in {"src", "href", "srcdoc"} for name in attributes
            ), tag
        for said in (html, text):
            said.encode()
            assert not [c for c in said if ord(c) < 32 and c not in "\n\t"]
            assert not set(said) & set("\x7f\x9b\u202e\u2066\ufeff")
        return html, text

    def check_secret(self, run: Run, twist: TwistHandle, tables: Tables, html: str, text: str) -> None:
        """Nothing that the twist could say or keep holds what it must not know."""
        for said in (
            *map(_everything, vars(tables).values()),
            html,
            text,
            repr(run),
            str(run.error),
            str(run.traceback),
        ):
            assert SECRET not in said
        assert SECRET not in repr(twist.dump())


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _of(requests: pd.DataFrame, tool: str, *operations: str) -> list[int]:
    chosen = (requests["tool"] == tool) & requests["operation"].isin(operations)
    return [int(seq) for seq in requests["seq"][chosen]]


def _everything(table: pd.DataFrame) -> str:
    return repr(table.to_dict("list"))


def traces() -> Iterator[Path]:
    """Files that an attack has made where it could."""
    for folder in {Path.cwd(), Path.home(), Path(tempfile.gettempdir()), Path("/"), Path("/dev/shm")}:
        if folder.is_dir():
            yield from folder.glob(f"*{PWNED}*")
