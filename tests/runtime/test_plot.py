"""What a twist creates with the Plot tool (SPEC 4)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from plot_nb import Run, Runtime, TwistHandle
from plot_nb.backend.sqlite import SqliteBackend
from tests.runtime.twists import Called, called, methods, on_runtime

BUILD = 'def build(self, build):\n    return {"plot": build(Plot)}\n'

MAKES = (
    BUILD
    + 'async def go(self):\n    return await self.tools.plot.create_activity(Activity("Old", key="k"))\n'
)


def went(body: str, *args: Any, **settings: Any) -> Called:
    """Run lines of a method that has `plot`."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return called(
        f"{BUILD}async def go(self, *args):\n    plot = self.tools.plot\n{lines}\n", *args, **settings
    )


def asked(made: Called) -> list[tuple[str, str]]:
    """Operation and detail of each request."""
    assert set(made.requests["tool"]) <= {"plot"}
    return list(zip(made.requests["operation"], made.requests["detail"], strict=True))


class Table:
    """A run and the activities of its twist, kept after the runtime is closed."""

    def __init__(self, run: Run, twist: TwistHandle) -> None:
        assert run.ok, run.traceback
        self.value, self.execution = run.value, run.executions["execution"].iloc[0]
        self.frame = twist.activities
        self.rows: list[dict[str, Any]] = [
            {str(name): value for name, value in row.items()} for row in self.frame.to_dict("records")
        ]


def table(body: str, **settings: Any) -> Table:
    """The activities after some lines of a method that has `plot`."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    source = methods(f"{BUILD}async def go(self):\n    plot = self.tools.plot\n{lines}\n")

    async def work(runtime: Runtime) -> Table:
        twist = await runtime.deploy(source)
        return Table(await twist.call("go"), twist)

    return on_runtime(work, **settings)


@pytest.mark.rule("3.6", "4.13")
def test_each_call_is_one_request_whatever_its_size() -> None:
    made = went("""
one = await plot.create_activity(Activity("One", type=ActivityType.ACTION, notes=[Note("a"), Note("b")]))
await plot.create_activities([Activity(f"{n}", key=f"k{n}", notes=["x"]) for n in range(1000)])
note = await plot.create_note(Note("c", activity=one))
await plot.create_notes([Note(f"{n}", activity={"key": "k0"}) for n in range(1000)])
await plot.update_activity(one, title="Two")
await plot.archive_activity("k1")
await plot.update_note(note, content="d")
await plot.get_activity(key="k1")
found = await plot.get_activities(keys=["k1", "k2", "k3"])
await plot.get_note(note)
notes = await plot.get_notes("k0")
return len(found), len(notes)
""")
    assert made.value == [3, 1001], made.error
    assert [operation for operation, _ in asked(made)] == [
        "create_activity",
        "create_activities",
        "create_note",
        "create_notes",
        "update_activity",
        "archive_activity",
        "update_note",
        "get_activity",
        "get_activities",
        "get_note",
        "get_notes",
    ]


def test_the_journal_shows_title_key_or_count() -> None:
    made = went("""
one = await plot.create_activity({"title": "Title"})
await plot.create_activity({"title": "Title", "key": "key"})
await plot.create_activities([{}, {}])
await plot.create_note({"activity": one, "content": "Content"})
await plot.create_notes([{"activity": one}] * 3)
await plot.update_activity("key", title="x")
await plot.get_activities(tag="t", archived=False)
await plot.get_activities(ids=[one])
await plot.get_activities()
""")
    assert [detail for _, detail in asked(made)] == [
        "Title",
        "key",
        "2 activities",
        "Content",
        "3 notes",
        "key",
        "tag=t, archived=False",
        "1 ids",
        "all",
    ]


@pytest.mark.rule("4.13")
def test_creating_gives_the_ids_in_order_and_takes_given_ones() -> None:
    made = went("""
own = Uuid.generate()
ids = await plot.create_activities([Activity("a"), Activity("b", id=own), {"title": "a"}])
titles = [(await plot.get_activity(id)).title for id in ids]
return own, ids, titles
""")
    own, ids, titles = made.value
    assert titles == ["a", "b", "a"]
    assert ids[1] == own
    assert len(set(ids)) == 3


@pytest.mark.rule("4.13")
@pytest.mark.parametrize(
    "bad", ['{"titel": "x"}', 'Activity("x", notes=[{"text": "x"}])', 'Activity("x", start=5)', '"x"']
)
def test_a_batch_with_a_bad_activity_creates_none_and_costs_nothing(bad: str) -> None:
    made = went(f"""
try:
    await plot.create_activities([Activity("good"), {bad}])
except TypeError as error:
    return str(error)
""")
    assert made.value
    assert not len(made.requests)


@pytest.mark.rule("4.13")
def test_a_batch_that_the_host_refuses_creates_none() -> None:
    made = table("""
await plot.create_activities([Activity("a", key="a", id="1"), Activity("b", key="b", id="2")])
try:
    await plot.create_activities([Activity("new"), Activity("c", key="b", id="1")])
except ValueError as error:
    return str(error)
""")
    assert made.value == "the key 'b' is that of another activity, '2'"
    assert [row["title"] for row in made.rows] == ["a", "b"]


@pytest.mark.rule("4.42")
def test_a_batch_of_more_than_a_thousand_is_refused() -> None:
    made = went("""
try:
    await plot.create_activities([{}] * 1001)
except ValueError as error:
    return str(error)
""")
    assert made.value == "1001 activities at once: at most 1000 go into one request"


@pytest.mark.rule("4.14")
def test_a_key_that_is_there_updates_and_gives_the_same_id() -> None:
    made = table("""
first = await plot.create_activity(Activity("Old", key="k", start=now(), tags=["x"]))
second = await plot.create_activity(Activity("New", key="k"))
batch = await plot.create_activities([Activity(key="n", title="1"), Activity(key="n", title="2"), Activity(key="k")])
return first, second, batch
""")
    first, second, batch = made.value
    assert first == second == batch[2]
    assert batch[0] == batch[1]
    assert [(row["key"], row["title"], row["tags"]) for row in made.rows] == [
        ("k", "New", ["x"]),
        ("n", "2", []),
    ]
    assert made.rows[0]["start"] is not None


@pytest.mark.rule("4.14")
def test_keys_are_an_instances_own() -> None:
    async def work(runtime: Runtime) -> list[str]:
        source = methods(MAKES)
        twists = [await runtime.deploy(source, instance=name) for name in ("one", "two")]
        ids = [(await twist.call("go")).value for twist in twists]
        assert all(len(twist.activities) == 1 for twist in twists)
        return ids

    one, two = on_runtime(work)
    assert one != two


@pytest.mark.rule("4.15")
def test_a_notes_key_is_unique_within_its_activity() -> None:
    made = table("""
a, b = await plot.create_activities([Activity("a", notes=[Note("old", key="d")]), Activity("b")])
again, other = await plot.create_notes([Note("new", key="d", activity=a), Note("b's", key="d", activity=b)])
found = await plot.get_note(key="d", activity=a)
await plot.update_note({"key": "d", "activity": b}, content="changed")
return again == found.id, again == other, found.content, found.activity.title
""")
    assert made.value == [True, False, "new", "a"]
    assert [[note["content"] for note in row["notes"]] for row in made.rows] == [["new"], ["changed"]]


@pytest.mark.rule("4.15")
def test_a_note_on_an_activity_that_is_not_there_is_a_lookup_error_with_what_is_like_it() -> None:
    made = went("""
await plot.create_activity(Activity("a", key="issue:12"))
try:
    await plot.create_notes([Note("x", activity="issue:12"), Note("x", activity="issue:13")])
except LookupError as error:
    return str(error), await plot.get_notes("issue:12")
""")
    assert made.value == ["there is no activity with the id or key 'issue:13': did you mean 'issue:12'?", []]


@pytest.mark.rule("4.16")
def test_an_activity_is_found_by_id_or_key_or_not_at_all() -> None:
    made = went("""
id = await plot.create_activity(Activity("a", key="k", meta={"n": [1, 2.5]}, due="2026-02-03"))
found = [await plot.get_activity(id), await plot.get_activity("k"), await plot.get_activity({"key": "k"})]
found += [await plot.get_activity(key="k"), await plot.get_activity(id=id), await plot.get_activity(found[0])]
assert all(each == found[0] for each in found)
assert await plot.get_activity("no") is await plot.get_activity(key=id) is await plot.get_note("no") is None
each = found[0]
return each.id == id, each.key, each.title, each.type, each.meta, each.due, each.start, each.created <= now()
""")
    assert made.value == [True, "k", "a", "note", {"n": [1, 2.5]}, "2026-02-03", None, True], made.error


LOOKUPS = {
    "": "abcd",
    "keys=['a', 'c', 'x']": "ac",
    "keys=[]": "",
    "ids=[ids[1], 'x']": "b",
    "tag='t'": "ac",
    "archived=True": "cd",
    "archived=False": "ab",
    "tag='t', archived=True": "c",
    "type=ActivityType.ACTION": "b",
    "type='action', tag='t'": "",
}


@pytest.mark.rule("4.16")
def test_activities_are_looked_up_by_all_that_is_given() -> None:
    found = ", ".join(f"await plot.get_activities({wanted})" for wanted in LOOKUPS)
    made = went(f"""
ids = await plot.create_activities([
    Activity("a", key="a", tags=["t", "u"]),
    Activity("b", key="b", type=ActivityType.ACTION),
    Activity("c", key="c", tags=["t"], archived=True),
    Activity("d", archived=True),
])
return ["".join(each.title for each in found) for found in [{found}]]
""")
    assert made.value == list(LOOKUPS.values()), made.error


@pytest.mark.rule("4.17")
def test_an_update_changes_what_it_is_given() -> None:
    made = table("""
await plot.create_activity(Activity("a", key="k", kind="document", tags=["new", "x"], start="2026-01-02"))
await plot.update_activity(key="k", title="b", tags={"done": True, "new": False}, start=None)
await plot.update_activity({"key": "k", "preview": "p"})
""")
    (row,) = made.rows
    assert row["document"] == {
        "id": row["id"],
        "key": "k",
        "type": "note",
        "title": "b",
        "kind": "document",
        "preview": "p",
        "tags": ["done", "x"],
    }


@pytest.mark.rule("4.17")
def test_archiving_is_a_change_that_can_be_undone() -> None:
    made = went("""
id = await plot.create_activity(Activity("a"))
seen = []
await plot.archive_activity(id)
for archived in (None, False, True):
    if archived is not None:
        await plot.update_activity(id, archived=archived)
    seen.append((await plot.get_activity(id)).archived)
return seen
""")
    assert made.value == [True, False, True], made.error


@pytest.mark.rule("4.17")
def test_what_was_read_can_be_changed_and_written_back() -> None:
    made = went("""
await plot.create_activity(Activity("a", key="k", notes=[Note("n", key="d")]))
activity = await plot.get_activity("k")
activity.title = "b"
await plot.update_activity(activity)
(note,) = await plot.get_notes(activity)
note.content = "m"
await plot.update_note(note)
(note,) = await plot.get_notes(activity)
return note.content, note.activity.title
""")
    assert made.value == ["m", "b"], made.error


def test_changing_what_is_not_there_is_a_lookup_error() -> None:
    made = went("""
said = []
for change in (plot.update_activity("x", title="y"), plot.archive_activity("x"), plot.update_note("x", content="y"),
               plot.get_notes("x")):
    try:
        await change
    except LookupError as error:
        said.append(str(error))
return said
""")
    assert len(made.value) == 4, made.error
    assert made.value[2] == "there is no note 'x' on that activity: create_note makes one"


@pytest.mark.rule("4.18")
def test_threads_are_activities() -> None:
    made = went("""
one = await plot.create_thread(Activity("a"))
two = await plot.create_threads([{"title": "b"}])
await plot.update_thread(one, title="c")
return [(await plot.get_thread(one)).title, len(await plot.get_threads())]
""")
    assert made.value == ["c", 2]
    assert [operation for operation, _ in asked(made)][:2] == ["create_activity", "create_activities"]


@pytest.mark.rule("4.19")
def test_the_table_has_what_was_created_and_by_which_execution() -> None:
    made = table("""
await plot.create_activity(Activity("a", key="k", tags=["t"], notes=[Note("n", key="d"), "m"]))
await plot.create_activity(Activity("b", type=ActivityType.EVENT, start=now()))
""")
    assert list(made.frame.columns) == [
        "id", "key", "type", "title", "start", "end", "due", "done", "notes", "tags", "archived", "created", "updated",
        "execution", "document",
    ]  # fmt: skip
    first, second = made.rows
    assert (first["key"], first["type"], first["title"], first["tags"]) == ("k", "note", "a", ["t"])
    assert [(note.get("key"), note["content"]) for note in first["notes"]] == [
        ("d", "n"),
        (None, "m"),
    ]
    assert {first["execution"], second["execution"], first["notes"][0]["execution"]} == {made.execution}
    assert (second["type"], second["key"]) == ("event", None)
    assert second["start"] == second["document"]["start"]
    assert str(made.frame["created"].dtype).startswith("datetime64")


def test_the_table_of_a_twist_that_created_nothing_has_the_same_columns() -> None:
    made, empty = table("await plot.create_activity({})"), table("pass")
    assert list(made.frame.columns) == list(empty.frame.columns)
    assert list(made.frame.dtypes) == list(empty.frame.dtypes)
    assert not len(empty.frame)


@pytest.mark.rule("4.29")
def test_options_are_masked_in_the_table_and_in_the_journal() -> None:
    body = BUILD + (
        "async def go(self):\n"
        "    secret, number = self.options['token'], self.options['pin']\n"
        "    meta, links = {'n': number, secret: [secret]}, [Url(f'https://a.com/{secret}')]\n"
        "    made = Activity(f'a {secret}', key=secret, meta=meta, links=links, notes=[Note(secret)])\n"
        "    await self.tools.plot.create_activity(made)\n"
    )

    async def work(runtime: Runtime) -> str:
        twist = await runtime.deploy(methods(body), options={"token": "correct-horse", "pin": 271828})
        run = await twist.call("go")
        assert run.ok, run.error
        assert twist.activities["document"].iloc[0]["meta"] == {"n": "•••", "•••": ["•••"]}
        return f"{twist.activities.to_dict()} {run.requests.to_dict()}"

    shown = on_runtime(work)
    assert "a •••" in shown
    assert "correct-horse" not in shown
    assert "271828" not in shown


def test_activities_stay_when_the_file_is_opened_again_and_go_with_a_reset(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def first(runtime: Runtime) -> None:
        await (await runtime.deploy(methods(MAKES))).call("go")

    async def second(runtime: Runtime) -> int:
        (twist,) = runtime.twists()
        assert list(twist.activities["title"]) == ["Old"]
        await twist.call("go")
        count = len(twist.activities)
        await runtime.reset()
        return count + len((await runtime.deploy(methods(MAKES))).activities)

    on_runtime(first, path=path)
    assert on_runtime(second, path=path) == 1


def test_the_clock_of_a_file_that_is_opened_again_stands_at_its_last_activity_at_least(
    tmp_path: Path,
) -> None:
    backend = SqliteBackend(tmp_path / "state.db")
    try:
        before = backend.latest_time()
        assert before is None
    finally:
        backend.close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("INSERT INTO notes VALUES (1, 1, 'n', 'a', NULL, '{\"json\":{}}', NULL, 5, 7)")
    connection.close()
    backend = SqliteBackend(tmp_path / "state.db")
    try:
        assert backend.latest_time() == 7
    finally:
        backend.close()


def test_activities_survive_an_upgrade() -> None:
    async def work(runtime: Runtime) -> None:
        twist = await runtime.deploy(methods(MAKES))
        made = (await twist.call("go")).value
        await runtime.deploy(methods(MAKES + "\nasync def upgrade(self):\n    pass\n"))
        assert list(twist.activities["id"]) == [made]

    on_runtime(work)


@pytest.mark.rule("4.30", "4.31")
def test_the_names_of_plot_need_no_import_and_can_be_imported() -> None:
    made = called(
        BUILD
        + "async def go(self):\n    import plot_nb\n"
        + "    return [getattr(plot_nb, each.__name__) is each for each in (Plot, Activity, ActivityType, Note)]\n"
    )
    assert made.value == [True] * 4, made.error


def test_tools_of_the_users_own_create_in_the_twists_name() -> None:
    made = called(
        "def build(self, build):\n    return {'issues': build(Issues), 'plot': build(Plot)}\n"
        "async def go(self):\n"
        "    ids = [await self.tools.issues.create(), await self.tools.plot.create_activity(Activity('b', key='k'))]\n"
        "    return len(set(ids)), (await self.tools.plot.get_activity('k')).title\n",
        head=(
            "class Issues(Tool):\n"
            "    def build(self, build):\n        return {'plot': build(Plot)}\n"
            "    async def create(self):\n"
            "        return await self.tools.plot.create_activity(Activity('a', key='k'))\n"
        ),
    )
    assert made.value == [1, "b"], made.error
    assert set(made.requests["tool"]) == {"plot"}
