"""The API that a twist is written with: inside a sandbox, and refused outside of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from plot_nb.twist import Network, Twist, Uuid, fetch, now
from plot_nb.twist.network import Headers, Response
from tests.sandbox.host import Execution, Host
from tests.sandbox.test_requests import twist


def operations(execution: Execution) -> list[list[Any]]:
    """Operation and arguments of every request that crossed."""
    return [request[1:3] for frame in execution.crossings for request in frame["requests"]]


class Sample(Twist):
    async def go(self) -> None: ...


@pytest.mark.parametrize(
    "use",
    [
        lambda: Sample().get("a"),
        lambda: Sample().log,
        lambda: Sample().options,
        lambda: fetch("https://example.com/"),
        now,
        Uuid.generate,
    ],
)
def test_outside_of_a_sandbox_the_api_says_where_it_works(use: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="only inside a sandbox"):
        use()


def test_other_missing_attributes_of_a_twist_are_ordinary() -> None:
    with pytest.raises(AttributeError, match="'Sample' object has no attribute 'nothing'"):
        _ = Sample().nothing


def test_values_come_back_as_they_were_stored(host: Host) -> None:
    body = """
        stamp = now()
        await self.set("a", {"n": 1, "when": stamp, "set": {1, 2}, "none": None})
        value = await self.get("a")
        return value == {"n": 1, "when": stamp, "set": {1, 2}, "none": None}, await self.get("missing")
    """
    assert host.run(twist(body)).value == [True, None]


@pytest.mark.rule("4.8")
def test_every_store_operation_is_one_request(host: Host) -> None:
    body = """
        await self.set_many({"b": 2, "a": 1, "p:x": 3})
        seen = [
            list((await self.get_many(["b", "no", "a"])).items()),
            await self.tools.store.list("p:"),
            list((await self.list_entries()).items()),
        ]
        await self.clear("a")
        await self.clear_many(["b"])
        seen.append(await self.tools.store.list())
        await self.clear_all()
        return seen + [await self.tools.store.list()]
    """
    done = host.run(twist(body))
    assert done.value == [
        [["b", 2], ["no", None], ["a", 1]],
        ["p:x"],
        [["a", 1], ["b", 2], ["p:x", 3]],
        ["p:x"],
        [],
    ]
    assert [operation for operation, _ in operations(done)] == [
        "store.set_many",
        "store.get_many",
        "store.list",
        "store.list_entries",
        "store.clear",
        "store.clear_many",
        "store.list",
        "store.clear_all",
        "store.list",
    ]


@pytest.mark.rule("4.12", "5.5", "5.6", "5.19", "5.20", "6.7")
@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("self.get(5)", "TypeError", "a key of the Store is a str, not int"),
        ("self.get('é' * 600)", "ValueError", "1200 bytes"),
        ("self.get('k' * 1025)", "ValueError", "1025 bytes"),
        ("self.set('k', 'x' * 2**20)", "ValueError", "for key 'k' is 1048587 bytes"),
        ("self.set('k', self.go)", "TypeError", "callback"),
        ("self.set('k', {'a': [object()]})", "TypeError", "a"),
        ("self.set_many(['k'])", "TypeError", "dict"),
        ("self.get_many('key')", "TypeError", "['key']"),
        ("self.callback('missing')", "ValueError", "no method 'missing'"),
        ("self.callback('get')", "ValueError", "async def"),
        ("self.callback('_private')", "ValueError", "underscore"),
        ("self.callback(print)", "TypeError", "self.method"),
        ("self.callback(lambda: 1)", "TypeError", "self.method"),
        ("self.run_task(self.callback(self.go))", "TypeError", "await self.callback"),
        ("self.run(5)", "TypeError", "not int"),
        ("fetch('https://a/', body='x', json=1)", "TypeError", "not both"),
        ("fetch('https://a/', body={})", "TypeError", "json="),
        ("fetch('https://a/', headers={'a': 1})", "TypeError", "header"),
        ("fetch('https://a/', timeout=0)", "ValueError", "positive"),
        ("fetch('https://a/', timeout=float('nan'))", "ValueError", "positive"),
        ("fetch('https://a/', body=b'x' * (8 * 2**20 + 1))", "ValueError", "8388608"),
        ("self.tools.network", "AttributeError", "there are callbacks, store, tasks"),
    ],
)
def test_a_wrong_argument_is_an_error_at_the_call(host: Host, body: str, error: str, message: str) -> None:
    head = "import asyncio\n"
    done = host.run(twist(f"x = 1\n{body}", head) + "\n    async def _private(self): ...")
    assert (done.error["type"], done.error["line"]) == (error, 7)
    assert message in done.error["message"]
    assert not done.crossings


@pytest.mark.rule("4.9")
def test_a_callback_takes_a_method_or_its_name(host: Host) -> None:
    source = twist(
        "return await self.callback(self.go, 1, x_y()) == await self.callback('go', 1, [2])",
        "x_y = lambda: [2]",
    )
    done = host.run(source)
    assert done.value is True
    assert operations(done)[0] == ["callbacks.create", ["go", '{"json":[1,[2]]}']]


@pytest.mark.rule("6.6")
def test_run_gives_call_time_arguments_first_in_the_same_execution(host: Host) -> None:
    source = (
        twist("return await self.run(await self.callback(self.add, 'stored'), 'given')")
        + "\n    async def add(self, *args):\n        await self.set('seen', args)\n        return args"
    )
    done = host.run(source)
    assert done.value == ["given", "stored"]
    assert [operation for operation, _ in operations(done)] == [
        "callbacks.create",
        "callbacks.resolve",
        "store.set",
    ]


def test_run_can_be_gathered_like_any_request(host: Host) -> None:
    source = (
        twist(
            "cb = await self.callback(self.twice)\nreturn await asyncio.gather(self.run(cb, 1), self.run(cb, 2))"
        )
        + "\n    async def twice(self, x):\n        await self.get('a')\n        return 2 * x"
    )
    assert host.run(source).value == [2, 4]


def test_tools_and_shortcuts_are_the_same_requests(host: Host) -> None:
    body = """
        cb = await self.tools.callbacks.create(self.go)
        await self.tools.tasks.run(cb)
        await self.run_task(cb)
        await self.tools.callbacks.delete(cb)
        await self.delete_callback(cb)
        await self.tools.callbacks.delete_all()
        await self.delete_all_callbacks()
    """
    assert [operation for operation, _ in operations(host.run(twist(body)))] == [
        "callbacks.create",
        "tasks.run",
        "tasks.run",
        "callbacks.delete",
        "callbacks.delete",
        "callbacks.delete_all",
        "callbacks.delete_all",
    ]


@pytest.mark.rule("4.10")
def test_fetch_sends_what_it_is_told(host: Host) -> None:
    body = """
        from datetime import timedelta
        response = await fetch(
            Url("https://a.example/x"), "post", headers={"X-A": "1"}, json={"b": [1]}, timeout=timedelta(seconds=2)
        )
        assert response.ok and response.status == 200 and response.headers["content-TYPE"] == "application/json"
        return await response.json()
    """
    assert host.run(twist(body)).value == [
        "https://a.example/x",
        "POST",
        [["X-A", "1"], ["content-type", "application/json"]],
        '{"b": [1]}',
        "utf-8",
        2.0,
    ]


def test_binary_and_long_bodies_cross_as_base64(host: Host) -> None:
    body = "return [(await (await fetch('https://a/', body=b)).json())[3:5] for b in (b'\\xff', 'é' * 70_000, 'é')]"
    binary, long, short = host.run(twist(body)).value
    assert binary == ["/w==", "base64"]
    assert long[1] == "base64"
    assert short == ["é", "utf-8"]


@pytest.mark.rule("4.2")
def test_a_twist_builds_its_tools(host: Host) -> None:
    source = twist("return type(self.tools.net).__name__, list(self.tools)") + (
        "\n    def build(self, build): return {'net': build(Network, urls=[self.options['url']])}"
    )
    done = host.run(source, options={"url": "https://a/*"})
    assert done.value == ["Network", ["store", "callbacks", "tasks", "net"]]


def test_uuids_are_uuids_and_cost_nothing(host: Host) -> None:
    done = host.run(twist("import uuid; return [str(uuid.UUID(Uuid.generate())) for _ in range(3)]"))
    assert len(set(done.value)) == 3
    assert not done.crossings


def test_a_request_shows_what_it_is(host: Host) -> None:
    body = "request = self.get('a')\ntext = repr(request)\nawait request\nreturn text"
    assert host.run(twist(body)).value == "<request store.get('a') of line 5>"


async def _all(response: Response) -> tuple[bytes, str]:
    return await response.bytes(), await response.text()


def test_a_response_is_read_in_its_charset() -> None:

    answer: dict[str, Any] = {
        "status": 404,
        "url": "u",
        "headers": [["Content-Type", "text/plain; charset=latin-1"]],
    }
    latin = Response(answer | {"body": "6Q==", "encoding": "base64"})
    assert asyncio.run(_all(latin)) == (b"\xe9", "é")
    assert not latin.ok
    assert asyncio.run(_all(Response(answer | {"body": "é", "encoding": "utf-8"}))) == ("é".encode(), "é")
    answer["headers"] = [["content-type", "x; charset=nope"]]
    odd = Response(answer | {"body": "/w==", "encoding": "base64"})
    assert asyncio.run(odd.text()) == "\N{REPLACEMENT CHARACTER}"


def test_headers_ignore_case_and_join_repeats() -> None:
    headers = Headers([("Set-Cookie", "a"), ("set-cookie", "b"), ("X", "1")])
    assert headers["SET-COOKIE"] == "a, b"
    assert headers.get_all("Set-Cookie") == ["a", "b"]
    assert "x" in headers
    assert len(headers) == 2


def test_network_wants_a_list_of_patterns() -> None:
    with pytest.raises(TypeError, match="list of patterns"):
        Network(Sample(), urls="https://a/*")
