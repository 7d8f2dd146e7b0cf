"""SPEC 7: tasks that were given up, and trying them again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from plot_nb import Limits, RetryRefused, Runtime, TwistHandle, TwistInactive
from tests.runtime.twists import line_of, methods, on_runtime

HEAD = "from datetime import timedelta"
BODY = """
async def go(self):
    await self.run_task(await self.callback(self.flaky, 7))
async def heal(self):
    await self.set("healed", True)
async def flaky(self, number):
    await self.run_task(await self.callback(self.child, number))
    if not await self.get("healed"):
        raise ValueError("no luck")
    await self.run_task(await self.callback(self.child, number + 1))
async def child(self, number):
    await self.set(f"child {number}", (await self.get(f"child {number}") or 0) + 1)
async def keyed(self):
    await self.schedule_task("sync", await self.callback(self.fails), run_at=await self.soon())
async def soon(self):
    from plot_nb import now
    return now() + timedelta(minutes=1)
async def fails(self):
    raise ValueError("keyed")
async def greedy(self):
    await self.run_task(await self.callback(self.eats))
async def eats(self):
    for number in range(50):
        await self.set("eaten", number)
"""
SOURCE = methods(BODY, head=HEAD)


def children(twist: TwistHandle) -> dict[str, int]:
    found = dict(zip(twist.store["key"], twist.store["value"], strict=True))
    return {key: value for key, value in found.items() if key.startswith("child")}


@pytest.mark.rule("6.11", "7.52")
def test_a_dead_letter_whose_callback_was_deleted_stays_and_is_not_retried() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def go(self):
            await self.schedule_drain("inbox", self.fails, ["a"], max_attempts=3)
        async def fails(self, ids):
            raise ValueError("no luck")
        """
        twist = await runtime.deploy(methods(body))
        await twist.go()
        await runtime.run_until_idle()
        [identity] = runtime.dead_letters(twist)["execution"]
        with pytest.raises(RetryRefused, match=r"__drain__ \(.*its callback was deleted.*schedule_drain"):
            await runtime.retry(identity)
        assert runtime.dead_letters(twist)["execution"].tolist() == [identity]

    on_runtime(work)


@pytest.mark.rule("7.20")
def test_a_dead_letter_says_what_died_and_why() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        assert runtime.dead_letters().empty
        run = await twist.go()
        (dead,) = runtime.dead_letters().to_dict("records")
        attempts = run.executions[run.executions["method"] == "flaky"]
        assert dead["execution"] == attempts["execution"].iloc[0]
        assert (dead["twist"], dead["instance"], dead["method"]) == ("Sync", "default", "flaky")
        assert (dead["cause"], dead["key"], dead["attempts"]) == ("task", None, 3)
        assert (dead["outcome"], dead["error"]) == ("error", "ValueError: no luck")
        assert dead["line"] == line_of(SOURCE, "no luck")
        assert dead["died"] == attempts["ended"].iloc[2]

    on_runtime(work)


@pytest.mark.rule("7.20", "7.21")
def test_dead_letters_of_one_twist_or_of_all() -> None:
    async def work(runtime: Runtime) -> None:
        first = await runtime.deploy(SOURCE)
        second = await runtime.deploy(SOURCE, instance="second")
        await first.go()
        await second.greedy()
        assert runtime.dead_letters()["instance"].tolist() == ["default", "second"]
        assert runtime.dead_letters(second)["outcome"].tolist() == ["over_requests"]
        assert runtime.dead_letters(second)["attempts"].tolist() == [1]

    on_runtime(work, limits=Limits(requests=20))


@pytest.mark.rule("7.52", "7.26")
def test_a_retried_dead_letter_runs_with_its_identity_and_does_not_fork_its_chain() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.go()
        assert children(twist) == {"child 7": 1}
        await twist.heal()
        (dead,) = runtime.dead_letters()["execution"]
        run = await runtime.retry(dead)
        assert run.ok
        assert run.executions["method"].tolist() == ["flaky", "child"]
        assert run.executions["execution"].iloc[0] == dead
        assert run.executions["attempt"].tolist() == [4, 1]
        assert children(twist) == {"child 7": 1, "child 8": 1}
        assert runtime.dead_letters().empty
        assert "retry: retried by hand" in run.logs["text"].tolist()

    on_runtime(work)


@pytest.mark.rule("7.52")
def test_a_retried_dead_letter_has_three_fresh_attempts_and_can_die_again() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.go()
        (dead,) = runtime.dead_letters()["execution"]
        run = await runtime.retry(dead)
        assert run.outcome == "error"
        assert run.executions["attempt"].tolist() == [4, 5, 6]
        waits = (run.executions["started"] - run.executions["ended"].shift()).dropna().tolist()
        assert waits == [timedelta(seconds=1), timedelta(seconds=2)]
        assert runtime.dead_letters()["attempts"].tolist() == [6]
        assert children(twist) == {"child 7": 1}

    on_runtime(work)


@pytest.mark.rule("7.52", "7.28")
def test_a_key_that_a_waiting_task_has_is_not_taken_from_it() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.keyed()
        await runtime.advance(timedelta(minutes=2))
        (dead,) = runtime.dead_letters()["execution"]
        await twist.keyed()
        waiting = twist.tasks["execution"].iloc[-1]
        with pytest.raises(RetryRefused, match=f"its key 'sync' is taken by task {waiting}, which waits"):
            await runtime.retry(dead)
        assert runtime.dead_letters()["execution"].tolist() == [dead]
        await runtime.advance(timedelta(minutes=2))
        run = await runtime.retry(dead)
        assert run.executions["attempt"].tolist() == [4, 5, 6]

    on_runtime(work)


@pytest.mark.rule("7.52")
def test_what_is_not_dead_is_not_retried() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        run = await twist.heal()
        with pytest.raises(RetryRefused, match="there is no execution 'nothing'"):
            await runtime.retry("nothing")
        with pytest.raises(RetryRefused, match=r"is done: only what was given up can be retried"):
            await runtime.retry(run.executions["execution"].iloc[0])
        with pytest.raises(TypeError, match="retry takes the id of an execution"):
            await runtime.retry(7)  # type: ignore[arg-type]

    on_runtime(work)


@pytest.mark.rule("7.52", "10.38")
def test_a_dead_letter_of_a_deactivated_twist_is_not_retried() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.go()
        await twist.deactivate()
        with pytest.raises(TwistInactive):
            await runtime.retry(runtime.dead_letters()["execution"].iloc[0])
        assert len(runtime.dead_letters()) == 1

    on_runtime(work)


@pytest.mark.rule("7.52", "10.29")
def test_a_dead_letter_of_a_suspended_twist_waits_for_its_resumption() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.go()
        await twist.heal()
        await runtime.suspend(twist)
        run = await runtime.retry(runtime.dead_letters()["execution"].iloc[0])
        assert run.executions.empty
        assert run.paused is not None
        assert (await runtime.resume(twist)).executions["method"].tolist() == ["flaky", "child"]

    on_runtime(work)


@pytest.mark.rule("7.20", "7.52")
def test_dead_letters_survive_a_restart(tmp_path: Path) -> None:
    async def first(runtime: Runtime) -> None:
        twist = await runtime.deploy(SOURCE)
        await twist.go()
        await twist.heal()

    async def second(runtime: Runtime) -> None:
        run = await runtime.retry(runtime.dead_letters()["execution"].iloc[0])
        assert run.executions["method"].tolist() == ["flaky", "child"]

    for work in (first, second):
        on_runtime(work, path=tmp_path / "state.db")


@pytest.mark.rule("7.20")
def test_options_are_masked_in_dead_letters() -> None:
    body = """
    async def go(self):
        token = self.options["token"]
        await self.schedule_task(token, await self.callback(self.fails), run_at=now() + timedelta(seconds=1))
    async def fails(self):
        raise ValueError(self.options["token"])
    """

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body, head=HEAD), options={"token": "hunter22"})
        await twist.go()
        await runtime.advance(timedelta(minutes=1))
        (dead,) = runtime.dead_letters(twist).to_dict("records")
        assert (dead["key"], dead["error"]) == ("•••", "ValueError: •••")
        await twist.go()
        with pytest.raises(RetryRefused, match="its key '•••' is taken"):
            await runtime.retry(dead["execution"])

    on_runtime(work)
