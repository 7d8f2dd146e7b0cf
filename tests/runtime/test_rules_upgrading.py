"""docs/runtime.md, section 10: what an upgrade says before it takes effect, and what changed options set off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from plot_nb import DeployError, Runtime
from tests.runtime.twists import methods, on_runtime

HEAD = "from datetime import timedelta"
BEFORE = methods(
    """
    async def go(self):
        later = now() + timedelta(hours=1)
        await self.schedule_task("kept", await self.callback(self.kept), later)
        await self.schedule_task("renamed", await self.callback(self.renamed), later)
        await self.schedule_recurring("narrowed", await self.callback(self.narrowed, 1), every=timedelta(hours=2))
        await self.run_task(await self.callback(self.widened, 1), run_at=later)
        await self.set("token", await self.callback(self.stored))
        await self.callback(self.unheld)
    async def kept(self): return "old"
    async def renamed(self): pass
    async def narrowed(self, a): pass
    async def widened(self, a): pass
    async def stored(self): pass
    async def unheld(self): pass
    """,
    head=HEAD,
)
AFTER = methods(
    """
    async def kept(self, more=None): return "new"
    async def narrowed(self): pass
    async def widened(self, a, b): pass
    """,
    head=HEAD,
)


def waiting(work: Any) -> Any:
    """Run `work` with a twist whose callbacks wait in tasks, schedules and its Store."""

    async def deployed(runtime: Runtime) -> Any:
        twist = await runtime.deploy(BEFORE)
        assert (await twist.go()).ok
        return await work(runtime, twist)

    return on_runtime(deployed)


@pytest.mark.rule("10.16", "10.17", "10.18", "10.19")
def test_an_upgrade_can_be_checked_and_deploys_nothing() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        report = await runtime.check_upgrade(AFTER)
        assert report is not None
        assert {(each.method, each.problem) for each in report.broken} == {
            ("renamed", "gone"),
            ("narrowed", "arity"),
            ("widened", "arity"),
        }
        assert {each.key for each in report.broken} == {"renamed", "narrowed", None}
        assert [(each.holder, each.method, each.problem) for each in report.may_run] == [
            ("token", "stored", "gone")
        ]
        assert "unheld" not in str(report)
        assert (twist.version, (await twist.kept()).value) == (1, "old")

    waiting(work)


@pytest.mark.rule("10.16", "10.17", "10.20")
def test_the_report_comes_before_the_version_and_what_it_says_comes_true() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        seen: list[Any] = []
        await runtime.deploy(AFTER, before=lambda report: seen.append((twist.version, report)))
        [(version, report)] = seen
        assert (version, twist.version, report.ok) == (1, 2, False)
        await runtime.advance(timedelta(hours=3))
        failed = twist.executions.query("outcome == 'error' and attempt == 1")
        assert set(failed["method"]) == {each.method for each in report.broken}
        assert set(twist.executions.query("outcome == 'ok'")["method"]) == {"go", "kept"}

    waiting(work)


@pytest.mark.rule("10.20")
def test_a_callback_that_raises_leaves_the_old_version() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        def refuse(report: Any) -> None:
            raise LookupError(str(report))

        with pytest.raises(LookupError, match="renamed"):
            await runtime.deploy(AFTER, before=refuse)
        assert (twist.version, (await twist.kept()).value) == (1, "old")

    waiting(work)


@pytest.mark.rule("10.19")
def test_what_breaks_nothing_or_changes_nothing_has_no_complaint() -> None:
    async def work(runtime: Runtime, twist: Any) -> None:
        assert await runtime.check_upgrade(BEFORE) is None
        report = await runtime.check_upgrade(BEFORE + "# changed\n")
        assert report is not None
        assert (report.ok, report.broken, report.may_run) == (True, (), ())
        with pytest.raises(DeployError):
            await runtime.check_upgrade("class Sync(Twist):\n    def broken(:\n")

    waiting(work)


@pytest.mark.rule("10.35", "4.4")
def test_changed_options_run_a_method_with_the_old_and_the_new() -> None:
    body = """
    async def on_options_changed(self, old, new):
        await self.set("changed", [old["page"], new["page"], self.options["page"]])
    """

    async def work(runtime: Runtime) -> None:
        source = methods(body)
        twist = await runtime.deploy(source, options={"page": 1})
        await runtime.deploy(source, options={"page": 1})
        assert len(twist.executions) == 0
        await runtime.deploy(source, options={"page": 2})
        assert (twist.version, twist.store["value"].tolist()) == (1, [[1, 2, 2]])
        assert twist.executions[["method", "cause"]].values.tolist() == [["on_options_changed", "lifecycle"]]

    on_runtime(work)
