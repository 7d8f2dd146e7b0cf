"""SPEC 10: deploying and upgrading."""

from __future__ import annotations

import asyncio
import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plot_nb import (
    DeployError,
    Limits,
    MethodNotFound,
    PlotError,
    Runtime,
    RuntimeClosed,
    RuntimeOwned,
    TwistInactive,
)
from plot_nb.engine.model import Method
from plot_nb.runtime.handle import signature_of
from tests.runtime.twists import methods, on_runtime

LIFECYCLE = """
async def activate(self):
    await self.set("events", ["activate"])
async def upgrade(self):
    await self.set("events", [*await self.get("events"), "upgrade"])
async def read(self):
    return await self.get("events")
"""


@pytest.mark.rule("10.1", "10.2", "10.3")
def test_first_deploy_activates_changed_source_upgrades_and_unchanged_does_nothing() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LIFECYCLE))
        assert (twist.name, twist.version) == ("Sync", 1)
        twist = await runtime.deploy(methods(LIFECYCLE))
        assert (twist.version, (await twist.read()).value) == (1, ["activate"])
        twist = await runtime.deploy(methods(LIFECYCLE) + "# changed\n")
        assert (twist.version, (await twist.read()).value) == (2, ["activate", "upgrade"])
        assert twist.executions["cause"].tolist() == ["lifecycle", "call", "lifecycle", "call"]

    on_runtime(work)


@pytest.mark.rule("10.11", "7.51")
def test_a_lifecycle_method_that_fails_leaves_the_version_deployed_and_is_shown() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def activate(self): raise ValueError('no token')"))
        assert twist.version == 1
        assert twist.executions["outcome"].tolist() == ["error"]
        assert "no token" in twist._repr_mimebundle_()["text/plain"]

    on_runtime(work)


@pytest.mark.rule("10.8", "10.9", "10.10", "10.39")
@pytest.mark.parametrize(
    ("source", "says", "line"),
    [
        ("x = 1\nclass Sync(Twist):\n    async def go(self:\n        pass\n", "SyntaxError", 3),
        ("x = 1\n", "no twist", None),
        ("class A(Twist): pass\nclass B(Twist): pass\n", "2 twists", None),
        ("import numpy\nclass A(Twist): pass\n", "ModuleNotFoundError", 1),
        ("class A(Twist):\n    pass\n\nraise ValueError('at load')\n", "at load", 4),
        (
            "class A(Twist):\n    def build(self, build):\n        return {'n': build(Network, urls='*')}\n",
            "urls",
            3,
        ),
        ("class A(Twist):\n    def build(self, build):\n        raise ValueError('b')\n", "ValueError: b", 3),
    ],
    ids=["syntax", "none", "two", "import", "raises", "urls", "build"],
)
def test_a_source_that_cannot_be_deployed_leaves_the_old_version_in_force(
    source: str, says: str, line: int | None
) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy("class A(Twist):\n    async def go(self): return 'old'\n")
        with pytest.raises(DeployError) as caught:
            await runtime.deploy(source)
        assert says.lower() in str(caught.value).lower()
        if line is not None:
            assert caught.value.line == line
        assert (twist.version, (await twist.go()).value) == (1, "old")

    on_runtime(work)


def test_module_level_that_makes_requests_is_refused() -> None:
    async def work(runtime: Runtime) -> None:
        with pytest.raises(DeployError):
            await runtime.deploy(
                "import asyncio\nasyncio.run(fetch('https://a.com/'))\nclass A(Twist): pass\n"
            )

    on_runtime(work)


def test_an_unknown_method_says_what_there_is() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def start_sync(self): pass"))
        with pytest.raises(MethodNotFound, match="did you mean 'start_sync'"):
            await twist.start_snc()
        with pytest.raises(MethodNotFound):
            await twist.call("get")
        assert "start_sync" in dir(twist)

    on_runtime(work)


@pytest.mark.rule("4.33")
def test_modules_given_at_deploy_can_be_imported() -> None:
    async def work(runtime: Runtime) -> object:
        source = "import parsing\n" + methods("async def go(self): return parsing.double(21)")
        twist = await runtime.deploy(source, modules={"parsing": "def double(n):\n    return 2 * n\n"})
        return (await twist.go()).value

    assert on_runtime(work) == 42


@pytest.mark.rule("5.4")
def test_instances_of_one_twist_have_a_state_each() -> None:
    async def work(runtime: Runtime) -> None:
        source = methods("async def put(self, v): await self.set('v', v)")
        one, two = await runtime.deploy(source, "one"), await runtime.deploy(source, "two")
        await one.put(1)
        await two.put(2)
        assert (one.store["value"].tolist(), two.store["value"].tolist()) == ([1], [2])

    on_runtime(work)


@pytest.mark.rule("4.28", "4.29")
def test_options_reach_the_twist_and_nothing_else() -> None:
    body = """
    async def go(self):
        print("the token is", self.options["token"])
        await self.set("options", self.options)
        await self.get(self.options["token"])
        raise ValueError(self.options["token"])
    async def read(self):
        return self.options["token"]
    """

    async def work(runtime: Runtime) -> None:
        secret = 'hunter2"\u00e9'
        twist = await runtime.deploy(methods(body), options={"token": secret})
        run = await twist.go()
        assert run.outcome == "error"
        drawn = " ".join(run._repr_mimebundle_().values())
        tables = " ".join(frame.to_csv() for frame in (run.executions, run.requests, run.logs, run.tasks))
        assert "hunter2" not in drawn + tables
        read = await twist.read()
        assert read.value == secret
        assert "hunter2" not in " ".join(read._repr_mimebundle_().values())

    on_runtime(work)


@pytest.mark.rule("5.23")
def test_reset_leaves_the_runtime_as_new() -> None:
    async def work(runtime: Runtime) -> None:
        start = runtime.now
        old = await runtime.deploy(methods(LIFECYCLE))
        await runtime.reset()
        assert runtime.now == start
        with pytest.raises(RuntimeClosed, match="deploy it again"):
            await old.read()
        twist = await runtime.deploy(methods(LIFECYCLE))
        assert (twist.version, len(twist.executions)) == (1, 1)

    on_runtime(work)


@pytest.mark.rule("7.7", "7.47")
def test_a_file_keeps_its_state_and_its_twists(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "sync.db"
        async with Runtime(path) as runtime:
            twist = await runtime.deploy(methods(LIFECYCLE))
            moment, seed = runtime.now, runtime.seed
        async with Runtime(path) as runtime:
            assert (runtime.now, runtime.seed) == (moment, seed)
            twist = await runtime.deploy(methods(LIFECYCLE))
            assert (twist.version, (await twist.read()).value) == (1, ["activate"])

    asyncio.run(main())


@pytest.mark.rule("7.44")
def test_a_second_runtime_on_a_file_names_the_owner(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(tmp_path / "sync.db"):
            with pytest.raises(RuntimeOwned, match="pid"):
                Runtime(tmp_path / "sync.db")
        Runtime(tmp_path / "sync.db")._finalizer()

    asyncio.run(main())


def test_a_closed_runtime_says_so() -> None:
    async def main() -> None:
        runtime = Runtime()
        twist = await runtime.deploy(methods("async def go(self): pass"))
        await runtime.aclose()
        await runtime.aclose()
        with pytest.raises(RuntimeClosed):
            await twist.go()
        assert not runtime.path.exists()

    asyncio.run(main())


@pytest.mark.rule("10.6", "10.7", "10.38")
def test_deactivating_runs_its_method_then_drops_callbacks_and_tasks() -> None:
    body = """
    async def activate(self):
        await self.set("events", [*(await self.get("events") or []), "activate"])
        callback = await self.callback(self.tick)
        await self.schedule_recurring("tick", callback, every=timedelta(minutes=1))
    async def deactivate(self):
        await self.set("events", [*await self.get("events"), "deactivate"])
    async def tick(self):
        await self.set("ticked", True)
    async def read(self):
        return await self.get("events")
    """

    async def work(runtime: Runtime) -> None:
        source = methods(body, head="from datetime import timedelta")
        twist = await runtime.deploy(source)
        run = await twist.deactivate()
        assert (run.title, run.outcome) == ("Sync.deactivate", "ok")
        assert twist.callbacks["deleted"].all()
        assert set(twist.tasks["state"]) == {"cancelled"}
        await runtime.advance(timedelta(minutes=5))
        assert "ticked" not in twist.store["key"].tolist()
        for refused in (twist.read, twist.deactivate):
            with pytest.raises(TwistInactive, match="deploy it"):
                await refused()
        twist = await runtime.deploy(source)
        assert (twist.version, (await twist.read()).value) == (1, ["activate", "deactivate", "activate"])
        await twist.deactivate()
        twist = await runtime.deploy(source + "# changed\n")
        assert (twist.version, len((await twist.read()).value)) == (2, 5)

    on_runtime(work)


def test_a_twist_without_a_deactivate_method_is_deactivated_all_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with Runtime(tmp_path / "sync.db") as runtime:
            twist = await runtime.deploy(methods("async def go(self): pass"))
            assert (await twist.deactivate()).outcome is None
        async with Runtime(tmp_path / "sync.db") as runtime:
            [twist] = runtime.twists()
            with pytest.raises(TwistInactive):
                await twist.go()

    asyncio.run(main())


def test_activate_may_take_a_context() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(
            methods("async def activate(self, context): await self.set('context', context)")
        )
        assert twist.store["value"].tolist() == [{"instance": 1, "version": 1}]

    on_runtime(work)


def test_a_run_kept_over_a_reset_shows_no_other_execution() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods("async def go(self): return 1"))
        kept = await twist.go()
        await runtime.reset()
        assert "reset" in repr(twist)
        twist = await runtime.deploy(methods("async def other(self): return 2"))
        await twist.other()
        assert len(kept.executions) == 0
        assert kept.value == 1
        assert list(kept._repr_mimebundle_()) == ["text/plain"]
        assert "reset since" in kept._repr_mimebundle_()["text/plain"]

    on_runtime(work)


def test_a_call_that_a_reset_dropped_before_it_began_is_cancelled() -> None:
    body = "async def busy(self):\n    while True: await self.set('n', 1)\nasync def go(self): pass"

    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(body))
        busy, waiting = asyncio.create_task(twist.busy()), asyncio.create_task(twist.go())
        await asyncio.sleep(0)
        await runtime.reset()
        assert ((await busy).outcome, (await waiting).outcome) == ("cancelled", "cancelled")

    on_runtime(work, limits=Limits(requests=10**6, time=10**6))


@pytest.mark.rule("4.29")
def test_secrets_are_masked_where_they_are_encoded_or_kept_in_state() -> None:
    body = """
    async def go(self):
        callback = await self.callback("go", self.options["token"])
        await self.schedule_task(self.options["token"], callback, now() + timedelta(hours=1))
        await self.get(quote(self.options["token"], safe=""))
        print(self.options["pin"])
    """

    async def work(runtime: Runtime) -> None:
        head = "from datetime import timedelta\nfrom urllib.parse import quote"
        options = {"token": "s3cr3t/ab+c==", "pin": 48151623}
        twist = await runtime.deploy(methods(body, head=head), options=options)
        run = await twist.go()
        assert run.ok, run.error
        tables = (run.requests, run.logs, run.tasks, twist.tasks, twist.callbacks)
        shown = " ".join(frame.to_csv() for frame in tables)
        assert "s3cr3t" not in shown
        assert "48151623" not in shown
        with pytest.raises(DeployError) as caught:
            await runtime.deploy(
                "class A(Twist):\n    def build(self, build): raise ValueError(self.options['token'])",
                options=options,
            )
        assert "s3cr3t" not in str(caught.value) + caught.value.detail

    on_runtime(work)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"limits": {"requests": 5}}, "Limits("),
        ({"latency": 5}, "Latency("),
        ({"seed": "x"}, "seed='x'"),
        ({"seed": 2**70}, "63 bits"),
        ({"concurrency": 1.5}, "concurrency=1.5"),
        ({"durability": "x"}, "'full'"),
        ({"path": "/nowhere/at/all/x.db"}, "/nowhere/at/all"),
        ({"path": "/"}, "path of a file in a folder"),
    ],
)
def test_a_runtime_refuses_settings_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError, PlotError), match=re.escape(says)):
        Runtime(**settings)


@pytest.mark.parametrize(
    "limit", [{"memory": 6e7}, {"cpu": float("inf")}, {"time": float("nan")}, {"requests": 1.5}]
)
def test_limits_refuse_what_no_meter_can_hold(limit: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(limit))):
        Limits(**limit)


def test_misuse_is_told_by_name() -> None:
    async def work(runtime: Runtime) -> None:
        source = methods("async def go(self): pass")
        twist = await runtime.deploy(source)
        for misuse, says in (
            (lambda: runtime.advance(5), "timedelta"),  # type: ignore[arg-type]
            (lambda: runtime.run_until_idle(None), "timedelta"),  # type: ignore[arg-type]
            (lambda: runtime.advance(timedelta(days=365 * 9000)), "year 9000"),
            (lambda: twist.call(None), "method's name"),  # type: ignore[arg-type]
            (lambda: twist.go(object()), "args[0]"),
            (lambda: runtime.deploy(source, instance=None), "instance=None"),  # type: ignore[arg-type]
            (lambda: runtime.deploy(source, options="x"), "options"),  # type: ignore[arg-type]
            (lambda: runtime.deploy(source, modules={"class": ""}), "'class'"),
            (lambda: runtime.deploy(b"x"), "source text"),  # type: ignore[arg-type]
        ):
            with pytest.raises((TypeError, ValueError), match=re.escape(says)):
                await misuse()
        with pytest.raises(ValueError, match="acquire_lock"):
            twist.load({"__lock__:a": '{"json":5}'})

    on_runtime(work)


@pytest.mark.parametrize(
    ("parameters", "signature"),
    [
        ("", "()"),
        ("page, size=50", "(page, size=...)"),
        ("first, *others", "(first, *args)"),
        ("page, *, strict=False", "(page)"),
    ],
)
def test_a_method_of_a_handle_has_the_signature_that_the_cell_gave_it(
    parameters: str, signature: str
) -> None:
    async def work(runtime: Runtime) -> None:
        arguments = f"self, {parameters}".rstrip(", ")
        twist = await runtime.deploy(methods(f"async def go({arguments}): pass"))
        assert str(inspect.signature(twist.go)) == signature

    on_runtime(work)


@pytest.mark.parametrize(("names", "maximum"), [(("a", "a"), 2), (("no name",), 1), (("a", "b"), 1)])
def test_a_signature_that_no_source_can_have_is_none(names: tuple[str, ...], maximum: int) -> None:
    assert signature_of(Method(1, 0, maximum, names, "")) is None
