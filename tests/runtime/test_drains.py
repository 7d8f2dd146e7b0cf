"""SPEC 8: ids that are recorded now and handled in batches later, each until it was handled."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import Any

import pytest

from plot_nb import Limits, Run, Runtime, TwistHandle
from tests.runtime.twists import called, line_of, methods, on_runtime

BODY = """
async def record(self, ids, **options):
    if "delay" in options:
        options["delay"] = timedelta(seconds=options["delay"])
    await self.schedule_drain("inbox", self.handle, ids, **options)
async def handle(self, ids, *args):
    await self.set(f"batch:{await self.number()}", [ids, *args])
async def number(self):
    count = (await self.get("batches") or 0) + 1
    await self.set("batches", count)
    return count
async def cancel(self, key):
    await self.cancel_drain(key)
"""

HEAD = "import asyncio\nfrom datetime import timedelta\n"


def drained(body: str = "") -> str:
    """The twist, with methods that replace its own."""
    return methods(BODY + textwrap.dedent(body), head=HEAD)


def batches(twist: TwistHandle) -> list[list[Any]]:
    """What the handler got, in order."""
    store = dict(zip(twist.store["key"], twist.store["value"], strict=True))
    return [store[f"batch:{number}"] for number in range(1, store.get("batches", 0) + 1)]


def recorded(twist: TwistHandle) -> dict[str, Any]:
    """Attempts by id, as the Store has them."""
    return {
        key.removeprefix("__drain__:inbox:"): value
        for key, value in zip(twist.store["key"], twist.store["value"], strict=True)
        if key.startswith("__drain__:")
    }


def pending(twist: TwistHandle) -> list[str]:
    """Schedule keys of the tasks that wait."""
    tasks = twist.tasks
    return list(tasks.loc[tasks["state"] == "queued", "key"])


def asked(run: Run, method: str = "__drain__") -> list[list[str]]:
    """The requests of each execution of a method."""
    requests, executions = run.requests, run.executions
    return [
        [f"{row.tool}.{row.operation}" for row in requests[requests["execution"] == execution].itertuples()]
        for execution in executions.loc[executions["method"] == method, "execution"].unique()
    ]


@pytest.mark.rule("8.1", "8.2", "8.4")
def test_ids_are_recorded_at_once_and_handled_when_the_delay_has_passed() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained())
        run = await twist.record(["b", "a"])
        assert asked(run, "record") == [["store.set_many", "callbacks.create", "tasks.schedule"]]
        assert recorded(twist) == {"a": 0, "b": 0}
        assert pending(twist) == ["__drain__:inbox"]
        assert (await runtime.advance(timedelta(seconds=9))).executions.empty
        assert batches(twist) == []
        run = await runtime.advance(timedelta(seconds=1))
        assert run.executions[["method", "cause", "outcome"]].values.tolist() == [
            ["__drain__", "schedule", "ok"]
        ]
        assert batches(twist) == [[["a", "b"]]]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("8.8", "8.9", "8.10", "8.11")
def test_what_a_pass_asks_for_and_in_which_order() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained("async def handle(self, ids):\n    await self.get('own')"))
        await twist.record(["a"])
        run = await runtime.run_until_idle()
        assert asked(run) == [
            [
                "store.list_entries",
                "store.set_many",
                "tasks.schedule",
                "store.get",
                "store.clear_unchanged",
                "store.list",
                "tasks.cancel_scheduled",
                "store.list",
                "callbacks.delete",
            ]
        ]
        callbacks = twist.callbacks
        assert callbacks[["method", "deleted"]].values.tolist() == [["__drain__", True]]

    on_runtime(work)


@pytest.mark.rule("8.3", "8.5", "8.17")
def test_a_burst_makes_one_pass_with_the_options_of_its_first_call() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def burst(self):
            await asyncio.gather(*(
                self.schedule_drain(
                    "inbox", self.handle, [f"id {n}"], handler_args=[n], delay=timedelta(seconds=30 + n)
                )
                for n in range(5)
            ))
        """
        twist = await runtime.deploy(drained(body))
        run = await twist.burst()
        assert len(run.requests) == 3 + 4 * 4
        assert pending(twist) == ["__drain__:inbox"]
        live = twist.callbacks
        assert live["deleted"].tolist().count(False) == 1
        assert (await runtime.advance(timedelta(seconds=29))).executions.empty
        await runtime.run_until_idle()
        assert batches(twist) == [[[f"id {n}" for n in range(5)], 0]]

    on_runtime(work)


@pytest.mark.rule("8.6", "8.7")
def test_passes_follow_each_other_until_no_id_is_left() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained())
        await twist.record([f"{n:02}" for n in reversed(range(45))])
        run = await runtime.advance(timedelta(seconds=11))
        assert [len(ids) for (ids,) in batches(twist)] == [20, 20, 5]
        assert [each for (ids,) in batches(twist) for each in ids] == [f"{n:02}" for n in range(45)]
        assert run.executions["method"].tolist() == ["__drain__"] * 3
        assert (recorded(twist), pending(twist)) == ({}, [])
        assert twist.callbacks["deleted"].all()

    on_runtime(work)


@pytest.mark.rule("8.12")
def test_ids_that_the_handler_returns_stay_for_a_pass_after_the_delay() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            number = await self.number()
            await self.set(f"batch:{number}", [ids])
            return {"retry": ["b"]} if number == 1 else None
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a", "b", "c"])
        await runtime.advance(timedelta(seconds=11))
        assert (batches(twist), recorded(twist), pending(twist)) == (
            [[["a", "b", "c"]]],
            {"b": 1},
            ["__drain__:inbox"],
        )
        await runtime.advance(timedelta(seconds=10))
        assert (batches(twist), recorded(twist), pending(twist)) == ([[["a", "b", "c"]], [["b"]]], {}, [])

    on_runtime(work)


@pytest.mark.rule("8.6", "8.12")
def test_a_batch_is_ascending_whatever_was_tried_before_and_what_fails_waits_for_its_delay() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            await self.set(f"batch:{await self.number()}", [ids])
            return {"retry": [each for each in ids if each < "c"]}
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["e", "d", "c", "b", "a"], batch_size=2, max_attempts=2)
        await runtime.advance(timedelta(seconds=11))
        assert [ids for (ids,) in batches(twist)] == [["a", "b"]]
        await runtime.advance(timedelta(seconds=10))
        assert [ids for (ids,) in batches(twist)] == [["a", "b"], ["a", "b"]]
        await runtime.advance(timedelta(seconds=10))
        assert [ids for (ids,) in batches(twist)] == [["a", "b"], ["a", "b"], ["c", "d"], ["e"]]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("8.13")
def test_an_id_over_its_attempts_is_dropped_with_a_journal_entry() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            await self.number()
            return {"retry": ids}
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["good", "x'y"], max_attempts=3)
        run = await runtime.run_until_idle()
        assert run.executions["outcome"].tolist() == ["ok"] * 4
        warnings = run.logs.loc[run.logs["level"] == "warning", "text"].tolist()
        assert warnings == ["the drain 'inbox' gave up after 3 attempts: 'good', \"x'y\""]
        assert dict(zip(twist.store["key"], twist.store["value"], strict=True)) == {"batches": 3}
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("7.12", "8.8", "8.9", "8.13")
def test_a_handler_that_raises_is_tried_again_and_its_ids_are_counted() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained("async def handle(self, ids):\n    raise ValueError('no luck')"))
        await twist.record(["a"])
        run = await runtime.advance(timedelta(seconds=10, milliseconds=200))
        assert (run.executions["outcome"].tolist(), recorded(twist)) == (["error"], {"a": 1})
        run = await runtime.advance(timedelta(seconds=5))
        assert (run.executions["attempt"].tolist(), recorded(twist)) == ([2, 3], {"a": 3})
        assert pending(twist) == ["__drain__:inbox"]
        run = await runtime.run_until_idle()
        assert run.executions["outcome"].tolist() == ["error", "error", "ok"]
        assert (recorded(twist), pending(twist)) == ({}, [])
        assert (
            run.logs.loc[run.logs["level"] == "warning", "text"].str.contains("after 5 attempts: 'a'").sum()
            == 1
        )

    on_runtime(work)


@pytest.mark.rule("8.8", "8.9", "8.13")
def test_a_pass_that_dies_of_a_limit_is_counted_and_followed_by_another() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            for _ in range(100):
                await self.get("a")
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a"])
        run = await runtime.run_until_idle()
        assert run.executions["outcome"].tolist() == ["over_requests"] * 5 + ["ok"]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work, limits=Limits(requests=20))


@pytest.mark.rule("8.14")
def test_an_id_recorded_again_during_its_own_pass_gets_another() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            number = await self.number()
            await self.set(f"batch:{number}", [ids])
            if number == 1:
                await self.schedule_drain("inbox", "handle", ["a"], delay=timedelta(seconds=3))
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a", "b"])
        await runtime.advance(timedelta(seconds=11))
        assert (batches(twist), recorded(twist), pending(twist)) == (
            [[["a", "b"]]],
            {"a": 0},
            ["__drain__:inbox"],
        )
        await runtime.run_until_idle()
        assert batches(twist) == [[["a", "b"]], [["a"]]]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("8.15")
def test_without_ids_the_handler_gets_none() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained())
        await twist.record([])
        await twist.record([])
        assert recorded(twist) == {"": 0}
        await runtime.run_until_idle()
        assert batches(twist) == [[[]]]
        await twist.record([])
        await twist.record(["a"])
        await runtime.run_until_idle()
        assert batches(twist)[1:] == [[["a"]]]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("8.13", "8.15")
def test_a_drain_without_ids_that_is_given_up_says_so() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained("async def handle(self, ids):\n    raise ValueError('no luck')"))
        await twist.record([], max_attempts=3)
        run = await runtime.run_until_idle()
        warnings = run.logs.loc[run.logs["level"] == "warning", "text"].tolist()
        assert warnings == ["the drain 'inbox' gave up after 3 attempts: the pass without ids"]

    on_runtime(work)


@pytest.mark.rule("8.18", "8.19")
def test_cancelling_drops_what_is_recorded_for_that_key_alone() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def go(self):
            for key in ("inbox", "inbox:x", "inbox%3Ax", "in", "inbox::x"):
                await self.schedule_drain(key, self.handle, [f"x:{key}", "x"], handler_args=[key])
        """
        twist = await runtime.deploy(drained(body))
        await twist.go()
        run = await twist.cancel("inbox")
        assert asked(run, "cancel") == [["tasks.cancel_scheduled", "store.list", "store.clear_many"]]
        assert len((await twist.cancel("none")).requests) == 2
        await twist.cancel("inbox%3Ax")
        await runtime.run_until_idle()
        assert batches(twist) == [[["x", f"x:{key}"], key] for key in ("inbox:x", "in", "inbox::x")]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("8.18")
def test_cancelling_during_a_pass_ends_the_drain_with_it() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            await self.set(f"batch:{await self.number()}", [ids])
            await self.cancel_drain("inbox")
            return {"retry": ids}
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a", "b", "c"], batch_size=2)
        run = await runtime.run_until_idle()
        assert run.executions["outcome"].tolist() == ["ok"]
        assert (batches(twist), recorded(twist), pending(twist)) == ([[["a", "b"]]], {}, [])

    on_runtime(work)


@pytest.mark.rule("6.11", "8.1", "8.3")
def test_a_pending_pass_whose_callback_was_deleted_holds_no_id_back() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def wipe(self):
            await self.delete_all_callbacks()
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a"])
        await twist.wipe()
        await twist.record(["b"])
        run = await runtime.run_until_idle()
        assert run.executions["outcome"].tolist() == ["ok"]
        assert (batches(twist), recorded(twist), pending(twist)) == ([[["a", "b"]]], {}, [])

    on_runtime(work)


@pytest.mark.rule("8.7", "8.12")
def test_deleting_all_callbacks_during_a_pass_leaves_it_its_continuation() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            await self.set(f"batch:{await self.number()}", [ids])
            await self.delete_all_callbacks()
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a", "b", "c"], batch_size=1)
        run = await runtime.run_until_idle()
        assert run.executions["outcome"].tolist() == ["ok"] * 3
        assert batches(twist) == [[["a"]], [["b"]], [["c"]]]
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)


@pytest.mark.rule("6.8", "8.16")
def test_a_handler_that_the_new_version_lacks_is_named_and_its_ids_stay() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained())
        await twist.record(["a"])
        twist = await runtime.deploy(drained().replace("handle", "handled"))
        run = await runtime.run_until_idle()
        assert set(run.executions["error"].str.split(":").str[0]) == {"CallbackNotFound"}
        assert "'handle' is gone: the drain 'inbox'" in run.executions["error"].iloc[0]
        assert recorded(twist) == {"a": 0}
        await twist.record(["b"])
        await runtime.run_until_idle()
        assert batches(twist) == [[["a", "b"]]]

    on_runtime(work)


@pytest.mark.rule("5.12", "8.19")
def test_clearing_the_store_leaves_what_a_drain_has_to_do() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def wipe(self):
            await self.clear_all()
            return [await self.tools.store.list(), await self.tools.store.list("__drain__:")]
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a"])
        assert (await twist.wipe()).value == [[], ["__drain__:inbox:a"]]
        await runtime.run_until_idle()
        assert batches(twist) == [[["a"]]]

    on_runtime(work)


@pytest.mark.rule("4.23", "8.19")
def test_a_drain_of_a_tool_is_its_own() -> None:
    async def work(runtime: Runtime) -> None:
        head = HEAD + textwrap.dedent(
            """
            class Box(Tool):
                async def put(self, each):
                    await self.schedule_drain("inbox", self.handle, [each])
                async def handle(self, ids):
                    await self.set("got", ids)
            """
        )
        body = """
        def build(self, build):
            return {"left": build(Box), "right": build(Box)}
        async def go(self):
            await self.schedule_drain("inbox", self.handle, ["mine"])
            await self.tools.left.put("l")
            await self.tools.right.put("r")
        async def handle(self, ids):
            await self.set("got", ids)
        """
        twist = await runtime.deploy(methods(body, head=head))
        await twist.go()
        assert sorted(twist.store["key"]) == [
            "__drain__:inbox:mine",
            "__tool__:left:__drain__:inbox:l",
            "__tool__:right:__drain__:inbox:r",
        ]
        run = await runtime.run_until_idle()
        assert run.executions["method"].tolist() == ["__drain__", "left.__drain__", "right.__drain__"]
        assert dict(zip(twist.store["key"], twist.store["value"], strict=True)) == {
            "__tool__:left:got": ["l"],
            "__tool__:right:got": ["r"],
            "got": ["mine"],
        }

    on_runtime(work)


@pytest.mark.rule("8.3", "8.14")
@pytest.mark.parametrize("seed", range(4))
def test_no_id_is_lost_among_concurrent_executions(seed: int) -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def go(self):
            for n in range(12):
                await self.run_task(await self.callback(self.add, n))
        async def add(self, n):
            for step in range(3):
                await self.schedule_drain("inbox", self.handle, [f"{n}.{step}"], delay=timedelta(0), batch_size=2)
        async def handle(self, ids):
            for each in ids:
                await self.set(f"handled:{each}", True)
        """
        twist = await runtime.deploy(drained(body))
        await twist.go()
        run = await runtime.run_until_idle()
        assert set(run.executions["outcome"]) <= {"ok"}
        handled = {key for key in twist.store["key"] if key.startswith("handled:")}
        assert handled == {f"handled:{n}.{step}" for n in range(12) for step in range(3)}
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work, concurrency=4, seed=seed)


@pytest.mark.rule("8.20")
@pytest.mark.parametrize(("concurrency", "handed"), [(1, 1), (2, 2)])
def test_a_handler_slower_than_its_delay_is_overtaken_only_where_executions_overlap(
    concurrency: int, handed: int
) -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            number = await self.number()
            await self.set(f"batch:{number}", [ids])
            if number == 1:
                await asyncio.sleep(15)
        """
        twist = await runtime.deploy(drained(body))
        await twist.record(["a"])
        run = await runtime.run_until_idle()
        assert set(run.executions["outcome"]) == {"ok"}
        assert batches(twist) == [[["a"]]] * handed
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work, concurrency=concurrency)


@pytest.mark.rule("8.21")
@pytest.mark.parametrize(
    "call",
    [
        "self.schedule_task('__drain__:inbox', token, datetime.now(UTC))",
        "self.schedule_recurring('__drain__:inbox', token, every=timedelta(seconds=1))",
        "self.cancel_scheduled_task('__drain__:inbox')",
    ],
)
def test_the_schedule_keys_of_drains_are_theirs(call: str) -> None:
    body = f"""
    async def go(self):
        token = await self.callback(self.go)
        await self.schedule_drain("inbox", self.go, ["a"])
        await {call}
    """
    done = called(body, head="from datetime import UTC, datetime, timedelta\n")
    assert "ValueError: schedule keys that begin with '__drain__:' are those of drains" in str(done.error)
    assert done.line == line_of(methods(body, head="from datetime import UTC, datetime, timedelta\n"), call)
    assert len(done.requests) == 4


def test_a_handler_argument_that_cannot_be_kept_is_named_as_it_was_given() -> None:
    body = """
    async def go(self):
        await self.schedule_drain("inbox", self.handle, handler_args=[{"a": lambda: 1}])
    async def handle(self, ids, one):
        pass
    """
    assert str(called(body).error).startswith("TypeError: handler_args[0].a is the function")


@pytest.mark.rule("7.26", "8.14")
def test_an_execution_that_is_tried_again_has_its_ids_handled_again() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def go(self):
            await self.run_task(await self.callback(self.flaky))
        async def flaky(self):
            await self.schedule_drain("inbox", self.handle, ["a"], delay=timedelta(milliseconds=100))
            if await self.number() == 1:
                raise ValueError("once")
        async def handle(self, ids):
            await self.set("handled", (await self.get("handled") or 0) + 1)
        """
        twist = await runtime.deploy(drained(body))
        await twist.go()
        await runtime.run_until_idle()
        store = dict(zip(twist.store["key"], twist.store["value"], strict=True))
        assert store == {"batches": 2, "handled": 2}

    on_runtime(work)


@pytest.mark.rule("3.18", "3.19", "8.1")
def test_all_requests_of_a_call_have_its_line_and_one_forgotten_is_warned_of() -> None:
    body = """
    async def go(self):
        await self.schedule_drain("k", self.go, ["a"])
        await self.schedule_drain("k", self.go, ["b"])
        await self.cancel_drain("k")
        self.schedule_drain("forgotten", self.go)
    """
    done = called(body)
    first = line_of(methods(body), '["a"]')
    assert done.requests["line"].tolist() == [first] * 3 + [first + 1] * 4 + [first + 2] * 3
    assert done.texts("warning") == [
        "schedule_drain forgotten was not performed: nothing awaited it (await is missing?)"
    ]


@pytest.mark.rule("8.16")
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("'k', lambda ids: None", "TypeError: a drain's handler stands for a method"),
        ("'k', 'missing'", "ValueError: Sync has no method 'missing'"),
        ("'k', '_hidden'", "ValueError: Sync._hidden cannot be a drain's handler"),
        ("'k', '__drain__'", "ValueError: Sync.__drain__ cannot be a drain's handler"),
        ("'k', self.plain", "ValueError: Sync.plain cannot be a drain's handler"),
        ("'k', self.tools.store.get", "TypeError: a drain's handler stands for a method"),
        ("5, self.go", "TypeError: a drain's key is a str, not int"),
        ("'', self.go", "ValueError: a drain's key is empty"),
        ("'k' * 1020, self.go", "takes 1031 bytes"),
        ("'k', self.go, 'abc'", "TypeError: ids are several, not one str: pass ['abc']"),
        ("'k', self.go, [5]", "TypeError: an id is a str, not int"),
        ("'k', self.go, ['']", "ValueError: an id is empty"),
        ("'k', self.go, ['é' * 600]", "is 1200 bytes, those of this drain have at most 1012"),
        ("'k', self.go, batch_size=0", "ValueError: batch_size=0"),
        ("'k', self.go, batch_size=True", "TypeError: batch_size is an int"),
        ("'k', self.go, max_attempts=1.5", "TypeError: max_attempts is an int"),
        ("'k', self.go, delay=5", "TypeError: delay is a timedelta"),
        ("'k', self.go, delay=timedelta(-1)", "ValueError: delay="),
        ("'k', self.go, handler_args='ab'", "TypeError: handler_args is a list"),
        ("'k', self.go, handler_args=[print]", "TypeError"),
    ],
)
def test_what_a_drain_cannot_be_is_an_error_at_the_call(call: str, error: str) -> None:
    body = f"""
    async def go(self, *args):
        self.schedule_drain({call})
    async def _hidden(self): ...
    def plain(self): ...
    """
    done = called(body, head=HEAD)
    assert error in str(done.error)
    assert done.line == line_of(methods(body, head=HEAD), "self.schedule_drain")
    assert done.requests.empty


@pytest.mark.rule("8.12")
@pytest.mark.parametrize(
    ("returned", "error"),
    [
        ("['a']", "TypeError: handle() returned ['a']: a drain's handler returns None, or {'retry': [ids]}"),
        ("{'retry': 'a'}", "TypeError"),
        ("{'retry': ['a'], 'more': 1}", "TypeError"),
        ("{'retry': ['b']}", "ValueError: handle() wants 'b' to be tried again, which it was not given"),
    ],
)
def test_what_a_handler_may_not_return_fails_the_pass(returned: str, error: str) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(drained(f"async def handle(self, ids):\n    return {returned}"))
        await twist.record(["a"])
        run = await runtime.advance(timedelta(seconds=10, milliseconds=200))
        assert error in run.executions["error"].iloc[0]
        assert recorded(twist) == {"a": 1}

    on_runtime(work)


@pytest.mark.rule("8.7", "8.18")
def test_more_ids_than_one_look_brings_are_handled_and_can_be_cancelled() -> None:
    async def work(runtime: Runtime) -> None:
        body = """
        async def handle(self, ids):
            await self.set("handled", (await self.get("handled") or 0) + len(ids))

        async def forget(self):
            await self.cancel_drain("inbox")
        """
        twist = await runtime.deploy(drained(body))
        ids = [f"{number:04}" for number in range(2_500)]
        await twist.record(ids, batch_size=900)
        await runtime.advance(timedelta(seconds=11))
        assert dict(zip(twist.store["key"], twist.store["value"], strict=True))["handled"] == 2_500
        assert (recorded(twist), pending(twist)) == ({}, [])
        await twist.record(ids, batch_size=900)
        (await twist.forget()).raise_for_outcome()
        assert (recorded(twist), pending(twist)) == ({}, [])

    on_runtime(work)
