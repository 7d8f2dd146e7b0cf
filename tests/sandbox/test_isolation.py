"""What a twist finds inside: nothing of the host, and nothing of the execution before."""

from __future__ import annotations

import pytest

from tests.sandbox.host import START_MS, Host
from tests.sandbox.test_requests import twist

SPOILER = """
import asyncio, json, sys, builtins, os

counter = []

class T(Twist):
    shared = []

    async def go(self):
        seen = [
            len(counter), len(T.shared), hasattr(self, "x"), hasattr(builtins, "stolen"), hasattr(json, "stolen"),
            "planted" in sys.modules, builtins.sorted([2, 1]) == [1, 2], os.environ.get("X"),
            hasattr(Twist, "stolen"), asyncio.get_running_loop().request.__name__,
        ]
        counter.append(1)
        T.shared.append(1)
        self.x = 1
        builtins.stolen = json.stolen = Twist.stolen = 1
        sys.modules["planted"] = sys
        os.environ["X"] = "1"
        builtins.sorted = lambda _: 0
        type(asyncio.get_running_loop()).request = print
        return seen
"""


@pytest.mark.rule("2.1", "2.2")
def test_nothing_survives_an_execution(host: Host) -> None:
    runs = [host.run(SPOILER).value for _ in range(5)]
    assert runs == [[0, 0, False, False, False, False, True, None, False, "request"]] * 5


@pytest.mark.rule("2.7", "2.8", "2.9")
@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("open('/etc/passwd')", "FileNotFoundError"),
        ("open('x', 'w')", "OSError"),
        ("import os; os.listdir('/')", "FileNotFoundError"),
        ("import subprocess; subprocess.run(['ls'])", "OSError"),
        ("import os; os.fork()", "AttributeError"),
        ("import socket; socket.create_connection(('127.0.0.1', 80))", None),
        ("import ctypes", "ModuleNotFoundError"),
        ("import threading; threading.Thread(target=print).start()", "RuntimeError"),
        ("import multiprocessing; multiprocessing.Process(target=print).start()", None),
        ("import numpy", "ModuleNotFoundError"),
        ("import plot_nb.runtime", "ModuleNotFoundError"),
        ("input()", None),
        ("asyncio.get_running_loop().run_in_executor(None, print)", None),
    ],
)
def test_the_way_out_is_an_ordinary_error(host: Host, body: str, error: str | None) -> None:
    found = host.run(twist(body)).error
    assert error is None or found["type"] == error or error == "OSError", found["traceback"]


@pytest.mark.rule("2.10")
def test_the_environment_and_arguments_are_empty(host: Host) -> None:
    environment, argv, path = host.run(
        twist("import os, sys; return dict(os.environ), sys.argv, sys.path"), options={}
    ).value
    assert "HOME" not in environment
    assert "PATH" not in environment
    assert path == []
    assert "plot_nb" not in str(argv)


@pytest.mark.rule("4.34")
def test_what_cannot_be_imported_says_what_can(host: Host) -> None:
    error = host.run(twist("import requests")).error
    assert "standard library" in error["message"]
    assert "modules={'requests': source}" in error["message"]
    assert error["line"] == 5


@pytest.mark.rule("4.32")
@pytest.mark.parametrize(
    "module",
    [
        "abc",
        "asyncio",
        "base64",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "email",
        "enum",
        "fractions",
        "functools",
        "gettext",
        "graphlib",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "http.client",
        "imaplib",
        "inspect",
        "io",
        "ipaddress",
        "itertools",
        "json",
        "logging.config",
        "mailbox",
        "math",
        "mimetypes",
        "operator",
        "pathlib",
        "pickle",
        "plistlib",
        "pprint",
        "queue",
        "random",
        "re",
        "secrets",
        "shelve",
        "shutil",
        "statistics",
        "string",
        "struct",
        "tempfile",
        "textwrap",
        "tokenize",
        "tomllib",
        "traceback",
        "types",
        "typing",
        "unicodedata",
        "unittest",
        "urllib.request",
        "uuid",
        "wave",
        "weakref",
        "wsgiref",
        "xml.dom.minidom",
        "xmlrpc.client",
        "zipfile",
        "zlib",
        "zoneinfo",
    ],
)
def test_the_standard_library_can_be_imported(host: Host, module: str) -> None:
    assert host.run(twist(f"import {module}; return {module}.__name__")).value == module


@pytest.mark.parametrize(
    "statement", ["import plot_nb; Base = plot_nb.Twist", "from plot_nb import Twist as Base"]
)
def test_plot_nb_can_be_imported_inside(host: Host, statement: str) -> None:
    source = f"{statement}\nclass T(Base):\n    async def go(self): return Base is Twist"
    assert host.run(source).value is True


def test_names_need_no_import_but_asyncio_does(host: Host) -> None:
    body = """
        names = [x.__name__ for x in (Twist, Tool, Network, Uuid, Url, fetch, now)]
        return names + [UNDEFINED, "asyncio" in globals()]
    """
    value = host.run(twist(body, head="")).value
    assert value[:7] == ["Twist", "Tool", "Network", "Uuid", "Url", "fetch", "now"]
    assert value[-1] is False


@pytest.mark.rule("7.18", "7.19")
@pytest.mark.parametrize(
    "expression",
    [
        "time.time()",
        "time.monotonic()",
        "time.perf_counter()",
        "time.time_ns() / 1e9",
        "datetime.now(UTC).timestamp()",
        "now().timestamp()",
        "asyncio.get_running_loop().time()",
        "time.clock_gettime(time.CLOCK_MONOTONIC)",
    ],
)
def test_every_clock_is_the_clock_of_the_runtime(host: Host, expression: str) -> None:
    head = "import asyncio, time\nfrom datetime import UTC, datetime"
    body = f"""
        before = {expression}
        sum(range(10**5))
        same = {expression}
        await asyncio.sleep(2.5)
        after = {expression}
        time.sleep(1)
        return before, same, after, {expression}
    """
    start = START_MS / 1000
    found = host.run(twist(body, head)).value
    assert found == pytest.approx([start, start, start + 2.5, start + 3.5], abs=0.002)


@pytest.mark.rule("5.18")
def test_now_is_in_milliseconds(host: Host) -> None:
    assert host.run(twist("await asyncio.sleep(0.0125)\nreturn now().microsecond % 1000")).value == 0


RANDOM = twist(
    "return [random.random(), random.randrange(10**9), secrets.token_hex(8), Uuid.generate(), str(uuid.uuid4()), "
    "list(os.urandom(4)), random.SystemRandom().random(), hash('x')]",
    "import os, random, secrets, uuid",
)


@pytest.mark.rule("2.12")
def test_randomness_follows_the_seed(host: Host) -> None:
    first, again, other = (host.run(RANDOM, seed=seed).value for seed in (1, 1, 2))
    assert first == again
    assert all(a != b for a, b in zip(first[:-1], other[:-1], strict=True))


def test_randomness_is_the_same_prepared_or_not(host: Host) -> None:
    fresh = RANDOM + "  # another program"
    assert {str(host.run(source, seed=5).value) for source in (fresh, fresh, fresh, RANDOM, RANDOM)} == {
        str(host.run(RANDOM, seed=5).value)
    }


@pytest.mark.parametrize(
    ("head", "same"),
    [
        ("import time\nloaded = time.time()", False),
        ("import random\nloaded = random.random()", False),
        ("import uuid\nloaded = str(uuid.uuid4())", False),
        ("import random\nloaded = random.Random().random()", False),
        ("import time\nstart = time.time()\ntime.sleep(5)\nloaded = time.time() - start", True),
    ],
)
def test_a_module_that_reads_clock_or_randomness_reads_those_of_its_run(
    host: Host, head: str, *, same: bool
) -> None:
    source = twist("return loaded", head)
    runs = [host.run(source, seed=n + 10, now=START_MS + n * 1000).value for n in range(3)]
    assert len(set(runs)) == (1 if same else 3)
    assert host.run(source, seed=10, now=START_MS).value == runs[0]


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"requests": 5}',
        '{"requests":[[1,"no.such",[],1]],"timeout":null}',
        '{"requests":[[1,"store.get",["a"],-5],[1,"store.get",["a"],-5]],"timeout":null}',
        '{"requests":[],"timeout":-1}',
        "[" * 100_000,
    ],
)
def test_what_a_guest_writes_reaches_the_engine_as_it_is(host: Host, text: str) -> None:
    seen: list[bytes] = []

    def refuse(seat: object, crossing: object) -> None:
        seen.append(crossing.frame)  # type: ignore[attr-defined]
        seat.stop("forged")  # type: ignore[attr-defined]

    body = f"from wit_world.imports import host\nprint('before')\nhost.call({text!r})"
    done = host.run(twist(body), on_crossing=refuse)
    assert seen == [text.encode()]
    assert (done.ended.ending, done.ended.reason) == ("stopped", "forged")
    assert done.texts == ["before"]


def test_levels_and_lines_of_a_forged_log_are_only_data(host: Host) -> None:
    body = "from wit_world.imports import host\nhost.log('<script>' * 10, 2**32 - 1, '</script>\\x00\\u202e')"
    log = host.run(twist(body)).logs[0]
    assert len(log.level) <= 16
    assert (log.line, log.text) == (2**32 - 1, "</script>\x00\u202e")


def test_a_stop_cannot_be_caught(host: Host) -> None:
    body = """
        while True:
            try:
                await self.get("a")
            except BaseException:
                print("caught")
    """
    done = host.run(twist(body), on_crossing=lambda seat, crossing: seat.stop("enough"))
    assert (done.ended.ending, done.ended.reason, done.texts) == ("stopped", "enough", [])


def test_writing_to_every_descriptor_reaches_nothing(host: Host) -> None:
    body = """
        import os
        for descriptor in range(100):
            try:
                os.write(descriptor, b"leak")
            except OSError:
                pass
        return 1
    """
    assert host.run(twist(body)).value == 1


@pytest.mark.rule("2.19")
def test_bytecode_of_ones_own_making_hurts_only_the_twist(host: Host) -> None:
    body = "code = T.go.__code__.replace(co_code=bytes([255, 255] * 500)); exec(code)"
    ended = host.run(twist(body), cpu=1.0).ended
    assert ended.ending in {"returned", "trapped"}
    assert host.run(twist("return 1")).value == 1


@pytest.mark.rule("11.6")
@pytest.mark.parametrize("body", ["import os; os.abort()", "import signal; signal.raise_signal(9)"])
def test_an_abort_of_the_interpreter_is_a_trap(host: Host, body: str) -> None:
    ended = host.run(twist(body)).ended
    assert (ended.ending, ended.reason) == ("trapped", "unreachable")
