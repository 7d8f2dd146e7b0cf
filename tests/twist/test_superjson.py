"""The codec against itself; against the npm package in test_superjson_golden.py."""

import asyncio
import copy
import enum
import functools
import json
import pickle
import re
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plot_nb.twist.superjson import MAX_DEPTH, dumps, loads
from plot_nb.twist.values import UNDEFINED, Error, Map, Undefined, Url
from tests.twist.described import annotated, form, frozen

texts = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    [
        "",
        ".",
        "\\",
        "a.b",
        "\\.",
        "0",
        "10",
        "01",
        "-1",
        "4294967295",
        "\ud83d\ude00",
        "json",
        "meta",
        "__proto_",
    ]
)
times = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])).filter(
    lambda when: 2 <= when.year <= 9998
)
patterns = st.sampled_from(["", "a/b", "[/]", r"(?P<n>x)(?P=n)", "(?i)x", "\\\\", "[]/]", "\n"]).map(
    re.compile
)
hashables = st.recursive(
    st.none()
    | st.integers()
    | st.booleans()
    | texts
    | times
    | st.floats(allow_nan=False)
    | st.just(UNDEFINED),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
errors = st.builds(lambda kind, message: kind(message), st.sampled_from([ValueError, KeyError, Error]), texts)
keys = texts.filter(lambda key: key not in {"__proto__", "constructor", "prototype"})
values = st.recursive(
    hashables | st.floats() | patterns | errors | st.just(Url("https://example.com/?a#b")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=3).map(Map)
        | st.sets(hashables, max_size=4)
    ),
    max_leaves=12,
)


def as_read(value: Any) -> Any:
    """A value as it should come back, where Python can hold more than the format."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, list | tuple):
        return [as_read(item) for item in value]
    if isinstance(value, set | frozenset):
        return {as_member(item) for item in value}
    if isinstance(value, dict):
        entries = {as_member(key): as_read(item) for key, item in value.items()}
        return Map(entries) if isinstance(value, Map) else entries
    if isinstance(value, Exception):
        return type(value)(*map(as_read, value.args))
    if isinstance(value, re.Pattern):
        return re.compile({"(?i)x": "x", "[]/]": r"[\]/]"}.get(value.pattern, value.pattern), value.flags)
    return value


def as_member(value: Any) -> Any:
    return 0 if type(value) is float and value == 0 else frozen(as_read(value))


@pytest.mark.rule("5.14", "5.15", "5.16", "5.17")
@given(values)
def test_a_value_comes_back_equal(value: Any) -> None:
    try:
        text = dumps(value)
    except ValueError as error:
        if "two keys that are the same when written" in str(error):
            return
        raise
    assert form(loads(text)) == form(as_read(value))
    assert dumps(loads(text)) == text
    text.encode()


@given(values)
def test_plain_json_is_written_the_same_on_either_path(value: Any) -> None:
    try:
        alone, beside = dumps([value]), dumps([value, UNDEFINED])
    except ValueError:
        return
    assert json.loads(beside)["json"] == [*json.loads(alone)["json"], None]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1.0, "1"),
        (-1.0, "-1"),
        (1e16, "10000000000000000"),
        (2.0**60, "1152921504606847000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (0.00001234, "0.00001234"),
        (5e-324, "5e-324"),
        (2**53 - 1, "9007199254740991"),
    ],
)
def test_numbers_have_the_digits_of_javascript(number: float, written: str) -> None:
    assert dumps(number) == f'{{"json":{written}}}'
    assert loads(dumps(number)) == number


@pytest.mark.rule("5.16")
def test_a_number_beyond_the_safe_integers_is_a_float_and_an_int_of_that_size_is_a_bigint() -> None:
    assert type(loads('{"json":9007199254740993}')) is float
    assert type(loads(dumps(2.0**53))) is float
    assert dumps(2**53) == '{"json":"9007199254740992","meta":{"values":["bigint"],"v":1}}'
    assert type(loads(dumps(2**53))) is int


@pytest.mark.rule("5.15")
def test_a_date_is_in_utc_and_loses_what_is_below_a_millisecond() -> None:
    moment = datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=2)))
    assert loads(dumps(moment)) == datetime(2024, 2, 28, 23, 2, 3, 456000, tzinfo=UTC)


def test_the_value_of_an_enum_that_is_a_str_or_an_int_is_stored() -> None:
    class Kind(enum.StrEnum):
        NOTE = "note"

    class Level(enum.IntEnum):
        HIGH = 3

    assert dumps({Kind.NOTE: [Kind.NOTE, Level.HIGH]}) == '{"json":{"note":["note",3]}}'


def test_an_error_keeps_its_name_its_message_and_its_cause() -> None:
    error = RuntimeError("outer")
    error.__cause__ = KeyError("inner")
    read = loads(dumps({"why": [error]}))["why"][0]
    assert type(read) is RuntimeError
    assert str(read) == "outer"
    assert repr(read.__cause__) == "KeyError('inner')"


def test_an_error_of_a_class_of_its_own_is_read_as_an_error_with_that_name() -> None:
    class QuotaExceeded(Exception):
        pass

    read = loads(dumps(QuotaExceeded("too much")))
    assert isinstance(read, Error)
    assert (read.name, str(read)) == ("QuotaExceeded", "too much")


def test_an_error_without_a_cause_that_has_been_through_javascript_is_read() -> None:
    plain = {"name": "Error", "message": "x", "cause": None}
    text = annotated(plain, ["Error", {"cause": ["undefined"]}])
    assert loads(text).cause is None


def test_flags_at_the_start_of_a_pattern_are_flags_in_javascript() -> None:
    assert json.loads(dumps(re.compile("(?im)a")))["json"] == "/a/im"
    assert loads(dumps(re.compile("(?im)a"))) == re.compile("a", re.IGNORECASE | re.MULTILINE)


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("/a/gy", "a"),
        ("/[^]/", r"[\s\S]"),
        ("/x[]/", "x(?!)"),
        (r"/[\]/(?<a>]/", r"[\]/(?<a>]"),
        (r"/(?<n>a)\k<n>\//", "(?P<n>a)(?P=n)/"),
    ],
)
def test_what_javascript_spells_in_another_way_is_read(written: str, pattern: str) -> None:
    text = json.dumps({"json": written, "meta": {"values": ["regexp"], "v": 1}})
    assert loads(text) == re.compile(pattern)


def test_paths_of_the_first_version_know_no_escaped_backslash() -> None:
    assert loads('{"json":{"a\\\\b":"5"},"meta":{"values":{"a\\\\b":["bigint"]}}}') == {"a\\b": 5}
    assert loads('{"json":{"a.b":"5"},"meta":{"values":{"a\\\\.b":["bigint"]}}}') == {"a.b": 5}


def test_a_map_with_string_keys_only_stays_a_map() -> None:
    text = '{"json":[["a",1]],"meta":{"values":["map"],"v":1}}'
    assert loads(text) == {"a": 1}
    assert dumps(loads(text)) == text
    assert dumps(Map()) == '{"json":[],"meta":{"values":["map"],"v":1}}'
    assert dumps({}) == '{"json":{}}'


def test_a_set_is_written_in_one_order_whatever_order_it_has() -> None:
    assert json.loads(dumps({"b", 10, "a", 9, 1.5}))["json"] == [1.5, 9, 10, "a", "b"]


def test_keys_come_in_the_order_of_a_javascript_object() -> None:
    assert dumps({"b": 1, "10": 2, "9": 3, "01": 4}) == '{"json":{"9":3,"10":2,"b":1,"01":4}}'


def test_a_shared_object_is_written_twice() -> None:
    inner = {"x": [1]}
    assert dumps([inner, inner]) == '{"json":[{"x":[1]},{"x":[1]}]}'


def test_undefined_is_one_and_false() -> None:
    assert Undefined() is UNDEFINED
    assert not UNDEFINED
    assert copy.deepcopy(UNDEFINED) is UNDEFINED
    assert pickle.loads(pickle.dumps(UNDEFINED)) is UNDEFINED
    assert repr(loads(dumps({"a": UNDEFINED}))) == "{'a': UNDEFINED}"


def test_a_url_gives_its_parts_and_compares_by_its_spelling() -> None:
    url = Url("HTTPS://me:secret@Example.com:8443/a/../b c?q=1#top")
    assert str(url) == url.href == "https://me:secret@example.com:8443/b%20c?q=1#top"
    assert (url.protocol, url.host, url.hostname, url.port) == (
        "https:",
        "example.com:8443",
        "example.com",
        "8443",
    )
    assert (url.pathname, url.search, url.hash) == ("/b%20c", "?q=1", "#top")
    assert (url.username, url.password, url.origin) == ("me", "secret", "https://example.com:8443")
    assert {Url("https://example.com"), Url("https://EXAMPLE.com:443/")} == {Url("https://example.com/")}
    with pytest.raises(AttributeError):
        url.href = "https://example.org"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    ["", "example.com", "/path", "https:", "https://", "http://a b/", "https://h:99999/", "https://[::1"],
)
def test_what_is_no_absolute_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a URL"):
        Url(text)


class Thing:
    async def callback(self) -> None: ...

    def __repr__(self) -> str:
        return "SECRET"


@dataclass
class Point:
    x: int = 1


class Color(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    a: int
    b: int


async def unawaited() -> None: ...


waiting = unawaited()
asyncio.run(waiting)  # so that nobody warns of it


def cyclic() -> Any:
    value: dict[str, Any] = {"a": {"b": []}}
    value["a"]["b"].append(value["a"])
    return value


@pytest.mark.rule("5.19", "5.20", "5.21")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"items": [1, 2, 3, {"callback": Thing().callback}]},
            r"^value\.items\[3\]\.callback is the method callback, .*`await self\.callback\(self\.callback\)`$",
        ),
        (lambda: 0, r"^value is the function <lambda>, .*store a callback"),
        ([len], r"^value\[0\] is the function len, .*store a callback"),
        (functools.partial(Thing().callback), r"^value is the method callback, .*store a callback"),
        ({"a b": Thing()}, r"^value\['a b'\] is an instance of Thing, and class instances cannot be stored"),
        (Point(), r"^value is an instance of Point"),
        (Point, r"^value is the class Point"),
        (Pair(1, 2), r"^value is an instance of Pair.*list\(\.\.\.\)"),
        (Counter("a"), r"^value is an instance of Counter.*dict\(\.\.\.\)"),
        (OrderedDict(), r"^value is an instance of OrderedDict.*dict\(\.\.\.\)"),
        ({}.keys(), r"^value is an instance of dict_keys.*set\(\.\.\.\)"),
        (range(3), r"^value is an instance of range.*list\(\.\.\.\)"),
        (Color.RED, r"^value is a member of the Enum Color: store its \.value"),
        (waiting, r"^value is a coroutine that was not awaited"),
        (datetime(2024, 1, 1), r"^value is a datetime without a time zone \(2024-01-01 00:00:00\)"),  # noqa: DTZ001
        (date(2024, 1, 1), r"^value is an instance of date"),
        (timedelta(1), r"^value is an instance of timedelta.*total_seconds"),
        (cyclic(), r"^value\.a\.b\[0\] is value\.a again, and a cycle cannot be stored"),
        ([{"__proto__": 1}], r"^value\[0\] has the key '__proto__'"),
        ({"a": {"constructor": 1}}, r"^value\.a has the key 'constructor'"),
        ({"prototype": 1}, r"^value has the key 'prototype'"),
        ([b"x"], r"^value\[0\] is bytes, and only text can be stored"),
        (bytearray(), r"^value is bytearray"),
        ({1: {"x": Thing()}}, r"^value\[1\]\.x is an instance of Thing"),
        ({(1, Thing()): 1}, r"^value\.keys\[0\]\[1\] is an instance of Thing"),
        ({Thing()}, r"^value\.members\[0\] is an instance of Thing"),
        (re.compile("a", re.VERBOSE), r"^value has the flag re\.VERBOSE"),
        (re.compile(r"\w", re.ASCII), r"^value has the flag re\.ASCII"),
        (re.compile(b"a"), r"^value is a regular expression of bytes"),
    ],
)
def test_what_is_no_data_is_refused_by_its_path(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dumps(value)


def test_a_refusal_can_be_given_another_name_to_begin_with() -> None:
    with pytest.raises(TypeError, match=r"^args\[0\] is"):
        dumps([Thing()], name="args")


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(MAX_DEPTH + 1),
        [10**5000],
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        {datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC): 1, datetime(2024, 1, 1, 0, 0, 0, 2, tzinfo=UTC): 2},
        {"😀": 1, "\ud83d\ude00": 2},
    ],
)
def test_what_the_format_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^value"):
        dumps(value)


@pytest.mark.parametrize("last", [[], {}, [UNDEFINED], [{1: set()}]])
def test_the_deepest_value_that_is_written_is_read(last: Any) -> None:
    deepest = None
    for levels in range(MAX_DEPTH - 8, MAX_DEPTH + 1):
        value = last
        for _ in range(levels):
            value = [value]
        try:
            deepest = dumps(value)
        except ValueError:
            break
    assert deepest is not None
    assert dumps(loads(deepest)) == deepest
