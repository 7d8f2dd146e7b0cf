"""Recursion without end and bytecode that no compiler makes: at worst the sandbox dies, and only it."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import pytest

from tests.escape.siege import Attack, Siege

FORGED = """
import types, dis
def forged(code, *, consts=(None,), names=(), stack=0, flags=3, locals=()):
    return types.FunctionType(types.CodeType(0, 0, 0, len(locals), stack, flags, bytes(code), consts, names, locals,
                                             "pwned", "pwned", "pwned", 1, b"", b"", (), ()), globals())
op = dis.opmap
"""

ATTACKS = [
    Attack(
        "bytecode that pops an empty stack",
        "forged([op['RESUME'], 0, *[op['POP_TOP'], 0] * 5000, op['RETURN_VALUE'], 0])()",
        "crashed error over_memory over_cpu ok",
        head=FORGED,
    ),
    Attack(
        "bytecode with constants out of range",
        "forged([op['RESUME'], 0, op['LOAD_CONST'], 255, op['RETURN_VALUE'], 0], stack=2)()",
        "crashed error over_memory over_cpu ok",
        head=FORGED,
    ),
    Attack(
        "bytecode with locals out of range",
        "forged([op['RESUME'], 0, *[op['LOAD_FAST'], 200] * 20, op['CALL'], 200, op['RETURN_VALUE'], 0], stack=300)()",
        "crashed error over_memory over_cpu ok",
        head=FORGED,
    ),
    Attack(
        "bytecode that jumps out",
        "forged([op['RESUME'], 0, op['EXTENDED_ARG'], 255, op['EXTENDED_ARG'], 255, op['JUMP_FORWARD'], 255])()",
        "crashed error over_memory over_cpu ok",
        head=FORGED,
    ),
    Attack(
        "bytecode of unknown instructions",
        "for code in range(256):\n    forged([op['RESUME'], 0, code, 7, code, 200, op['RETURN_VALUE'], 0], stack=4)()",
        "crashed error over_memory over_cpu ok",
        head=FORGED,
    ),
    Attack(
        "bytecode that makes an object of an address",
        """
        code = [op["RESUME"], 0]
        for n in range(200):
            code += [op["LOAD_FAST"], n, op["STORE_FAST"], 255 - n]
        forged([*code, op["LOAD_FAST"], 250, op["RETURN_VALUE"], 0], stack=100, locals=("a",) * 1)().__class__.__name__
        """,
        "crashed error over_memory over_cpu ok",
        head=FORGED,
    ),
    Attack(
        "code that is marshalled by hand",
        "import marshal\nfor n in range(2000):\n    try:\n        exec(marshal.loads(b'\\xe3' + random.randbytes(60)))\n    except (ValueError, EOFError, TypeError, SystemError):\n        pass",
        "ok crashed error over_memory over_cpu",
    ),
    Attack(
        "a function's code is exchanged while it runs",
        """
        g = (i for i in range(3))
        next(g)
        g.gi_frame.f_locals.clear() if hasattr(g.gi_frame.f_locals, "clear") else None
        return [await f(), f()]
        """,
        value=[1, 0],
        head="""
        async def f():
            f.__code__ = (lambda: 0).__code__
            await asyncio.sleep(0)
            return 1
        """,
    ),
    Attack("recursion in Python", "def f(): return f()\nf()", "error", says="RecursionError"),
    Attack(
        "recursion through await",
        "async def f(): return await f()\nawait f()",
        "error",
        says="RecursionError",
    ),
    Attack(
        "recursion through generators",
        "def f():\n    yield from f()\nlist(f())",
        "error",
        says="RecursionError",
    ),
    Attack(
        "recursion through attributes",
        "class A:\n    def __getattr__(self, name): return getattr(self, name + 'x')\nA().x",
        "error over_memory over_cpu",
    ),
    Attack(
        "recursion without a limit",
        "sys.setrecursionlimit(2**31 - 1)\ndef f(): return f()\nf()",
        "over_memory error crashed",
    ),
    Attack("recursion in repr", "x = []\nfor _ in range(10**5): x = [x]\nrepr(x)", "error crashed"),
    Attack("recursion in comparing", "a, b = [], []\na.append(b); b.append(a)\na == b", "error crashed"),
    Attack("recursion in hashing", "x = ()\nfor _ in range(3 * 10**5): x = (x,)\nhash(x)", "error crashed"),
    Attack("recursion in freeing", "x = None\nfor _ in range(3 * 10**5): x = (x,)\ndel x", "ok crashed"),
    Attack("recursion in json", "json.loads('[' * 10**6)", "error crashed"),
    Attack("recursion in ast", "import ast\nast.parse('-' * 10**5 + '1')", "error crashed over_memory"),
    Attack(
        "recursion in the compiler",
        "x = '1'\ncompile('(' * 10**5 + ')' * 10**5, 'x', 'eval')",
        "error crashed over_memory",
    ),
    Attack(
        "recursion in literal_eval",
        "import ast\nast.literal_eval('[' * 150 + ']' * 150); eval('+'.join(['1'] * 10**5))",
        "error crashed over_memory",
    ),
    Attack(
        "recursion in pickle",
        "import pickle\nx = []\nfor _ in range(10**5): x = [x]\npickle.loads(pickle.dumps(x))",
        "error crashed",
    ),
    Attack(
        "recursion in pickle, forged",
        "import pickle\npickle.loads(b'(' * 10**6 + b'cos\\n_exit\\n(I0\\ntR.')",
        "error crashed over_memory",
    ),
    Attack("recursion in re", "import re\nre.compile('(' * 10**4 + ')' * 10**4)", "error crashed"),
    Attack(
        "recursion in copy",
        "import copy\nx = []\nfor _ in range(10**5): x = [x]\ncopy.deepcopy(x)",
        "error crashed",
    ),
    Attack(
        "recursion in isinstance",
        "x = ()\nfor _ in range(10**5): x = (x,)\nisinstance(1, x)",
        "ok error crashed",
    ),
    Attack(
        "recursion in iterators",
        "x = iter([1])\nfor _ in range(2 * 10**5): x = map(int, x)\nnext(x)",
        "error crashed over_memory",
    ),
    Attack(
        "recursion in what is stored",
        "x = []\nfor _ in range(10**5): x = [x]\nawait self.set('a', x)",
        "error",
        says="ValueError",
        requests=None,
    ),
    Attack(
        "recursion in what is returned",
        "x = {}\nfor _ in range(10**5): x = {'a': x}\nreturn x",
        "error",
        says="ValueError",
    ),
    Attack(
        "recursion in causes",
        "e = None\nfor _ in range(10**4):\n    n = ValueError('x'); n.__cause__ = e; e = n\nraise e",
        "error crashed",
    ),
    Attack(
        "recursion in groups",
        "e = ValueError('x')\nfor _ in range(2000): e = ExceptionGroup('g', [e])\nraise e",
        "error crashed",
    ),
]


@pytest.mark.rule("2.19")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_interpreter_may_die_and_nothing_else(siege: Siege, attack: Attack) -> None:
    siege.endure(attack)
