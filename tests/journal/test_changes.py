"""What a picture is sent of a state file, piece by piece."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plot_nb.journal.changes import START, changes
from plot_nb.journal.details import values
from plot_nb.journal.progress import Tracker
from plot_nb.journal.scope import Scope
from plot_nb.journal.writes import NEWEST, TEXT
from tests.journal.files import LIMITS, File, state_file
from tests.journal.front import Front

EVERYTHING: dict[str, Any] = {"most": 10**6, "size": 10**9}
HOUR = int(timedelta(hours=1) / timedelta(microseconds=1))


def whole(file: File, scope: Scope) -> Front:
    front = Front(file, scope)
    front.ask(**EVERYTHING)
    return front


STEPS = ["queue", "begin", *["write"] * 4, "end", "fail", "clear", "by hand", "wait", "ask"]
PROGRAMS = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.integers(0, 5),
    ),
    min_size=20,
    max_size=80,
)


@settings(deadline=None, max_examples=60)
@given(
    PROGRAMS,
    st.sampled_from(["run", "instance", "file"]),
    st.integers(1, 4),
    st.sampled_from([300, 2000, 10**6]),
)
def test_pieces_of_any_size_taken_at_any_time_come_to_the_same_as_all_at_once(
    steps: list[tuple[str, int]], kind: str, most: int, size: int
) -> None:
    with state_file() as file:
        instances = [file.install(), file.install("Other")]
        mine: list[int] = []  # every other attempt belongs to the run
        scope = {"run": Scope(attempts=mine), "instance": Scope(instance=instances[0]), "file": Scope()}[kind]

        def tracker() -> Tracker:
            return Tracker("k1", instances[0], attempts=scope.attempts)

        front = Front(file, scope, tracker())
        waiting: list[int] = []
        for step, number in steps:
            file.now += 5000
            running = sorted(file.running)
            chosen = running[number % len(running)] if running else None
            if step == "queue":
                parents = list(file.executions)
                parent = parents[number % len(parents)] if parents and number else None
                instance = file.executions[parent].instance if parent else instances[number % 2]
                due = file.now + number * 10**6
                waiting.append(file.queue(instance, parent, due=due))
            elif step == "begin" and waiting:
                attempt = file.begin(waiting.pop(0))
                if attempt % 2:
                    mine.append(attempt)
            elif step in {"end", "fail"} and chosen is not None:
                execution = file.running[chosen][0]
                again = step == "fail" and number > 2
                requests = [("store", "set", "k", number), ("odd", "x", "", None)] * number
                outcome = "ok" if step == "end" else "error"
                error = None if step == "end" else f"ValueError: {'x' * number}"
                file.end(chosen, outcome, again=again, requests=requests, error=error)
                if again:
                    waiting.append(execution.number)
            elif step in {"write", "clear"} and chosen is not None:
                value = (
                    None
                    if step == "clear"
                    else {"count" if number > 3 else "n": file.now // 10**4 % 50, "page": number}
                )
                file.write(file.running[chosen][0].instance, {f"k{number % 3}": value}, chosen)
            elif step == "by hand":
                file.write(instances[number % 2], {f"k{number % 3}": number or None})
            elif step == "ask":
                front.ask(most=most, size=size)
        front.drain(most=most, size=size)
        once = Front(file, scope, tracker())
        once.ask(**EVERYTHING)
        assert front.seen() == once.seen()


def test_a_run_has_its_own_attempts_its_writes_and_what_each_of_them_replaced() -> None:
    with state_file() as file:
        sync, other = file.install(), file.install("Other")
        file.ran(sync, writes={"a": 1, "b": 1})
        file.ran(sync, writes={"a": 2})
        run = [file.ran(sync, writes={"a": 3}), file.ran(other, writes={"a": 9})]
        file.ran(sync, writes={"a": 4, "c": 1})
        run.append(file.ran(sync, writes={"a": 5}))
        found = whole(file, Scope(attempts=run))
        assert list(found.executions) == run
        written = [(row["twist"], row["key"], row["version"], row["text"]) for row in found.writes.values()]
        assert written == [
            ("Sync", "a", 2, '{"json": 2}'),
            ("Sync", "a", 3, '{"json": 3}'),
            ("Other", "a", 1, '{"json": 9}'),
            ("Sync", "a", 4, '{"json": 4}'),
            ("Sync", "a", 5, '{"json": 5}'),
        ]


def test_edits_by_hand_belong_to_a_run_of_that_twist_when_they_came_after_it_began() -> None:
    with state_file() as file:
        sync, other = file.install(), file.install("Other")
        file.write(sync, {"before": 1})
        file.now += 1000
        run = [file.ran(sync, writes={"a": 1})]
        file.write(sync, {"a": 2})
        file.write(other, {"a": 3})
        assert [(row["key"], row["by"]) for row in whole(file, Scope(attempts=run)).writes.values()] == [
            ("a", run[0]),
            ("a", None),
        ]
        assert len(whole(file, Scope(instance=sync)).writes) == 3
        assert len(whole(file, Scope()).writes) == 4


def test_an_attempt_that_ran_comes_again_when_it_has_ended_and_no_other_does() -> None:
    with state_file() as file:
        sync = file.install()
        ended = file.ran(sync)
        attempt = file.begin(file.queue(sync))
        front = Front(file, Scope())
        assert front.ask()["running"]
        assert (front.executions[attempt]["outcome"], front.executions[attempt]["ended"]) == ("running", None)
        assert front.ask()["executions"]["id"] == []
        file.end(attempt, requests=[("store", "get", "a", 3)] * 2 + [("network", "fetch", "u", 4)])
        rows = front.ask()
        assert rows["executions"]["id"] == [attempt]
        assert rows["executions"]["requests"] == [3]
        assert rows["executions"]["spent"] == {"store": [2], "network": [1]}
        assert not rows["running"]
        assert ended in front.executions


def test_requests_above_the_limit_are_not_among_those_that_were_performed() -> None:
    with state_file() as file:
        sync = file.install()
        requests = [("store", "get", "a", 1)] * LIMITS.requests + [("network", "fetch", "u", 2)]
        attempt = file.begin(file.queue(sync))
        file.end(attempt, "over_requests", requests=requests)
        row = whole(file, Scope()).executions[attempt]
        assert row["spent"] == {"store": LIMITS.requests, "other": 1}


def test_parts_of_a_bar_make_up_what_the_meter_counted() -> None:
    with state_file() as file:
        sync = file.install()
        attempt = file.begin(file.queue(sync))
        file.end(attempt, requests=[("store", "get", "a", 1)] * 5 + [("tasks", "run", "", 1)], used=4)
        row = whole(file, Scope()).executions[attempt]
        assert (row["requests"], row["spent"]) == (4, {"store": 3, "tasks": 1})


def test_a_retry_waited_since_the_attempt_before_it_ended_and_a_task_since_it_was_queued() -> None:
    with state_file() as file:
        sync = file.install()
        first = file.begin(file.queue(sync))
        file.now += 10_000
        task = file.queue(sync, 1)
        file.end(first)
        file.now += 10_000
        failed = file.begin(task)
        file.now += 10_000
        file.end(failed, "error", again=True)
        file.now += 10_000
        again = file.begin(task)
        rows = whole(file, Scope()).executions
        assert [rows[each]["queued"] for each in (first, failed, again)] == [None, 10, 30]
        assert [rows[each]["parent"] for each in (first, failed, again)] == [None, 1, 1]
        assert [(rows[each]["execution"], rows[each]["attempt"]) for each in (failed, again)] == [
            (2, 1),
            (2, 2),
        ]


def test_what_waits_is_the_first_of_it_by_its_time_and_how_much_there_is() -> None:
    with state_file() as file:
        sync, other = file.install(), file.install("Other")
        mine = file.ran(sync)
        theirs = file.ran(other)
        for number in range(150):
            file.queue(sync, 1, due=file.now + (200 - number) * HOUR, key=f"k{number}", every=HOUR)
        file.queue(other, 2, due=file.now + HOUR)
        rows = whole(file, Scope(attempts=[mine])).scheduled
        assert (rows["total"], len(rows["execution"])) == (150, 100)
        assert rows["due"] == sorted(rows["due"])
        assert rows["key"]["words"][0] == "k149"
        assert set(rows["every_ms"]) == {3_600_000}
        assert whole(file, Scope(attempts=[theirs])).scheduled["total"] == 1
        assert whole(file, Scope(instance=other)).scheduled["total"] == 1
        assert whole(file, Scope()).scheduled["total"] == 151


def test_only_the_newest_writes_are_given_and_the_others_counted() -> None:
    with state_file() as file:
        sync = file.install()
        run = [file.ran(sync, writes={f"k{n}": n for n in range(NEWEST // 2)}) for _ in range(3)]
        file.ran(sync, writes={"other": 1})
        for scope, left_out in ((Scope(attempts=run), NEWEST // 2), (Scope(instance=sync), NEWEST // 2 + 1)):
            front = Front(file, scope)
            front.drain()
            newest = sorted(row["version"] for row in front.writes.values() if row["by"] != 1)
            assert (len(newest), front.writes_left_out) == (NEWEST, left_out)
            assert front.messages < 30


@pytest.mark.parametrize("unit", ["x", "\x00", "\u202e", "é"])
def test_a_piece_stays_small_whatever_a_twist_writes(unit: str) -> None:
    with state_file() as file:
        sync = file.install()
        for number in range(300):
            writes: dict[str, object] = {f"{number}{unit * 300}": unit * 600, "large": unit * TEXT * 10}
            file.ran(sync, writes=writes, outcome="error", error=f"{number} {unit * 20_000}")
        front = Front(file, Scope())
        while True:
            rows = front.ask()
            assert len(json.dumps(rows, ensure_ascii=False)) < 110_000
            if not rows["running"]:
                break
        assert len(front.executions) == 300
        assert len(front.writes) == 600
        assert {row["text"] for row in front.writes.values() if row["key"] == "large"} == {None}


def test_a_large_value_is_given_when_it_is_asked_for() -> None:
    with state_file() as file:
        sync = file.install()
        file.ran(sync, writes={"small": 1, "large": "x" * 10_000, "cleared": None})
        numbers = list(whole(file, Scope()).writes)
        assert values(file.path, [*numbers, 999]) == [
            (numbers[0], '{"json": 1}'),
            (numbers[1], json.dumps({"json": "x" * 10_000})),
        ]


def test_a_clear_has_no_value() -> None:
    with state_file() as file:
        sync = file.install()
        file.ran(sync, writes={"a": 1})
        file.ran(sync, writes={"a": None})
        last = list(whole(file, Scope()).writes.values())[-1]
        assert (last["type"], last["text"], last["bytes"], last["version"]) == ("cleared", None, 0, 2)


@pytest.mark.rule("4.29")
def test_values_of_options_never_cross() -> None:
    with state_file() as file:
        sync = file.install("Sync", "second", token="sesame-and-tahini")
        file.ran(sync, writes={"sesame-and-tahini": 1, "a": ["sesame-and-tahini"]}, error="no sesame-•••")
        rows = changes(file.path, Scope(), limits=LIMITS)
        assert "tahini" not in json.dumps(rows, ensure_ascii=False)
        assert "tahini" not in str(values(file.path, rows["writes"]["id"]))
        assert rows["writes"]["key"]["words"] == ["•••", "a"]
        assert rows["executions"]["twist"]["words"] == ["Sync/second"]


def test_an_attempt_that_begins_while_rows_are_read_is_not_skipped() -> None:
    with state_file() as file:
        sync = file.install()
        file.ran(sync, writes={"a": 1})

        class Growing(list[int]):
            """Grows when the file has been looked at."""

            def __iter__(self) -> Any:
                return iter([1, 2])

        front = Front(file, Scope(attempts=Growing()))
        front.ask()
        front.ask()
        file.ran(sync, writes={"a": 2})
        front.ask()
        assert list(front.executions) == [1, 2]
        assert len(front.writes) == 2


def test_nothing_is_not_running() -> None:
    with state_file() as file:
        rows = changes(file.path, Scope(attempts=[]), limits=LIMITS)
        assert (rows["running"], rows["to"]) == (False, START)
        assert changes(file.path, Scope(attempts=[]), limits=LIMITS, active=True)["running"]


def test_progress_is_given_anew_when_a_write_shows_what_counts() -> None:
    with state_file() as file:
        sync = file.install()
        front = Front(file, Scope(instance=sync), Tracker("state", sync))
        for page in range(1, 4):
            file.now += 10**6
            file.ran(sync, writes={"state": {"page": page, "items": 7}})
            front.ask()
        assert (front.field, [row["total"] for row in front.progress.values()]) == ("page", [1, 2, 3])
        file.ran(sync, writes={"state": {"page": 4, "items": 50}})
        front.ask()
        assert (front.field, [row["total"] for row in front.progress.values()]) == ("items", [7, 7, 7, 50])
