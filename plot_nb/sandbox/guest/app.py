"""The component's exports. All that is imported here at build time is in its snapshot."""

from __future__ import annotations

import asyncio
import gc
import json
import linecache
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, SupportsIndex

from wit_world.imports import host

from plot_nb.sandbox.guest import warm
from plot_nb.sandbox.guest.events import begin
from plot_nb.sandbox.guest.failure import failure
from plot_nb.sandbox.guest.importer import Importer, Library
from plot_nb.sandbox.guest.loop import HostLoop
from plot_nb.sandbox.guest.output import Output
from plot_nb.sandbox.guest.program import Program
from plot_nb.twist import superjson, wall
from plot_nb.twist.build import equip
from plot_nb.twist.request import Request

TASK = "task"
"""What `unawaited` calls a task that was still under way."""

VALUE_LIMIT = 2**20
"""Bytes of a method's encoded return value."""

UNAWAITED_LIMIT = 100
RESERVE_BYTES = 4 * 2**20
"""Given free when memory has run out, so that it can still be said."""


class _Seeding(random.Random):
    """Skips the seeding from the wall that the component's own runtime does before the first export.

    It would ask for 2,496 bytes in every instance, and make each look as if its program had used randomness. The
    runtime holds on to `random.seed`, so what that function does is changed, not which one it is.
    """

    _code = random.Random.seed.__code__

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Do nothing."""
        __class__  # type: ignore[name-defined]  # noqa: B018  # a closure like that of the original

    @classmethod
    def skip(cls) -> None:
        """Make `random.seed` do nothing."""
        random.Random.seed.__code__ = cls.seed.__code__

    @classmethod
    def restore(cls) -> None:
        """Make `random.seed` what it was."""
        random.Random.seed.__code__ = cls._code


class Sandbox:
    """The state of this instance; it serves one execution."""

    def __init__(self, library: Library) -> None:
        self.created: dict[Request[Any], None] = {}
        self.callback: str | None = None
        self.loop = HostLoop(lambda frame: host.call(frame), self.complain)  # noqa: PLW0108  # `host` is set later
        self.importer = Importer(library)
        self.program: Program
        self.seeded = False
        self.first_random = 0
        self.reserve: bytes | None = None
        self.stdout = Output("print", self.log)
        self.stderr = Output("warning", self.log)

    def send(self, operation: str, arguments: Sequence[Any], line: int) -> asyncio.Future[Any]:
        """See `Wall`."""
        return self.loop.request(operation, arguments, line)

    def line(self) -> int:
        """See `Wall`."""
        cell = self.program.cell
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == cell:
                return frame.f_lineno or 0
            frame = frame.f_back  # type: ignore[assignment]
        return 0

    def log(self, level: str, text: str) -> None:
        """See `Wall`."""
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        host.log(level, self.line(), text)

    def complain(self, message: str, error: BaseException | None) -> None:
        """Log what asyncio could not raise anywhere."""
        trace = "" if error is None else f"\n{self.describe(error)['traceback']}"
        self.log("warning", f"{message}{trace}")

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An exception for the wire, even when there is no memory left for it."""
        if isinstance(error, MemoryError):
            self.reserve = None
            gc.collect()
        return failure(error, self.program.cell, self.program.files)

    def sleep(self, seconds: float | SupportsIndex) -> None:
        """`time.sleep` on the runtime's clock."""
        if not isinstance(seconds, (int, float)):
            seconds = seconds.__index__()
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"sleep length must be a number of seconds, zero or more, not {seconds}")
        if seconds:
            self.loop.block(seconds)

    def load(self, text: str) -> dict[str, Any]:
        """Load a program."""
        _Seeding.restore()
        given = json.loads(text)
        self.program = Program(given, self.importer)
        if "seed" in given:
            self.seeded = True
            random.seed(given["seed"])
            self.loop.set_time(given["now"])
        else:
            self.rehearse()
        # The meter starts here: what came before is not the program's.
        host.log("ready", 0, "")
        try:
            self.program.load()
        except BaseException as error:
            return {"ok": False, "error": self.describe(error)}
        # Comparing states would take longer than everything else here.
        return {"ok": True, "random": not self.seeded and random.getrandbits(64) != self.first_random}

    def rehearse(self) -> None:
        """Do what a run does, with a twist of ours, before the program is there.

        Half of a short run would go into copying pages of the snapshot that it is the first to write to. Ahead of
        the event nobody waits for that.
        """
        loop = self.loop
        call, loop._call = loop._call, warm.Host().call
        invocation = json.loads(warm.INVOCATION)
        loop.set_time(invocation["now"])
        random.seed(invocation["seed"])
        twist = warm.Rehearsal()
        equip(twist, invocation["options"])
        args = superjson.loads(invocation["args"])
        json.dumps(
            {"ok": True, "value": superjson.dumps(loop.run_until_complete(loop.create_task(twist.go(*args))))}
        )
        random.seed(0)
        loop.reset(call)

    def run(self, text: str) -> dict[str, Any]:
        """Run what an invocation asks for."""
        invocation = json.loads(text)
        self.loop.set_time(invocation["now"])
        if not self.seeded:
            random.seed(invocation["seed"])
        try:
            if invocation["kind"] == "describe":
                return {
                    "ok": True,
                    "manifest": self.program.manifest(invocation["options"], invocation.get("mounted")),
                }
            value = self._call(invocation)
            return {"ok": True, "value": value, "unawaited": self._unawaited()}
        except BaseException as error:
            return {"ok": False, "error": self.describe(error), "unawaited": self._unawaited()}

    def _call(self, invocation: dict[str, Any]) -> str:
        self.callback = invocation.get("callback")
        built = self.program.instance(invocation["options"], invocation.get("mounted"))
        args = superjson.loads(invocation["args"])
        kwargs = superjson.loads(invocation["kwargs"])
        loop = self.loop
        begun = begin(built, invocation.get("cause"), invocation["method"], args, kwargs)
        loop.main = task = loop.create_task(begun)
        value = superjson.dumps(loop.run_until_complete(task))
        if len(value) > VALUE_LIMIT // 4:
            size = len(value.encode(errors="replace"))
            if size > VALUE_LIMIT:
                raise ValueError(
                    f"{invocation['method']}() returned a value of {size} bytes encoded, at most {VALUE_LIMIT} can "
                    "be returned: store it and return its key"
                )
        return value

    def _unawaited(self) -> list[tuple[int, str, str]]:
        reports = [request.report for request in self.created] if self.created else []
        if self.loop._waiting:
            reports += self.loop.unanswered()
        reports += [
            (line, TASK, getattr(task.get_coro(), "__name__", ""))
            for task in asyncio.all_tasks(self.loop)
            if task is not self.loop.main and (line := self._line_of(task))
        ]
        return reports[:UNAWAITED_LIMIT]

    def _line_of(self, task: asyncio.Task[Any]) -> int:
        """Where a task of the cell stands; 0 for one that is none of the cell's, such as a request."""
        frames = [frame for frame in task.get_stack() if frame.f_code.co_filename == self.program.cell]
        return frames[-1].f_lineno if frames else 0

    def finish(self) -> None:
        """Write out what was printed without a line's end."""
        self.stdout.finish()
        self.stderr.finish()


sandbox: Sandbox


class WitWorld:
    """The exports. Made anew for each call, so it holds nothing."""

    def load(self, program: str) -> str:
        """See the WIT file."""
        return json.dumps(_contained(sandbox.load, program))

    def run(self, invocation: str) -> str:
        """See the WIT file."""
        return json.dumps(_contained(sandbox.run, invocation))


def _contained(export: Any, text: str) -> dict[str, Any]:
    """An exception that leaves an export would abort the instance."""
    try:
        result: dict[str, Any] = export(text)
        sandbox.finish()
    except BaseException as error:
        sandbox.reserve = None
        return {
            "ok": False,
            "error": {"type": type(error).__name__, "message": repr(error), "line": None, "traceback": ""},
            "unawaited": [],
        }
    return result


def _settle() -> None:
    """Bring the snapshot into the state that every execution starts from.

    Its size counts: a worker copies it back after every execution.
    """
    global host, sandbox  # noqa: PLW0603
    library = Library()
    library.collect(Path(asyncio.__file__).parent.parent)
    gc.collect()
    warm.modules()
    real = host
    host = warm.Host()
    for _ in range(warm.ROUNDS):
        sandbox = Sandbox(library)
        wall.attach(sandbox)
        warm.execution(WitWorld())
    host = real
    sandbox = Sandbox(library)
    wall.attach(sandbox)
    time.sleep = lambda seconds: sandbox.sleep(seconds)  # noqa: PLW0108
    sys.stdout = sandbox.stdout
    sys.stderr = sandbox.stderr
    sys.modules["__main__"] = ModuleType("__main__")
    linecache.cache.clear()
    asyncio.set_event_loop(None)
    sandbox.reserve = bytes(RESERVE_BYTES)
    sys.meta_path[:] = [finder for finder in sys.meta_path if "PathFinder" not in repr(finder)]
    sys.meta_path.append(sandbox.importer)
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    random.seed(0)
    sandbox.first_random = random.getrandbits(64)
    random.seed(0)
    _Seeding.skip()
    gc.collect()
    gc.freeze()


_settle()
