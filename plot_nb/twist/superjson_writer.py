"""Writes what Python's own JSON encoder cannot write, or not as JavaScript does."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import partial
from json.encoder import encode_basestring
from types import MethodType
from typing import Any, Final, TypeAlias

from plot_nb.twist.regexps import spell_regexp
from plot_nb.twist.values import UNDEFINED, Error, Map, Undefined, Url
from plot_nb.twist.webhook import WebhookHeaders

__all__ = ["MAX_DEPTH", "MAX_SAFE_INTEGER", "REFUSED_KEYS", "SURROGATE", "Writer", "encode", "escaped"]

MAX_DEPTH: Final = 200
"""How many lists and objects may lie within one another, as they are written."""

MAX_SAFE_INTEGER: Final = 2**53 - 1
REFUSED_KEYS: Final = frozenset({"__proto__", "constructor", "prototype"})
SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MAX_INDEX: Final = 2**32 - 2
encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode

# As in the package: a type, perhaps with what lies within; or that alone, by path; or nothing.
_Annotation: TypeAlias = list[Any] | dict[str, Any] | None
# An index; a key; the key of a Map; a part of a value that has no name of its own, and an index in it.
_Step: TypeAlias = int | str | tuple[object] | tuple[str, int]


class Writer:
    """Writes one value, and knows where in it it is."""

    __slots__ = ("_around", "_name", "_steps")

    def __init__(self, name: str) -> None:
        self._name = name
        self._steps: list[_Step] = []
        self._around: list[tuple[object, int]] = []

    def write(self, value: object) -> tuple[str, _Annotation]:
        """Give the JSON of a value and its annotation."""
        return (_WRITERS.get(type(value)) or self._writer_of(value))(self, value)

    def _writer_of(self, value: object) -> "_Write":
        for base, writer in _BASES:
            if isinstance(value, base):
                return writer
        raise TypeError(f"{self._path()} {_reason(value)}")

    def _list(self, value: Any) -> tuple[str, _Annotation]:
        texts, annotations = self._items(value, value)
        return _listed(texts), _tree(annotations)

    def _set(self, value: Any) -> tuple[str, _Annotation]:
        texts, annotations = self._items(value, map(_as_member, value), ".members")
        notes = dict(annotations)
        # What is not the same in Python may be when written: two moments within one millisecond.
        members = {
            (text, encode(notes.get(str(index)))): notes.get(str(index)) for index, text in enumerate(texts)
        }
        ordered = sorted(members, key=_rank)
        tree = _tree((str(index), members[member]) for index, member in enumerate(ordered))
        return _listed(text for text, _ in ordered), _typed("set", tree)

    def _dict(self, value: Any) -> tuple[str, _Annotation]:
        if not all(isinstance(key, str) for key in value):
            return self._map(value)
        keys = {key if key.isascii() else _joined(key): key for key in map(str.__str__, value)}
        if len(keys) < len(value):
            raise ValueError(f"{self._path()} has two keys that are the same when written")
        texts: list[str] = []
        annotations: list[tuple[str, _Annotation]] = []
        self._enter(value)
        for key in _in_order(keys):
            if key in REFUSED_KEYS:
                raise TypeError(f"{self._path()} has the key {key!r}, which no object may have: rename it")
            item = value[keys[key]]
            self._steps.append(key)
            text, annotation = (_WRITERS.get(type(item)) or self._writer_of(item))(self, item)
            self._steps.pop()
            texts.append(f"{_quoted(key)}:{text}")
            annotations.append((_as_segment(key), annotation))
        self._around.pop()
        return f"{{{','.join(texts)}}}", _tree(annotations)

    def _map(self, value: Any) -> tuple[str, _Annotation]:
        self._enter(value)
        texts, notes = self._items(None, map(_as_member, value), ".keys")
        annotated = dict(notes)
        written = {(text, encode(annotated.get(str(index)))) for index, text in enumerate(texts)}
        if len(written) < len(texts):
            raise ValueError(f"{self._path()} has two keys that are the same when written")
        annotations: list[tuple[str, _Annotation]] = []
        self._enter(None)
        for index, (key, item) in enumerate(value.items()):
            self._steps.append((key,))
            text, annotation = self.write(item)
            self._steps.pop()
            texts[index] = f"[{texts[index]},{text}]"
            entry = _tree([("0", annotated.get(str(index))), ("1", annotation)])
            annotations.append((str(index), entry))
        del self._around[-2:]
        return _listed(texts), _typed("map", _tree(annotations))

    def _error(self, value: Any) -> tuple[str, _Annotation]:
        kind = type(value)
        own = isinstance(value, Error)
        # `str` of a KeyError is a quotation of its message.
        bare = kind is KeyError and len(value.args) == 1 and isinstance(value.args[0], str)
        name = _quoted(str(value.name) if own else kind.__name__)
        message = _quoted(value.args[0] if bare else str(value))
        cause = value.cause if own and value.__cause__ is None else value.__cause__
        self._enter(value)
        if cause is None or cause is UNDEFINED:
            self._around.pop()
            return f'{{"name":{name},"message":{message}}}', ["Error"]
        self._steps.append("cause")
        text, annotation = self.write(cause)
        self._steps.pop()
        self._around.pop()
        tree = _tree([("cause", annotation)])
        return f'{{"name":{name},"message":{message},"cause":{text}}}', _typed("Error", tree)

    def _float(self, value: Any) -> tuple[str, _Annotation]:
        text = _number(value)
        return text, ["number"] if text[0] == '"' else None

    def _int(self, value: Any) -> tuple[str, _Annotation]:
        if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            return int.__repr__(value), None
        try:
            return f'"{int.__repr__(value)}"', ["bigint"]
        except ValueError:
            raise ValueError(f"{self._path()} is an integer of more than 4300 digits, too many") from None

    def _date(self, value: Any) -> tuple[str, _Annotation]:
        if value.tzinfo is not UTC and value.utcoffset() is None:
            raise TypeError(
                f"{self._path()} is a datetime without a time zone ({value!s:.40}), so it names no moment: "
                "give it one, as in `.replace(tzinfo=UTC)`"
            )
        try:
            moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{self._path()} is outside the years 1 to 9999: {value!s:.40}") from None
        return f'"{moment.isoformat(timespec="milliseconds")[:-6]}Z"', ["Date"]

    def _regexp(self, value: Any) -> tuple[str, _Annotation]:
        try:
            return _quoted(spell_regexp(value)), ["regexp"]
        except TypeError as error:
            raise TypeError(f"{self._path()} {error}") from None

    def _items(
        self, owner: object, items: Iterable[object], part: str = ""
    ) -> tuple[list[str], list[tuple[str, _Annotation]]]:
        texts: list[str] = []
        annotations: list[tuple[str, _Annotation]] = []
        self._enter(owner)
        for index, item in enumerate(items):
            self._steps.append((part, index) if part else index)
            # Not by `write`: each call here is one more for each level.
            text, annotation = (_WRITERS.get(type(item)) or self._writer_of(item))(self, item)
            self._steps.pop()
            texts.append(text)
            if annotation is not None:
                annotations.append((str(index), annotation))
        self._around.pop()
        return texts, annotations

    def _enter(self, owner: object) -> None:
        for other, steps in self._around:
            if other is owner and owner is not None:
                raise TypeError(f"{self._path()} is {self._path(steps)} again, and a cycle cannot be stored")
        if len(self._around) == MAX_DEPTH:
            raise ValueError(f"{self._path()} lies more than {MAX_DEPTH} levels deep, too deep to store")
        self._around.append((owner, len(self._steps)))

    def _path(self, steps: int | None = None) -> str:
        shown = [_step_shown(step) for step in self._steps[:steps]]
        if len(shown) > 12:
            shown[6:-6] = ["..."]
        return self._name + "".join(shown)


def _step_shown(step: _Step) -> str:
    if isinstance(step, str):
        return f".{step}" if step.isidentifier() and len(step) <= 40 else f"[{_short(step)}]"
    if isinstance(step, tuple):
        return f"{step[0]}[{step[1]}]" if len(step) == 2 else f"[{_short(step[0])}]"
    return f"[{step}]"


def _reason(value: object) -> str:
    """Say why a value is refused, and what to do instead."""
    kind = type(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"is {kind.__name__}, and only text can be stored: decode it, or store its base64"
    if isinstance(value, type):
        return f"is the class {value.__name__}, and classes cannot be stored: store a name"
    if isinstance(value, Enum):
        return f"is a member of the Enum {kind.__name__}: store its .value"
    if hasattr(kind, "__await__"):
        return f"is a {kind.__name__} that was not awaited: store what `await` gives"
    function: Any = value.func if isinstance(value, partial) else value
    name = str(getattr(function, "__name__", ""))
    if name and callable(function):
        what = "method" if isinstance(function, MethodType) else "function"
        shown = name if name.isidentifier() else "method"
        return (
            f"is the {what} {name}, and functions cannot be stored: "
            f"store a callback instead, `await self.callback(self.{shown})`"
        )
    refused = f"is an instance of {kind.__name__}, and class instances cannot be stored"
    if isinstance(value, date | time):
        return f"{refused}: store an aware datetime, or .isoformat()"
    if isinstance(value, timedelta):
        return f"{refused}: store .total_seconds()"
    if isinstance(value, Mapping):
        return f"{refused}: store dict(...) of it"
    if isinstance(value, AbstractSet):
        return f"{refused}: store set(...) of it"
    if isinstance(value, Iterable):
        return f"{refused}: store list(...) of it"
    return f"{refused}: store a dict of what it holds, or a str"


_Write: TypeAlias = Callable[[Writer, Any], tuple[str, _Annotation]]
_WRITERS: Final[Mapping[type, _Write]] = {
    str: lambda _, value: (_quoted(value), None),
    datetime: Writer._date,
    bool: lambda _, value: ("true" if value else "false", None),
    type(None): lambda *_: ("null", None),
    int: Writer._int,
    float: Writer._float,
    list: Writer._list,
    tuple: Writer._list,
    dict: Writer._dict,
    WebhookHeaders: Writer._dict,
    set: Writer._set,
    frozenset: Writer._set,
    Map: Writer._map,
    Undefined: lambda *_: ("null", ["undefined"]),
    Url: lambda _, value: (_quoted(value.href), ["URL"]),
    re.Pattern: Writer._regexp,
}
# Of a str or a number that has a class of its own (the members of a StrEnum) the value is stored.
_BASES: Final[tuple[tuple[type, _Write], ...]] = (
    (str, lambda _, value: (_quoted(str.__str__(value)), None)),
    (int, Writer._int),
    (float, Writer._float),
    (datetime, Writer._date),
    (BaseException, Writer._error),
)


def _listed(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def _typed(kind: str, tree: _Annotation) -> _Annotation:
    return [kind] if tree is None else [kind, tree]


def _tree(parts: Iterable[tuple[str, _Annotation]]) -> _Annotation:
    """Join the annotations of the parts of a value: paths grow until a value with a type ends them."""
    tree: dict[str, Any] = {}
    for key, annotation in parts:
        if isinstance(annotation, list):
            tree[key] = annotation
        elif annotation is not None:
            for path, rest in annotation.items():
                tree[f"{key}.{path}"] = rest
    return {key: tree[key] for key in _in_order(tree)} if tree else None


def _is_index(key: str) -> bool:
    return key.isdecimal() and str(int(key[:11])) == key and int(key) <= _MAX_INDEX


def _in_order(keys: Iterable[str]) -> Iterable[str]:
    """Order keys as JavaScript orders an object's: indexes by their number, then the others as they came."""
    indexes = [key for key in keys if key.isdecimal() and _is_index(key)]
    if not indexes:
        return keys
    indexes.sort(key=int)
    return [*indexes, *(key for key in keys if not _is_index(key))]


def _as_member(value: object) -> object:
    # JavaScript keeps no -0 in a Set, nor for the key of a Map.
    return 0 if type(value) is float and value == 0 else value


def _rank(member: tuple[str, str]) -> tuple[bool, float, str, str, str]:
    text, annotation = member
    is_number = text[0] in "-0123456789"
    # The whole text tells "1" from [1], which would otherwise come in the order of their hashes.
    return not is_number, float(text) if is_number else 0.0, text[1:-1], annotation, text


def _number(value: float) -> str:
    """Write a number as JavaScript does: the same shortest digits, other thresholds for the exponent."""
    text = float.__repr__(value)
    if text in _NO_NUMBERS:
        return _NO_NUMBERS[text]
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text.removesuffix(".0")
    power = int(exponent)
    sign, digits = ("-" if value < 0 else ""), mantissa.lstrip("-").replace(".", "")
    if 0 < power < 21:
        return sign + digits.ljust(power + 1, "0")
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return f"{mantissa}e{power:+d}"


_NO_NUMBERS: Final = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"', "-0.0": '"-0"'}


def _joined(text: str) -> str:
    """Make one character of two surrogates that stand for it, as they are one in JavaScript."""
    if text.isascii() or not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def escaped(text: str) -> str:
    """Escape surrogates that stand alone, which UTF-8 cannot hold."""
    if text.isascii():
        return text
    return SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _quoted(text: str) -> str:
    return encode_basestring(text) if text.isascii() else escaped(encode_basestring(_joined(text)))


def _as_segment(key: str) -> str:
    return key.replace("\\", "\\\\").replace(".", "\\.")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
