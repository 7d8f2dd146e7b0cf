"""Memory, inside and in the user's own process, and floods of output."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pandas as pd
import psutil
import pytest

from plot_nb import Limits
from tests.escape.siege import Attack, Siege

LIMITS = Limits(requests=400, cpu=1.2, memory=64 * 2**20, time=120, chain=40)

GONE = "over_memory"
INSIDE = [
    Attack("one bite", "x = bytearray(10**9)", GONE),
    Attack("one bite beyond all", "x = 'a' * 10**12", "over_memory error"),
    Attack("many bites", "x = []\nwhile True: x.append(bytes(2**20))", GONE),
    Attack("crumbs", "x = []\nwhile True: x.append([None])", "over_memory over_cpu"),
    Attack(
        "crumbs behind BaseException",
        "x = []\nwhile True:\n    try:\n        while True: x.append(bytes(2**14))\n    except BaseException:\n        if len(x) > 10**6: break",
        "over_memory over_cpu crashed",
    ),
    Attack("a dict that doubles", "x = {}\nwhile True: x[len(x)] = None", "over_memory over_cpu"),
    Attack("a text that doubles", "x = 'a'\nwhile True: x += x", GONE),
    Attack("a number that doubles", "x = 2\nwhile True: x *= x", "over_memory over_cpu"),
    Attack("buffers in C: array", "import array\nx = array.array('d', [0]) * 10**8", GONE),
    Attack(
        "buffers in C: decompressing",
        "import zlib\nx = zlib.decompress(zlib.compress(bytes(2 * 10**7), 9) and zlib.compress(bytes(3 * 10**7), 9), bufsize=10**8)",
        GONE,
    ),
    Attack(
        "buffers in C: struct and BytesIO",
        "import io\nx = io.BytesIO()\nwhile True: x.write(bytes(10**6))",
        GONE,
    ),
    Attack(
        "buffers in C: regular expressions",
        "import re\nx = re.compile('(?:' + 'a?' * 20000 + '){1000}' + 'b' * 10**6)",
        "over_memory over_cpu ok error",
    ),
    Attack(
        "buffers in C: deque and itertools",
        "import collections, itertools\ncollections.deque(itertools.count())",
        "over_memory over_cpu error",
    ),
    Attack(
        "buffers in C: tee",
        "import itertools\na, b = itertools.tee(itertools.count())\nfor _ in a: pass",
        "over_memory over_cpu",
    ),
    Attack("buffers in C: formatting", "'%*d' % (2 * 10**9, 1)", "over_memory error"),
    Attack(
        "cycles without a collector",
        "gc.disable()\nwhile True:\n    x = [bytes(1000)]\n    x.append(x)",
        "over_memory over_cpu",
    ),
    Attack(
        "frames",
        "def f(n):\n    yield n\nx = []\nwhile True:\n    x.append(f(bytes(100)))\n    next(x[-1])",
        "over_memory over_cpu",
    ),
    Attack(
        "tasks",
        "x = []\nwhile True: x.append(asyncio.ensure_future(asyncio.sleep(1)))",
        "over_memory over_cpu",
    ),
    Attack("an exception without end", "raise ValueError('x' * 30_000_000)", "error over_memory"),
    Attack(
        "notes without end",
        "e = ValueError('x')\nfor n in range(1000): e.add_note('n' * 10_000)\nraise e",
        "error over_memory",
    ),
    Attack(
        "a group without end",
        "raise ExceptionGroup('g', [ValueError(str(n)) for n in range(20_000)])",
        "error over_memory",
    ),
    Attack(
        "the reserve is taken first",
        "import plot_nb.sandbox.guest.app as app\napp.sandbox.reserve = None\nx = []\nwhile True: x.append(bytes(100))",
        "over_memory over_cpu crashed",
    ),
]

HOST = [
    Attack(
        "a key without end", "await self.set('k' * 10_000_000, 1)", "error", says="ValueError", requests=None
    ),
    Attack(
        "a value without end",
        "await self.set('k', 'v' * 5_000_000)",
        "error",
        says="ValueError",
        requests=None,
    ),
    Attack(
        "a value of 3 MB, forged",
        "cross([1, 'store.set', ['k', json.dumps({'json': 'v' * 3_000_000})], 1])",
        requests=1,
    ),
    Attack(
        "a request that is too large to cross",
        "await self.set('k', 'v' * 13_000_000)",
        "error over_memory",
        says="",
        requests=None,
    ),
    Attack(
        "many values at once",
        "await self.set_many({str(n): 'v' * 60_000 for n in range(100)})",
        "ok",
        requests=1,
    ),
    Attack(
        "300,000 keys at once",
        "cross([1, 'store.get_many', [[str(n) for n in range(300_000)]], 1], [2, 'store.clear_many', [[str(n) for n in range(300_000)]], 1])",
        requests=2,
    ),
    Attack(
        "gets that outgrow the twist",
        "await self.set('k', 'v' * 900_000)\nfor _ in range(3): cross(*[[n, 'store.get', ['k'], 1] for n in range(130)], timeout=0)",
        GONE,
        requests=None,
        says="ask for less",
    ),
    Attack(
        "gets that outgrow the twist, gathered",
        "await self.set('k', 'v' * 900_000)\nawait asyncio.gather(*(self.get('k') for _ in range(300)))",
        GONE,
        requests=None,
    ),
    Attack(
        "entries that outgrow an answer",
        "for n in range(40): await self.set(str(n), 'v' * 1_000_000)\nawait self.list_entries('')",
        "error over_memory",
        requests=41,
    ),
    Attack(
        "many keys that outgrow an answer",
        "for n in range(40): await self.set(str(n), 'v' * 1_000_000)\nawait self.get_many([str(n) for n in range(40)])",
        "error over_memory",
        requests=41,
    ),
    Attack(
        "arguments of a callback without end",
        "await self.callback(self.task, 'v' * 5_000_000)",
        "error",
        says="ValueError",
        requests=None,
    ),
    Attack("a return value without end", "return 'v' * 5_000_000", "error", says="ValueError"),
    Attack("a return value of crumbs", "return [{}] * 600_000", "error over_memory", says=""),
    Attack(
        "an exception's class without end", "raise type('E' * 10**6, (Exception,), {})('m' * 10**6)", "error"
    ),
    Attack("print without end", "while True: print('x' * 100_000)", "over_cpu"),
    Attack("print without a line's end", "for _ in range(200): print('x' * 100_000, end='')"),
    Attack("print of nothing", "for _ in range(200_000): print()", "ok over_cpu"),
    Attack(
        "print of what grows when encoded", "for _ in range(100): print('\\x00\\U0001f600\\x1b' * 20_000)"
    ),
    Attack(
        "log without end",
        "for _ in range(100):\n    self.log.info('x' * 50_000)\n    self.log.error({'a': ['x' * 50_000]})\n    self.log.warning(object())",
        "ok error",
    ),
    Attack(
        "warnings without end",
        "import warnings, logging\nwarnings.simplefilter('always')\nfor n in range(3000):\n    warnings.warn('x' * 1000)\n    logging.error('y' * 1000)",
    ),
    Attack(
        "requests that nothing awaits",
        "x = [self.set('k' * 900 + str(n), 'v' * 100) for n in range(10_000)]\nreturn len(x)",
        "ok over_memory",
    ),
    Attack(
        "lost tasks that raise",
        "async def f(n): raise ValueError('x' * 10_000)\nfor n in range(2000): asyncio.ensure_future(f(n))\nawait asyncio.sleep(0.1)\ngc.collect()",
        "ok over_cpu over_memory",
    ),
]


@pytest.mark.rule("2.19", "3.24")
@pytest.mark.parametrize("attack", INSIDE, ids=str)
def test_memory_has_its_limit(siege: Siege, attack: Attack) -> None:
    after = siege.endure(attack)
    peak = after.run.executions["memory_peak"].iloc[0]
    assert pd.isna(peak) or peak <= LIMITS.memory


@pytest.mark.parametrize("attack", HOST, ids=str)
def test_the_user_s_process_does_not_grow(siege: Siege, attack: Attack) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    after = siege.endure(attack)
    logs = after.run.logs["text"].str.len().sum()
    assert logs < 10**6 + 200_000
    assert process.memory_info().rss - before < 250 * 2**20
    assert len(after.html) < 200_000
    assert len(after.text) < 100_000
    assert len(str(after.run.error)) + len(str(after.run.traceback)) < 50_000
