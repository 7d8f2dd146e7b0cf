"""What must hold of a state file, whenever its process died."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import IntEnum
from itertools import pairwise
from typing import Any

from plot_nb import TwistHandle
from plot_nb.engine.clock import to_datetime
from plot_nb.engine.model import derive_id
from tests.crash.state import LOCKS, Row, State

ENDED = {"done", "dead", "dropped", "cancelled"}
WAITS = {"task", "schedule", "webhook", "event"}
"""Causes of executions that are tried again, where nobody awaits them."""

CUT_OFF = "cut off"

DRAIN = "__drain__:"
"""What the schedule keys of drains have in them."""

BULKS = {"link": {3}, "bulk": {1, 5, 10}}
"""How many keys one request of the scenario writes or clears, by how they begin."""

OUTLIVING = {
    ("store_versions", "attempt_id"),
    ("callbacks", "attempt_id"),
    ("webhooks", "attempt_id"),
    ("activities", "attempt_id"),
    ("notes", "attempt_id"),
    ("executions", "parent"),
    ("executions", "callback"),
}
"""What stays when retention drops what it came from."""


Check = Callable[[State], Iterator[str]]


class When(IntEnum):
    """How far a state has come."""

    LEFT = 0
    """As a process left it that died."""
    OPENED = 1
    """Opened again; nothing has run yet."""
    IDLE = 2
    """All that was due has run."""


CHECKS: list[tuple[When, Check]] = []


def check(when: When) -> Callable[[Check], Check]:
    """A check of states that have come at least that far."""

    def keep(found: Check) -> Check:
        CHECKS.append((when, found))
        return found

    return keep


def violations(state: State, when: When) -> list[str]:
    """What is wrong with a state, a line each."""
    checks = [each for least, each in CHECKS if least <= when]
    return [f"{each.__name__}: {found}" for each in checks for found in each(state)]


@check(When.LEFT)
def file_is_whole(state: State) -> Iterator[str]:
    """SQLite finds no damage."""
    yield from state.damage


@check(When.LEFT)
def nothing_acknowledged_is_lost(state: State) -> Iterator[str]:
    """Each time that a twist or a client was told that something is stored, it is; and it did not run unseen."""
    twists = {name: instance for instance, name in state.twists.items()}
    written = {(row["instance"], row["key"]): row["version"] for row in state["store_versions"]}
    for (who, key), count in Counter(state.seen("kept")).items():
        known = written.get((twists.get(who), key), 0)
        if count > known and (known or state.is_complete):  # retention drops what was cleared
            yield f"{who} was told {count} times that {key!r} is stored, its version is {known}"


@check(When.LEFT)
def what_a_post_was_promised_is_queued(state: State) -> Iterator[str]:
    """Each post that was accepted has an execution."""
    accepted = len(state.seen("accepted"))
    queued = sum(row["cause"] == "webhook" and row["method"] == "posted" for row in state["executions"])
    if queued < accepted and state.is_complete:
        yield f"{accepted} posts were accepted, {queued} are queued"


@check(When.LEFT)
def nothing_suspended_runs(state: State) -> Iterator[str]:
    """From when a suspension was acknowledged until it was about to end, nothing of the twist told anything."""
    suspended = set()
    for who, what, item in state.facts:
        if what == "suspended":
            suspended.add(who)
        elif what == "may run":
            suspended.discard(who)
        elif who in suspended:
            yield f"{who} was suspended, and {what} {item}"


@check(When.LEFT)
def versions_are_contiguous(state: State) -> Iterator[str]:
    """Of each key, and of each instance, versions count up by one; times do not go back."""
    by_key = grouped(state["store_versions"], "instance", "key")
    for key, rows in by_key.items():
        yield from gaps(f"versions of {key}", [row["version"] for row in rows], first=None)
        if [row["updated"] for row in rows] != sorted(row["updated"] for row in rows):
            yield f"{key} was written at times that go back"
    for instance in state["instances"]:
        numbers = [row["version"] for row in state["versions"] if row["instance"] == instance["id"]]
        yield from gaps(f"versions of {instance['twist']}", sorted(numbers), first=None)
        if not numbers or max(numbers) != instance["version"]:
            yield f"{instance['twist']} is in version {instance['version']}, deployed were {numbers}"


@check(When.LEFT)
def bulk_writes_are_whole(state: State) -> Iterator[str]:
    """What one request writes or clears is there as a whole, or not at all."""
    written = [row for row in state["store_versions"] if row["attempt_id"] is not None]
    for (attempt, seq), rows in grouped(written, "attempt_id", "seq").items():
        sizes = BULKS.get(rows[0]["key"].partition(":")[0])
        if sizes is not None and len(rows) not in sizes and state.is_complete:
            yield f"request {seq} of attempt {attempt} wrote {[row['key'] for row in rows]}"


@check(When.LEFT)
def heads_are_the_newest_versions(state: State) -> Iterator[str]:
    """A key is in the store just if its newest version has a value, and points to that one."""
    newest = {key: rows[-1] for key, rows in grouped(state["store_versions"], "instance", "key").items()}
    heads = {(row["instance"], row["key"]): row["head"] for row in state["store"]}
    expected = {key: row["id"] for key, row in newest.items() if row["value"] is not None}
    for key in heads.keys() | expected.keys():
        if heads.get(key) != expected.get(key):
            yield f"{key} points to {heads.get(key)}, its newest value is {expected.get(key)}"


@check(When.LEFT)
def identities_are_unique(state: State) -> Iterator[str]:
    """No execution is twice in the queue, by number or by identity."""
    for column in ("id", "number"):
        for value, count in Counter(row[column] for row in state["executions"]).items():
            if count > 1:
                yield f"{count} executions have the {column} {value}"


@check(When.LEFT)
def one_task_is_pending_for_a_key(state: State) -> Iterator[str]:
    """One live task for a key, pending; those that have begun have given it free."""
    pending = Counter(
        (row["instance"], row["key"])
        for row in state["executions"]
        if row["key"] is not None and row["state"] == "queued" and row["attempts"] == 0
    )
    for key, count in pending.items():
        if count > 1:
            yield f"{count} tasks are pending for {key}"


@check(When.LEFT)
def attempts_are_numbered(state: State) -> Iterator[str]:
    """Attempts of an execution are 1 to n, one after the other, and the execution has counted them."""
    executions = {row["id"]: row for row in state["executions"]}
    runs = state.attempts
    for identity, attempts in list(runs.items()):
        yield from gaps(f"attempts of {identity}", [row["attempt"] for row in attempts], first=1)
        for one, two in pairwise(attempts):
            if one["outcome"] is None or two["started"] < one["ended"]:
                yield f"attempt {two['attempt']} of {identity} began before the one before it had ended"
        if identity not in executions:
            yield f"attempts of {identity}, which is no execution"
    for identity, execution in executions.items():
        count = len(runs[identity])
        if execution["attempts"] != count:
            yield f"{identity} has counted {execution['attempts']} attempts, there are {count}"


@check(When.LEFT)
def attempts_are_of_their_execution(state: State) -> Iterator[str]:
    """An attempt says the same of itself as its execution, and ran a version that was deployed."""
    executions = {row["id"]: row for row in state["executions"]}
    versions = {(row["instance"], row["version"]) for row in state["versions"]}
    for attempt in state["attempts"]:
        execution = executions.get(attempt["execution"], {})
        for column in ("instance", "method", "cause", "parent"):
            if attempt[column] != execution.get(column):
                yield f"attempt {attempt['id']}: {column} is {attempt[column]}, not {execution.get(column)}"
        if (attempt["instance"], attempt["version"]) not in versions:
            yield f"attempt {attempt['id']} ran version {attempt['version']}, which was never deployed"
        if attempt["outcome"] is not None and not attempt["started"] <= attempt["ended"]:
            yield f"attempt {attempt['id']} ended before it began"


@check(When.LEFT)
def rows_belong_to_something(state: State) -> Iterator[str]:
    """Requests, logs, events, callbacks, writes and parents are of attempts and executions that exist."""
    attempts = {row["id"] for row in state["attempts"]}
    executions = {row["id"] for row in state["executions"]}
    payloads = {row["digest"] for row in state["payloads"]}
    tokens = {row["token"] for row in state["callbacks"]}
    for table, column, known in (
        ("requests", "attempt_id", attempts),
        ("logs", "attempt_id", attempts),
        ("store_versions", "attempt_id", attempts),
        ("callbacks", "attempt_id", attempts),
        ("webhooks", "attempt_id", attempts),
        ("activities", "attempt_id", attempts),
        ("notes", "attempt_id", attempts),
        ("events", "execution", executions),
        ("executions", "parent", executions),
        ("executions", "callback", tokens),
        ("attempts", "args", payloads),
        ("attempts", "kwargs", payloads),
        ("attempts", "result", payloads),
        ("requests", "payload", payloads),
    ):
        for row in state[table]:
            may_go = not state.is_complete and (table, column) in OUTLIVING
            if row[column] is not None and row[column] not in known and not may_go:
                yield f"a row of {table} has the {column} {row[column]}, which is none"


@check(When.LEFT)
def requests_are_counted(state: State) -> Iterator[str]:
    """The requests of an attempt that ended are 1 to n, and it has counted n; those of a cut one are lost."""
    numbers = grouped(state["requests"], "attempt_id")
    for attempt in state["attempts"]:
        found = [row["seq"] for row in numbers.get((attempt["id"],), [])]
        yield from gaps(f"requests of attempt {attempt['id']}", found, first=1)
        if (attempt["requests"] or 0) != len(found):
            yield f"attempt {attempt['id']} has counted {attempt['requests']} requests, there are {len(found)}"


@check(When.LEFT)
def locks_are_exclusive(state: State) -> Iterator[str]:
    """A lock is taken only when nobody holds it any more, and given free only by who holds it."""
    if not state.is_complete:
        return
    executions = {row["id"]: row["execution"] for row in state["attempts"]}
    locks = [row for row in state["store_versions"] if row["key"].startswith(LOCKS)]
    for key, rows in grouped(locks, "instance", "key").items():
        holder: Row | None = None
        for row in rows:
            lock = None if row["value"] is None else json.loads(row["value"])["json"]
            if lock is None:
                if holder is None or holder["execution"] != executions[row["attempt_id"]]:
                    yield f"{key} was given free by {executions[row['attempt_id']]}, held by {holder}"
            elif holder is not None and holder["until"] * 1000 > row["updated"]:
                yield f"{key} was taken by {lock} at {row['updated'] / 1000}, held by {holder}"
            holder = lock


@check(When.LEFT)
def chains_do_not_fork(state: State) -> Iterator[str]:
    """An execution has queued each of its tasks once, however often it was run.

    How many those are, an attempt says that came to its end: its requests are in the journal. The passes of a drain are
    not among them: one is pending at most, whoever asked for it, and where it was cancelled the next attempt asks anew.
    """
    asked = Counter(
        row["attempt_id"]
        for row in state["requests"]
        if row["tool"] == "tasks"
        and row["operation"] in {"run", "schedule", "schedule_recurring"}
        and row["error"] is None
        and DRAIN not in (row["detail"] or "")
    )
    children = Counter(
        row["parent"]
        for row in state["executions"]
        if row["parent"] is not None
        and row["id"] != derive_id("occurrence", row["parent"])
        and DRAIN not in (row["key"] or "")
    )
    for identity, attempts in state.attempts.items():
        whole = [asked[row["id"]] for row in attempts if not is_cut(row) and row["outcome"] is not None]
        if whole and children[identity] > max(whole):
            yield f"{attempts[0]['method']} {identity} asked for {max(whole)} tasks, and has {children[identity]}"


@check(When.LEFT)
def recurring_tasks_go_on(state: State) -> Iterator[str]:
    """Each occurrence that has begun has armed the next one, once, and on the grid."""
    executions = {row["id"]: row for row in state["executions"]}
    for row in state["executions"]:
        if row["every"] is None or row["attempts"] == 0:
            continue
        following = executions.get(derive_id("occurrence", row["id"]))
        if following is None:
            yield f"no occurrence of {row['key']!r} follows {row['id']}"
        elif following["queued"] < row["queued"] or (following["key"], following["every"]) != (
            row["key"],
            row["every"],
        ):
            yield f"the occurrence of {row['key']!r} that follows {row['id']} is of something else"


@check(When.LEFT)
def deactivation_is_whole(state: State) -> Iterator[str]:
    """An inactive twist has nothing that waits; only what is inactive has lost what waited."""
    active = {row["id"]: bool(row["active"]) for row in state["instances"]}
    executions = {row["id"]: row for row in state["executions"]}
    activated = {row["instance"]: row["queued"] for row in state["executions"] if row["method"] == "activate"}
    for event in state["events"]:
        row = executions[event["execution"]]
        lost = event["kind"] == "cancelled" and "deactivated" in event["text"]
        if lost and active[row["instance"]] and activated.get(row["instance"], 0) < event["time"]:
            yield f"{row['method']} was dropped by a deactivation that did not end"
    for row in state["executions"]:
        if row["state"] == "queued" and not active[row["instance"]]:
            yield f"{row['method']} waits in a twist that is inactive"
    for table, what in (("callbacks", "callback"), ("webhooks", "webhook")):
        for row in state[table]:
            if row["deleted"] is None and not active[row["instance"]]:
                yield f"a {what} of {row['method']!r} can be run in a twist that is inactive"


@check(When.LEFT)
def a_state_has_its_reason(state: State) -> Iterator[str]:
    """What became of an execution agrees with its attempts, and what was dropped says why."""
    reasons = defaultdict(set)
    for event in state["events"]:
        reasons[event["execution"]].add(event["kind"])
    retried = {
        event["execution"]: event["time"] for event in state["events"] if event["text"] == "retried by hand"
    }
    runs = state.attempts
    for row in state["executions"]:
        attempts = runs[row["id"]]
        outcomes = [attempt["outcome"] for attempt in attempts]
        awaited = row.get("awaited", row["cause"] == "call")
        tried_again = row["cause"] in WAITS and not awaited
        name = f"{row['cause']} {row['method']} {row['id']}"
        if outcomes.count("ok") > 1 or "ok" in outcomes[:-1]:
            yield f"{name} was run again after it had succeeded: {outcomes}"
        if row["state"] == "done" and not outcomes and not awaited:
            yield f"{name} is done, and never ran"
        if row["state"] == "done" and tried_again and outcomes[-1:] != ["ok"]:
            yield f"{name} is done, and ended {outcomes}"
        if row["state"] == "queued" and outcomes[-1:] == ["ok"]:
            yield f"{name} waits, and has succeeded"
        if row["state"] == "dropped" and not reasons[row["id"]] & {"dropped", "suspended"}:
            yield f"{name} was dropped, and nothing says why"
        why = reasons[row["id"]] & {"cancelled", "replaced"} or "cancelled" in outcomes
        if row["state"] == "cancelled" and not why:
            yield f"{name} was cancelled, and nothing says why"
        failed = [
            attempt
            for attempt in attempts
            if attempt["outcome"] in {"error", "crashed"}
            and not is_cut(attempt)
            and attempt["started"] >= retried.get(row["id"], 0)
        ]
        if tried_again and row["failures"] != len(failed):
            yield f"{name} has counted {row['failures']} failures, there are {len(failed)}"
        if row["state"] == "dead" and ("dead" not in reasons[row["id"]] or not outcomes):
            yield f"{name} is dead, and nothing says why"


@check(When.OPENED)
def nothing_runs(state: State) -> Iterator[str]:
    """Every attempt has its end, and no execution is in between."""
    for row in state["attempts"]:
        if row["outcome"] is None or row["ended"] is None:
            yield f"attempt {row['id']} of {row['method']} has no end"
    for row in state["executions"]:
        if row["state"] != "queued" and row["state"] not in ENDED:
            yield f"{row['method']} {row['id']} is {row['state']}"


@check(When.IDLE)
def nothing_that_is_due_waits(state: State) -> Iterator[str]:
    """What was queued has run, or waits for a later time."""
    for row in state["executions"]:
        if row["state"] == "queued" and row["due"] <= state.latest:
            yield f"{row['method']} {row['id']} has been due since {row['due']}, at {state.latest} it waits"


def clock_violations(state: State, now: datetime) -> list[str]:
    """Whether the clock has gone back behind what a state speaks of as past."""
    latest = to_datetime(state.latest)
    return [f"the clock stands at {now}, and something was at {latest}"] if now < latest else []


def table_violations(state: State, twists: Iterable[TwistHandle]) -> list[str]:
    """What the public tables say otherwise than the file, a line each; of a runtime in which nothing runs."""
    found = []
    for twist in twists:
        instances = [row["id"] for row in state["instances"] if row["twist"] == twist.name]
        for name, rows in (
            ("executions", of(state["attempts"], instances)),
            ("store", of(state["store"], instances)),
            ("store_history", of(state["store_versions"], instances)),
            ("callbacks", of(state["callbacks"], instances)),
        ):
            frame = getattr(twist, name)
            if len(frame) != len(rows):
                found.append(f"{twist.name}.{name} has {len(frame)} rows, the file {len(rows)}")
        if twist.executions.duplicated(["execution", "attempt"]).any():
            found.append(f"{twist.name}.executions has an attempt twice")
        if (twist.executions["outcome"] == "running").any():
            found.append(f"{twist.name}.executions has an attempt that runs")
        if set(twist.dump()) != {key for key in twist.store["key"] if not key.startswith(LOCKS)}:
            found.append(f"{twist.name}.dump() has other keys than {twist.name}.store")
    return found


def of(rows: Iterable[Row], instances: list[int]) -> list[Row]:
    """The rows of some instances."""
    return [row for row in rows if row["instance"] in instances]


def is_cut(attempt: Row) -> bool:
    """Whether an attempt's process died under it, so that the journal has lost its rows."""
    return attempt["outcome"] == "crashed" and str(attempt["error"]).startswith(CUT_OFF)


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by their values in some columns, in the order in which they came."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[column] for column in columns)].append(row)
    return found


def gaps(what: str, numbers: list[int], *, first: int | None) -> Iterator[str]:
    """Says so if numbers do not count up by one; with `first`, from there."""
    if numbers:
        begin = numbers[0] if first is None else first
        if numbers != list(range(begin, begin + len(numbers))):
            yield f"{what} are {numbers}"
