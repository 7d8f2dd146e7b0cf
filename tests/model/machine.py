"""The runtime and the model do the same things, and are compared after each of them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from plot_nb import Limits, MethodNotFound, PlotError, Runtime, TwistHandle, TwistInactive
from plot_nb.backend.sqlite import SqliteBackend
from tests.model.model import LOCKS, SECOND, Drive, Facts, Source, World, latest, recovered, shown
from tests.model.operations import KEYS, METHODS, meaning, scripts, text_of

PLACES = ("default", "other")
LIMITS = {"requests": 40, "time": 100, "chain": 12}

Action = tuple[Any, ...]
counted: Counter[str] = Counter()
"""What ran so far, for the figures."""

_VERSIONS = re.compile(r"version (\d+) made (?:the|this) callback, version (\d+) runs")


class Killed(BaseException):
    """The process is gone, as far as its state file can tell."""


class Fuse:
    """Kills a runtime at a commit point: from then on it commits nothing."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.blown = False
        self._tell: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def arm(self, nth: int) -> None:
        self.left, self.blown = nth, False

    def reset(self) -> None:
        self.left, self.blown, self._tell = None, False, None

    def at(self, name: str) -> None:
        """A commit point."""
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.left, self.blown = None, True
                counted[f"kills {name}"] += 1
                if self._tell is not None:
                    loop, event = self._tell
                    loop.call_soon_threadsafe(event.set)
        if self.blown:
            raise Killed(name)

    async def watch(self, runtime: Runtime, work: Coroutine[Any, Any, Any]) -> Any:
        """Await what the runtime does; if the fuse blows meanwhile, abandon the runtime.

        Raises:
            Killed: If it has blown.
        """
        event = asyncio.Event()
        self._tell = asyncio.get_running_loop(), event
        doing, blown = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
        await asyncio.wait({doing, blown}, return_when=asyncio.FIRST_COMPLETED)
        self._tell = None
        blown.cancel()
        if self.blown:
            await runtime.aclose()
            await asyncio.wait({doing})
            doing.exception()
            raise Killed
        return await doing


sources = st.builds(
    Source,
    methods=st.one_of(
        st.just(dict.fromkeys(METHODS, 1)),
        st.dictionaries(st.sampled_from(METHODS), st.sampled_from((1, 1, 2)), min_size=1),
    ),
    lifecycle=st.dictionaries(
        st.sampled_from(("activate", "upgrade", "deactivate")), scripts(1), max_size=2
    ),
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
rare = st.one_of(again, deactivations, by_hand)
actions = st.one_of(calls, calls, calls, calls, advances, advances, deploys, idles, rare)


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
        self.loop.run_until_complete(self.runtime.aclose())
        self.loop.close()
        setattr(SqliteBackend, "commit_point", self.original)  # noqa: B010
        logging.getLogger("asyncio").setLevel(logging.NOTSET)
        shutil.rmtree(self.folder)

    def open(self) -> None:
        self.runtime = Runtime(
            self.folder / "state.db",
            seed=5,
            limits=Limits(**LIMITS),
        )

    # rules

    @initialize(source=sources)
    def first(self, source: Source) -> None:
        self.perform(("deploy", "default", Source(dict.fromkeys(METHODS, 1), source.lifecycle)))

    @rule(action=calls)
    def call(self, action: Action) -> None:
        self.perform(action)

    @rule(action=calls)
    def call_again(self, action: Action) -> None:
        self.perform(action)

    @rule(action=advances | idles)
    def let_time_pass(self, action: Action) -> None:
        self.perform(action)

    @rule(action=deploys)
    def deploy(self, action: Action) -> None:
        self.perform(action)

    @rule(action=actions, nth=st.integers(1, 12) | st.integers(1, 40))
    def kill(self, action: Action, nth: int) -> None:
        self.perform(action, kill_at=nth)

    @rule(action=rare)
    def do_what_is_rare(self, action: Action) -> None:
        self.perform(action)

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
            note(f"killed in {action[0]}")
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
        elif found not in (("nothing",), ("TwistInactive",), ("MethodNotFound",)):
            self.compare(action[1])
        self.agreed = True

    def modelled(self, action: Action, *, armed: bool = False) -> tuple[Any, ...]:
        match action:
            case ("deploy", place, source):
                return told(self.world.deploy(place, source, armed=armed))
            case ("advance", seconds):
                return told(self.world.advance(seconds * SECOND))
            case ("idle", seconds):
                return told(self.world.idle(seconds * SECOND))
        installed = self.world.places[action[1]].installed if action[1] in self.world.places else None
        if installed is None:
            return ("nothing",)
        match action:
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
                case ("load", _, values):
                    handle.load({key: json.dumps({"json": value}) for key, value in values.items()})
                    return ("loaded",)
                case ("deactivate", _):
                    return reported(await handle.deactivate())
                case ("call", _, method, script):
                    return reported(await handle.call(method, script))
        except PlotError as error:
            note(f"{type(error).__name__}: {error}")
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
            found = observed(handles[name])
            found["active",] = self.is_active(handles[name])
            kept = next((state for state in states if self.left(state, now, handles[name]) == found), None)
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
        return {**shown(recovered(state, now)), ("active",): state["installed",].active}

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
            expected, found = shown(place.facts), observed(handle)
            assert found == expected, f"{name}:\n{difference(found, expected)}"


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


def error_of(text: str | None) -> Any:
    """An error's type, and the two versions if it names them."""
    if text is None:
        return None
    versions = _VERSIONS.search(text)
    kind = text.partition(":")[0]
    return (kind, *map(int, versions.groups())) if versions else kind


def microseconds(moment: Any) -> int:
    """A moment of the tables."""
    return int(pd.Timestamp(moment).value // 1000)


def observed(handle: TwistHandle) -> Facts:
    """What the tables show of an instance, with places in the tables instead of identities."""
    tasks, attempts, store, callbacks = handle.tasks, handle.executions, handle.store, handle.callbacks
    refs: dict[str | None, Any] = {None: None}
    refs.update({identity: ("task", place) for place, identity in enumerate(tasks["execution"])})
    events = [each for each in dict.fromkeys(attempts["execution"]) if each not in refs]
    refs.update({identity: ("event", place) for place, identity in enumerate(events)})
    methods = dict(zip(callbacks["callback"], callbacks["method"], strict=True))

    def value_of(key: str, value: Any) -> Any:
        if key.startswith(LOCKS):
            return ("lock", refs[value["execution"]], round(value["until"] * 1000))
        if isinstance(value, str) and value in methods:
            return ("callback", methods[value])
        return refs.get(value, value) if isinstance(value, str) else value

    seen: Facts = {}
    for row in tasks.itertuples(index=False):
        every = None if pd.isna(row.every_ms) else int(row.every_ms * 1000)
        seen[refs[row.execution]] = (
            *(row.cause, row.method, row.state, microseconds(row.run_at), microseconds(row.queued)),
            *(row.attempts, row.failures, row.key, every, refs[row.parent]),
        )
    for place, row in enumerate(attempts.itertuples(index=False)):
        ended = None if pd.isna(row.ended) else microseconds(row.ended)
        error = error_of(row.error) if row.outcome == "error" else None
        seen["attempt", place] = (
            *(refs[row.execution], row.attempt, refs[row.parent], row.version, row.method, row.cause),
            *(row.outcome, row.requests, microseconds(row.started), ended, error),
        )
    for row in store.itertuples(index=False):
        seen["store", row.key] = (
            *(value_of(row.key, row.value), row.version),
            *(microseconds(row.updated), refs[row.execution]),
        )
    seen["callbacks",] = sorted(
        (
            *(microseconds(row.created), row.method, repr(json.loads(row.args)["json"])),
            *(row.version, refs[row.execution], row.deleted),
        )
        for row in callbacks.itertuples(index=False)
    )
    return seen


def difference(found: dict[Any, Any], expected: dict[Any, Any]) -> str:
    """Where two dicts differ."""
    lines = [
        f"{key}\n  found    {found.get(key)}\n  expected {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys(), key=str)
        if found.get(key) != expected.get(key)
    ]
    return "\n".join(lines)
