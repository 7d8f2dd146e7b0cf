"""SPEC 10: what runs when a twist is activated, upgraded or deactivated, and in which order."""

from __future__ import annotations

import pytest

from plot_nb import Runtime, TwistHandle
from tests.runtime.twists import line_of, methods, on_runtime

HEAD = """
class Noting(Tool):
    async def note(self, what):
        await self.set("event", what)
    async def pre_activate(self, context):
        await self.note(f"pre_activate {sorted(context)}")
    async def post_activate(self):
        await self.note("post_activate")
    async def pre_upgrade(self):
        await self.note("pre_upgrade")
    async def post_upgrade(self):
        await self.note("post_upgrade")
    async def pre_deactivate(self):
        await self.note("pre_deactivate")
    async def post_deactivate(self):
        await self.note("post_deactivate")

class Upper(Noting):
    def build(self, build):
        return {"deep": build(Noting)}
"""

BODY = """
def build(self, build):
    return {"a": build(Upper), "b": build(Upper)}
async def activate(self, *context):
    await self.set("event", f"activate {len(context)}")
async def upgrade(self):
    await self.set("event", "upgrade")
async def deactivate(self):
    await self.set("event", "deactivate")
"""


def events(twist: TwistHandle) -> list[str]:
    """What was noted, with the tool that did it, in order."""
    history = twist.store_history
    return [
        f"{key.removeprefix('__tool__:')} {value}"
        for key, value in zip(history["key"], history["value"], strict=True)
    ]


def in_order(pre: str, own: str, post: str) -> list[str]:
    """The order of rule 10.4 for the twist above."""
    return [
        *(f"{tool}:event {pre}" for tool in ("a.deep", "b.deep", "a", "b")),
        f"event {own}",
        *(f"{tool}:event {post}" for tool in ("b", "a", "b.deep", "a.deep")),
    ]


@pytest.mark.rule("4.4", "10.1", "10.2", "10.4", "10.5", "10.6")
def test_tools_come_before_the_twist_deepest_first_and_after_it_from_the_top_down() -> None:
    async def work(runtime: Runtime) -> None:
        source = methods(BODY, head=HEAD)
        twist = await runtime.deploy(source)
        seen = in_order("pre_activate ['instance', 'version']", "activate 1", "post_activate")
        assert events(twist) == seen
        twist = await runtime.deploy(source + "\n# changed")
        seen += in_order("pre_upgrade", "upgrade", "post_upgrade")
        assert events(twist) == seen
        run = await twist.deactivate()
        assert events(twist) == seen + in_order("pre_deactivate", "deactivate", "post_deactivate")
        assert run.executions["method"].tolist() == ["deactivate"]
        assert twist.executions["requests"].tolist() == [9, 9, 9]

    on_runtime(work)


@pytest.mark.rule("10.4")
def test_a_step_that_only_a_tool_has_methods_for_runs_too() -> None:
    async def work(runtime: Runtime) -> None:
        head = """
        class Thing(Tool):
            async def post_activate(self, context=None, more="none"):
                await self.set("seen", [context is not None, more])
        """
        body = """
        def build(self, build):
            return {"thing": build(Thing)}
        """
        twist = await runtime.deploy(methods(body, head=head))
        assert twist.executions[["method", "cause", "outcome"]].values.tolist() == [
            ["activate", "lifecycle", "ok"]
        ]
        assert twist.store["value"].tolist() == [[True, "none"]]
        assert (await twist.deactivate()).executions.empty

    on_runtime(work)


@pytest.mark.rule("10.4", "10.11")
def test_a_tool_that_fails_before_the_twist_ends_the_step() -> None:
    async def work(runtime: Runtime) -> None:
        head = """
        class Thing(Tool):
            async def pre_activate(self):
                raise ValueError("no account")
            async def post_activate(self):
                await self.set("after", True)
        """
        body = """
        def build(self, build):
            return {"thing": build(Thing)}
        async def activate(self):
            await self.set("activated", True)
        """
        source = methods(body, head=head)
        twist = await runtime.deploy(source)
        failed = twist.executions.iloc[0]
        assert (failed["outcome"], failed["error"]) == ("error", "ValueError: no account")
        assert failed["line"] == line_of(source, "no account")
        assert twist.store.empty

    on_runtime(work)


@pytest.mark.rule("4.4", "10.35")
def test_changed_options_are_told_to_the_twist_alone() -> None:
    async def work(runtime: Runtime) -> None:
        head = """
        class Thing(Tool):
            async def pre_on_options_changed(self): raise ValueError("never")
            async def on_options_changed(self, old, new): raise ValueError("never")
        """
        body = """
        def build(self, build):
            return {"thing": build(Thing)}
        async def on_options_changed(self, old, new):
            await self.set("changed", [old, new])
        """
        source = methods(body, head=head)
        await runtime.deploy(source, options={"a": 1})
        twist = await runtime.deploy(source, options={"a": 2})
        assert twist.executions[["method", "outcome"]].values.tolist() == [["on_options_changed", "ok"]]
        assert twist.store["key"].tolist() == ["changed"]

    on_runtime(work)
