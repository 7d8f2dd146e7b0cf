"""docs/runtime.md, section 4: what a twist's source finds."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from plot_nb import Runtime
from tests.runtime.twists import called, methods, on_runtime

NAMES = "Twist Tool Network Plot Activity ActivityType Note Uuid Url UNDEFINED WebhookRequest fetch now"


@pytest.mark.rule("4.1")
def test_a_twist_is_the_one_class_that_extends_twist() -> None:
    source = """
class Page:
    pass
class Shared(Twist):
    async def go(self): return type(self).__name__
class CalendarSync(Shared):
    pass
"""

    async def work(runtime: Runtime) -> tuple[str, Any]:
        twist = await runtime.deploy(source)
        return twist.name, (await twist.go()).value

    assert on_runtime(work) == ("CalendarSync", "CalendarSync")


@pytest.mark.rule("4.2", "4.3")
def test_tools_are_found_by_their_names_beside_those_that_are_always_there() -> None:
    body = """
    def build(self, build):
        return {"network": build(Network, urls=["https://api.example.com/*"])}
    async def go(self):
        await self.tools.store.set("a", 1)
        await self.tools.tasks.run(await self.tools.callbacks.create(self.other))
        return type(self.tools.network).__name__
    async def other(self):
        await self.set("b", 2)
    """
    result = called(body)
    assert (result.value, result.store) == ("Network", {"a": 1, "b": 2})


@pytest.mark.rule("4.4")
def test_lifecycle_methods_are_optional() -> None:
    async def work(runtime: Runtime) -> None:
        source = "class Sync(Twist):\n    pass\n"
        await runtime.deploy(source, options={"a": 1})
        await runtime.deploy(source, options={"a": 2})
        twist = await runtime.deploy(source + "# changed\n", options={"a": 2})
        await twist.deactivate()
        assert len(twist.executions) == 0

    on_runtime(work)


@pytest.mark.rule("4.4", "2.4")
def test_lifecycle_methods_run_each_at_its_event() -> None:
    body = """
    async def activate(self, context): pass
    async def upgrade(self): pass
    async def deactivate(self): pass
    async def on_options_changed(self, old, new): pass
    """

    async def work(runtime: Runtime) -> None:
        source = methods(body)
        await runtime.deploy(source, options={"a": 1})
        await runtime.deploy(source, options={"a": 2})
        twist = await runtime.deploy(source + "# changed\n", options={"a": 2})
        await twist.deactivate()
        ran = twist.executions
        assert ran["method"].tolist() == ["activate", "on_options_changed", "upgrade", "deactivate"]
        assert (set(ran["outcome"]), set(ran["cause"])) == ({"ok"}, {"lifecycle"})

    on_runtime(work)


@pytest.mark.rule("4.8")
def test_the_shortcuts_are_the_stores_own() -> None:
    body = """
    async def go(self):
        await self.tools.store.set_many({"a": 1, "b": 2, "c": 3})
        found = [await self.get("a"), await self.get_many(["b"])]
        await self.set("d", 4)
        await self.set_many({"e": 5})
        await self.clear("a")
        await self.clear_many(["b"])
        found.append(await self.tools.store.list())
        await self.clear_all()
        return [*found, await self.tools.store.list()]
    """
    assert called(body).value == [1, {"b": 2}, ["c", "d", "e"], []]


async def answering(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/json"), (b"x-page", b"7")]
    await send(
        {"type": "http.response.start", "status": 404 if "no" in scope["path"] else 200, "headers": headers}
    )
    await send({"type": "http.response.body", "body": b'{"n": [1]}'})


@pytest.mark.rule("4.10", "4.11", "9.15")
def test_an_answer_has_its_status_headers_url_and_body_in_three_forms() -> None:
    body = """
    def build(self, build):
        return {"network": build(Network, urls=["https://api.example.com/*"])}
    async def go(self):
        answer = await fetch("https://api.example.com/a?b=1", method="POST", headers={"X-A": "1"}, json=[1], timeout=5)
        lacking = await fetch("https://api.example.com/no")
        return [
            answer.ok, answer.status, answer.headers["X-Page"], answer.url,
            await answer.json(), await answer.text(), list(await answer.bytes())[:3],
            lacking.ok, lacking.status,
        ]
    """

    async def work(runtime: Runtime) -> Any:
        runtime.mount("https://api.example.com", answering)
        run = await (await runtime.deploy(methods(body))).go()
        assert run.ok, run.error
        return run.value

    text = '{"n": [1]}'
    assert on_runtime(work) == [
        *(True, 200, "7", "https://api.example.com/a?b=1"),
        *({"n": [1]}, text, list(text.encode()[:3])),
        *(False, 404),
    ]


@pytest.mark.rule("4.20")
def test_an_id_is_given_once_and_again_on_the_same_seed() -> None:
    async def work(runtime: Runtime) -> list[str]:
        twist = await runtime.deploy(
            methods("async def go(self): return [Uuid.generate() for _ in range(50)]")
        )
        return [each for _ in range(3) for each in (await twist.go()).value]

    ids = on_runtime(work, seed=3)
    assert len({uuid.UUID(each) for each in ids}) == 150
    assert on_runtime(work, seed=3) == ids
    assert not set(on_runtime(work, seed=4)) & set(ids)


@pytest.mark.rule("4.27")
def test_what_is_printed_and_logged_is_in_the_journal_with_level_and_line() -> None:
    body = """
    async def go(self):
        print("a", 1)
        self.log.info("b")
        self.log.warning("c")
        self.log.error("d")
    """
    logs = called(body).logs
    assert logs[["level", "text"]].values.tolist() == [
        ["print", "a 1"],
        ["info", "b"],
        ["warning", "c"],
        ["error", "d"],
    ]
    first = int(logs["line"].iloc[0])
    assert logs["line"].tolist() == [first, first + 1, first + 2, first + 3]


@pytest.mark.rule("4.30")
def test_the_names_of_the_api_need_no_import() -> None:
    result = called(
        f"async def go(self): return [name for name in {NAMES.split()!r} if name not in globals()]"
    )
    assert (result.outcome, result.value) == ("ok", [])


@pytest.mark.rule("4.31")
def test_the_names_of_the_api_can_be_imported_and_are_the_same() -> None:
    head = f"import plot_nb\nfrom plot_nb import {NAMES.replace(' ', ', ')}"
    differ = "getattr(plot_nb, name) is not globals()[name]"
    body = f"async def go(self): return [name for name in {NAMES.split()!r} if {differ}]"
    result = called(body, head=head)
    assert (result.outcome, result.value) == ("ok", [])


@pytest.mark.rule("4.33", "10.37")
def test_a_changed_module_alone_is_a_new_version() -> None:
    source = "import parsing\n" + methods("async def go(self): return parsing.n")

    async def work(runtime: Runtime) -> list[Any]:
        found = []
        for text in ("n = 1", "n = 1", "n = 2"):
            twist = await runtime.deploy(source, modules={"parsing": text})
            found.append((twist.version, (await twist.go()).value))
        return found

    assert on_runtime(work) == [(1, 1), (1, 1), (2, 2)]


@pytest.mark.rule("4.28")
def test_options_stay_those_of_the_last_deploy(tmp_path: Any) -> None:
    source = methods("async def go(self): return dict(self.options)")

    async def main() -> list[Any]:
        async with Runtime(tmp_path / "state.db") as runtime:
            before = (await (await runtime.deploy(source, options={"page": 10})).go()).value
            after = (await (await runtime.deploy(source, options={"page": 20, "more": True})).go()).value
        async with Runtime(tmp_path / "state.db") as runtime:
            [twist] = runtime.twists()
            return [before, after, (await twist.go()).value]

    assert asyncio.run(main()) == [{"page": 10}, {"page": 20, "more": True}, {"page": 20, "more": True}]
