"""What a twist cannot use up, and how it ends when it tries."""

from __future__ import annotations

import sys

import pytest

from tests.sandbox.host import MEMORY, Host
from tests.sandbox.test_requests import twist


@pytest.mark.rule("3.22")
@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "sum(range(10**12))",
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
        "str(7 ** 10**7)",
        "while True:\n    try: raise ValueError\n    except BaseException: pass",
        "while True: await asyncio.sleep(0)",
        "while True: print('x')",
    ],
)
def test_endless_computing_is_stopped_at_the_cpu_limit(host: Host, body: str) -> None:
    ended = host.run(twist(body), cpu=0.3).ended
    assert (ended.ending, ended.reason) == ("trapped", "cpu")
    assert 300 <= ended.cpu_ms < 2000


@pytest.mark.rule("3.21")
def test_waiting_on_the_host_is_not_cpu_time(host: Host) -> None:
    body = "for n in range(2000): await self.get('a')"
    ended = host.run(twist(body), cpu=5.0).ended
    assert ended.ending == "returned"
    assert 0 < ended.cpu_ms < 2000


def test_loading_counts_to_the_cpu_of_the_execution(host: Host) -> None:
    source = twist("pass", head="import asyncio\nx = sum(range(3_000_000))")
    assert [host.run(source).ended.cpu_ms > 20 for _ in range(3)] == [True, True, True]


def test_an_endless_load_is_stopped_at_the_cpu_limit(host: Host) -> None:
    for _ in range(2):
        ended = host.run(twist("pass", head="while True: pass"), cpu=0.3).ended
        assert (ended.ending, ended.reason) == ("trapped", "cpu")


@pytest.mark.rule("3.24")
@pytest.mark.parametrize(
    "body",
    [
        "x = []\nwhile True: x.append('a' * 100 + str(len(x)))",
        "x = []\nwhile True: x.append(bytes(10**6))",
        "bytes(10**9)",
        "'x' * 10**9",
        "x = b'a'\nwhile True: x += x",
        "x = {}\nwhile True: x[len(x)] = len(x)",
    ],
)
def test_memory_that_runs_out_raises_in_the_twist(host: Host, body: str) -> None:
    assert host.run(twist(body)).error["type"] == "MemoryError"


@pytest.mark.rule("3.24")
@pytest.mark.parametrize(
    "body",
    [
        "x = 'a'\nwhile True: x += x",
        "import sys; sys.setrecursionlimit(10**8)\ndef f(): f()\nf()",
    ],
)
def test_memory_that_runs_out_where_nothing_can_be_raised_traps(host: Host, body: str) -> None:
    done = host.run(twist(body))
    ended = done.ended
    if ended.ending == "returned":
        assert done.error["type"] == "MemoryError"
    else:
        assert (ended.ending, ended.reason) == ("trapped", "memory")


@pytest.mark.rule("3.25")
def test_a_caught_memory_error_is_the_affair_of_the_twist(host: Host) -> None:
    body = """
        x = []
        try:
            while True: x.append(bytes(10**6))
        except MemoryError:
            count = len(x)
            del x
        return count, await self.get("a")
    """
    count, value = host.run(twist(body)).value
    assert 80 < count < 128
    assert value is None


@pytest.mark.rule("3.23")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_memory_peak_is_measured_from_outside(host: Host) -> None:
    small = host.run(twist("pass")).ended.memory_peak
    large = host.run(twist("x = [bytes(10**6) for _ in range(50)]; del x")).ended.memory_peak
    assert small is not None
    assert large is not None
    assert 20 * 2**20 < small < 40 * 2**20
    assert 49 * 10**6 < large - small < 60 * 10**6
    assert (
        host.run(twist("x = []\nwhile True: x.append(bytes(10**5))")).ended.memory_peak or 0
    ) > 0.98 * MEMORY


@pytest.mark.rule("2.15")
def test_a_smaller_memory_limit_holds(host: Host) -> None:
    assert host.run(twist("bytes(30 * 10**6)"), memory=48 * 2**20).error["type"] == "MemoryError"


@pytest.mark.parametrize(
    "body",
    [
        "def f(): f()\nf()",
        "x = []\nfor _ in range(10**5): x = [x]\nrepr(x)",
        "import json; json.loads('[' * 10**6)",
        "import sys; sys.setrecursionlimit(10**8)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())",
        "import re; re.compile('(' * 50_000 + ')' * 50_000)",
    ],
)
def test_deep_recursion_in_python_and_in_c_raises(host: Host, body: str) -> None:
    assert host.run(twist(body)).error["type"] == "RecursionError"


def test_recursion_that_the_interpreter_does_not_notice_traps(host: Host) -> None:
    ended = host.run(twist("x = None\nfor _ in range(10**6): x = (x,)\ndel x")).ended
    assert (ended.ending, ended.reason) == ("trapped", "stack")


def test_output_is_cut_at_one_megabyte_with_a_notice(host: Host) -> None:
    done = host.run(twist("for n in range(5000): print('x' * 999)\nreturn 1"))
    assert done.value == 1
    assert done.logs[-1].level == "warning"
    assert "cut" in done.logs[-1].text
    assert 0.9e6 < sum(len(log.text) for log in done.logs) <= 1.01e6


def test_one_giant_print_is_cut_too(host: Host) -> None:
    done = host.run(twist("print('x' * 20_000_000)"))
    assert sum(len(log.text) for log in done.logs) <= 1.01e6


def test_a_flood_of_empty_lines_is_output(host: Host) -> None:
    done = host.run(twist("for _ in range(100_000): print()"), cpu=20.0)
    assert len(done.logs) < 10**5


def test_output_before_a_trap_is_kept(host: Host) -> None:
    done = host.run(twist("print('before')\nwhile True: pass"), cpu=0.2)
    assert done.texts == ["before"]


def test_a_return_value_of_more_than_one_mebibyte_is_refused(host: Host) -> None:
    error = host.run(twist("return 'x' * 2**20")).error
    assert error["type"] == "ValueError"
    assert "1048576" in error["message"]
    assert len(host.run(twist("return 'x' * (2**20 - 100)")).value) == 2**20 - 100


def test_a_return_value_that_is_none_of_superjson_is_refused(host: Host) -> None:
    assert host.run(twist("return self.go")).error["type"] == "TypeError"


def test_a_frame_over_the_cap_stops_the_execution_unread(host: Host) -> None:
    body = "from wit_world.imports import host\nhost.call('x' * 13_000_000)"
    ended = host.run(twist(body)).ended
    assert (ended.ending, ended.reason) == ("trapped", "frame")


def test_a_request_that_is_too_large_to_cross_is_refused_at_its_line(host: Host) -> None:
    error = host.run(twist("await self.callback('go', 'x' * 13_000_000)")).error
    assert (error["type"], error["line"]) == ("ValueError", 5)


def test_waiting_in_select_ends_with_a_message(host: Host) -> None:
    ended = host.run(twist("import select; select.select([], [], [], 5)")).ended
    assert (ended.ending, ended.reason) == ("trapped", "wait")
    assert "asyncio.sleep" in ended.detail
