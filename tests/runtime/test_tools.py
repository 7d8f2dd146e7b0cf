"""SPEC 4: tools of the user's own, each with a Store, callbacks and tasks of its own."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import DeployError, MethodNotFound, Runtime
from tests.runtime.twists import called, line_of, methods, on_runtime

CALENDAR = """
class Auth(Tool):
    async def token(self):
        await self.set("token", self.options["account"])
        return self.options["account"]

class Calendar(Tool):
    def build(self, build):
        return {"auth": build(Auth, account=self.options["account"])}
    async def keep(self, value):
        await self.set("key", value)
        await self.tools.auth.token()
    async def kept(self):
        return await self.get("key")
    async def sync(self, count):
        await self.run_task(await self.callback(self.sync_page, count))
    async def sync_page(self, left):
        await self.set(f"page:{left}", left)
        if left:
            await self.run_task(await self.callback("sync_page", left - 1))
    async def each(self, token):
        return [await self.run(token, item) for item in ("a", "b")]
    async def schedule(self, key):
        await self.schedule_task(key, await self.callback(self.sync_page, 0), now() + timedelta(hours=1))
"""

BUILT = """
def build(self, build):
    return {"work": build(Calendar, account="w"), "home": build(Calendar, account="h")}
"""


def stored(body: str, *args: Any, head: str = CALENDAR, **settings: Any) -> Any:
    """Call `go` of a twist with two calendars."""
    return called(
        BUILT + textwrap.dedent(body), *args, head="from datetime import timedelta\n" + head, **settings
    )


@pytest.mark.rule("4.21", "4.24", "4.25")
def test_each_tool_has_a_store_of_its_own_also_two_of_a_class() -> None:
    body = """
    async def go(self):
        await self.set("key", "twist's")
        await self.tools.work.keep("work's")
        await self.tools.home.keep("home's")
        return [await self.get("key"), await self.tools.work.kept(), await self.tools.home.kept()]
    """
    done = stored(body)
    assert done.value == ["twist's", "work's", "home's"]
    assert done.store == {
        "key": "twist's",
        "__tool__:work:key": "work's",
        "__tool__:work.auth:token": "w",
        "__tool__:home:key": "home's",
        "__tool__:home.auth:token": "h",
    }


@pytest.mark.rule("4.21")
def test_what_clears_or_lists_a_store_does_so_for_one_tool() -> None:
    body = """
    async def go(self):
        await self.set("key", 1)
        await self.tools.work.keep(2)
        await self.tools.home.keep(3)
        await self.tools.work.clear_all()
        return [list(await self.list_entries()), await self.tools.home.tools.store.list()]
    """
    done = stored(body)
    assert done.value == [["key"], ["key"]]
    assert sorted(done.store) == [
        "__tool__:home.auth:token",
        "__tool__:home:key",
        "__tool__:work.auth:token",
        "key",
    ]


@pytest.mark.rule("3.18", "4.22", "4.23", "4.24")
def test_a_task_of_a_tool_runs_its_method_in_its_scope() -> None:
    done = stored("async def go(self):\n    await self.tools.work.sync(2)")
    assert done.executions["method"].tolist() == ["go", *["work.sync_page"] * 3]
    assert done.store == {f"__tool__:work:page:{left}": left for left in range(3)}
    assert done.executions["requests"].tolist() == [2, 3, 3, 1]
    source = methods(BUILT, head="from datetime import timedelta\n" + CALENDAR)
    writes = done.requests[done.requests["operation"] == "set"]
    assert set(writes["line"]) == {line_of(source, 'f"page:{left}"')}
    assert writes["detail"].tolist() == [f"__tool__:work:page:{left}" for left in (2, 1, 0)]


@pytest.mark.rule("4.22", "6.6")
def test_a_tool_runs_a_callback_that_the_twist_handed_it() -> None:
    body = """
    async def go(self):
        return await self.tools.work.each(await self.callback(self.on_item, "extra"))
    async def on_item(self, item, extra):
        await self.set(item, extra)
        return item + extra
    """
    done = stored(body)
    assert done.value == ["aextra", "bextra"]
    assert done.store == {"a": "extra", "b": "extra"}
    assert done.executions["requests"].tolist() == [5]


@pytest.mark.rule("4.22")
def test_callbacks_of_a_tool_are_its_own() -> None:
    body = """
    async def go(self):
        own = await self.callback(self.go)
        other = await self.tools.work.callback(self.tools.work.kept)
        try:
            await self.callback("kept")
        except ValueError as error:
            print(error)
        try:
            await self.callback(self.tools.work.kept)
        except TypeError as error:
            print(error)
        await self.tools.work.delete_all_callbacks()
        await self.run_task(own) if await self.get("again") else await self.set("again", True)
        await self.run(other)
    """
    done = stored(body)
    assert done.error.startswith("CallbackDeleted: this callback of 'work.kept' was deleted")
    texts = done.texts("print")
    assert "Sync has no method 'kept'" in texts[0]
    assert "a method of this Sync" in texts[1]


@pytest.mark.rule("4.23", "7.28")
def test_schedule_keys_of_a_tool_are_its_own() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def go(self):
            for calendar in (self.tools.work, self.tools.home, self.tools.home):
                await calendar.schedule("sync")
            await self.schedule_task("sync", await self.callback(self.mine), now() + timedelta(hours=1))
            await self.tools.home.cancel_all_tasks()
        async def mine(self):
            await self.set("ran", True)
        """
        head = "from datetime import timedelta\n" + CALENDAR
        twist = await runtime.deploy(methods(BUILT + textwrap.dedent(body), head=head))
        (await twist.call("go")).raise_for_outcome()
        tasks = twist.tasks
        waiting = tasks[tasks["state"] == "queued"]
        assert waiting[["method", "key"]].values.tolist() == [
            ["work.sync_page", "__tool__:work:sync"],
            ["mine", "sync"],
        ]
        run = await runtime.advance(timedelta(hours=2))
        assert run.executions["method"].tolist() == ["work.sync_page", "mine"]
        assert run.executions["outcome"].tolist() == ["ok", "ok"]

    on_runtime(work)


@pytest.mark.rule("4.26")
def test_a_twist_cannot_name_a_tools_key() -> None:
    body = """
    async def go(self):
        await self.set("__tool__:work:key", 1)
    """
    assert "__tool__:" in str(stored(body).error)


@pytest.mark.rule("4.23", "4.26")
@pytest.mark.parametrize(
    "request_of",
    [
        "cancel_scheduled_task(key)",
        "schedule_task(key, token, now() + timedelta(hours=2))",
        "schedule_recurring(key, token, every=timedelta(hours=2))",
    ],
)
def test_a_twist_cannot_name_a_tools_schedule_key(request_of: str) -> None:
    body = f"""
    async def go(self):
        await self.tools.work.schedule("daily")
        key, token = "__tool__:work:daily", await self.callback(self.go)
        await self.{request_of}
    """
    done = stored(body)
    assert "those of the twist's tools" in str(done.error)
    assert done.tasks[["method", "state"]].values.tolist() == [["work.sync_page", "queued"]]


@pytest.mark.rule("4.2", "4.25")
def test_a_tool_has_its_own_init_options_and_log() -> None:
    head = """
    class Counter(Tool):
        def __init__(self):
            self.step = self.options["step"]
            self.names = list(self.tools)
        async def count(self):
            self.log.info("counting by", self.step)
            return [self.step, self.names, dict(self.options)]
    """
    body = """
    def build(self, build):
        return {"counter": build(Counter, step=self.options.get("step", 3))}
    async def go(self):
        return await self.tools.counter.count()
    """
    done = called(body, head=head)
    assert done.value == [3, ["store", "callbacks", "tasks"], {"step": 3}]
    assert done.texts("info") == ["counting by 3"]


def test_an_option_of_a_tool_may_have_any_name() -> None:
    head = """
    class Shed(Tool):
        async def held(self):
            return dict(self.options)
    """
    body = """
    def build(self, build):
        return {"shed": build(Shed, tool="hammer", self=1)}
    async def go(self):
        return await self.tools.shed.held()
    """
    assert called(body, head=head).value == {"tool": "hammer", "self": 1}


@pytest.mark.rule("9.35")
def test_what_a_tool_may_fetch_is_declared_where_it_builds_its_network() -> None:
    head = """
    class Api(Tool):
        def build(self, build):
            return {"network": build(Network, urls=["https://api.example/*"])}
    """
    body = """
    def build(self, build):
        return {"api": build(Api)}
    async def go(self):
        await fetch("https://other.example/")
    """
    assert "https://api.example/*" in str(called(body, head=head).error)


TOOL = "class Thing(Tool):\n    pass\n"


@pytest.mark.rule("4.2", "4.3", "10.10")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("return {'a b': build(Thing)}", "a tool's name is a Python name"),
        ("return {'_a': build(Thing)}", "a tool's name is a Python name"),
        ("return {'class': build(Thing)}", "a tool's name is a Python name"),
        ("return {5: build(Thing)}", "returned a tool as 5"),
        ("return {'tasks': build(Thing)}", "'tasks' is taken"),
        ("thing = build(Thing); return {'a': thing, 'b': thing}", "one Thing as 'a' and 'b'"),
        ("return {'a': Thing()}", "its build(...) did not make: return build(Thing)"),
        ("return {'a': Thing}", "returned the class Thing as 'a': return build(Thing)"),
        ("return {'a': 5}", "returned int as 'a'"),
        ("return {'a': build(dict)}", "and classes of yours that extend Tool, not 'dict'"),
        ("return {'a': build('Thing')}", "not a str"),
        ("return {'a': build(Sync)}", "not 'Sync'"),
        ("return {'a': build(Tool)}", "build() makes Network"),
        ("return build(Thing)", "a dict of tools by name, not Thing"),
    ],
)
def test_what_build_cannot_make_or_return_is_not_deployed(build: str, message: str) -> None:
    async def work(runtime: Runtime) -> None:
        with pytest.raises(DeployError) as caught:
            await runtime.deploy(methods(f"def build(self, build):\n    {build}", head=TOOL))
        assert message in str(caught.value)

    on_runtime(work)


def test_a_tool_that_build_did_not_return_says_that_it_has_no_place() -> None:
    body = """
    def build(self, build):
        self.thing = build(Thing)
        return {}
    async def go(self):
        await self.thing.get("a")
    """
    assert "Thing has no name yet" in str(called(body, head=TOOL).error)


def test_a_tool_given_to_another_keeps_its_own_scope() -> None:
    head = """
    class Auth(Tool):
        async def token(self):
            await self.set("token", 1)
    class Api(Tool):
        async def use(self):
            await self.options["auth"].token()
    """
    body = """
    def build(self, build):
        auth = build(Auth)
        return {"auth": auth, "api": build(Api, auth=auth)}
    async def go(self):
        await self.tools.api.use()
    """
    assert called(body, head=head).store == {"__tool__:auth:token": 1}


def test_only_methods_that_an_event_can_run_are_known() -> None:
    async def work(runtime: Runtime) -> None:
        head = """
        class Thing(Tool):
            async def pre_activate(self): ...
            async def post_sync(self): ...
            async def _private(self): ...
            def plain(self): ...
        """
        body = """
        def build(self, build):
            return {"thing": build(Thing)}
        async def go(self): ...
        """
        twist = await runtime.deploy(methods(body, head=head))
        with pytest.raises(MethodNotFound, match=r"it has go, thing\.post_sync"):
            await twist.call("thing.pre_activate")
        with pytest.raises(MethodNotFound):
            await twist.call("thing.__drain__")
        assert (await twist.call("thing.post_sync")).ok

    on_runtime(work)
