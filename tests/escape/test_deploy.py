"""Source that attacks before any method runs: while it is deployed, described or loaded."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from plot_nb import DeployError, Limits, MethodNotFound
from tests.escape.siege import LIMITS as USUAL
from tests.escape.siege import PWNED, SECRET, Siege, Tables, traces

LIMITS = Limits(requests=USUAL.requests, cpu=0.5, memory=USUAL.memory, time=60, chain=40)

TWIST = "\nclass Hostile(Twist):\n    async def go(self): return 'went'\n"
FORGE = (
    "\nimport json\njson.dumps.__kwdefaults__ = None\njson.dumps.__code__ = (lambda *_: FORGED).__code__\n"
)


def manifest(**more: object) -> str:
    """A module that has the instance describe itself as something else."""
    given = {"name": "Hostile", "methods": {}, "urls": [], "doc": "", "line": 1, **more}
    return f"import json\njson.FORGED = json.dumps({{'ok': True, 'manifest': {given!r}}})" + FORGE + TWIST


REFUSED = {
    "a loop": "while True: pass" + TWIST,
    "a loop in C": "sum(range(10**12))" + TWIST,
    "a loop in the class": "class Hostile(Twist):\n    while True: pass\n",
    "a loop in a metaclass": "class M(type(Twist)):\n    def __new__(*a):\n        while True: pass\nclass Hostile(Twist, metaclass=M): pass\n",
    "a loop in build": "class Hostile(Twist):\n    def build(self, build):\n        while True: pass\n",
    "a loop in __init__": "class Hostile(Twist):\n    def __init__(self):\n        while True: pass\n",
    "a loop in a property": "class Hostile(Twist):\n    async def go(self): pass\n    @property\n    def tools(self):\n        while True: pass\n    go.__wrapped__ = go\n",
    "memory": "x = []\nwhile True: x.append(bytes(10**5))" + TWIST,
    "memory in one bite": "x = bytearray(10**9)" + TWIST,
    "exit": "import sys; sys.exit(0)" + TWIST,
    "os._exit": "import os; os._exit(0)" + TWIST,
    "abort": "import os; os.abort()" + TWIST,
    "recursion": "def f(): f()\nf()" + TWIST,
    "deep source": "x = " + "(" * 5000 + ")" * 5000 + TWIST,
    "deep source, many minus signs": "x = " + "-" * 100_000 + "1" + TWIST,
    "a source of zeros": "\x00" * 100 + TWIST,
    "half a surrogate pair": "x = '\ud800'" + TWIST,
    "a coding line": "# coding: idna\nx = 1\nraise ValueError" + TWIST,
    "requests at module level": 'import wit_world.imports.host as host\nhost.call(\'{"requests":[[1,"store.clear_all",[],1]]}\')'
    + TWIST,
    "requests in build": 'import wit_world.imports.host as host\nclass Hostile(Twist):\n    def build(self, build):\n        host.call(\'{"requests":[],"timeout":0}\')\n',
    "waiting at module level": "import time\ntime.sleep(5)" + TWIST,
    "a fetch at module level": "import asyncio\nasyncio.run(fetch('https://a.com/'))" + TWIST,
    "an exception with a hostile text": "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E"
    + TWIST,
    "an exception of markup": "raise type('<script>', (Exception,), {})('<script>\\x1b[2J' * 10**6)" + TWIST,
    "a name that is none": "Hostile = type('no name', (Twist,), {})",
    "a name of markup": "Hostile = type('<script>pwned()</script>', (Twist,), {})",
    "a name of nothing": "Hostile = type('', (Twist,), {})",
    "a name of half a surrogate pair": "Hostile = type('\\ud800', (Twist,), {})",
    "a name that changes": "class M(type(Twist)):\n    __name__ = property(lambda c: 5)\nclass Hostile(Twist, metaclass=M): pass\n",
    **{
        f"a method named {what}": f"async def f(self): pass\nclass Hostile(Twist): pass\nsetattr(Hostile, {name!r}, f)\n"
        for what, name in {
            "markup": "<script>",
            "nothing": "",
            "a path": "a.b",
            "an escape": "\x1b[2J",
            "half a pair": "\ud800",
        }.items()
    },
    "a method named without end": "async def f(self): pass\nclass Hostile(Twist): pass\nsetattr(Hostile, 'x' * 10**5, f)\n",
    "a description of hostile methods": manifest(
        methods={"<script>pwned()</script>": {"line": 1, "required": 0, "maximum": 0}}
    ),
    "urls that are none": "class Hostile(Twist):\n    def build(self, build): return {'n': build(Network, urls=['javascript:x', 5, None])}\n",
    "urls without end": "class Hostile(Twist):\n    def build(self, build):\n        def f():\n            while True: yield 'https://a.com'\n        return {'n': build(Network, urls=f())}\n",
    "no Twist left": "Twist = object\nclass Hostile(Twist): pass\n",
    "a class that says it is a Twist": "class M(type):\n    def __subclasscheck__(c, o): return True\nclass Hostile(metaclass=M): pass\n",
    "a description of nothing": "import json\njson.FORGED = ''" + FORGE + TWIST,
    "a description too deep": "import json\njson.FORGED = '[' * 200_000" + FORGE + TWIST,
    "a description of 13 MiB": "import json\njson.FORGED = 'x' * (13 * 2**20)" + FORGE + TWIST,
    "a description with another name": manifest(name="<script>pwned()"),
    "a description with a name of a number": manifest(name=5),
    "a description of methods that are none": manifest(methods=5),
    "a description of URLs that are none": manifest(urls=["javascript:pwned()"]),
    "a description of an error": "import json\njson.FORGED = json.dumps({'ok': False, 'error': {'type': 'E' * 10**6, 'message': '<script>' * 10**5, 'line': 3, 'traceback': 't' * 10**6}})"
    + FORGE
    + TWIST,
    "a description of an error beyond all lines": 'import json\njson.FORGED = \'{"ok":false,"error":{"type":"E","message":"","line":1\' + \'0\' * 40 + \'}}\''
    + FORGE
    + TWIST,
}

DEPLOYED = {
    "5,000 methods": "class Hostile(Twist):\n    pass\nfor n in range(5000):\n    async def f(self): pass\n    setattr(Hostile, f'm{n}', f)\n",
    "methods named like the handle's own": "class Hostile(Twist):\n"
    + "".join(
        f"    async def {name}(self, *a): return 'went'\n"
        for name in ("name", "version", "dump", "load", "executions", "tasks", "go")
    ),
    "attributes that answer to any name": "class M(type(Twist)):\n    def __getattr__(cls, name): return f\nasync def f(self, *a): return 'went'\nclass Hostile(Twist, metaclass=M):\n    def __getattr__(self, name): return f\n    async def go(self): return 'went'\n",
    "attributes that all exit": "class Evil:\n    def __get__(self, *a): raise SystemExit\n    def __set_name__(self, *a): pass\nclass Hostile(Twist):\n    x = Evil()\n    async def go(self): return 'went'\n",
    "a doc of markup": "class Hostile(Twist):\n    '<script>pwned()</script>\\x1b[2J'\n    async def go(self):\n        '<script>pwned()</script>'\n        return 'went'\n",
    "a doc without end": "class Hostile(Twist):\n    __doc__ = 'x' * 10**6\n    async def go(self): return 'went'\n    go.__doc__ = 'y' * 10**6\n",
    "signatures that lie": "import inspect\nclass Hostile(Twist):\n    async def go(self): return 'went'\nHostile.go.__signature__ = inspect.Signature([inspect.Parameter('self', inspect.Parameter.POSITIONAL_ONLY)])\nHostile.go.__text_signature__ = '(' * 1000\n",
    "builtins replaced": "import builtins\nbuiltins.open = builtins.__import__ = builtins.print = None\nclass Hostile(Twist):\n    async def go(self): return 'went'\n",
    "output at module level": "print('<script>pwned()</script>\\x1b[2J' * 10**5)" + TWIST,
    "a description of methods beyond all numbers": manifest(
        methods={
            "a": {
                "line": 10**30,
                "required": -5,
                "maximum": 10**30,
                "names": ["<b>"] * 1000,
                "doc": "d" * 10**5,
            },
            "go": {"line": 1, "required": 0, "maximum": 0},
        }
    ),
}


@pytest.mark.rule("10.8", "10.39")
@pytest.mark.parametrize("source", REFUSED.values(), ids=list(REFUSED))
def test_it_is_not_deployed_and_the_old_version_stays(siege: Siege, source: str) -> None:
    with pytest.raises(DeployError) as caught:
        siege.wait(siege.runtime.deploy(source, "refused"))
    said = str(caught.value)
    assert said.startswith("not deployed")
    assert SECRET not in said + caught.value.detail
    assert len(said) + len(caught.value.detail) < 100_000
    unharmed(siege)


@pytest.mark.parametrize("source", DEPLOYED.values(), ids=list(DEPLOYED))
def test_it_is_deployed_and_harms_nobody(siege: Siege, source: str, request: pytest.FixtureRequest) -> None:
    twist = siege.wait(siege.runtime.deploy(source, request.node.callspec.id))
    assert len(repr(twist)) < 10_000
    bundle = twist._repr_mimebundle_()
    assert "<script>" not in bundle.get("text/html", "")
    assert "\x1b" not in bundle["text/plain"]
    dir(twist)
    if "go" in twist._instance.version.methods:
        run = siege.wait(twist.call("go"))
        assert run.outcome in {"ok", "error"}
        siege.check_picture(run)
        siege.check_meter(Tables(run, twist))
    with pytest.raises(MethodNotFound) as caught:
        siege.wait(twist.call("no such method"))
    assert len(str(caught.value)) < 10_000
    unharmed(siege)


def unharmed(siege: Siege) -> None:
    siege.check_next(siege.innocent)
    siege.check_host()
    assert not list(traces()), PWNED
