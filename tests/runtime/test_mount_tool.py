"""SPEC 4: an object of the notebook's, called by twists."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from plot_nb import DeployError, Limits, Runtime
from tests.runtime.twists import Called, line_of, methods, on_runtime

HEAD = """
import asyncio
from plot_nb.twist import superjson
from plot_nb.twist.request import Request
def geo(method, *args, **kwargs):
    return Request("geo." + method, [superjson.dumps(list(args)), superjson.dumps(kwargs)], superjson.loads)
"""


class Geo:
    """What a user might mount."""

    home = "Berlin"

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.asked, self.cancelled = threading.Event(), threading.Event()

    def locate(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append((args, kwargs, threading.current_thread().name))
        return [list(args), kwargs]

    async def find(self, name: str) -> Any:
        self.calls.append(threading.current_thread().name)
        await asyncio.sleep(0)
        return {"name": name, "when": datetime(2026, 1, 1, tzinfo=UTC), "tags": {1, 2}}

    def later(self) -> Any:
        return self.find("later")

    @property
    def secret(self) -> Any:
        raise AssertionError("nobody asks a property")

    def _hidden(self) -> str:
        return "hidden"

    @staticmethod
    def stat(number: int) -> int:
        return number + 1

    def raises(self, kind: str) -> None:
        raise RAISED[kind]

    def unfit(self) -> Any:
        return {"a": [1, {"b": object()}]}

    def large(self) -> str:
        return "x" * (9 * 2**20)

    async def never(self) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


class Odd(Exception):
    """None that a twist could know."""


RAISED: dict[str, BaseException] = {
    "ValueError": ValueError("a value"),
    "KeyError": KeyError("k"),
    "PermissionError": PermissionError("no"),
    "Odd": Odd("it is odd"),
    "StopIteration": StopIteration("over"),
    "MemoryError": MemoryError("full"),
    "SystemExit": SystemExit("away"),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "UnicodeDecodeError": UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    "surrogate": RuntimeError("\ud800"),
}


def mounted(body: str, *args: Any, tool: object = None, **settings: Any) -> Called:
    """Call a method of a twist that can use a mounted tool."""

    async def work(runtime: Runtime) -> Called:
        runtime.mount_tool("geo", tool if tool is not None else Geo())
        twist = await runtime.deploy(methods(body, head=HEAD))
        return Called(await twist.call("go", *args), twist)

    return on_runtime(work, **settings)


@pytest.mark.rule("4.35", "3.6")
def test_a_mounted_tool_is_called_with_values_and_gives_values_for_one_request_each() -> None:
    result = mounted(
        """
        async def go(self, *args):
            geo = self.tools.geo
            first = await geo.locate(*args, key={"a": UNDEFINED is None})
            found = await geo.find("x")
            return [first, found, await geo.stat(1), (await geo.later())["name"]]
        """,
        datetime(2026, 2, 2, tzinfo=UTC),
        {1: "map"},
    )
    first = [[datetime(2026, 2, 2, tzinfo=UTC), {1: "map"}], {"key": {"a": False}}]
    found = {"name": "x", "when": datetime(2026, 1, 1, tzinfo=UTC), "tags": {1, 2}}
    assert result.value == [first, found, 2, "later"]
    assert result.requests[["tool", "operation"]].values.tolist() == [
        ["geo", "locate"],
        ["geo", "find"],
        ["geo", "stat"],
        ["geo", "later"],
    ]
    assert result.requests["detail"].tolist()[1:3] == ['"x"', "1"]
    assert result.requests["duration_ms"].tolist() == [5.0] * 4
    assert result.executions["requests"].tolist() == [4]


def test_a_call_beyond_the_budget_is_not_performed() -> None:
    tool = Geo()
    result = mounted(
        """
        async def go(self):
            for n in range(5):
                await geo("locate", n)
        """,
        tool=tool,
        limits=Limits(requests=3),
    )
    assert result.outcome == "over_requests"
    assert "geo.locate" in str(result.error)
    assert [args for args, *_ in tool.calls] == [(0,), (1,), (2,)]


def test_sync_methods_run_in_a_thread_and_async_ones_on_the_engine_s() -> None:
    tool = Geo()
    mounted('async def go(self):\n    await geo("locate")\n    await geo("find", "x")\n', tool=tool)
    (_, _, thread), engine = tool.calls
    assert engine == "plot_nb engine"
    assert thread not in {engine, threading.current_thread().name}


@pytest.mark.rule("4.36")
@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("ValueError", "ValueError: a value"),
        ("PermissionError", "PermissionError: no"),
        ("KeyError", "KeyError: k"),
        ("Odd", "RuntimeError: Odd: it is odd"),
        ("StopIteration", "RuntimeError: StopIteration: over"),
        ("MemoryError", "RuntimeError: MemoryError: full"),
        ("SystemExit", "RuntimeError: SystemExit: away"),
        ("KeyboardInterrupt", "RuntimeError: KeyboardInterrupt"),
        ("UnicodeDecodeError", "RuntimeError: UnicodeDecodeError: "),
        ("surrogate", "RuntimeError: \\ud800"),
    ],
)
def test_what_a_method_raises_is_raised_in_the_twist_at_its_line(kind: str, shown: str) -> None:
    body = """
    async def go(self, kind):
        await self.tools.geo.raises(kind)
    """
    result = mounted(body, kind)
    assert str(result.error).startswith(shown.replace("KeyError: k", "KeyError: 'k'"))
    assert str(result.requests["error"].iloc[0]).startswith(shown)
    assert result.line == line_of(methods(body, head=HEAD), "geo.raises(kind)")
    assert "test_mount_tool" not in str(result.traceback)


@pytest.mark.parametrize(
    "name", ["nosuch", "_hidden", "secret", "home", "calls", "__init__", "__class__", ""]
)
@pytest.mark.rule("4.38")
def test_only_public_methods_can_be_called(name: str) -> None:
    result = mounted(
        """
        async def go(self, name):
            await geo(name)
        """,
        name,
    )
    assert str(result.requests["error"].iloc[0]).startswith("AttributeError: the tool 'geo' has no method")


def test_a_result_that_superjson_does_not_have_is_a_type_error_that_names_the_path() -> None:
    result = mounted('async def go(self): await geo("unfit")')
    assert str(result.error).startswith("TypeError: geo.unfit().a[1].b")


def test_a_result_that_is_too_large_is_refused() -> None:
    result = mounted('async def go(self): await geo("large")')
    assert "geo.large() returned" in str(result.error)


@pytest.mark.parametrize(
    "arguments",
    [
        "[]",
        '["a"]',
        '["[1]", "{}"]',
        "[1, 2]",
        """['{"json":5}', '{"json":{}}']""",
        """['{"json":[]}', '{"json":[]}']""",
    ],
)
def test_arguments_that_are_none_are_refused_and_call_nothing(arguments: str) -> None:
    tool = Geo()
    result = mounted(f'async def go(self): await Request("geo.locate", {arguments})', tool=tool)
    assert result.outcome == "error"
    assert tool.calls == []


def test_a_call_ends_with_the_attempt_that_made_it() -> None:
    body = """
    async def go(self):
        async def wait():
            await geo("never")
        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0.001)
        raise ValueError("enough")
    """

    async def work(runtime: Runtime) -> None:
        tool = Geo()
        runtime.mount_tool("geo", tool)
        twist: Any = await runtime.deploy(methods(body, head=HEAD))
        run = await twist.go()
        assert run.error == "ValueError: enough"
        assert run.requests["error"].tolist() == ["abandoned: the method ended before the answer came"]
        assert await asyncio.to_thread(tool.cancelled.wait, 20)

    on_runtime(work)


def test_stop_ends_a_call_that_never_answers() -> None:
    async def work(runtime: Runtime) -> None:
        tool = Geo()
        runtime.mount_tool("geo", tool)
        twist: Any = await runtime.deploy(methods('async def go(self): await geo("never")', head=HEAD))
        call = asyncio.ensure_future(twist.go())
        assert await asyncio.to_thread(tool.asked.wait, 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert twist.executions["outcome"].tolist() == ["cancelled"]
        assert await asyncio.to_thread(tool.cancelled.wait, 20)

    on_runtime(work)


class Slow:
    """Answers in the order opposite to that of the asking."""

    def __init__(self) -> None:
        self.second = threading.Event()

    def first(self) -> str:
        assert self.second.wait(20)
        return "first"

    def then(self) -> str:
        self.second.set()
        return "then"


def test_the_clock_waits_for_the_real_answer_and_the_order_does_not_depend_on_it() -> None:
    result = mounted(
        """
        async def go(self):
            order = []
            async def ask(what, how):
                await how
                order.append([what, now()])
            await asyncio.gather(
                ask("first", geo("first")), ask("store", self.get("a")), ask("then", geo("then")),
                ask("sleep", asyncio.sleep(0.1)),
            )
            return order
        """,
        tool=Slow(),
    )
    assert [what for what, _ in result.value] == ["first", "then", "store", "sleep"]
    moments = [moment for _, moment in result.value]
    assert moments[0] == moments[1] == moments[2]
    assert result.requests["duration_ms"].tolist() == [5.0] * 3
    assert moments[3] - moments[0] >= timedelta(milliseconds=94)


@pytest.mark.rule("4.35")
@pytest.mark.parametrize(
    ("name", "tool", "error"),
    [
        ("store", Geo(), ValueError),
        ("network", Geo(), ValueError),
        ("plot", Geo(), ValueError),
        ("_geo", Geo(), ValueError),
        ("class", Geo(), ValueError),
        ("a.b", Geo(), ValueError),
        ("", Geo(), ValueError),
        (5, Geo(), TypeError),
        ("geo", SimpleNamespace(a=1, _b=print), ValueError),
        ("geo", None, ValueError),
    ],
)
def test_a_name_that_no_tool_can_have_is_refused(name: Any, tool: object, error: type[Exception]) -> None:
    async def work(runtime: Runtime) -> None:
        with pytest.raises(error):
            runtime.mount_tool(name, tool)

    on_runtime(work)


def test_a_name_that_is_mounted_again_is_the_new_object_s() -> None:
    async def work(runtime: Runtime) -> None:
        runtime.mount_tool("geo", SimpleNamespace(which=lambda: "old"))
        twist: Any = await runtime.deploy(methods('async def go(self): return await geo("which")', head=HEAD))
        assert (await twist.go()).value == "old"
        runtime.mount_tool("geo", SimpleNamespace(which=lambda: "new"))
        assert (await twist.go()).value == "new"

    on_runtime(work)


def test_a_tool_that_nobody_mounted_is_no_operation() -> None:
    async def work(runtime: Runtime) -> None:
        twist: Any = await runtime.deploy(methods('async def go(self): return await geo("which")', head=HEAD))
        assert "there is no operation 'geo.which'" in str((await twist.go()).error)

    on_runtime(work)


def test_a_tool_may_use_the_runtime_itself() -> None:
    async def work(runtime: Runtime) -> None:
        class Poster:
            def from_a_thread(self, url: str) -> Any:
                return runtime.wait(runtime.post_webhook(url)).text

            async def from_the_loop(self, url: str) -> Any:
                return (await runtime.post_webhook(url)).text

        runtime.mount_tool("geo", Poster())
        body = """
        async def hook(self):
            return await Request("network.create_webhook", ["on_event", '{"json":[]}', True])
        async def on_event(self, request):
            return str(await self.get("nothing"))
        async def go(self, method, url):
            return await geo(method, url)
        """
        twist: Any = await runtime.deploy(methods(body, head=HEAD))
        url = (await twist.hook()).value
        for method in ("from_a_thread", "from_the_loop"):
            run = await twist.go(method, url)
            assert (run.outcome, run.value) == ("ok", "None")
            # It waited for the webhook: 20 ms to start, and one request.
            assert run.requests["duration_ms"].tolist() == [25.0]

    on_runtime(work)


@pytest.mark.rule("10.10")
def test_a_twist_cannot_give_the_name_of_a_mounted_tool_to_its_own() -> None:
    async def work(runtime: Runtime) -> None:
        runtime.mount_tool("geo", Geo())
        with pytest.raises(DeployError, match="'geo' is taken: a tool of that name is mounted"):
            await runtime.deploy(methods("def build(self, build): return {'geo': build(Network, urls=[])}"))

    on_runtime(work)


@pytest.mark.rule("4.35")
def test_on_the_real_clock_a_call_takes_what_it_takes() -> None:
    result = mounted("async def go(self): return await self.tools.geo.find('x')", clock="real")
    assert result.value["name"] == "x"
