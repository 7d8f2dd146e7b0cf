"""The codec against those who wish it ill."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plot_nb.twist.superjson import MAX_DEPTH, dumps, loads
from tests.twist.described import annotated

HOSTILE = [
    "",
    "{",
    "[]",
    "1",
    "{}",
    '{"json":NaN}',
    '{"json":Infinity}',
    '{"json":1}}',
    '\ufeff{"json":1}',
    '{"json":' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"json":' + '{"a":[' * 100_000 + "]}" * 100_000 + "}",
    '{"json":["\\""' + "[}" * 100_000,
    '{"json":' + '"\\"' * 100_000,
    '{"json":' + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "}",
    '{"json":{"__proto__":1}}',
    '{"json":{"\\u005f_proto__":1}}',
    '{"json":[{"constructor":{"prototype":1}}]}',
    '{"json":1,"meta":5}',
    '{"json":1,"meta":{"values":[],"v":1}}',
    '{"json":1,"meta":{"values":["Date"],"v":"1"}}',
    annotated("x", 5),
    annotated("x", ["Date", {}, {}]),
    annotated("x", ["Date", []]),
    annotated("x", [["class", "Thing"]]),
    annotated([1], [["typed-array", "Uint8Array"]]),
    annotated("x", [["symbol", "s"]]),
    annotated("x", [["custom", "c"]]),
    annotated("x", ["eval"]),
    annotated("x", [None, {"a": ["Date"]}]),
    annotated("x", [{"a": 1}]),
    annotated("x", {"a": ["Date"]}),
    annotated({"a": 1}, {"b": ["undefined"]}),
    annotated([1], {"1": ["undefined"]}),
    annotated([1], {"-1": ["undefined"]}),
    annotated([1], {"\u0660": ["undefined"]}),
    annotated([1], {"9" * 5000: ["undefined"]}),
    annotated({"a": 1}, {"a\\": ["undefined"]}),
    annotated({"a": 1}, {"a\\b": ["undefined"]}),
    annotated({}, {".".join("a" * 100_000): ["undefined"]}),
    annotated({}, {"__proto__.polluted": ["undefined"]}),
    annotated({}, {"__class__": ["undefined"]}),
    annotated(5, ["Date"]),
    annotated("yesterday", ["Date"]),
    annotated("2024-01-01T00:00:00", ["Date"]),
    annotated("+275760-09-13T00:00:00.000Z", ["Date"]),
    annotated("0001-01-01T00:00:00+10:00", ["Date"]),
    annotated(5, ["bigint"]),
    annotated("0x1F", ["bigint"]),
    annotated("\u0661", ["bigint"]),
    annotated("9" * 5000, ["bigint"]),
    annotated("five", ["number"]),
    annotated(5, ["number"]),
    annotated({}, ["set"]),
    annotated([{}], ["set"]),
    annotated([[{}]], ["set"]),
    annotated([1, True], ["set"]),
    annotated([1], ["map"]),
    annotated([[1]], ["map"]),
    annotated([[{}, 1]], ["map"]),
    annotated([[1, 2], [1, 3]], ["map"]),
    annotated("(", ["regexp"]),
    annotated("/(/", ["regexp"]),
    annotated("/a/ii", ["regexp"]),
    annotated("/a/k", ["regexp"]),
    annotated("/(?P<a>b/", ["regexp"]),
    annotated("/a{99999999999999999999}/", ["regexp"]),
    annotated("/" + "(" * 5000 + ")" * 5000 + "/", ["regexp"]),
    annotated(r"/\p{L}/u", ["regexp"]),
    annotated(5, ["URL"]),
    annotated("//example.com", ["URL"]),
    annotated("https://[", ["URL"]),
    annotated("https://" + "ü" * 300 + "/", ["URL"]),
    annotated(5, ["Error"]),
    annotated({"name": 5}, ["Error"]),
    annotated({"message": []}, ["Error"]),
    annotated(
        [str(k * (2**61 - 1)) for k in range(2000)], ["set", {str(k): ["bigint"] for k in range(2000)}]
    ),
    annotated({"a": None}, {}, referentialEqualities=[["a"]]),
    annotated({"a": {"b": None}}, {}, referentialEqualities={"a": ["a.b"]}),
    annotated({"a": None, "b": None}, {}, referentialEqualities={"a": ["b"], "b": ["a"]}),
    annotated({"a": None}, {}, referentialEqualities={"b": ["a"]}),
    annotated({"a": None}, {}, referentialEqualities={"b": "a"}),
    annotated({"a": None}, {}, referentialEqualities={"b": [5]}),
    annotated({"a": None}, {}, referentialEqualities=5),
    annotated(
        {"s": "x" * 10_000, "a": [None] * 1000},
        {},
        referentialEqualities={"s": [f"a.{k}" for k in range(1000)]},
    ),
    annotated(
        {str(k): [None, None] if k else [1] for k in range(60)},
        {},
        referentialEqualities={str(k): [f"{k + 1}.0", f"{k + 1}.1"] for k in range(59)},
    ),
    annotated(
        [None] * 5000, {}, referentialEqualities={str(k): [str(k + 1)] for k in range(4999)} | {"x": ["0"]}
    ),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text)


def test_brackets_in_strings_are_no_depth() -> None:
    value = ["[" * 5000, '"[\\' * 5000, [["]{"] * 2000]]
    assert loads(dumps(value)) == value


paths = st.lists(st.sampled_from(["a", "0", "1", "0.0", "0.1", "a.b", "\\", "", "."]), max_size=3).map(
    ".".join
)
kinds = st.sampled_from(
    [
        "undefined",
        "bigint",
        "number",
        "Date",
        "regexp",
        "URL",
        "set",
        "map",
        "Error",
        "class",
        5,
        None,
        ["class", "x"],
    ]
)
trees = st.recursive(
    kinds.map(lambda kind: [kind]) | st.integers(),
    lambda inner: (
        st.dictionaries(paths, inner, max_size=2)
        | st.tuples(kinds, st.dictionaries(paths, inner, max_size=2))
    ),
    max_leaves=4,
)
plains = st.recursive(
    st.none()
    | st.integers()
    | st.sampled_from(["a", "5", "NaN", "-0", "2024-01-01T00:00:00.000Z", "/a/g", "https://a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "name"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    plains, trees, st.dictionaries(paths, st.lists(paths, max_size=2), max_size=2), st.sampled_from([0, 1])
)
def test_whatever_the_annotations_say_a_value_comes_out_that_can_be_stored_or_a_value_error(
    plain: Any, tree: Any, equalities: Any, version: int
) -> None:
    text = json.dumps(
        {"json": plain, "meta": {"values": tree, "referentialEqualities": equalities, "v": version}}
    )
    try:
        value = loads(text)
    except ValueError:
        return
    assert dumps(loads(dumps(value))) == dumps(value)


@given(st.text())
def test_whatever_the_text_is_the_outcome_is_a_value_or_a_value_error(text: str) -> None:
    for whole in (text, f'{{"json":{text}}}'):
        with contextlib.suppress(ValueError):
            loads(whole)
