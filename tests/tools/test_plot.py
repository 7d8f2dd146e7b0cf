"""What one request makes of several activities and notes, and what it refuses (SPEC 4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plot_nb.backend.records import Origin
from plot_nb.backend.sqlite import SqliteBackend
from plot_nb.tools import plot
from plot_nb.tools.drafts import Draft
from plot_nb.twist import superjson
from plot_nb.twist.activities import encoded
from tests.runtime.twists import called


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SqliteBackend]:
    backend = SqliteBackend(tmp_path / "state.db")
    yield backend
    backend.close()


def drafted(backend: SqliteBackend, now: int = 1, instance: int = 1) -> Draft:
    """A draft whose ids are numbers, counted from its time."""
    numbers = count(now * 100)
    return Draft(backend, Origin(instance, None, None, now), lambda _: str(next(numbers)))


def put(draft: Draft, **given: Any) -> str:
    """Put an activity."""
    return draft.put_activity(given, encoded(given, "activity"))


def titles(backend: SqliteBackend, instance: int = 1) -> dict[str | None, str]:
    """Titles by key."""
    rows = backend.activities(instance)
    return {row.key: superjson.loads(row.document).get("title", "") for row in rows}


def test_nothing_is_written_before_the_commit_and_nothing_where_nothing_changed(
    backend: SqliteBackend,
) -> None:
    draft = drafted(backend)
    put(draft, key="k", title="a", notes=[{"content": "n", "key": "d"}])
    assert titles(backend) == {}
    draft.commit()
    assert titles(backend) == {"k": "a"}
    again = drafted(backend, now=2)
    identity = put(again, key="k", title="a", notes=[{"content": "n", "key": "d"}])
    again.commit()
    assert [(row.id, row.updated) for row in backend.activities(1)] == [(identity, 1)]
    assert [row.updated for row in backend.notes(1, identity)] == [1]


def test_later_entries_of_a_batch_see_earlier_ones(backend: SqliteBackend) -> None:
    draft = drafted(backend)
    first = put(draft, key="a", title="1")
    assert put(draft, key="a", title="2") == first
    draft.change(draft.find({"key": "a"}), {"key": "b"})
    second = put(draft, key="a", title="3")
    assert second != first
    assert draft.find({"either": "b"}).id == first
    with pytest.raises(LookupError, match="no activity with the key 'c'"):
        draft.find({"key": "c"})
    note = draft.put_note(first, {"key": "d", "content": "1"})
    assert draft.put_note(first, {"key": "d", "content": "2"}) == note
    assert draft.put_note(second, {"key": "d", "content": "3"}) != note
    draft.commit()
    assert titles(backend) == {"b": "2", "a": "3"}
    assert [superjson.loads(row.document) for row in backend.notes(1, first)] == [{"content": "2"}]


def test_a_key_that_was_given_away_is_free_for_what_comes_after(backend: SqliteBackend) -> None:
    draft = drafted(backend)
    old = put(draft, key="a", title="old")
    draft.commit()
    draft = drafted(backend, now=2)
    draft.change(draft.find({"key": "a"}), {"key": None})
    new = put(draft, key="a", title="new")
    assert new != old
    draft.commit()
    assert titles(backend) == {None: "old", "a": "new"}


def test_keys_can_change_hands_within_one_request(backend: SqliteBackend) -> None:
    draft = drafted(backend)
    for name, key in (("a", "x"), ("b", "y")):
        put(draft, id=name, key=key, title=name, notes=[{"id": f"n{name}", "key": name, "content": name}])
    put(draft, id="c", notes=[{"id": n, "key": k} for n, k in (("1", "x"), ("2", "y"))])
    draft.commit()
    draft = drafted(backend, now=2)
    for name, key in (("a", "z"), ("b", "x"), ("a", "y")):
        put(draft, id=name, key=key)
    for name, key in (("1", "z"), ("2", "x"), ("1", "y")):
        draft.put_note("c", {"id": name, "key": key})
    draft.commit()
    assert titles(backend) == {"y": "a", "x": "b", None: ""}
    assert {row.id: row.key for row in backend.notes(1, "c")} == {"1": "y", "2": "x"}


def test_who_looks_for_what_is_not_there_pays_for_no_hint(
    backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = drafted(backend)
    put(draft, key="known")
    draft.commit()
    asked: list[int] = []

    def names(_: SqliteBackend, instance: int, most: int) -> list[str]:
        asked.append(instance)
        return ["known"]

    monkeypatch.setattr(SqliteBackend, "activity_names", names)
    assert draft.look({"either": "unknown"}) is None
    assert draft.look({"key": "unknown"}) is None
    assert draft.look({"either": "known"}) == draft.find({"key": "known"})
    assert asked == []
    with pytest.raises(LookupError, match="did you mean 'known'"):
        draft.find({"key": "unknown"})


def test_a_document_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []

    def loads(text: str) -> Any:
        decoded.append(text)
        return superjson.loads(text)

    monkeypatch.setattr(plot, "superjson", SimpleNamespace(loads=loads))
    body = """
    async def go(self):
        await self.tools.plot.create_activity({"key": "a", "title": "b"})
        await self.tools.plot.create_note({"key": "c", "content": "d", "activity": "a"})

    def build(self, build):
        return {"plot": build(Plot)}
    """
    done = called(body)
    assert done.error is None
    assert list(done.requests["detail"]) == ["a", "c"]
    assert len(decoded) == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"key": "b"}, "the key 'b' is that of another activity"),
        ({"id": "other"}, "the id of activity '100' stays what it is"),
        ({"preview": "x" * 700_000}, "this activity is 14000.. bytes encoded"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    backend: SqliteBackend, changes: dict[str, Any], says: str
) -> None:
    draft = drafted(backend)
    identity = put(draft, key="a", title="x" * 700_000)
    put(draft, key="b")
    draft.commit()
    with pytest.raises(ValueError, match=says):
        draft.change(draft.find({"id": identity}), changes)


def test_a_note_stays_on_its_activity(backend: SqliteBackend) -> None:
    draft = drafted(backend)
    one, two = put(draft, key="a"), put(draft, key="b")
    draft.put_note(one, {"id": "n", "content": "x"})
    draft.put_note(two, {"id": "m", "key": "d"})
    draft.commit()
    with pytest.raises(ValueError, match="the id 'n' is that of another note"):
        draft.put_note(two, {"id": "n", "content": "y"})
    other = draft.find_note(draft.put_note(two, {"key": "e", "id": "o"}), None, None)
    assert other is not None
    with pytest.raises(ValueError, match="the key 'd' is that of another note"):
        draft.change_note(other, {"key": "d"})
    assert draft.find_note("n", None, draft.find({"id": two})) is None


def test_what_an_instance_has_is_its_own(backend: SqliteBackend) -> None:
    for instance in (1, 2):
        draft = drafted(backend, instance=instance)
        assert put(draft, id="same", key="same", title=str(instance)) == "same"
        draft.commit()
    assert [titles(backend, instance) for instance in (1, 2)] == [{"same": "1"}, {"same": "2"}]
    assert backend.activity_owners("same") == [1, 2]
