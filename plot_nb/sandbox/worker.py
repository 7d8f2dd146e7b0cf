"""A child process that runs one execution at a time, and prepares the next instance ahead."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from random import Random
from typing import Any

from wasmtime import ExitTrap, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Func, Linker, Record

from plot_nb.sandbox import door, machine, memory, wire
from plot_nb.sandbox.watch import Watch

GUEST_FRAME_LIMIT = 12 * 2**20
"""Bytes of a frame or result of the guest; a longer one ends the execution unread."""

OUTPUT_LIMIT = 10**6
"""Bytes of output in an execution; what follows is cut."""

LOG_OVERHEAD = 16
READ_BYTES = 1 << 16
ENTROPY_LIMIT = 4096

AHEAD_CPU_NS = 250_000_000
"""CPU that loading ahead of an event may take; a longer load is done at the run, on the run's budget."""

LOADED = b'{"ok": true, "random": false}'
LOADED_WITH_RANDOM = b'{"ok": true, "random": true}'


class NotAheadError(Exception):
    """Loading needs what only a run has: its time, its seed, its budget."""


class StoppedError(Exception):
    """The engine stopped the execution while the guest waited."""


class FrameError(Exception):
    """The guest sent more than a frame may hold."""


class WaitError(Exception):
    """The guest waits outside of its event loop, where no time passes."""


class Channel:
    """The socket to the pool. An end of it is the end of this process."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray()

    def send(self, kind: int, payload: bytes) -> None:
        """Send a frame."""
        try:
            self._socket.sendall(wire.frame(kind, payload))
        except OSError:
            os._exit(0)

    def receive(self) -> tuple[int, bytes]:
        """Wait for a frame."""
        buffer = self._buffer
        while len(buffer) < 4 or len(buffer) < 4 + wire.LENGTH.unpack_from(buffer)[0]:
            try:
                data = self._socket.recv(READ_BYTES)
            except OSError:
                data = b""
            if not data:
                os._exit(0)
            buffer += data
        end = 4 + wire.LENGTH.unpack_from(buffer)[0]
        kind, payload = buffer[4], bytes(buffer[5:end])
        del buffer[:end]
        return kind, payload


class Instance:
    """A fresh instance of the component, good for one execution.

    Attributes:
        logs: What it has written since the last frame.
        cpu_ns: CPU time that its loading took.
        ready: Whether the program's own code has begun.
        now_ms: The runtime's time; None before it runs.
    """

    def __init__(self, store: Store, load: Func, run: Func) -> None:
        self.store = store
        self.load = load
        self.run = run
        self.logs: list[tuple[str, int, str]] = []
        self.output_left = OUTPUT_LIMIT
        self.cpu_ns = 0
        self.ready = False
        self.now_ms: float | None = None
        self._seed = 0
        self._entropy: Random | None = None

    def begin(self, now_ms: float, seed: int) -> None:
        """Give it the run's time and randomness."""
        self.now_ms = now_ms
        self._seed = seed

    @property
    def entropy(self) -> Random:
        """The source of the randomness at the wall, another one than that of the guest's `random` module."""
        if self.now_ms is None:
            raise NotAheadError
        if self._entropy is None:
            self._entropy = Random(f"{self._seed}/entropy")
        return self._entropy

    def take_logs(self) -> bytes:
        """What was written since the last frame, as JSON."""
        if not self.logs:
            return b""
        logs, self.logs = self.logs, []
        return json.dumps(logs).encode()

    def log(self, level: bytes, line: int, text: bytes) -> None:
        """Keep an entry, up to the limit."""
        if self.output_left <= 0:
            return
        size = len(text) + LOG_OVERHEAD
        kept = text[: max(0, self.output_left - LOG_OVERHEAD)]
        self.output_left -= size
        self.logs.append((level[:16].decode(errors="replace"), line, kept.decode(errors="ignore")))
        if self.output_left <= 0:
            self.logs.append(("warning", line, f"output is cut: an execution can write {OUTPUT_LIMIT} bytes"))


class Worker:
    """Runs what the pool sends."""

    def __init__(self, channel: Channel, compiled: str) -> None:
        self._channel = channel
        self._engine = machine.engine()
        self._component = Component.deserialize_file(self._engine, compiled)
        self._linker = Linker(self._engine)
        self._doors = door.Doors()
        self._link()
        self.watch = Watch(self._engine.increment_epoch)
        self._active: Instance | None = None
        self._ahead: Instance | None = None
        self._ahead_for: tuple[bytes, int] | None = None
        self._never_ahead = False
        self._program = (b"", b"")
        self._gauge = memory.Gauge()

    def serve(self) -> None:
        """Run executions until the pool hangs up."""
        self.watch.bind()
        gc.collect()
        gc.freeze()
        while True:
            kind, payload = self._channel.receive()
            if kind == wire.RUN:
                run = wire.Run.unpack(memoryview(payload))
                self._execute(run)
                self._prepare(run)
            elif kind == wire.FORGET:
                self._drop_ahead()

    def _execute(self, run: wire.Run) -> None:
        if run.text:
            self._drop_ahead()
            self._program = (run.program, run.text)
        elif self._ahead_for != (run.program, run.memory):
            self._drop_ahead()
        given = json.loads(run.invocation)
        instance, self._ahead = self._ahead, None
        prepared = instance is not None
        limit_ns = int(run.cpu * 1e9)
        result = b""
        trap: Exception | None = None
        try:
            self.watch.start(limit_ns, 0 if instance is None else instance.cpu_ns)
            if instance is None:
                instance = self._instantiate(run.memory)
            instance.begin(given["now"], given["seed"])
            self._active = instance
            if not prepared:
                seeded = json.dumps({"seed": given["seed"], "now": given["now"]}).encode()
                program = self._program[1].rstrip()[:-1] + b"," + seeded[1:]
                result = self._enter(instance, instance.load, program)
            if prepared or result in {LOADED, LOADED_WITH_RANDOM}:
                result = self._enter(instance, instance.run, run.invocation)
        except Exception as error:
            trap = error
        over_cpu = self.watch.stop()
        ended = self._ended(instance, result, trap, over_cpu=over_cpu, limit=run.memory)
        self._channel.send(wire.RESULT, ended.pack())
        self._active = None
        if instance is not None:
            self._discard(instance)

    def _ended(
        self, instance: Instance | None, result: bytes, trap: Exception | None, *, over_cpu: bool, limit: int
    ) -> wire.Ended:
        peak = self._gauge.measure()
        ending, reason, detail = "returned", "", ""
        if trap is None and len(result) > GUEST_FRAME_LIMIT:
            trap = FrameError(f"the result is {len(result)} bytes, at most {GUEST_FRAME_LIMIT} are read")
        if trap is not None:
            ending, reason, detail = _explain(trap, over_cpu=over_cpu, peak=peak, limit=limit)
        return wire.Ended(
            cpu_us=self.watch.spent_ns // 1000,
            memory_peak=peak,
            ending=ending,
            reason=reason,
            detail=detail,
            logs=b"" if instance is None else instance.take_logs(),
            guest=result if trap is None else b"",
        )

    def _prepare(self, run: wire.Run) -> None:
        """Load the program once more while nobody waits for it."""
        if self._never_ahead:
            return
        instance: Instance | None = None
        loaded = b""
        try:
            self.watch.start(AHEAD_CPU_NS)
            instance = self._instantiate(run.memory)
            self._active = instance
            loaded = self._enter(instance, instance.load, self._program[1])
        except Exception:
            loaded = b""
        over = self.watch.stop()
        self._active = None
        # Also where it cannot be loaded ahead: once is enough to know.
        self._ahead_for = (run.program, run.memory)
        if loaded == LOADED and not over and instance is not None:
            instance.cpu_ns = self.watch.spent_ns
            self._ahead = instance
        else:
            self._never_ahead = True
            if instance is not None:
                self._discard(instance)

    def _drop_ahead(self) -> None:
        self._never_ahead = False
        self._ahead_for = None
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            self._discard(ahead)

    def _instantiate(self, memory_bytes: int) -> Instance:
        store = Store(self._engine)
        store.set_limits(memory_size=memory_bytes)
        store.set_wasi(WasiConfig())
        store.set_epoch_deadline(1)
        made = self._linker.instantiate(store, self._component)
        self._gauge.locate()
        load, run = made.get_func(store, "load"), made.get_func(store, "run")
        if load is None or run is None:
            raise RuntimeError("the component lacks its exports")
        return Instance(store, load, run)

    def _enter(self, instance: Instance, function: Func, text: bytes) -> bytes:
        instance.store.set_epoch_deadline(1)
        self.watch.enter()
        try:
            return door.call(function, instance.store, text)
        finally:
            self.watch.leave()

    @staticmethod
    def _discard(instance: Instance) -> None:
        instance.store.close()

    def _link(self) -> None:
        linker = self._linker
        linker.allow_shadowing = True
        linker.add_wasip2()
        walls: dict[str, dict[str, Any]] = {
            "wasi:clocks/wall-clock@0.2.9": {
                "now": self._wall_now,
                "resolution": lambda _: _datetime(0, 10**6),
            },
            "wasi:clocks/monotonic-clock@0.2.9": {
                "now": self._monotonic_now,
                "resolution": lambda _: 10**6,
                "subscribe-instant": _no_waiting,
                "subscribe-duration": _no_waiting,
            },
            "wasi:random/random@0.2.9": {"get-random-bytes": self._bytes, "get-random-u64": self._u64},
            "wasi:random/insecure@0.2.9": {
                "get-insecure-random-bytes": self._bytes,
                "get-insecure-random-u64": self._u64,
            },
            "wasi:random/insecure-seed@0.2.9": {
                "insecure-seed": lambda store: (self._u64(store), self._u64(store))
            },
        }
        with linker.root() as root:
            with root.add_instance("plot:twist/host@1.0.0") as host:
                self._doors.add(host, "call", self._call)
                self._doors.add(host, "log", self._log)
            for name, functions in walls.items():
                with root.add_instance(name) as instance:
                    for function, implementation in functions.items():
                        instance.add_func(function, implementation)

    def _running(self) -> Instance:
        instance = self._active
        if instance is None or instance.now_ms is None:
            raise NotAheadError
        return instance

    def _call(self, frame: bytes) -> bytes:
        self.watch.leave()
        instance = self._running()
        if len(frame) > GUEST_FRAME_LIMIT:
            raise FrameError(f"a crossing of {len(frame)} bytes, at most {GUEST_FRAME_LIMIT} are read")
        crossed = wire.Crossed(self.watch.spent_ns // 1000, instance.take_logs(), frame)
        self._channel.send(wire.CROSSING, crossed.pack())
        kind, answer = self._channel.receive()
        if kind != wire.ANSWER:
            raise StoppedError(answer.decode(errors="replace"))
        instance.now_ms = max(instance.now_ms or 0.0, _time_of(answer))
        self.watch.enter()
        return answer

    def _log(self, level: bytes, line: int, text: bytes) -> None:
        self.watch.leave()
        instance = self._active
        if instance is None:
            pass
        elif instance.ready:
            instance.log(level, line, text)
        else:
            # The guest's own preparation comes before any code of the twist, so this cannot be forged.
            instance.ready = True
            self.watch.reset()
        self.watch.enter()

    def _wall_now(self, _: Any) -> Record:
        seconds, rest = divmod(self._microseconds(), 10**6)
        return _datetime(seconds, rest * 1000)

    def _monotonic_now(self, _: Any) -> int:
        return self._microseconds() * 1000

    def _microseconds(self) -> int:
        """Whole ones, as the runtime counts: a float that holds nanoseconds since 1970 is off by a hundred."""
        return round((self._running().now_ms or 0.0) * 1000)

    def _bytes(self, _: Any, count: int) -> bytes:
        if count > ENTROPY_LIMIT:
            raise FrameError(f"{count} random bytes at once, at most {ENTROPY_LIMIT} are given")
        return self._running().entropy.randbytes(count)

    def _u64(self, _: Any) -> int:
        return self._running().entropy.getrandbits(64)


def _datetime(seconds: int, nanoseconds: int) -> Record:
    record = Record()
    record.seconds = seconds  # type: ignore[attr-defined]
    record.nanoseconds = nanoseconds  # type: ignore[attr-defined]
    return record


def _no_waiting(*_: object) -> int:
    raise WaitError("a twist cannot wait in select() or poll(): use asyncio.sleep or time.sleep")


def _time_of(answer: bytes) -> float:
    """The engine writes the time first, so that a large answer need not be decoded here."""
    start = b'{"now":'
    if answer.startswith(start):
        return float(answer[len(start) : answer.index(b",", len(start))])
    return float(json.loads(answer)["now"])


def _explain(trap: Exception, *, over_cpu: bool, peak: int | None, limit: int) -> tuple[str, str, str]:
    """Ending, reason and message of what stopped the guest."""
    message = str(trap)
    if isinstance(trap, StoppedError):
        return "stopped", message, "stopped by the engine"
    if over_cpu:
        return "trapped", "cpu", "the CPU time is used up"
    if isinstance(trap, FrameError):
        return "trapped", "frame", message
    if isinstance(trap, WaitError):
        return "trapped", "wait", message
    if peak is not None and peak > limit - memory.NEAR_LIMIT_BYTES:
        return "trapped", "memory", f"the interpreter gave up with {peak} of {limit} bytes of memory used"
    if "call stack exhausted" in message:
        return "trapped", "stack", "the native stack is used up: a recursion inside C code went too deep"
    if peak is not None and peak > limit // 2:
        # A string or list that doubles asks for as much again as there is.
        return (
            "trapped",
            "memory",
            f"the interpreter gave up when it needed more than {peak} of {limit} bytes",
        )
    if isinstance(trap, ExitTrap):
        return "trapped", "unreachable", f"the twist ended the interpreter with os._exit({trap.code})"
    if isinstance(trap, WasmtimeError):
        cause = message.rpartition("wasm trap:")[2].strip().splitlines()
        return "trapped", "unreachable", f"the interpreter stopped: {cause[0] if cause else message[:200]}"
    return "trapped", "unreachable", f"{type(trap).__name__}: {message[:200]}"


def main(arguments: Sequence[str]) -> int:
    """Serve the socket of descriptor `arguments[0]` with the compiled component `arguments[1]`."""
    # A notebook's interrupt reaches the whole process group; the engine decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, compiled = arguments
    channel = Channel(socket.socket(fileno=int(descriptor)))
    worker = Worker(channel, compiled)
    # Deep recursion of the guest must end in a trap, not in this thread's stack.
    threading.stack_size(machine.THREAD_STACK_BYTES)
    guest = threading.Thread(target=_serve, args=(worker,), name="guest")
    guest.start()
    worker.watch.run(guest.is_alive)
    return 0


def _serve(worker: Worker) -> None:
    try:
        worker.serve()
    except BaseException as error:
        # The pool starts another one, and reports what was said last.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(70)
