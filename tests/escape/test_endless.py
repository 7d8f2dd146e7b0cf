"""What would never end, in Python and in C, is over in its CPU time or its time on the clock."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from plot_nb import Limits
from tests.escape.siege import Attack, Siege

LIMITS = Limits(requests=60, cpu=0.35, memory=64 * 2**20, time=5, chain=40)

ATTACKS = [
    Attack("while True", "while True: pass", "over_cpu"),
    Attack(
        "while True behind BaseException",
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        continue",
        "over_cpu",
    ),
    Attack("sleep(0) for ever", "while True: await asyncio.sleep(0)", "over_cpu"),
    Attack(
        "sleep(0) for ever beside a request",
        "t = asyncio.ensure_future(self.set('a', 1))\nwhile True: await asyncio.sleep(0)",
        "over_cpu over_time",
        requests=1,
    ),
    Attack("sleeps of a nanosecond", "while True: await asyncio.sleep(1e-9)", "over_cpu over_time"),
    Attack("a generator", "def f():\n    while True: yield\nfor _ in f(): pass", "over_cpu"),
    Attack(
        "an asynchronous generator that ignores its end",
        "async def f():\n    while True:\n        try:\n            yield\n        except BaseException:\n            pass\nasync for _ in f(): pass",
        "over_cpu",
    ),
    Attack("a loop in C: sum", "sum(range(10**12))", "over_cpu"),
    Attack("a loop in C: itertools", "import itertools\nany(itertools.repeat(0))", "over_cpu"),
    Attack("a loop in C: in", "import itertools\n-1 in itertools.count()", "over_cpu"),
    Attack(
        "a loop in C: sorting with an evil comparison",
        "class E:\n    def __lt__(self, other):\n        while True: pass\nsorted([E(), E()])",
        "over_cpu",
    ),
    Attack("a loop in C: powers", "10 ** 10 ** 8", "over_cpu over_memory"),
    Attack("a loop in C: digits", "sys.set_int_max_str_digits(0)\nwhile True: int('9' * 10**6)", "over_cpu"),
    Attack("a loop in C: factorial", "import math\nmath.factorial(10**8)", "over_cpu over_memory"),
    Attack(
        "a loop in C: hashes that collide",
        "x = {}\nfor n in range(10**6): x[n * (2**61 - 1)] = n",
        "over_cpu over_memory",
    ),
    Attack(
        "a loop in C: searching", "while True: ('a' * 10**6 + 'b').count('a' * 5 * 10**5 + 'b')", "over_cpu"
    ),
    Attack("a loop in C: compressing", "import zlib\nwhile True: zlib.compress(bytes(10**6), 9)", "over_cpu"),
    Attack("a regular expression that blows up", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", "over_cpu"),
    Attack("a regular expression, nested stars", "import re\nre.match('(.*)*x', 'y' * 100)", "over_cpu"),
    Attack(
        "str() of the exception",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        "over_cpu",
    ),
    Attack("a finalizer", "class E:\n    def __del__(self):\n        while True: pass\nE()", "over_cpu"),
    Attack(
        "a trace function",
        "def trace(*_):\n    while True: pass\nsys.settrace(trace)\n(lambda: 0)()",
        "over_cpu",
    ),
    Attack(
        "tasks that make tasks",
        "async def f():\n    while True:\n        asyncio.create_task(f())\n        await asyncio.sleep(0)\nawait f()",
        "over_cpu over_memory",
    ),
    Attack(
        "a callback that calls itself",
        "loop = asyncio.get_running_loop()\ndef f(): loop.call_soon(f)\nf()\nawait asyncio.sleep(10**9)",
        "over_cpu over_time",
    ),
    Attack(
        "a timer that sets itself",
        "loop = asyncio.get_running_loop()\ndef f(): loop.call_later(0.0001, f)\nf()\nawait asyncio.sleep(10**9)",
        "over_cpu over_time",
    ),
    Attack("host calls: the clock", "while True: time.time()", "over_cpu"),
    Attack("host calls: randomness", "while True: os.urandom(4096)", "over_cpu"),
    Attack(
        "host calls: empty crossings",
        'while True: host.call(\'{"requests":[],"timeout":0}\')',
        "over_cpu over_time",
    ),
    Attack(
        "host calls: crossings that run backwards",
        'while True: host.call(\'{"requests":[],"timeout":-1e308}\')',
        "over_cpu over_time",
    ),
    Attack("sleep(inf)", "await asyncio.sleep(float('inf'))", "over_time"),
    Attack("sleep(nan)", "await asyncio.sleep(float('nan'))", "error", says="ValueError"),
    Attack("sleep(-1)", "await asyncio.sleep(-1); return True", value=True),
    Attack("time.sleep(1e300)", "time.sleep(1e300)", "over_time"),
    Attack("time.sleep(inf)", "time.sleep(float('inf'))", "error", says="ValueError"),
    Attack("time.sleep(nan)", "time.sleep(float('nan'))", "error", says="ValueError"),
    Attack("time.sleep of no number", "time.sleep('x')", "error"),
    Attack("an event that nobody sets", "await asyncio.Event().wait()", "error", says="never finish"),
    Attack(
        "a future that waits for itself",
        "f = asyncio.get_running_loop().create_future()\nawait asyncio.gather(f, f)",
        "error",
        says="never finish",
    ),
    Attack(
        "a deadlock of two locks",
        "a, b = asyncio.Lock(), asyncio.Lock()\nasync def f(x, y):\n    async with x:\n        await asyncio.sleep(0.1)\n        async with y: pass\nawait asyncio.gather(f(a, b), f(b, a))",
        "error",
        says="never finish",
    ),
    Attack(
        "a task that chains itself for ever", "await self.run_task(await self.callback(self.go))", requests=2
    ),
    Attack(
        "tasks that fan out",
        "c = await self.callback(self.go)\nfor _ in range(50): await self.run_task(c)",
        requests=51,
    ),
]


@pytest.mark.rule("2.19", "3.22")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_it_ends(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)
