"""SPEC 10: who is suspended runs nothing, and how that ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import ExecutionFailed, Limits, Prices, Run, Runtime, TwistHandle, TwistInactive
from tests.runtime.twists import methods, on_runtime

ENFORCED = {"limits": Limits(rate="enforce")}
DEAR = {**ENFORCED, "prices": Prices(execution=1.5)}
"""The fourth execution in four hours takes a twist over its five dollars."""

HEAD = "from datetime import timedelta"
BODY = """
async def go(self, left):
    await self.set("left", left)
    if left > 1:
        await self.run_task(await self.callback(self.go, left - 1))
async def tick(self):
    await self.set("ticks", (await self.get("ticks") or 0) + 1)
async def start(self, minutes):
    await self.schedule_recurring("tick", await self.callback(self.tick), every=timedelta(minutes=minutes))
async def upgrade(self):
    await self.set("upgraded", True)
async def deactivate(self):
    await self.set("deactivated", True)
"""
FIRST = methods(BODY, head=HEAD)
SECOND = FIRST + "\n# changed\n"


def stored(twist: TwistHandle) -> dict[str, Any]:
    return dict(zip(twist.store["key"], twist.store["value"], strict=True))


def states(twist: TwistHandle) -> list[str]:
    return list(twist.tasks["state"])


def system(run: Run) -> list[str]:
    return list(run.logs.loc[run.logs["level"] == "system", "text"])


@pytest.mark.rule("10.21", "10.28", "10.29")
def test_the_task_that_would_be_the_201st_does_not_begin_and_stays_queued() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        run = await twist.go(250)
        assert run.outcome == "ok"
        assert len(run.executions) == 200
        assert states(twist) == ["done"] * 199 + ["queued"]
        assert run.paused is not None
        assert "one more would be 201 executions in 5 minutes (at most 200)" in run.paused
        assert "when a new version is deployed, or with `await rt.resume(twist)`" in run.paused
        (said,) = run.logs.loc[run.logs["text"].str.startswith("suspended: "), "execution"]
        assert said == twist.tasks["execution"].iloc[-1]
        assert "Paused. Sync is suspended" in run._repr_mimebundle_()["text/plain"]

    on_runtime(work, **ENFORCED)


@pytest.mark.rule("10.28", "10.29", "11.7")
def test_a_call_of_a_suspended_twist_ends_suspended_and_runs_nothing() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(250)
        run = await twist.tick()
        assert run.outcome == "suspended"
        assert not run.ok
        assert run.error is not None
        assert "await rt.resume(twist)" in run.error
        assert len(run.executions) == 0
        assert [text for text in system(run) if text.startswith("suspended: ")]
        with pytest.raises(ExecutionFailed, match="ended suspended"):
            run.raise_for_outcome()
        assert "ticks" not in stored(twist)

    on_runtime(work, **ENFORCED)


@pytest.mark.rule("10.21", "10.28", "11.7")
def test_the_call_that_would_be_the_201st_ends_suspended() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(200)
        run = await twist.tick()
        assert run.outcome == "suspended"
        assert "201 executions in 5 minutes" in str(run.error)
        assert len(run.executions) == 0

    on_runtime(work, **ENFORCED)


@pytest.mark.rule("10.23", "10.26", "10.28")
def test_a_twist_that_has_spent_too_much_is_suspended_when_the_execution_has_ended() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        run = await twist.go(9)
        assert len(run.executions) == 4
        assert run.paused is not None
        assert "more than $5.00 in 4 hours was spent" in run.paused
        await runtime.advance(timedelta(hours=5))
        assert (await twist.tick()).outcome == "suspended", "it does not end by itself"

    on_runtime(work, **DEAR)


@pytest.mark.rule("10.29", "10.31", "10.41")
def test_resume_runs_what_waited_and_counts_anew() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(250)
        run = await runtime.resume(twist)
        assert len(run.executions) == 50
        assert run.paused is None
        assert stored(twist)["left"] == 1
        assert runtime.rates(twist)["used"].iloc[0] == 50
        assert (await twist.go(150)).paused is None
        assert (await twist.tick()).outcome == "suspended"

    on_runtime(work, **ENFORCED)


@pytest.mark.rule("10.30", "10.41")
def test_a_new_version_ends_a_suspension_for_a_rate_and_its_upgrade_runs() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(9)
        await runtime.deploy(FIRST)
        assert (await twist.tick()).outcome == "suspended", "an unchanged source is no new version"
        await runtime.deploy(SECOND)
        assert stored(twist)["upgraded"] is True
        assert runtime.rates(twist)["used"].iloc[2] == pytest.approx(1.5, abs=0.01)
        run = await runtime.run_until_idle()
        assert len(run.executions) == 3, "and the fourth that is counted, with the upgrade, is one too many"
        assert stored(twist)["left"] == 3

    on_runtime(work, **DEAR)


@pytest.mark.rule("10.29", "10.32")
def test_a_user_suspends_a_twist_and_nothing_of_it_runs_but_time_passes() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        other = await runtime.deploy(FIRST, instance="other")
        for each in (twist, other):
            await each.start(10)
        await runtime.suspend(twist)
        began = runtime.now
        run = await runtime.advance(timedelta(hours=1))
        assert runtime.now - began >= timedelta(hours=1)
        assert run.paused is not None
        assert "rt.suspend" in run.paused
        assert set(run.executions["instance"]) == {"other"}
        assert (await twist.tick()).outcome == "suspended"
        assert states(twist) == ["queued"]
        assert "ticks" not in stored(twist)
        assert (await runtime.run_until_idle(timedelta(hours=1))).paused is not None

    on_runtime(work)


@pytest.mark.rule("10.31", "10.32", "7.33")
def test_a_recurring_task_goes_on_in_its_cadence_after_a_suspension() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.start(10)
        first_due = twist.tasks["run_at"].iloc[0]
        await runtime.suspend(twist)
        await runtime.advance(timedelta(minutes=35))
        run = await runtime.resume(twist)
        assert run.executions["method"].tolist() == ["tick"], "what was missed meanwhile is left out"
        assert twist.tasks["run_at"].iloc[-1] - first_due == timedelta(minutes=30)
        await runtime.advance(timedelta(minutes=20))
        assert stored(twist)["ticks"] == 3

    on_runtime(work)


@pytest.mark.rule("10.32", "10.42")
def test_a_suspension_by_the_user_outlasts_deploys_and_the_upgrade_runs_when_it_ends() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await runtime.suspend(twist)
        await runtime.deploy(SECOND)
        assert twist.version == 2
        assert "upgraded" not in stored(twist)
        assert (await twist.tick()).outcome == "suspended"
        run = await runtime.resume(twist)
        assert run.executions["method"].tolist() == ["upgrade"]
        assert (await twist.tick()).ok

    on_runtime(work)


@pytest.mark.rule("10.32")
def test_a_rate_that_was_exceeded_before_a_user_suspends_is_the_users_suspension() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(9)
        await runtime.suspend(twist)
        await runtime.deploy(SECOND)
        assert (await twist.tick()).outcome == "suspended"

    on_runtime(work, **DEAR)


@pytest.mark.rule("10.29", "10.38", "10.42")
@pytest.mark.parametrize("upgraded", [False, True])
def test_a_suspended_twist_can_be_deactivated(upgraded: bool) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.start(10)
        await runtime.suspend(twist)
        if upgraded:
            await runtime.deploy(SECOND)
        run = await twist.deactivate()
        assert run.ok
        assert stored(twist) == {"deactivated": True}
        assert states(twist) == ["cancelled"]
        with pytest.raises(TwistInactive):
            await twist.tick()

    on_runtime(work)


@pytest.mark.rule("10.29", "10.38")
def test_a_twist_over_its_rate_can_be_deactivated() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(200)
        assert (await twist.deactivate()).ok
        assert stored(twist)["deactivated"] is True

    on_runtime(work, **ENFORCED)


@pytest.mark.rule("10.36")
@pytest.mark.parametrize("by", ["user", "rate"])
def test_a_suspension_survives_a_restart(tmp_path: Path, by: str) -> None:
    async def first(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(9 if by == "rate" else 1)
        if by == "user":
            await runtime.suspend(twist)

    async def second(runtime: Runtime) -> None:
        (twist,) = runtime.twists()
        assert (await twist.tick()).outcome == "suspended"
        assert (await runtime.run_until_idle()).executions.empty
        await runtime.resume(twist)

    async def third(runtime: Runtime) -> None:
        (twist,) = runtime.twists()
        assert (await twist.tick()).ok, "what was before the resumption counts no more"

    on_runtime(first, path=tmp_path / "state.db", **DEAR)
    on_runtime(second, path=tmp_path / "state.db", **({**DEAR, "prices": Prices(execution=0.5)}))
    on_runtime(third, path=tmp_path / "state.db", **DEAR)


@pytest.mark.rule("10.30", "10.32", "10.36")
@pytest.mark.parametrize(("by", "outcome"), [("user", "suspended"), ("rate", "ok")])
def test_what_a_deploy_makes_of_a_suspension_survives_a_restart(
    tmp_path: Path, by: str, outcome: str
) -> None:
    async def first(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        await twist.go(9 if by == "rate" else 1)
        if by == "user":
            await runtime.suspend(twist)
        await runtime.deploy(SECOND)

    async def second(runtime: Runtime) -> None:
        (twist,) = runtime.twists()
        assert (await twist.tick()).outcome == outcome

    for work in (first, second):
        on_runtime(work, path=tmp_path / "state.db", **DEAR)


@pytest.mark.rule("10.29", "11.7")
def test_calls_that_wait_behind_others_are_told_when_their_twist_is_suspended() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        runs = await asyncio.gather(*(twist.tick() for _ in range(6)))
        assert [run.outcome for run in runs] == ["ok"] * 4 + ["suspended"] * 2

    on_runtime(work, **DEAR)


@pytest.mark.rule("10.29", "10.32")
def test_what_runs_when_a_user_suspends_comes_to_its_end_and_no_more_begins() -> None:
    body = """
    async def go(self):
        await self.run_task(await self.callback(self.after))
        await fetch("https://api.example.com/")
        await self.set("went", True)
    async def after(self):
        await self.set("after", True)
    def build(self, build):
        return {"network": build(Network, urls=["https://api.example.com"])}
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await runtime.suspend(twist)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        runtime.mount("https://api.example.com", app)
        run = await twist.go()
        assert run.ok
        assert run.paused is not None
        assert stored(twist) == {"went": True}
        await runtime.resume(twist)
        assert stored(twist) == {"went": True, "after": True}

    on_runtime(work)


@pytest.mark.rule("10.31")
def test_resuming_what_is_not_suspended_runs_nothing_and_is_no_error() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        assert (await runtime.resume(twist)).outcome is None
        await runtime.suspend(twist)
        await runtime.suspend(twist)
        await runtime.resume(twist)
        assert (await twist.tick()).ok

    on_runtime(work)


@pytest.mark.rule("10.32")
def test_a_suspended_twist_says_so() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(FIRST)
        assert "suspended" not in repr(twist)
        await runtime.suspend(twist)
        assert "suspended by the user" in repr(twist)

    on_runtime(work)
