"""What an upgrade breaks is said before it takes effect; changed options are told to the twist."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Runtime
from plot_nb.runtime.upgrading import UpgradeReport
from tests.runtime.twists import methods, on_runtime

HEAD = "from datetime import timedelta"
FIRST = methods(
    """
    async def prepare(self):
        soon = now() + timedelta(hours=1)
        await self.run_task(await self.callback(self.gone, 1), run_at=soon)
        await self.schedule_task("narrow", await self.callback(self.narrow, 1, 2), soon)
        await self.schedule_recurring("fine", await self.callback(self.fine, "x"), every=timedelta(hours=1))
        await self.set("tokens", {"a": await self.callback(self.gone), "b": await self.callback(self.fine)})

    async def gone(self, number=0):
        pass

    async def narrow(self, one, two):
        pass

    async def fine(self, text=""):
        return text
    """,
    head=HEAD,
)
SECOND = methods(
    """
    async def narrow(self, one):
        pass

    async def fine(self, text="", *more):
        return text
    """
)


def rows(report: UpgradeReport) -> set[tuple[Any, ...]]:
    """The callbacks that break."""
    return {
        tuple(row)
        for row in report.frame[["waits", "held_by", "key", "method", "made_by", "problem"]].itertuples(
            index=False
        )
    }


BROKEN = {
    (True, "task", None, "gone", 1, "gone"),
    (True, "schedule", "narrow", "narrow", 1, "arity"),
    (False, "store", None, "gone", 1, "gone"),
}


@pytest.mark.rule("10.20")
def test_before_that_is_no_function_is_refused() -> None:
    async def work(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match="before is a function that takes an UpgradeReport, not 'zz'"):
            await runtime.deploy(SECOND, before="zz")  # type: ignore[arg-type]
        assert runtime.twists() == []

    on_runtime(work)


@pytest.mark.rule("10.16", "10.17", "10.18", "10.20")
def test_an_upgrade_reports_pending_callbacks_by_name_and_arity_before_it_takes_effect() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        (await twist.prepare()).raise_for_outcome()
        seen: list[tuple[int, UpgradeReport]] = []
        again = await runtime.deploy(SECOND, before=lambda report: seen.append((twist.version, report)))
        ((version, report),) = seen
        assert version == 1
        assert again.version == 2
        assert rows(report) == BROKEN
        assert not report.ok
        assert "narrow() takes 1 argument in version 2, it gets 2" in str(report)
        assert "gone" not in repr(again)  # it was told

    on_runtime(work)


@pytest.mark.rule("10.16")
def test_who_was_not_told_sees_it_in_the_handle() -> None:
    async def work(runtime: Runtime) -> None:
        await (await runtime.deploy(FIRST)).prepare()
        assert "method 'gone' is gone" in repr(await runtime.deploy(SECOND))

    on_runtime(work)


@pytest.mark.rule("10.16", "10.17")
def test_what_the_report_names_is_what_fails_afterwards() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.prepare()
        again = await runtime.deploy(SECOND)
        await runtime.advance(timedelta(hours=1, minutes=1))
        ended = again.executions.groupby("method")["outcome"].first()
        assert ended[["gone", "narrow", "fine"]].to_dict() == {
            "gone": "error",
            "narrow": "error",
            "fine": "ok",
        }

    on_runtime(work)


@pytest.mark.rule("10.20")
def test_what_the_check_raises_leaves_the_old_version_in_force() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.prepare()

        def refuse(report: UpgradeReport) -> None:
            raise RuntimeError(str(report))

        with pytest.raises(RuntimeError, match="breaks 2 that wait"):
            await runtime.deploy(SECOND, before=refuse)
        assert twist.version == 1
        assert (await twist.gone()).ok

    on_runtime(work)


@pytest.mark.rule("10.20")
@pytest.mark.parametrize("raises", [True, False])
def test_a_check_may_be_awaited(raises: bool) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.prepare()
        asked: list[str] = []

        async def ask(report: UpgradeReport) -> None:
            await asyncio.sleep(0)
            asked.append(str(report))
            if raises:
                raise RuntimeError("somebody said no")

        if raises:
            with pytest.raises(RuntimeError, match="somebody said no"):
                await runtime.deploy(SECOND, before=ask)
        else:
            await runtime.deploy(SECOND, before=ask)
        assert twist.version == (1 if raises else 2)
        assert "breaks 2 that wait" in "".join(asked)

    on_runtime(work)


@pytest.mark.rule("10.17")
def test_a_keyword_that_no_callback_can_give_is_reported() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def prepare(self):
            later = now() + timedelta(hours=1)
            await self.schedule_task("key", await self.callback(self.later), later)
            await self.schedule_drain("inbox", self.later, ["a"])
            await self.set("token", await self.callback(self.later))

        async def later(self, *given{more}):
            pass
        """
        twist = await runtime.deploy(methods(body.format(more=""), head=HEAD))
        (await twist.prepare()).raise_for_outcome()
        optional = await runtime.check_upgrade(methods(body.format(more=", flag=1"), head=HEAD))
        assert optional is not None
        assert optional.frame.empty
        report = await runtime.check_upgrade(methods(body.format(more=", flag, other"), head=HEAD))
        assert report is not None
        assert rows(report) == {
            (True, "schedule", "key", "later", 1, "arity"),
            (True, "drain", "inbox", "later", 1, "arity"),
            (False, "store", None, "later", 1, "arity"),
        }
        assert "later() needs flag= and other= in version 2, which no callback gives" in str(report)

    on_runtime(work)


@pytest.mark.rule("10.16", "10.17")
def test_a_drain_is_reported_by_its_key_and_handler() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def prepare(self):
            await self.schedule_drain("inbox", self.handle, ["a"])
            await self.schedule_drain("outbox", self.send, ["a"], handler_args=[1])
            await self.tools.deep.prepare()

        async def handle(self, ids):
            pass

        async def send(self, ids, one):
            pass

        def build(self, build):
            return {"deep": build(Deep)}
        """
        head = """
        class Deep(Tool):
            async def prepare(self):
                await self.schedule_drain("a:b", self.handle, ["a"])

            async def handle(self, ids):
                pass
        """
        twist = await runtime.deploy(methods(body, head=head))
        (await twist.prepare()).raise_for_outcome()
        report = await runtime.check_upgrade(methods("async def send(self, ids):\n    pass"))
        assert report is not None
        assert rows(report) == {
            (True, "drain", "inbox", "handle", 1, "gone"),
            (True, "drain", "outbox", "send", 1, "arity"),
            (True, "drain", "a:b", "deep.handle", 1, "gone"),
        }
        assert "drain 'inbox': method 'handle' is gone" in str(report)

    on_runtime(work)


@pytest.mark.rule("10.19")
def test_a_check_deploys_nothing() -> None:
    async def work(runtime: Runtime) -> None:
        assert await runtime.check_upgrade(FIRST) is None
        assert runtime.twists() == []
        twist = await runtime.deploy(FIRST)
        await twist.prepare()
        assert await runtime.check_upgrade(FIRST) is None
        report = await runtime.check_upgrade(SECOND)
        assert report is not None
        assert rows(report) == BROKEN
        assert twist.version == 1

    on_runtime(work)


@pytest.mark.rule("10.18")
def test_an_upgrade_that_breaks_nothing_says_so() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.prepare()
        report = await runtime.check_upgrade(FIRST + "\n# changed\n")
        assert report is not None
        assert report.ok
        assert report.frame.empty
        assert str(report) == "version 2 of Sync breaks nothing that waits"

    on_runtime(work)


@pytest.mark.rule("10.18")
def test_deleted_callbacks_and_cancelled_tasks_break_nothing() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def prepare(self):
            token = await self.callback(self.gone)
            await self.run_task(token, run_at=now() + timedelta(hours=1))
            await self.set("token", token)
            await self.delete_callback(token)
            await self.schedule_task("key", await self.callback(self.gone), now() + timedelta(hours=1))
            await self.cancel_scheduled_task("key")

        async def gone(self):
            pass
        """
        twist = await runtime.deploy(methods(body, head=HEAD))
        (await twist.prepare()).raise_for_outcome()
        report = await runtime.check_upgrade(methods("async def other(self):\n    pass"))
        assert report is not None
        assert report.frame.empty

    on_runtime(work)


@pytest.mark.rule("10.18")
def test_options_do_not_show_in_the_report() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def prepare(self):
            await self.set("k-" + self.options["token"], await self.callback(self.gone))
            later = now() + timedelta(hours=1)
            await self.schedule_task("s-" + self.options["token"], await self.callback(self.gone), later)

        async def gone(self):
            pass
        """
        twist = await runtime.deploy(methods(body, head=HEAD), options={"token": "hunter2hunter2"})
        (await twist.prepare()).raise_for_outcome()
        report = await runtime.check_upgrade(
            methods("async def x(self):\n    pass"), options={"token": "other-one"}
        )
        assert report is not None
        assert len(report.broken) == len(report.may_run) == 1
        assert "hunter2" not in str(report) + repr(report)

    on_runtime(work)


OPTIONS = """
async def activate(self):
    await self.set("calls", ["activate"])

async def upgrade(self):
    await self.set("calls", await self.get("calls") + ["upgrade"])

async def on_options_changed(self, old, new):
    await self.set("calls", await self.get("calls") + [["changed", sorted(old), sorted(new), self.options == new]])

async def leak(self, text):
    print("it is", text)
"""


@pytest.mark.rule("10.35")
def test_changed_options_are_told_with_the_old_and_the_new() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(OPTIONS), options={"a": 1})
        again = await runtime.deploy(methods(OPTIONS), options={"b": 2})
        assert again.version == 1
        assert again._deployed is not None
        assert list(again._deployed.executions["method"]) == ["on_options_changed"]
        assert list(twist.store["value"]) == [["activate", ["changed", ["a"], ["b"], True]]]
        same = await runtime.deploy(methods(OPTIONS), options={"b": 2})
        assert same._deployed is None

    on_runtime(work)


@pytest.mark.rule("10.35")
def test_a_new_version_with_other_options_upgrades_first() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(OPTIONS), options={"a": 1})
        changed = await runtime.deploy(methods(OPTIONS) + "\n# other\n", options={"b": 2})
        assert list(twist.store["value"]) == [["activate", "upgrade", ["changed", ["a"], ["b"], True]]]
        assert changed._deployed is not None
        assert list(changed._deployed.executions["method"]) == ["upgrade", "on_options_changed"]
        assert set(changed._deployed.executions["cause"]) == {"lifecycle"}

    on_runtime(work)


@pytest.mark.rule("10.35")
def test_a_deactivated_twist_is_activated_and_told_of_no_change() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(OPTIONS), options={"a": 1})
        await twist.deactivate()
        await runtime.deploy(methods(OPTIONS), options={"b": 2})
        assert list(twist.store["value"]) == [["activate"]]

    on_runtime(work)


CHOOSING = methods(
    """
    def build(self, build):
        tools = {"network": build(Network, urls=[self.options["url"]])}
        return {**tools, "notes": build(Notes)} if self.options["notes"] else tools

    async def go(self, url):
        return (await fetch(url)).status

    async def remember(self):
        await self.tools.notes.remember()
        return await self.tools.notes.get("remembered")
    """,
    head="""
    class Notes(Tool):
        async def remember(self):
            await self.set("remembered", True)
            await self.run_task(await self.callback(self.remember), now() + timedelta(hours=1))

        async def pre_activate(self, context):
            await self.set("remembered", False)

    from datetime import timedelta
    """,
)
HERE: dict[str, Any] = {"url": "https://here.example.com", "notes": False}
THERE: dict[str, Any] = {"url": "https://there.example.com", "notes": False}


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """An app that says yes to everything."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.rule("10.44")
def test_what_build_makes_of_changed_options_is_in_force(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def check(runtime: Runtime) -> None:
        for options in (HERE, THERE):
            runtime.mount(options["url"], answering)
        (twist,) = runtime.twists()
        assert twist.version == 1
        assert (await twist.go(THERE["url"])).value == 204
        refused = await twist.go(HERE["url"])
        assert str(refused.error).startswith("PermissionError")
        assert (await twist.remember()).value is True

    async def first() -> None:
        async with Runtime(path) as runtime:
            await runtime.deploy(CHOOSING, options=HERE)
            await runtime.deploy(CHOOSING, options={**THERE, "notes": True})
            await check(runtime)

    async def second() -> None:
        async with Runtime(path) as runtime:
            await check(runtime)

    asyncio.run(first())
    asyncio.run(second())


@pytest.mark.rule("10.44")
def test_a_tool_that_changed_options_bring_is_activated_with_its_twist() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHOOSING, options=HERE)
        await twist.deactivate()
        again = await runtime.deploy(CHOOSING, options={**HERE, "notes": True})
        assert again._deployed is not None
        assert list(again._deployed.executions["method"]) == ["activate"]
        assert list(twist.store["key"]) == ["__tool__:notes:remembered"]

    on_runtime(work)


@pytest.mark.rule("10.44", "10.16")
def test_what_changed_options_break_is_reported_before_they_take_effect() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(CHOOSING, options={**HERE, "notes": True})
        (await twist.remember()).raise_for_outcome()
        assert await runtime.check_upgrade(CHOOSING, options={**HERE, "notes": True, "more": 1}) is None
        told: list[UpgradeReport] = []
        again = await runtime.deploy(CHOOSING, options=HERE, before=told.append)
        assert again.version == 1
        (report,) = told
        assert rows(report) == {(True, "task", None, "notes.remember", 1, "gone")}
        assert "version 1 of Sync with these options breaks 1 that wait" in str(report)

    on_runtime(work)


@pytest.mark.rule("4.29")
def test_options_of_earlier_deploys_stay_secret(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def first() -> None:
        async with Runtime(path) as runtime:
            await runtime.deploy(methods(OPTIONS), options={"token": "first-secret"})
            twist = await runtime.deploy(methods(OPTIONS), options={"token": "second-secret"})
            run = await twist.leak("first-secret")
            assert "first-secret" not in str(run.logs["text"].tolist())

    async def second() -> None:
        async with Runtime(path) as runtime:
            run = await runtime.twists()[0].leak("first-secret and second-secret")
            assert [text for text in run.logs["text"] if "it is" in text] == ["it is ••• and •••"]

    asyncio.run(first())
    asyncio.run(second())


@pytest.mark.rule("6.9")
def test_running_a_callback_that_no_longer_fits_names_both_versions() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def keep(self):
            await self.set("token", await self.callback(self.add, 1))

        async def run_it(self, *args):
            return await self.run(await self.get("token"), *args)

        async def add(self, one{more}):
            return one
        """
        twist = await runtime.deploy(methods(body.format(more="")))
        await twist.keep()
        assert (await twist.run_it()).value == 1
        twist = await runtime.deploy(methods(body.format(more=", two, three")))
        failed = await twist.run_it(5)
        assert failed.error == (
            "TypeError: add() missing a required argument: 'three' (version 1 made the callback, version 2 runs)"
        )
        assert failed.line is not None
        assert "self.run(" in methods(body.format(more=", two, three")).splitlines()[failed.line - 1]
        assert (await twist.run_it(5, 6)).value == 5

    on_runtime(work)
