"""Tools that the host lends to a twist."""

from __future__ import annotations

import pytest

from plot_nb.twist import superjson
from tests.sandbox.host import Host
from tests.sandbox.test_requests import twist
from tests.twist.test_api import operations

MOUNTED = {"mounted": {"search": ["query", "count"]}}


@pytest.mark.rule("4.35")
def test_each_call_of_a_mounted_tool_is_one_request_with_values_both_ways(host: Host) -> None:
    body = """
        found = await self.tools.search.query({1}, limit=[2])
        await self.tools.search.count()
        return found, list(self.tools)
    """
    done = host.run(twist(body), event=MOUNTED)
    assert done.value == [[{1}], ["store", "callbacks", "tasks", "search"]]
    assert operations(done) == [
        ["search.query", [superjson.dumps([{1}]), '{"json":{"limit":[2]}}']],
        ["search.count", ['{"json":[]}', '{"json":{}}']],
    ]


@pytest.mark.rule("4.35")
@pytest.mark.parametrize("method", ["urls", "can_be_built"])
def test_a_method_may_have_any_public_name(host: Host, method: str) -> None:
    done = host.run(twist(f"await self.tools.search.{method}()"), event={"mounted": {"search": [method]}})
    assert operations(done) == [[f"search.{method}", ['{"json":[]}', '{"json":{}}']]]


@pytest.mark.rule("4.35")
def test_a_tool_of_the_twists_reaches_it_too(host: Host) -> None:
    source = (
        "class Find(Tool):\n    async def all(self):\n        await self.tools.search.query('x')\n"
        + twist("await self.tools.find.all()")
        + "\n    def build(self, build): return {'find': build(Find)}"
    )
    done = host.run(source, event=MOUNTED)
    assert operations(done) == [["search.query", ['{"json":["x"]}', '{"json":{}}']]]


@pytest.mark.rule("4.35", "4.38")
@pytest.mark.parametrize(
    ("body", "build", "message"),
    [
        (
            "self.tools.search.find()",
            "",
            "AttributeError: the mounted tool 'search' has no method 'find': it has count, query",
        ),
        ("self.tools.search.query(print)", "", "TypeError"),
        (
            "",
            "{'search': build(Network)}",
            "ValueError: the tool name 'search' is taken: a tool of that name is mounted",
        ),
    ],
)
def test_what_it_does_not_have_is_said(host: Host, body: str, build: str, message: str) -> None:
    source = twist(body or "pass") + (f"\n    def build(self, build): return {build}" if build else "")
    done = host.run(source, event=MOUNTED)
    assert message in f"{done.error['type']}: {done.error['message']}"
    assert not done.crossings
