"""The worker processes: started on demand, handed out, and replaced when one dies."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal, Protocol

from plot_nb.sandbox import wire
from plot_nb.sandbox.component import compilation
from plot_nb.sandbox.process import command, environment

Ending = Literal["returned", "trapped", "stopped", "died"]

SENT_AT_ONCE = 1 << 18
READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Program:
    """What a sandbox loads.

    Attributes:
        id: A hash of the text.
        text: JSON for the guest's `load`.
    """

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """One entry of what a twist wrote; line 0 is unknown."""

    level: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Crossing:
    """The guest waits for an answer.

    Attributes:
        cpu_ms: CPU time of the guest so far.
        frame: The guest's own JSON, hostile.
    """

    cpu_ms: float
    logs: tuple[Log, ...]
    frame: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The end of an execution.

    Attributes:
        ending: How it ended.
        reason: Of a trap: "cpu", "memory", "stack", "frame" or "unreachable". Of a stop: what `stop` was given. Of
            a death: "signal 9" or the like.
        detail: A message for people.
        memory_peak: Bytes; None where it cannot be measured.
        payload: JSON of the guest's `run` when it returned; hostile.
    """

    ending: Ending
    reason: str
    detail: str
    cpu_ms: float
    memory_peak: int | None
    logs: tuple[Log, ...]
    payload: bytes


class Sandboxes(Protocol):
    """Told by the pool what happens; on the loop's thread."""

    def on_crossing(self, seat: Seat, crossing: Crossing) -> None:
        """The guest waits; exactly one `answer` or `stop` must follow."""

    def on_result(self, seat: Seat, result: Result) -> None:
        """The execution is over; called exactly once for a seat."""

    def on_free(self) -> None:
        """A worker has become idle."""


class Seat:
    """One execution in a worker."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker
        self.waiting = False
        self.stopped: str | None = None
        self.cpu_us = 0

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._worker.pid

    def answer(self, frame: bytes) -> None:
        """Let the guest go on.

        Args:
            frame: {"now": ..., "answers": [...]}, the time first.

        Raises:
            RuntimeError: If the guest does not wait for an answer.
        """
        if self._worker.seat is not self:
            return
        if not self.waiting:
            raise RuntimeError("an answer to a guest that does not wait for one")
        self.waiting = False
        self._worker.send(wire.ANSWER, frame)

    def stop(self, reason: str) -> None:
        """End the execution; `on_result` follows. Does nothing when it is over or being stopped."""
        if self._worker.seat is not self or self.stopped is not None:
            return
        self.stopped = reason
        if self.waiting:
            self.waiting = False
            self._worker.send(wire.STOP, reason.encode(errors="replace"))
        else:
            self._worker.kill()


class Pool:
    """A fixed number of workers.

    Args:
        events: Told what happens.
        size: How many executions can run at once.
    """

    def __init__(self, events: Sandboxes, *, size: int = 2) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least one worker (size={size})")
        self._events = events
        self._size = size
        self._loop: asyncio.AbstractEventLoop | None = None
        self._compiled: Path | None = None
        self._workers: list[_Worker] = []
        self._turns = itertools.count()
        self._failures = 0

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the compiled component, then start the workers.

        Raises:
            CompileError: If there is no component.
        """
        if sys.platform == "win32":
            raise RuntimeError("the sandbox's workers need a Unix: Linux, macOS, or WSL on Windows")
        self._compiled = await asyncio.wrap_future(compilation().result)
        self._loop = loop
        while len(self._workers) < self._size:
            self._spawn()

    def run(
        self, program: Program, invocation: bytes, *, cpu: float, memory: int, beside: bool = False
    ) -> Seat | None:
        """Run one method in the worker that has been idle longest, if any.

        Args:
            program: What to load; the worker may have it prepared.
            invocation: JSON for the guest's `run`.
            cpu: Limit in seconds.
            memory: Limit in bytes.
            beside: Whether it gets a worker more if all are busy, which ends with it.

        Returns:
            The seat, or None if all workers are busy.
        """
        idle = [worker for worker in self._workers if worker.seat is None and not worker.killed]
        if not idle:
            if self._loop is None or (len(self._workers) >= self._size and not beside):
                return None
            # Replacing those that could not start was given up; whoever asks is told by the end of the execution.
            idle = [self._spawn()]
        # Not the one that ran this program last: it is still preparing its next instance.
        worker = min(idle, key=lambda worker: worker.idle_since)
        worker.seat = seat = Seat(worker)
        known = worker.program == program.id
        worker.program = program.id
        run = wire.Run(
            cpu=cpu,
            memory=memory,
            program=program.id.encode(),
            text=b"" if known else program.text.encode(),
            invocation=invocation,
        )
        worker.send(wire.RUN, run.pack())
        return seat

    def forget(self, program_id: str) -> None:
        """Throw away instances that are prepared for a program."""
        for worker in self._workers:
            if worker.program == program_id and worker.seat is None and not worker.killed:
                worker.program = None
                worker.send(wire.FORGET, b"")

    async def aclose(self) -> None:
        """End all workers; executions under way get no result."""
        workers, self._workers = self._workers, []
        self._loop = None
        for worker in workers:
            worker.end()

    def _spawn(self) -> _Worker:
        assert self._loop is not None
        assert self._compiled is not None
        worker = _Worker(self, self._loop, self._compiled)
        self._workers.append(worker)
        return worker

    def _crossed(self, worker: _Worker, seat: Seat, crossed: wire.Crossed) -> None:
        seat.waiting = True
        seat.cpu_us = crossed.cpu_us
        self._events.on_crossing(seat, Crossing(crossed.cpu_us / 1000, _logs(crossed.logs), crossed.guest))

    def _ended(self, worker: _Worker, seat: Seat, result: Result) -> None:
        self._failures = 0
        worker.seat = None
        worker.idle_since = next(self._turns)
        if seat.stopped is not None and result.ending != "stopped":
            # It ended by itself while it was being killed.
            result = replace(
                result, ending="stopped", reason=seat.stopped, detail="stopped by the engine", payload=b""
            )
        self._events.on_result(seat, result)
        if worker.killed:
            return
        if len(self._workers) > self._size and worker.seat is None:
            self._workers.remove(worker)
            worker.end()
        else:
            self._events.on_free()

    def _died(self, worker: _Worker, how: str, detail: str) -> None:
        """Replace a worker that is gone, and say what became of its execution."""
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        seat, worker.seat = worker.seat, None
        # A worker that cannot even start would be replaced for ever.
        self._failures += not worker.proven
        if len(self._workers) < self._size and self._failures <= 3 * self._size:
            # Where no process can be made now, the next execution tries again.
            with contextlib.suppress(OSError):
                self._spawn()
        if seat is not None:
            self._events.on_result(seat, _death(seat, how, detail))
        self._events.on_free()


class _Worker:
    """The pool's side of one process."""

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop, compiled: Path) -> None:
        self._pool = pool
        self._loop = loop
        self.seat: Seat | None = None
        self.program: str | None = None
        self.proven = False
        self.killed = False
        self._closed = False
        self.idle_since = next(pool._turns)
        self._read = bytearray()
        self._unsent = bytearray()
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                command("plot_nb.sandbox.worker", str(theirs.fileno()), str(compiled)),
                pass_fds=[theirs.fileno()],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                process_group=0,
            )
        ours.setblocking(False)
        self._socket = ours
        loop.add_reader(ours, self._on_readable)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, kind: int, payload: bytes) -> None:
        """Send a frame, at once if the socket takes it."""
        data = wire.frame(kind, payload)
        if self._closed:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            # Its end shows on the reading side.
            return
        if sent < len(data):
            self._unsent += memoryview(data)[sent:]
            self._loop.add_writer(self._socket, self._on_writable)

    def _on_writable(self) -> None:
        try:
            sent = self._socket.send(memoryview(self._unsent)[:SENT_AT_ONCE])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._unsent.clear()
            sent = 0
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._gone()
            return
        self.proven = True
        buffer = self._read
        buffer += data
        while len(buffer) >= 4 and not self._closed:
            (length,) = wire.LENGTH.unpack_from(buffer)
            if not 1 <= length <= wire.FRAME_LIMIT:
                self._gone(f"a frame of {length} bytes")
                return
            if len(buffer) < 4 + length:
                return
            kind, payload = buffer[4], bytes(buffer[5 : 4 + length])
            del buffer[: 4 + length]
            try:
                self._handle(kind, memoryview(payload))
            except _Malformed as error:
                self._gone(str(error))
                return

    def _handle(self, kind: int, payload: memoryview) -> None:
        seat = self.seat
        if seat is None:
            raise _Malformed("a frame from an idle worker")
        if kind == wire.CROSSING and not seat.waiting:
            try:
                crossed = wire.Crossed.unpack(payload)
            except (ValueError, TypeError, struct.error) as error:
                raise _Malformed(f"a crossing that cannot be read ({error})") from error
            if seat.stopped is None:
                self._pool._crossed(self, seat, crossed)
        elif kind == wire.RESULT and not seat.waiting:
            self._pool._ended(self, seat, _result(payload))
        else:
            raise _Malformed(f"a frame of kind {kind}, out of turn")

    def kill(self) -> None:
        """Kill the process; its end shows on the reading side."""
        self.killed = True
        with contextlib.suppress(OSError):
            self._process.kill()

    def end(self) -> None:
        """Kill the process and let go of everything."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self.kill()
        self._process.wait()
        self._complaints.close()

    def _gone(self, why: str = "") -> None:
        # Does nothing to one that is ending by itself, whose exit code then tells how.
        self.kill()
        code = self._process.wait()
        how = why or (_signal(-code) if code < 0 else f"exit {code}")
        self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, self._complaints.tell() - 2000))
        said = self._complaints.read().decode(errors="replace").strip()
        self.end()
        self._pool._died(self, how, f"the sandbox's process ended ({how})" + (f": {said}" if said else ""))


def _death(seat: Seat, how: str, detail: str) -> Result:
    stopped = seat.stopped
    return Result(
        ending="died" if stopped is None else "stopped",
        reason=how if stopped is None else stopped,
        detail=detail if stopped is None else "stopped by the engine",
        cpu_ms=seat.cpu_us / 1000,
        memory_peak=None,
        logs=(),
        payload=b"",
    )


class _Malformed(Exception):
    """A worker sent what no worker sends."""


def _result(payload: memoryview) -> Result:
    try:
        ended = wire.Ended.unpack(payload)
        logs = _logs(ended.logs)
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise _Malformed(f"a result that cannot be read ({error})") from error
    if ended.ending not in {"returned", "trapped", "stopped"}:
        raise _Malformed(f"a result with the ending {ended.ending[:20]!r}")
    return Result(
        ending=ended.ending,  # type: ignore[arg-type]  # checked above
        reason=ended.reason,
        detail=ended.detail,
        cpu_ms=ended.cpu_us / 1000,
        memory_peak=ended.memory_peak,
        logs=logs,
        payload=ended.guest,
    )


def _logs(raw: bytes) -> tuple[Log, ...]:
    return tuple(Log(level, line, text) for level, line, text in json.loads(raw)) if raw else ()


def _signal(number: int) -> str:
    return (
        f"signal {number} ({signal.Signals(number).name})"
        if number in set(signal.Signals)
        else f"signal {number}"
    )
