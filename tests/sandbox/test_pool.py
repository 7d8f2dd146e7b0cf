"""The worker processes: handed out, stopped, killed, replaced, and gone in the end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from plot_nb.sandbox import pool as pool_module
from plot_nb.sandbox.pool import Crossing, Pool, Program, Result, Seat
from tests.sandbox.host import Execution, Host
from tests.sandbox.test_requests import twist


@pytest.fixture
def own() -> Iterator[Host]:
    """A pool that a test may harm."""
    made = Host(size=1)
    yield made
    made.close()


def held(host: Host, source: str, *args: Any) -> tuple[Execution, Seat]:
    """An execution that waits in its first crossing."""
    crossed = threading.Event()
    execution = host.start(source, "go", *args, on_crossing=lambda *_: crossed.set())
    assert crossed.wait(30)
    assert execution.seat is not None
    return execution, execution.seat


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_a_worker_killed_while_it_waits_is_replaced_and_the_execution_died(own: Host) -> None:
    execution, seat = held(own, twist("await self.get('a')"))
    os.kill(seat.pid, signal.SIGKILL)
    assert execution.ended.ending == "died"
    assert "signal 9" in execution.ended.reason
    assert own.run(twist("return 1")).value == 1


def test_a_worker_killed_while_it_computes_is_replaced(own: Host) -> None:
    execution, seat = held(own, twist("await self.get('a')\nwhile True: pass"))
    own.loop.call_soon_threadsafe(seat.answer, b'{"now":1800000000000.0,"answers":[[1,true,null]]}')
    os.kill(seat.pid, signal.SIGKILL)
    assert execution.ended.ending == "died"
    assert own.run(twist("return 1")).value == 1


def test_an_idle_worker_that_dies_is_replaced(own: Host) -> None:
    done = own.run(twist("return 1"))
    assert done.seat is not None
    killed = done.seat.pid
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: [worker.pid for worker in own.pool._workers] not in ([], [killed]))
    assert own.run(twist("return 2")).value == 2


def test_a_waiting_guest_is_stopped_without_losing_its_worker(own: Host) -> None:
    execution, seat = held(own, twist("await self.get('a')"))
    own.loop.call_soon_threadsafe(seat.stop, "over_time")
    assert (execution.ended.ending, execution.ended.reason) == ("stopped", "over_time")
    again = own.run(twist("return 1"))
    assert again.value == 1
    assert again.seat is not None
    assert again.seat.pid == seat.pid


def test_a_computing_guest_is_stopped_by_killing_its_worker(own: Host) -> None:
    execution, seat = held(own, twist("await self.get('a')\nwhile True: pass"))
    own.loop.call_soon_threadsafe(seat.answer, b'{"now":1800000000000.0,"answers":[[1,true,null]]}')
    own.loop.call_soon_threadsafe(seat.stop, "cancelled")
    own.loop.call_soon_threadsafe(seat.stop, "again")
    assert (execution.ended.ending, execution.ended.reason) == ("stopped", "cancelled")
    assert own.run(twist("return 1")).value == 1


def test_a_seat_that_has_ended_ignores_stop_and_answer(own: Host) -> None:
    done = own.run(twist("return 1"))
    assert done.seat is not None
    own.loop.call_soon_threadsafe(done.seat.stop, "late")
    own.loop.call_soon_threadsafe(done.seat.answer, b"late")
    assert own.run(twist("return 2")).value == 2


def test_a_guest_that_computes_cannot_be_answered(own: Host) -> None:
    execution, seat = held(own, twist("await self.get('a')\nreturn 1"))

    async def twice() -> None:
        seat.answer(b'{"now":1800000000000.0,"answers":[[1,true,null]]}')
        with pytest.raises(RuntimeError, match="does not wait"):
            seat.answer(b"{}")

    own.call(twice())
    assert execution.value == 1


def test_there_are_as_many_seats_as_workers(own: Host) -> None:
    execution, seat = held(own, twist("await self.get('a')\nreturn 1"))

    async def another() -> Seat | None:
        return own.pool.run(Program("x", "{}"), b"{}", cpu=1, memory=1)

    assert own.call(another()) is None
    own.loop.call_soon_threadsafe(seat.answer, b'{"now":1800000000000.0,"answers":[[1,true,null]]}')
    assert execution.value == 1


def test_two_workers_run_two_executions_at_once() -> None:
    host = Host(size=2)
    try:
        (first, a), (second, b) = (held(host, twist("await self.get('a')\nreturn 1")) for _ in range(2))
        assert a.pid != b.pid
        for seat in (a, b):
            host.loop.call_soon_threadsafe(seat.answer, b'{"now":1800000000000.0,"answers":[[1,true,null]]}')
        assert [first.value, second.value] == [1, 1]
    finally:
        host.close()


def test_an_answer_of_several_megabytes_arrives_whole(own: Host) -> None:
    text = '{"json":"' + "x" * 1_000_000 + '"}'
    body = "return sum(len(v) for v in (await self.list_entries()).values())"
    assert own.run(twist(body), store={f"k{n}": text for n in range(8)}).value == 8_000_000


def test_forgetting_a_program_loads_it_anew(own: Host) -> None:
    source = twist("return 1")
    for _ in range(3):
        assert own.run(source).value == 1
    program = own.pool._workers[0].program
    assert program is not None
    own.loop.call_soon_threadsafe(own.pool.forget, program)
    assert own.run(source).value == 1


def test_an_event_that_finds_its_instance_prepared_costs_a_fraction_of_the_load(own: Host) -> None:
    slow = twist("return 1", head="x = sum(range(1_000_000))")
    own.run(slow)
    taken = []
    for _ in range(3):
        # The next instance is being prepared; its end cannot be seen from here.
        threading.Event().wait(0.3)
        start = time.perf_counter()
        assert own.run(slow).value == 1
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.02


def test_no_process_is_left_after_the_pool_is_closed() -> None:
    host = Host(size=2)
    _, seat = held(host, twist("await self.get('a')"))
    children = [worker.pid for worker in host.pool._workers]
    assert seat.pid in children
    host.close()
    assert not any(psutil.pid_exists(child) for child in children)


ORPHANING = """
import asyncio, os, sys
from tests.sandbox.host import Host
from tests.sandbox.test_requests import twist

host = Host(size=2)
if sys.argv[1] == "computing":
    host.start(twist("await self.get('a')\\nwhile True: pass"), cpu=60.0)
    asyncio.run(asyncio.sleep(0.5))
print(*(worker.pid for worker in host.pool._workers), flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("state", ["idle", "computing"])
@pytest.mark.parametrize("end", ["exited", "killed"])
def test_no_worker_outlives_its_engine(state: str, end: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", ORPHANING, state, end],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 2
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in workers))


def test_a_worker_has_no_environment_of_the_user(own: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = psutil.Process(own.pool._workers[0].pid)
    assert not {"HOME", "PATH", "USER", "SHELL"} & set(worker.environ())


class Recorder:
    """What a pool says, kept."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.crossings: list[Crossing] = []
        self.ended = asyncio.Event()

    def on_crossing(self, seat: Seat, crossing: Crossing) -> None:
        self.crossings.append(crossing)

    def on_result(self, seat: Seat, result: Result) -> None:
        self.results.append(result)
        self.ended.set()

    def on_free(self) -> None:
        pass


@pytest.mark.parametrize(
    "frames",
    [
        b"\xff\xff\xff\xff" + b"c" * 100,
        b"\x00\x00\x00\x00",
        b"\x01\x00\x00\x00c",
        b"\x05\x00\x00\x00c1234",
        b"\x02\x00\x00\x00e!",
        b"\x01\x00\x00\x00?",
        b"\x1d\x00\x00\x00e" + b"\xff" * 28,
        b"\x15\x00\x00\x00c" + b"\x00" * 8 + b"\x08\x00\x00\x00" + b'[[1,2]]"',
        b"\x15\x00\x00\x00c" + b"\x00" * 8 + b"\x08\x00\x00\x00" + b"\xff" * 8,
    ],
)
def test_a_worker_that_sends_nonsense_is_replaced_and_harms_nobody(
    frames: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.recv(9); "
        f"s.sendall({frames!r}); s.recv(9); s.recv(9)"
    )
    monkeypatch.setattr(
        pool_module, "command", lambda _, descriptor, __: [sys.executable, "-I", "-c", script, descriptor]
    )

    async def trial() -> Recorder:
        recorder = Recorder()
        pool = Pool(recorder, size=1)
        await pool.start(asyncio.get_running_loop())
        assert pool.run(Program("x", "{}"), b"{}", cpu=1.0, memory=1) is not None
        await recorder.ended.wait()
        await pool.aclose()
        return recorder

    recorder = asyncio.run(trial())
    assert [result.ending for result in recorder.results] == ["died"]
    assert not recorder.crossings


def test_what_cannot_be_loaded_ahead_is_loaded_ahead_once_at_most(own: Host) -> None:
    slow = twist("return 1", head="sum(range(2_000_000))\nSTART = now()")
    first = own.run(slow)
    assert first.seat is not None
    worker = psutil.Process(first.seat.pid)
    own.run(slow)  # what followed the first is over now

    def spent() -> float:
        return sum(worker.cpu_times()[:2])

    before = spent()
    metered = sum(own.run(slow).ended.cpu_ms / 1000 for _ in range(6))
    assert spent() - before < 1.5 * metered


def test_a_worker_that_cannot_start_is_not_replaced_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        pool_module, "command", lambda *_: [sys.executable, "-I", "-c", "raise SystemExit('broken')"]
    )

    async def trial() -> Recorder:
        recorder = Recorder()
        pool = Pool(recorder, size=1)
        await pool.start(asyncio.get_running_loop())
        await asyncio.to_thread(eventually, lambda: pool._failures > 3 and not pool._workers)
        assert pool.run(Program("x", "{}"), b"{}", cpu=1.0, memory=1) is not None
        await recorder.ended.wait()
        assert not pool._workers
        await pool.aclose()
        return recorder

    results = asyncio.run(trial()).results
    assert [(result.ending, result.reason) for result in results] == [("died", "exit 1")]
    assert "broken" in results[0].detail


def test_an_execution_that_ends_while_it_is_stopped_ends_once_and_its_worker_is_not_used_again(
    own: Host,
) -> None:
    source = twist("await self.get('a')\nreturn 1")
    for _ in range(5):
        execution, seat = held(own, source)

        async def answer_and_stop(seat: Seat = seat) -> None:
            seat.answer(b'{"now":1800000000000.0,"answers":[[1,true,null]]}')
            # The result has arrived, and is not read before this coroutine gives way.
            select.select([seat._worker._socket], [], [], 20)
            seat.stop("late")

        own.call(answer_and_stop())
        assert (execution.ended.ending, execution.ended.reason) == ("stopped", "late")
        again = own.run(twist("return 2"))
        assert again.value == 2
        assert again.seat is not None
        assert again.seat.pid != seat.pid


def test_a_pool_can_be_closed_from_inside_an_event(own: Host) -> None:
    closed = threading.Event()

    class Closing(Recorder):
        def on_crossing(self, seat: Seat, crossing: Crossing) -> None:
            task = asyncio.get_running_loop().create_task(self.pool.aclose())
            task.add_done_callback(lambda _: closed.set())
            seat.stop("closing")

        pool: Pool

    async def trial() -> None:
        recorder = Closing()
        recorder.pool = Pool(recorder, size=1)
        await recorder.pool.start(asyncio.get_running_loop())
        text = '{"name":null,"filename":"c","source":"class T(Twist):\\n    async def go(self): await self.get(\'a\')"}'
        call = (
            b'{"kind":"call","method":"go","args":"{\\"json\\":[]}","kwargs":"{\\"json\\":{}}","options":{},"seed":1,'
            b'"now":1800000000000.0}'
        )
        assert recorder.pool.run(Program("x", text), call, cpu=5.0, memory=2**27) is not None
        await asyncio.to_thread(closed.wait, 30)

    asyncio.run(trial())
    assert closed.is_set()
