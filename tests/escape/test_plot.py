"""Activities and notes that no guest of ours would send."""

# ruff: noqa: E501  # hostile code stands on lines of its own making

from __future__ import annotations

import json
from typing import Any

import pytest

from plot_nb.tools.plot import OPERATIONS
from tests.escape.siege import Attack, Siege
from tests.escape.test_pictures import EVIL


def text(**document: Any) -> list[Any]:
    """The arguments of a creation."""
    return [json.dumps({"json": document})]


UNREADABLE = [
    "nope",
    "[]",
    "{}",
    '{"json":[]}',
    '{"json":"text"}',
    '{"json":{"title":"x"},"meta":5}',
    '{"json":{"title":[1]},"meta":{"values":{"title":["set"]},"v":1}}',
    '{"json":{"__proto__":{"a":1}}}',
    '{"json":[["a",1]],"meta":{"values":["map"],"v":1}}',
    '{"json":' + '{"meta":' * 300 + "1" + "}" * 301,
    '{"json":{"meta":' + "[" * 100_000 + "]" * 100_000 + "}}",
    '{"json":{"title":"' + "x" * 2**20 + '"}}',
    '{"json":{"title":"\\ud800","key":"\\ud800"}}',
]

DOCUMENTS: list[dict[str, Any]] = [
    {"id": 5},
    {"id": ""},
    {"id": "x" * 2000},
    {"key": {"a": 1}},
    {"key": "a\0b"},
    {"type": ["note"]},
    {"type": "admin"},
    {"title": {}},
    {"tags": {"a": "yes"}},
    {"tags": ["\ud800"]},
    {"tags": [["a"]]},
    {"archived": "yes"},
    {"meta": [1]},
    {"created": 0},
    {"updated": 0},
    {"attempt_id": 1},
    {"instance": 1},
    {"execution": "x"},
    {"notes": {"a": 1}},
    {"notes": [1]},
    {"notes": [{"id": 5}]},
    {"notes": [{"activity": "x"}]},
    {"notes": [{}] * 10_001},
]

ARGUMENTS: dict[str, list[Any]] = {
    "create_activity": [
        [],
        [5],
        [None],
        [["a"]],
        ["a", "b"],
        *([each] for each in UNREADABLE),
        *(text(**each) for each in DOCUMENTS),
    ],
    "create_activities": [[], ["a"], [[5]], [{"a": 1}], [['{"json":{}}'] * 1001], [['{"json":{}}', "nope"]]],
    "create_note": [
        ["nope"],
        text(content="x"),
        text(activity=5),
        text(activity={}),
        text(activity={"either": "no"}),
        text(activity={"id": 5}),
    ],
    "create_notes": [[5], [['{"json":{"activity":"no"}}'] * 1001]],
    "update_activity": [
        [{}, '{"json":{}}'],
        [{"id": 5}, "x"],
        [{"either": "mine"}, "nope"],
        [{"either": "mine"}, '{"json":{"id":"other"}}'],
        ["mine", '{"json":{}}'],
        [{"either": "\x00"}, '{"json":{}}'],
    ],
    "archive_activity": [[{}], [5], [{"key": "no"}], [{"instance": 1}]],
    "update_note": [
        [{}, '{"json":{}}'],
        [{"id": "no"}, '{"json":{"content":5}}'],
        [{"id": "no", "activity": {}}, '{"json":{}}'],
    ],
    "get_activity": [[5], ["mine"], [{"id": None, "key": None, "either": None}]],
    "get_activities": [[5], [{"ids": "a"}], [{"keys": [5]}], [{"tag": 5}], [{"archived": "no"}]],
    "get_note": [[5], [{"key": "k", "activity": 5}]],
    "get_notes": [[5], [{}], [{"id": "no"}]],
    "drop": [[]],
}


def test_every_operation_is_attacked() -> None:
    assert ARGUMENTS.keys() == {*OPERATIONS, "drop"}


@pytest.mark.rule("4.41")
@pytest.mark.parametrize("operation", list(ARGUMENTS))
def test_forged_requests_are_refused_one_by_one_and_change_nothing(siege: Siege, operation: str) -> None:
    requests = [[n, f"plot.{operation}", given, 1] for n, given in enumerate(ARGUMENTS[operation])]
    attack = Attack(
        f"forged {operation}",
        f"""
        created = cross([0, "plot.create_activity", ['{{"json":{{"key":"mine","title":"Mine"}}}}'], 1])
        answered = []
        for request in json.loads({json.dumps(requests)!r}):
            answered += cross(request, timeout=1)["answers"]
            answered += cross(timeout=0.1)["answers"]
        return [[number, ok or value["type"]] for number, ok, value in answered]
        """,
        requests=len(requests) + 1,
    )
    after = siege.endure(attack)
    refusals = dict(after.run.value[-len(requests) :])
    assert refusals.keys() == {*range(len(requests))}
    allowed = {"ValueError", "TypeError", "LookupError", "ValidationError"}
    assert set(refusals.values()) <= allowed, refusals
    (row,) = after.twist.activities.to_dict("records")
    assert (row["title"], row["notes"], row["archived"]) == ("Mine", [], False)


@pytest.mark.rule("12.1", "12.3")
def test_what_is_created_is_text_on_every_screen(siege: Siege) -> None:
    attack = Attack(
        "hostile titles",
        f"""
        evil = {EVIL!r}
        documents = [{{"title": evil, "kind": evil, "tags": ["<script>pwned()</script>"], "meta": {{evil: evil}},
                      "notes": [{{"content": evil}}], "links": [{{"url": "javascript:pwned()"}}]}}]
        documents.append({{"key": "<script>pwned()</script>\\x1b[2J", "title": "x"}})
        for n, document in enumerate(documents):
            cross([n, "plot.create_activity", [json.dumps({{"json": document}})], 1], timeout=1)
            cross(timeout=0.1)
        """,
        requests=2,
    )
    after = siege.endure(attack)
    assert len(after.twist.activities) == 2
    assert all("pwned" in shown for shown in after.run.requests["detail"])


def test_nobody_reads_or_changes_what_is_another_twists(siege: Siege) -> None:
    made = siege.endure(
        Attack(
            "an activity to be stolen",
            """cross([0, "plot.create_activity", ['{"json":{"id":"victim","key":"victim","title":"Mine"}}'], 1], timeout=1)""",
            requests=1,
        )
    )
    thief = siege.endure(
        Attack(
            "stealing an activity",
            """
            said = []
            for operation, arguments in [
                ("get_activity", [{"id": "victim"}]), ("get_activities", [{"ids": ["victim"]}]),
                ("update_activity", [{"either": "victim"}, '{"json":{"title":"Stolen"}}']),
                ("create_note", ['{"json":{"activity":{"id":"victim"},"content":"x"}}']),
                ("create_activity", ['{"json":{"id":"victim","title":"Stolen"}}']),
            ]:
                said += cross([1, "plot." + operation, arguments, 1], timeout=1)["answers"]
                said += cross(timeout=0.1)["answers"]
            return [value if ok else value["type"] for _, ok, value in said]
            """,
            value=[None, [], "LookupError", "LookupError", "victim"],
            requests=5,
        )
    )
    assert list(made.twist.activities["title"]) == ["Mine"]
    assert list(made.twist.activities["notes"]) == [[]]
    assert list(thief.twist.activities["title"]) == ["Stolen"]


def test_lookups_stop_at_what_one_answer_can_hold(siege: Siege) -> None:
    attack = Attack(
        "33 MiB of activities",
        """
        for n in range(33):
            cross([n, "plot.create_activity", [json.dumps({"json": {"title": "x" * (2**20 - 100), "key": str(n)}})], 1], timeout=1)
            cross(timeout=0.1)
        answer = cross([99, "plot.get_activities", [{}], 1], timeout=1)["answers"]
        answer += cross(timeout=0.1)["answers"]
        return answer[0][2]["message"]
        """,
        requests=34,
    )
    assert "ask for fewer" in siege.endure(attack).run.value
