"""How requests cross: together, in any order of answers, with timers."""

from __future__ import annotations

import json
import textwrap

import pytest

from tests.sandbox.host import START_MS, Execution, Host


def twist(body: str, head: str = "import asyncio, time") -> str:
    return f"{head}\n\nclass T(Twist):\n    async def go(self, *args):\n" + textwrap.indent(
        textwrap.dedent(body).strip(), " " * 8
    )


def sizes(execution: Execution) -> list[int]:
    return [len(frame["requests"]) for frame in execution.crossings]


@pytest.mark.rule("3.26")
def test_gathered_requests_share_one_crossing(host: Host) -> None:
    done = host.run(twist("return await asyncio.gather(*(self.get(f'k{n}') for n in range(100)))"))
    assert done.value == [None] * 100
    assert sizes(done) == [100]


@pytest.mark.rule("3.27")
def test_a_crossing_carries_at_most_256_requests_and_the_rest_follows_at_once(host: Host) -> None:
    done = host.run(twist("return len(await asyncio.gather(*(self.get(f'k{n}') for n in range(600))))"))
    assert done.value == 600
    assert sizes(done)[:3] == [256, 256, 88]
    assert done.now == START_MS + 5


@pytest.mark.rule("3.27")
def test_a_crossing_carries_at_most_8_mib(host: Host) -> None:
    body = "await asyncio.gather(*(self.set(f'k{n}', 'x' * 1_000_000) for n in range(12)))"
    done = host.run(twist(body))
    assert done.value is None
    assert sizes(done)[:2] == [8, 4]
    assert all(len(json.dumps(frame)) < 8 * 2**20 for frame in done.crossings)


@pytest.mark.rule("3.18")
def test_serial_requests_cross_one_by_one_with_their_lines(host: Host) -> None:
    done = host.run(twist("await self.set('a', 1)\nawait self.set('b', 2)\nreturn await self.get('a')"))
    assert done.value == 1
    assert [request[1:2] + request[3:] for frame in done.crossings for request in frame["requests"]] == [
        ["store.set", 5],
        ["store.set", 6],
        ["store.get", 7],
    ]


@pytest.mark.rule("3.29")
def test_wait_for_times_out_on_a_slow_request(host: Host) -> None:
    body = """
        try:
            await asyncio.wait_for(self.get("slow"), 5)
        except TimeoutError:
            return "late"
    """
    done = host.run(twist(body), latency={"slow": 60_000.0})
    assert done.value == "late"
    assert done.now == START_MS + 5000


def test_a_request_that_timed_out_can_be_followed_by_others(host: Host) -> None:
    body = """
        try:
            await asyncio.wait_for(self.get("slow"), 1)
        except TimeoutError:
            pass
        await asyncio.sleep(100)
        return await self.get("fast")
    """
    assert host.run(twist(body), latency={"slow": 60_000.0}).value is None


@pytest.mark.rule("3.28")
def test_as_completed_gives_the_fast_one_first(host: Host) -> None:
    body = """
        async def named(name):
            await self.get(name)
            return name
        return [await done for done in asyncio.as_completed([named("slow"), named("fast"), named("middle")])]
    """
    done = host.run(twist(body), latency={"slow": 300.0, "fast": 10.0, "middle": 50.0})
    assert done.value == ["fast", "middle", "slow"]
    assert done.now == START_MS + 300


def test_as_completed_takes_requests_themselves(host: Host) -> None:
    body = "return [await done for done in asyncio.as_completed([self.get('slow'), self.get('fast')])]"
    done = host.run(twist(body), latency={"slow": 300.0}, store={"slow": '{"json":1}', "fast": '{"json":2}'})
    assert done.value == [2, 1]


@pytest.mark.parametrize(
    "expression",
    [
        "await asyncio.create_task(self.get('a'))",
        "await asyncio.ensure_future(self.get('a'))",
        "await asyncio.wait_for(self.get('a'), 1)",
        "await asyncio.shield(self.get('a'))",
        "(await asyncio.gather(self.get('a')))[0]",
        "(await asyncio.wait([asyncio.create_task(self.get('a'))]))[0].pop().result()",
    ],
)
def test_asyncio_takes_a_request_like_a_coroutine(host: Host, expression: str) -> None:
    assert host.run(twist(f"return {expression}"), store={"a": '{"json":7}'}).value == 7


def test_a_task_group_takes_requests(host: Host) -> None:
    body = """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.get(name)) for name in "ab"]
        return [task.result() for task in tasks]
    """
    done = host.run(twist(body), store={"a": '{"json":1}'})
    assert done.value == [1, None]
    assert sizes(done) == [2]


@pytest.mark.rule("7.10")
def test_sleep_takes_time_of_the_runtime_only(host: Host) -> None:
    done = host.run(twist("await asyncio.sleep(600)\nreturn asyncio.get_running_loop().time()"))
    assert done.value == START_MS / 1000 + 600
    assert done.ended.cpu_ms < 1000


@pytest.mark.rule("7.19")
def test_a_blocking_sleep_takes_time_and_keeps_answers_that_come_early(host: Host) -> None:
    body = """
        task = asyncio.create_task(self.get("a"))
        await asyncio.sleep(0)
        before = time.time()
        time.sleep(30)
        return time.time() - before, await task
    """
    done = host.run(twist(body), store={"a": '{"json":7}'})
    assert done.value == [30, 7]


def test_polling_makes_progress(host: Host) -> None:
    body = """
        task = asyncio.create_task(self.get("a"))
        while not task.done():
            await asyncio.sleep(0)
        return task.result()
    """
    assert host.run(twist(body), latency={"a": 50.0}, store={"a": '{"json":7}'}).value == 7


@pytest.mark.rule("3.29")
def test_timers_and_requests_interleave_in_time_order(host: Host) -> None:
    body = """
        seen = []
        async def asleep(seconds):
            await asyncio.sleep(seconds)
            seen.append(seconds)
        async def asking(name):
            await self.get(name)
            seen.append(name)
        await asyncio.gather(asleep(0.2), asking("b"), asleep(0.05), asking("a"))
        return seen
    """
    done = host.run(twist(body), latency={"a": 10.0, "b": 100.0})
    assert done.value == ["a", 0.05, "b", 0.2]


def test_a_forgotten_await_is_reported_with_its_line_and_not_performed(host: Host) -> None:
    done = host.run(twist("self.set('a', 1)\nreturn 2"))
    assert done.value == 2
    assert done.payload["unawaited"] == [[5, "store.set", "a"]]
    assert not done.crossings


def test_a_request_that_is_still_waiting_at_the_end_is_reported(host: Host) -> None:
    body = """
        task = asyncio.create_task(self.get("slow"))
        await asyncio.sleep(0)
        await self.get("fast")
    """
    done = host.run(twist(body), latency={"slow": 1000.0})
    assert done.payload["unawaited"] == [[5, "store.get", "slow"]]


def test_a_failed_method_reports_its_forgotten_requests_too(host: Host) -> None:
    done = host.run(twist("self.get('a')\nraise ValueError"))
    assert done.payload["unawaited"] == [[5, "store.get", "a"]]


def test_a_request_is_performed_once(host: Host) -> None:
    error = host.run(twist("request = self.get('a')\nawait request\nawait request")).error
    assert error["type"] == "RuntimeError"
    assert "awaited before" in error["message"]
    assert error["line"] == 7


@pytest.mark.parametrize(
    "name",
    [
        "ValueError",
        "TypeError",
        "PermissionError",
        "TimeoutError",
        "ConnectionError",
        "LookupError",
        "RequestLimitExceeded",
        "CallbackNotFound",
        "CallbackDeleted",
    ],
)
def test_a_refused_request_raises_under_its_own_name_at_the_awaiting_line(host: Host, name: str) -> None:
    error = host.run(twist(f"x = self.get('raise:{name}:not this one')\nawait x")).error
    assert (error["type"], error["message"], error["line"]) == (name, "not this one", 6)


def test_an_unknown_error_type_is_a_runtime_error(host: Host) -> None:
    error = host.run(twist("await self.get('raise:SystemExit:boo')")).error
    assert (error["type"], error["message"]) == ("RuntimeError", "boo")


def test_except_exception_does_not_hide_that_the_budget_is_spent(host: Host) -> None:
    body = """
        try:
            await self.get("raise:RequestLimitExceeded:spent")
        except Exception:
            return "hidden"
    """
    assert host.run(twist(body)).error["type"] == "RequestLimitExceeded"


@pytest.mark.parametrize(
    "body",
    [
        "await asyncio.get_running_loop().create_future()",
        "await asyncio.Event().wait()",
        "await asyncio.gather(asyncio.Event().wait(), asyncio.Event().wait())",
        "await asyncio.create_task(asyncio.Event().wait())",
    ],
)
def test_awaiting_what_can_never_finish_is_an_error_at_its_line(host: Host, body: str) -> None:
    error = host.run(twist(body)).error
    assert error["type"] == "RuntimeError"
    assert "never finish" in error["message"]
    assert error["line"] == 5


def test_a_cancelled_request_does_not_keep_a_twist_alive(host: Host) -> None:
    body = """
        task = asyncio.create_task(self.get("slow"))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.Event().wait()
    """
    assert "never finish" in host.run(twist(body), latency={"slow": 1000.0}).error["message"]


def test_a_request_cancelled_before_it_crossed_does_not_cross(host: Host) -> None:
    body = """
        task = asyncio.create_task(self.get("a"))
        await asyncio.sleep(0)
        task.cancel()
        await self.get("b")
    """
    done = host.run(twist(body))
    assert [request[2] for frame in done.crossings for request in frame["requests"]] == [["b"]]


def test_a_lost_exception_of_a_task_is_logged(host: Host) -> None:
    body = """
        async def fail():
            return 1 / 0
        task = asyncio.create_task(fail())
        await asyncio.sleep(0.01)
        del task
        import gc; gc.collect()
        await asyncio.sleep(0.01)
    """
    done = host.run(twist(body))
    assert any("never retrieved" in text and "ZeroDivisionError" in text for text in done.texts)
