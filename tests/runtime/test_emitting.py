"""A user's edits, played back to the twist whose activity it is (SPEC 4)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Activity, ActivityNotFound, Note, PlotError, Runtime, TwistInactive
from plot_nb.backend.sqlite import SqliteBackend
from tests.runtime.test_plot import BUILD, MAKES
from tests.runtime.twists import methods, on_runtime

LISTENS = (
    MAKES
    + """
async def on_activity_updated(self, activity, changes):
    assert isinstance(activity, Activity)
    await self.set("seen", [activity.id, activity.title, activity.tags, changes])
    await self.tools.plot.update_activity(activity, kind="document")
    return "updated"

async def on_note_created(self, note):
    assert isinstance(note, Note) and isinstance(note.activity, Activity)
    await self.set("seen", [note.id, note.content, note.activity.key, note.activity.title])
    await self.tools.plot.create_note(Note("answer", activity=note.activity))
"""
)


@pytest.mark.rule("4.5", "4.7", "4.37")
def test_a_users_change_is_stored_and_then_the_twist_is_told() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LISTENS))
        activity = (await twist.call("go")).value
        changes = {"title": "New", "tags": {"done": True}}
        run = await runtime.emit("activity_updated", activity, changes)
        assert (run.outcome, run.value) == ("ok", "updated"), run.traceback
        assert list(run.executions["cause"]) == ["event"]
        assert list(run.executions["method"]) == ["on_activity_updated"]
        assert twist.store["value"].iloc[0] == [activity, "New", ["done"], changes]
        (row,) = twist.activities.to_dict("records")
        assert (row["title"], row["tags"], row["document"]["kind"]) == ("New", ["done"], "document")
        assert row["execution"] is not None

    on_runtime(work)


@pytest.mark.rule("4.6", "4.7", "4.37")
@pytest.mark.parametrize("note", ["hello", {"content": "hello"}, Note("hello")])
def test_a_users_note_is_stored_and_then_the_twist_is_told(note: Any) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LISTENS))
        await twist.call("go")
        run = await runtime.emit("note_created", "k", note, twist=twist)
        assert run.ok, run.traceback
        assert len(run.executions) == 1
        (notes,) = twist.activities["notes"]
        assert [each["content"] for each in notes] == ["hello", "answer"]
        assert [each["execution"] for each in notes] == [None, run.executions["execution"].iloc[0]]
        assert twist.store["value"].iloc[0] == [notes[0]["id"], "hello", "k", "Old"]

    on_runtime(work)


@pytest.mark.rule("4.37")
def test_an_edit_is_stored_when_the_twist_has_no_method_for_it() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(MAKES))
        activity = (await twist.call("go")).value
        for _ in range(2):
            run = await runtime.emit("note_created", activity, "the same")
            assert run.outcome is None
            assert run.ok
            assert not len(run.executions)
        await runtime.emit("activity_updated", activity, Activity("New"))
        assert list(twist.activities["title"]) == ["New"]
        assert [len(notes) for notes in twist.activities["notes"]] == [2]

    on_runtime(work)


FAILS = (
    MAKES
    + """
async def on_activity_updated(self, activity, changes):
    tries = (await self.get("tries") or 0) + 1
    await self.set("tries", tries)
    if tries <= changes["meta"]["fails"]:
        raise ValueError("not yet")
    await self.run_task(await self.callback(self.later))

async def later(self):
    await self.set("later", True)
"""
)


@pytest.mark.rule("4.40", "7.51")
@pytest.mark.parametrize(
    ("fails", "outcomes"), [(0, ["ok", "ok"]), (2, ["error", "error", "ok", "ok"]), (3, ["error"] * 3)]
)
def test_what_an_edit_sets_off_is_tried_again_like_a_task_and_driven_to_its_end(
    fails: int, outcomes: list[str]
) -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(FAILS))
        await twist.call("go")
        run = await runtime.emit("activity_updated", "k", {"meta": {"fails": fails}}, twist=twist)
        assert list(run.executions["outcome"]) == outcomes
        assert ("later" in set(twist.store["key"])) == (fails < 3)
        assert twist.activities["document"].iloc[0]["meta"] == {"fails": fails}

    on_runtime(work)


@pytest.mark.rule("4.40")
def test_an_edit_is_in_the_file_together_with_what_it_sets_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Ends the engine where a process would have been killed."""

    def commit_point(backend: SqliteBackend, name: str) -> None:
        if name == point:
            raise Killed

    async def edit(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LISTENS))
        await twist.call("go")
        monkeypatch.setattr(SqliteBackend, "commit_point", commit_point)
        try:
            with pytest.raises(Killed):
                await runtime.emit("activity_updated", "k", {"title": "New"}, twist=twist)
        finally:
            monkeypatch.undo()

    async def look(runtime: Runtime) -> tuple[str, bool]:
        await runtime.run_until_idle()
        (twist,) = runtime.twists()
        return twist.activities["title"].iloc[0], "seen" in set(twist.store["key"])

    found = []
    for point in ("before activities", "after activities"):
        path = tmp_path / f"{point}.db"
        on_runtime(edit, path=path)
        found.append(on_runtime(look, path=path))
    assert found == [("Old", False), ("New", True)]


REFUSED: list[tuple[Any, Any, Any, type[Exception], str]] = [
    ("activity_update", "ID", {}, ValueError, "did you mean 'activity_updated'.*'note_created'"),
    ("x", "ID", {}, ValueError, "there are 'activity_updated' and 'note_created'"),
    (5, "ID", {}, ValueError, "there is no event 5"),
    ("activity_updated", "no", {}, ActivityNotFound, "there is no activity with the id 'no'"),
    (
        "activity_updated",
        "k",
        {},
        ActivityNotFound,
        "'k' is the key of an activity of Sync: .*twist=handle",
    ),
    ("activity_updated", {"key": "k"}, {}, ActivityNotFound, "twist=handle"),
    ("activity_updated", 5, {}, TypeError, "say which activity is meant"),
    ("activity_updated", "ID", {"titel": 1}, TypeError, "did you mean 'title'?"),
    ("activity_updated", "ID", {"id": "other"}, ValueError, "stays what it is"),
    ("activity_updated", "ID", {"title": "x" * 2**20}, ValueError, "at most 1048576"),
    ("activity_updated", "ID", {"meta": {"x": object()}}, TypeError, "meta.x"),
    ("note_created", "ID", {"contents": "x"}, TypeError, "did you mean 'content'?"),
    ("note_created", "ID", 5, TypeError, "this takes Note"),
]


@pytest.mark.rule("4.37")
def test_an_edit_that_cannot_be_is_refused() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LISTENS))
        made = (await twist.call("go")).value
        for event, activity, given, error, says in REFUSED:
            with pytest.raises(error, match=says):
                await runtime.emit(event, made if activity == "ID" else activity, given)
        assert list(twist.activities["title"]) == ["Old"]
        assert list(twist.activities["notes"]) == [[]]
        assert len(twist.executions) == 1

    on_runtime(work)


def test_an_unknown_id_names_the_nearest_and_is_an_error_of_the_runtimes_own() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(MAKES))
        made = (await twist.call("go")).value
        with pytest.raises(PlotError, match=f"did you mean '{made}'"):
            await runtime.emit("activity_updated", made[:-1], {})
        with pytest.raises(LookupError, match="did you mean 'k'"):
            await runtime.emit("activity_updated", "kk", {}, twist=twist)

    on_runtime(work)


@pytest.mark.rule("4.37")
def test_a_twist_that_was_deactivated_hears_of_no_edit_and_keeps_its_activities() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(LISTENS))
        made = (await twist.call("go")).value
        await twist.deactivate()
        with pytest.raises(TwistInactive):
            await runtime.emit("activity_updated", made, {"title": "New"})
        assert list(twist.activities["title"]) == ["Old"]
        await runtime.deploy(methods(LISTENS))
        await runtime.emit("activity_updated", made, {"title": "New"})
        assert list(twist.activities["title"]) == ["New"]

    on_runtime(work)


def test_the_same_note_is_another_one_each_time(tmp_path: Path) -> None:
    async def write(runtime: Runtime) -> int:
        twist = await runtime.deploy(methods(MAKES))
        await twist.call("go")
        return await again(runtime)

    async def again(runtime: Runtime) -> int:
        (twist,) = runtime.twists()
        await runtime.emit("note_created", "k", "the same", twist=twist)
        await runtime.emit("note_created", "k", "the same", twist=twist)
        return len(twist.activities["notes"].iloc[0])

    assert on_runtime(write, path=tmp_path / "state.db") == 2
    assert on_runtime(again, path=tmp_path / "state.db") == 4


def test_a_handle_of_another_runtime_is_refused() -> None:
    async def main() -> None:
        async with Runtime(seed=1) as one, Runtime(seed=2) as two:
            twist = await one.deploy(methods(MAKES))
            await twist.call("go")
            with pytest.raises(ValueError, match="emit: this twist is deployed in another runtime"):
                await two.emit("activity_updated", "k", {}, twist=twist)
            with pytest.raises(TypeError, match=r"emit takes a deployed twist.*not 'Sync'"):
                await one.emit("activity_updated", "k", {}, twist="Sync")  # type: ignore[arg-type]

    asyncio.run(main())


def test_an_id_that_another_instance_has_is_free() -> None:
    source = methods(
        BUILD
        + "async def go(self, title):\n    await self.tools.plot.create_activity(Activity(title, id='1'))\n"
    )

    async def work(runtime: Runtime) -> list[str]:
        one, two = [await runtime.deploy(source, instance=name) for name in ("one", "two")]
        await one.call("go", "mine")
        await two.call("go", "theirs")
        with pytest.raises(ActivityNotFound, match="2 twists have an activity with the id '1': say whose"):
            await runtime.emit("activity_updated", "1", {})
        await runtime.emit("activity_updated", "1", {"kind": "x"}, twist=one)
        return [*one.activities["title"], *two.activities["title"]]

    assert on_runtime(work) == ["mine", "theirs"]
