"""Short programs, one or more for each rule, that are played on both sides before the random ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.model.facts import Source
from tests.model.operations import EVERYTHING

PLAIN = Source(EVERYTHING, {})
LIVELY = Source(
    EVERYTHING, {"activate": [["set", "c", 1]], "deactivate": [["set", "a", 1]], "upgrade": [["set", "b", 1]]}
)
DEPLOY = ("deploy", "default", PLAIN)
DEPLOY_OTHER = ("deploy", "other", PLAIN)
MINUTE, HOUR = ("advance", 60), ("advance", 3600)
FAILING = [["fail"]]


def call(*script: list[Any], place: str = "default") -> tuple[Any, ...]:
    """A call of a method that performs a script."""
    return ("call", place, "alpha", list(script))


def without(*methods: str, salt: int = 0) -> tuple[Any, ...]:
    """A deploy of a version that lacks methods."""
    kept = {name: arity for name, arity in EVERYTHING.items() if name not in methods}
    return ("deploy", "default", Source(kept, {}, salt))


EXAMPLES: dict[str, list[Any]] = {
    "a clock of milliseconds": [DEPLOY, call(["get", "a"], ["clock"])],
    "a kill after a task far ahead was claimed": [
        DEPLOY,
        call(["later", "beta", 3600, "x", [["get", "a"]]]),
        (("advance", 7200), 2),
        ("advance", 1),
    ],
    "a moment of a second and 45 ms": [
        DEPLOY,
        call(["burn", 2], ["burn", 2], ["get", "a"], ["drain", "k", [], [1, 1, 1], [], [["clock"]]]),
        MINUTE,
    ],
    "a suspended twist that is upgraded and deactivated": [
        ("deploy", "default", LIVELY),
        ("suspend", "default"),
        ("deploy", "default", replace(LIVELY, salt=1)),
        ("deactivate", "default"),
        ("resume", "default"),
    ],
    "a task that fails": [DEPLOY, call(["task", "beta", FAILING]), MINUTE],
    "a task that fails twice and queues another": [
        DEPLOY,
        call(["task", "beta", [["task", "gamma", [["set", "b", 1]]], ["flaky", "a", 2]]]),
    ],
    "a lifecycle that fails": [("deploy", "default", Source(EVERYTHING, {"activate": FAILING})), MINUTE],
    "requests over the limit": [DEPLOY, call(["burn", 60]), call(["task", "beta", [["burn", 60]]]), MINUTE],
    "a task for now": [DEPLOY, call(["later", "beta", 0, "x", [["set", "a", 1]]]), call(["get", "a"])],
    "an immediate task that is cancelled": [
        DEPLOY,
        call(["later", "beta", -5, "x", [["set", "a", 1]]], ["cancel", "x"]),
    ],
    "a task that is cancelled before it begins": [
        DEPLOY,
        call(["later", "beta", 60, "x", [["set", "a", 1]]]),
        call(["cancel", "x"]),
        HOUR,
    ],
    "a task that is cancelled between its attempts": [
        DEPLOY,
        call(["later", "beta", 1, "x", [["flaky", "a", 2]]]),
        ("advance", 1),
        call(["cancel", "x"], ["cancel_all"]),
        MINUTE,
    ],
    "a key that is due at once and cancelled": [
        DEPLOY,
        call(["schedule", "k", "beta", -5, False, [["set", "a", 1]]], ["cancel_key", "k"]),
        call(["recurring", "k", "beta", 20, 0, [["set", "b", 1]]], ["cancel_key", "k"]),
        call(["recurring", "k", "beta", 20, 0, [["set", "b", 2]]], ["cancel_all"]),
        MINUTE,
    ],
    "a key that is coalesced to an earlier time": [
        DEPLOY,
        call(
            ["schedule", "k", "beta", 300, False, [["set", "a", 1]]], ["schedule", "k", "beta", 30, True, []]
        ),
        MINUTE,
    ],
    "a key that is coalesced to its own time": [
        DEPLOY,
        call(
            ["schedule", "k", "beta", 30, False, [["set", "a", 1]]], ["schedule", "k", "beta", 300, True, []]
        ),
        MINUTE,
    ],
    "a key that is replaced": [
        DEPLOY,
        call(
            ["schedule", "k", "beta", 30, False, [["set", "a", 1]]], ["schedule", "k", "beta", 60, False, []]
        ),
        ("advance", 300),
    ],
    "a cadence of runs that take longer": [
        DEPLOY,
        call(["recurring", "k", "beta", 20, None, [["sleep", 45]]]),
        ("advance", 300),
        call(["cancel_key", "k"]),
        MINUTE,
    ],
    "a cadence of runs that fail": [
        DEPLOY,
        call(["recurring", "k", "beta", 60, 5, FAILING]),
        ("advance", 300),
    ],
    **{
        f"a call with a task that is killed at commit point {nth}": [
            DEPLOY,
            (call(["set", "a", 1], ["task", "beta", [["set", "b", 1], ["set", "c", 1]]]), nth),
            MINUTE,
        ]
        for nth in (2, 4, 9, 12, 14, 16)
    },
    "an advance of an hour, and a restart": [DEPLOY, HOUR, ("restart",), call(["clock"])],
    "a lock that others release": [
        DEPLOY,
        call(["lock", "a", 60]),
        call(["unlock", "a"]),
        call(["lock", "a", 1]),
    ],
    "a lock that expires": [
        DEPLOY,
        call(["lock", "a", 1]),
        MINUTE,
        call(["lock", "a", 1]),
        call(["lock", "a", 1]),
    ],
    "a key that is cleared before it is set": [DEPLOY, call(["clear", "a"], ["set", "a", 1], ["list", ""])],
    "a store that is cleared but for its lock": [
        DEPLOY,
        call(["lock", "a", 60], ["set", "b", 1], ["clear_all"], ["list", ""]),
    ],
    "a callback that is deleted": [
        DEPLOY,
        call(["keep", "x", "beta", [["set", "a", 1]]], ["run", "x"], ["use", "x"], ["delete", "x"]),
        call(["run", "x"]),
    ],
    "callbacks of two instances": [
        DEPLOY,
        DEPLOY_OTHER,
        call(["keep", "x", "beta", [["set", "a", 1]]]),
        call(["delete_all"], place="other"),
        call(["use", "x"]),
    ],
    "a method that is gone, and one that takes more": [
        DEPLOY,
        call(["keep", "x", "beta", []], ["later", "beta", 60, "y", []]),
        without("beta"),
        call(["run", "x"]),
        ("deploy", "default", Source({**EVERYTHING, "beta": 2}, {})),
        call(["run", "x"]),
        HOUR,
    ],
    "a chain that is paused and resumed": [DEPLOY, call(["loop", "alpha", 20]), ("idle", 60), ("idle", 60)],
    "three tasks in a row": [
        DEPLOY,
        call(*(["task", method, [["set", "a", n]]] for n, method in enumerate(("beta", "gamma", "beta")))),
    ],
    "two tasks that sleep": [
        DEPLOY,
        call(["task", "beta", [["sleep", 3]]], ["task", "gamma", [["sleep", 3]]]),
    ],
    "an upgrade that waits with overdue work": [
        ("deploy", "default", LIVELY),
        call(["later", "beta", 1, "x", [["set", "a", 2]]]),
        ("suspend", "default"),
        MINUTE,
        ("deploy", "default", replace(LIVELY, salt=1)),
        call(["get", "a"]),
        ("resume", "default"),
    ],
    "a deactivated twist that is deployed again": [
        ("deploy", "default", LIVELY),
        call(["keep", "x", "beta", []], ["hook", "x", False, []], ["later", "beta", 60, "y", []]),
        ("deactivate", "default"),
        ("post", "default", "x", {}),
        HOUR,
        ("deploy", "default", replace(LIVELY, salt=1)),
        call(["use", "x"]),
        ("post", "default", "x", {}),
    ],
    "a dead letter that is retried": [
        DEPLOY,
        call(["task", "beta", [["flaky", "a", 4]]]),
        ("retry", "default", 0),
        call(["task", "gamma", FAILING]),
        ("retry", "default", 0),
    ],
    "a dead letter whose callback was deleted": [
        DEPLOY,
        call(["keep", "x", "beta", FAILING], ["later", "beta", 1, "y", FAILING]),
        MINUTE,
        call(["delete_all"]),
        ("retry", "default", 0),
    ],
    "a dead letter whose key is taken": [
        DEPLOY,
        call(["schedule", "k", "beta", 1, False, [["flaky", "a", 3]]]),
        MINUTE,
        call(["schedule", "k", "gamma", 300, False, []]),
        ("retry", "default", 0),
        HOUR,
    ],
    "a drain of three in batches, one of which stays": [
        DEPLOY,
        call(["drain", "k", ["1", "2", "3"], [2, 3, 1], ["2"], [["get", "a"]]]),
        ("advance", 300),
    ],
    "a drain whose handler fails": [
        DEPLOY,
        call(["drain", "k", ["1", "2"], [3, 2, 1], [], FAILING]),
        ("advance", 300),
    ],
    "a drain that records again while it handles": [
        DEPLOY,
        call(
            [
                "drain",
                "k",
                ["1"],
                [3, 2, 1],
                [],
                [["later", "beta", 1, "x", []], ["drain", "k", ["1"], [1, 1, 1], [], []]],
            ]
        ),
        ("advance", 300),
    ],
    "a drain that is cancelled": [
        DEPLOY,
        call(["drain", "k", ["1"], [1, 1, 10], [], []], ["undrain", "k"]),
        MINUTE,
    ],
    "a webhook that is posted to, and ended": [
        DEPLOY,
        call(["hook", "x", False, [["flaky", "a", 1]]]),
        ("post", "default", "x", [1]),
        call(["get", "a"]),
        ("post", "default", "x", [1]),
        ("restart",),
        MINUTE,
        call(["unhook", "x"]),
        ("post", "default", "x", [1]),
    ],
    "a webhook whose sender waits": [
        DEPLOY,
        call(["hook", "x", True, [["set", "a", 1], ["get", "a"]]]),
        ("post", "default", "x", "text"),
        call(["hook", "x", True, FAILING]),
        ("post", "default", "x", {}),
        ("suspend", "default"),
        ("post", "default", "x", {}),
        MINUTE,
    ],
}
