"""SPEC 2: nothing but the Store outlives an execution."""

from __future__ import annotations

import pytest

from plot_nb import Runtime
from tests.runtime.twists import methods, on_runtime

KEEP = {
    "an attribute of self": ("self.token = 'abc'", "return getattr(self, 'token', None)"),
    "a class attribute": ("Sync.token = 'abc'", "return getattr(Sync, 'token', None)"),
    "a module global": ("global token; token = 'abc'", "return globals().get('token')"),
    "a mutable global": ("cache['token'] = 'abc'", "return cache.get('token')"),
    "a builtin": (
        "import builtins; builtins.sum = lambda _: 'abc'",
        "return None if sum([2]) == 2 else 'kept'",
    ),
    "sys.modules": (
        "import sys; sys.modules['kept'] = sys",
        "import sys; return 'kept' if 'kept' in sys.modules else None",
    ),
    "a patched library": (
        "import json; json.token = 'abc'",
        "import json; return getattr(json, 'token', None)",
    ),
    "the twist API": ("Twist.token = 'abc'", "return getattr(Twist, 'token', None)"),
    "the environment": (
        "import os; os.environ['token'] = 'abc'",
        "import os; return os.environ.get('token')",
    ),
}


@pytest.mark.rule("2.1", "2.2")
@pytest.mark.parametrize(("write", "read"), KEEP.values(), ids=KEEP)
def test_what_is_set_in_one_execution_is_gone_in_the_next(write: str, read: str) -> None:
    async def work(runtime: Runtime) -> tuple[object, object]:
        body = f"async def write(self):\n    {write}\n    {read}\nasync def read(self):\n    {read}\n"
        twist = await runtime.deploy(methods(body, head="cache = {}"))
        values = []
        for _ in range(3):  # every worker has prepared its next instance by then
            first = await twist.call("write")
            assert first.ok, first.error
            assert first.value is not None
            values.append((await twist.call("read")).value)
        return first.value, values

    assert on_runtime(work)[1] == [None, None, None]


def test_the_store_remembers() -> None:
    async def work(runtime: Runtime) -> object:
        twist = await runtime.deploy(
            methods(
                "async def w(self): await self.set('t', 'abc')\nasync def r(self): return await self.get('t')"
            )
        )
        await twist.w()
        return (await twist.r()).value

    assert on_runtime(work) == "abc"
