"""The runtime and the model do the same things, and are compared after each of them."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from plot_nb import Limits, MethodNotFound, PlotError, Runtime, TwistHandle, TwistInactive
from plot_nb.backend.sqlite import SqliteBackend
from tests.model.facts import SECOND, Drive, Facts, Source, latest, recovered, shown
from tests.model.fuse import Fuse, Killed
from tests.model.model import World
from tests.model.operations import ALONE, EVERYTHING, KEYS, METHODS, meaning, scripts, slots, text_of
from tests.model.tables import difference, error_of, microseconds, observed

PLACES = ("default", "other")
LIMITS = {"requests": 40, "time": 100, "chain": 12}

Action = tuple[Any, ...]
counted: Counter[str] = Counter()
"""What ran so far, for the figures."""


sources = st.builds(
    Source,
    methods=st.one_of(
        st.just(EVERYTHING),
        st.dictionaries(st.sampled_from(METHODS), st.sampled_from((1, 1, 2)), min_size=1),
        st.sampled_from(sorted(EVERYTHING)).map(
            lambda lost: {k: v for k, v in EVERYTHING.items() if k != lost}
        ),
    ),
    lifecycle=st.dictionaries(st.sampled_from(("activate", "upgrade", "deactivate")), scripts(1), max_size=2),
    salt=st.integers(0, 1),
)
places = st.sampled_from(PLACES)
calls = st.tuples(st.just("call"), places, st.sampled_from(METHODS), scripts())
deploys = st.tuples(st.just("deploy"), places, sources)
advances = st.tuples(st.just("advance"), st.sampled_from((0, 1, 5, 59, 60, 300, 700)))
idles = st.tuples(st.just("idle"), st.sampled_from((60, 600)))
again = st.tuples(st.just("deploy again"), places)
deactivations = st.tuples(st.just("deactivate"), places)
by_hand = st.tuples(
    st.just("load"), places, st.dictionaries(st.sampled_from(KEYS), st.integers(20, 29), min_size=1)
)
suspensions = st.tuples(st.sampled_from(("suspend", "resume", "resume")), places)
retries = st.tuples(st.just("retry"), places, st.integers(0, 3))
changes = st.one_of(deploys, deploys, again, deactivations, suspensions)
posts = st.tuples(st.just("post"), places, slots, st.sampled_from(({}, [1], "text")))
rare = st.one_of(by_hand, suspensions, retries, retries)
kill_points = st.integers(1, 12) | st.integers(1, 40)


class Machine(RuleBasedStateMachine):
    """A runtime on a state file, and the model beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="plot_nb-model-"))
        self.loop = asyncio.new_event_loop()
        self.fuse = Fuse()
        self.original = SqliteBackend.commit_point
        setattr(SqliteBackend, "commit_point", lambda _, name: self.fuse.at(name))  # noqa: B010
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # what a kill leaves behind
        self.world = World(**LIMITS)
        self.world.meaning = meaning
        self.handles: dict[str, TwistHandle] = {}
        self.agreed = True
        self.open()
        counted["programs"] += 1

    def teardown(self) -> None:
        self.fuse.reset()
        try:
            if self.agreed:
                self.compare(*self.world.places)
        finally:
            self.clean_up()

    def clean_up(self) -> None:
        counted.update({f"kills {name}": number for name, number in self.fuse.kills.items()})
        self.loop.run_until_complete(self.runtime.aclose())
        self.loop.close()
        setattr(SqliteBackend, "commit_point", self.original)  # noqa: B010
        logging.getLogger("asyncio").setLevel(logging.NOTSET)
        shutil.rmtree(self.folder)

    def open(self) -> None:
        limits = Limits(requests=LIMITS["requests"], time=LIMITS["time"], chain=LIMITS["chain"])
        self.runtime = Runtime(self.folder / "state.db", seed=5, limits=limits)

    # rules

    @initialize(source=sources)
    def first(self, source: Source) -> None:
        self.perform(("deploy", "default", Source(EVERYTHING, source.lifecycle)))

    @rule(action=calls)
    def call(self, action: Action) -> None:
        self.perform(action)

    @rule(action=calls)
    def call_again(self, action: Action) -> None:
        self.perform(action)

    @rule(action=advances | idles)
    def let_time_pass(self, action: Action) -> None:
        self.perform(action)

    @rule(action=posts)
    def post(self, action: Action) -> None:
        self.perform(action)

    @rule(action=changes)
    def change(self, action: Action) -> None:
        self.perform(action)

    @rule(action=rare)
    def do_what_is_rare(self, action: Action) -> None:
        self.perform(action)

    @rule(action=st.one_of(calls, advances, posts), nth=kill_points)
    def kill_work(self, action: Action, nth: int) -> None:
        self.perform(action, kill_at=nth)

    @rule(action=changes | rare, nth=kill_points)
    def kill_a_change(self, action: Action, nth: int) -> None:
        self.perform(action, kill_at=nth)

    @rule(nth=st.integers(0, 4))
    def restart(self, nth: int) -> None:
        """Close and open again; from 1 on, the opening is killed at that commit point."""
        self.loop.run_until_complete(self.runtime.aclose())
        if nth:
            self.fuse.arm(nth)
        try:
            self.open()
        except Killed:
            self.fuse.reset()
            self.open()
        self.fuse.reset()
        self.agreed = False
        self.reopened()
        self.agreed = True

    # both sides

    def perform(self, action: Action, *, kill_at: int | None = None) -> None:
        """Do something on both sides, and compare."""
        self.agreed = False
        counted[action[0]] += 1
        if action[0] == "deploy again":
            place = self.world.places.get(action[1])
            if place is None or place.installed is None:
                self.agreed = True
                return
            action = ("deploy", action[1], place.installed.source)
        if action[0] == "post" and not self.can_post(*action[1:3]):
            self.agreed = True
            return
        if kill_at is not None:
            for place in self.world.places.values():
                place.arm()
            expected = self.modelled(action, armed=True)
            self.fuse.arm(kill_at)
        else:
            expected = self.modelled(action)
        try:
            found = self.loop.run_until_complete(self.fuse.watch(self.runtime, self.real(action)))
        except Killed:
            say(f"killed in {action[0]}")
            self.fuse.reset()
            self.open()
            self.reopened()
            self.agreed = True
            return
        self.fuse.reset()
        for place in self.world.places.values():
            place.commits = None
        assert found == expected, difference(dict(enumerate(found)), dict(enumerate(expected)))
        if action[0] in {"advance", "idle"}:
            self.compare(*self.world.places)
        elif found not in (("nothing",), ("TwistInactive",), ("MethodNotFound",), ("RetryRefused",)):
            self.compare(action[1])
        self.agreed = True

    def can_post(self, name: str, slot: str) -> bool:
        """Whether there is a webhook, and nothing that its answer would race with, in an order drawn from the seed."""
        hook = self.world.webhook(name, slot) if name in self.world.places else None
        if hook is None or not hook.sync:
            return hook is not None
        return {word for word, *_ in hook.args[0]} <= ALONE and self.world.is_quiet(name, 200 * SECOND)

    def modelled(self, action: Action, *, armed: bool = False) -> tuple[Any, ...]:
        match action:
            case ("deploy", place, source):
                return told(self.world.deploy(place, source, armed=armed))
            case ("advance", seconds):
                return told(self.world.advance(seconds * SECOND))
            case ("idle", seconds):
                return told(self.world.idle(seconds * SECOND))
        return self.modelled_on(action)

    def modelled_on(self, action: Action) -> tuple[Any, ...]:
        """What concerns an instance that there may not be."""
        installed = self.world.places[action[1]].installed if action[1] in self.world.places else None
        if installed is None:
            return ("nothing",)
        match action:
            case ("suspend", place):
                self.world.suspend(place)
                return ("suspended",)
            case ("resume", place):
                return told(self.world.resume(place))
            case ("retry", place, nth):
                dead = self.world.dead(place)
                if not dead:
                    return ("nothing",)
                if not installed.active:
                    return ("TwistInactive",)
                drive = self.world.retry(place, dead[nth % len(dead)])
                return told(drive) if drive else ("RetryRefused",)
            case ("post", place, slot, body):
                return ("posted", *self.world.post(place, slot, body))
            case ("load", place, values):
                self.world.load(place, values)
                return ("loaded",)
            case _ if not installed.active:
                return ("TwistInactive",)
            case ("deactivate", place):
                return told(self.world.deactivate(place))
            case ("call", _, method, _) if method not in installed.source.methods:
                return ("MethodNotFound",)
            case ("call", place, method, script):
                return told(self.world.call(place, method, [script]))
        raise AssertionError(action)

    async def real(self, action: Action) -> tuple[Any, ...]:
        try:
            match action:
                case ("deploy", place, source):
                    handle = await self.runtime.deploy(text_of("Model", source), instance=place)
                    self.handles[place] = handle
                    return reported(handle._deployed)
                case ("advance", seconds):
                    return reported(await self.runtime.advance(timedelta(seconds=seconds)))
                case ("idle", seconds):
                    return reported(await self.runtime.run_until_idle(timedelta(seconds=seconds)))
            if action[1] not in self.handles:
                return ("nothing",)
            handle = self.handles[action[1]]
            match action:
                case ("suspend", _):
                    await self.runtime.suspend(handle)
                    return ("suspended",)
                case ("resume", _):
                    return reported(await self.runtime.resume(handle))
                case ("retry", _, nth):
                    tasks = handle.tasks
                    dead = tasks.loc[tasks["state"] == "dead", "execution"].tolist()
                    assert sorted(dead) == sorted(self.runtime.dead_letters(handle)["execution"])
                    return reported(await self.runtime.retry(dead[nth % len(dead)])) if dead else ("nothing",)
                case ("post", _, slot, body):
                    entries = dict(zip(handle.store["key"], handle.store["value"], strict=True))
                    response = await self.runtime.post_webhook(entries["url:" + slot], json=body)
                    return ("posted", response.status_code, response.json() if response.content else None)
                case ("load", _, values):
                    handle.load({key: json.dumps({"json": value}) for key, value in values.items()})
                    return ("loaded",)
                case ("deactivate", _):
                    return reported(await handle.deactivate())
                case ("call", _, method, script):
                    return reported(await handle.call(method, script))
        except PlotError as error:
            say(f"{type(error).__name__}: {error}")
            return (type(error).__name__,)
        raise AssertionError(action)

    def reopened(self) -> None:
        """Another runtime has the file: what it holds is what the model had after some commit."""
        world, now = self.world, microseconds(self.runtime.now)
        assert now <= world.now, "the clock is ahead of what happened"
        handles = dict(zip(world.places, self.runtime.twists(), strict=False))
        self.handles = handles
        for name, place in list(world.places.items()):
            states = [dict(place.facts)] if place.commits is None else place.prefixes()
            if name not in handles:
                assert {} in states, f"{name} is not installed any more"
                del world.places[name]
                continue
            found = observed(self.runtime, handles[name])
            found["active",] = self.is_active(handles[name])
            found["suspended",] = self.is_suspended(handles[name])
            # Of states that look the same, the clock tells those that were saved from those that were not yet.
            possible = [state for state in states if latest(state) <= now]
            kept = next((each for each in possible if self.left(each, now, handles[name]) == found), None)
            if kept is None:
                nearest = min(
                    (difference(found, self.left(state, now, handles[name])) for state in states), key=len
                )
                raise AssertionError(f"{name} is in no state that a kill may leave; the nearest:\n{nearest}")
            place.facts = kept
        assert now >= max((latest(place.facts) for place in world.places.values()), default=0), (
            "the clock stands before something that is saved"
        )
        world.restart(now)
        self.compare(*world.places)

    def left(self, state: Facts, now: int, handle: TwistHandle) -> Facts:
        """What the tables show of a state after the next process has recovered it."""
        if ("installed",) not in state or state["installed",].version != handle.version:
            return {}
        installed = state["installed",]
        seen = shown(recovered(state, now))
        return {**seen, ("active",): installed.active, ("suspended",): installed.suspended}

    def is_suspended(self, handle: TwistHandle) -> bool:
        return self.runtime.rates(handle).attrs["suspended"] is not None

    def is_active(self, handle: TwistHandle) -> bool:
        try:
            self.loop.run_until_complete(handle.call("no such method"))
        except TwistInactive:
            return False
        except MethodNotFound:
            return True
        raise AssertionError("a method that is not there was called")

    def compare(self, *names: str) -> None:
        """Everything that both sides show of some instances; of the others at the next restart or in the end."""
        counted["comparisons"] += 1
        assert microseconds(self.runtime.now) == self.world.now
        for name in names:
            place, handle = self.world.places[name], self.handles[name]
            assert place.installed is not None
            assert handle.version == place.installed.version
            assert self.is_suspended(handle) == place.installed.suspended
            expected, found = shown(place.facts), observed(self.runtime, handle)
            assert found == expected, f"{name}:\n{difference(found, expected)}"


def play(*program: Action | tuple[Action, int]) -> None:
    """Perform a program that is known beforehand; a number beside an action kills it at that commit point."""
    machine = Machine()
    try:
        for each in program:
            action, nth = each if isinstance(each[0], tuple) else (each, None)
            if action == ("restart",):
                machine.restart(0)
            else:
                machine.perform(action, kill_at=nth)
    finally:
        machine.teardown()


def say(text: str) -> None:
    """Beside the program that hypothesis prints."""
    if currently_in_test_context():
        note(text)


def told(drive: Drive | None) -> tuple[Any, ...]:
    """What the model says of what was awaited."""
    if drive is None:
        return (None, None, None, False)
    return (drive.outcome, drive.value, drive.error, drive.paused)


def reported(run: Any) -> tuple[Any, ...]:
    """What the runtime says of it."""
    if run is None:
        return (None, None, None, False)
    error = error_of(run.error) if run.outcome == "error" else None
    return (run.outcome, run.value, error, run.paused is not None)
