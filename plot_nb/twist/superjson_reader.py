"""Reads superjson text that need not be trusted: whatever it holds, out comes a value or a ValueError."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final, NoReturn

from plot_nb.twist.regexps import read_regexp
from plot_nb.twist.superjson_writer import MAX_DEPTH, MAX_SAFE_INTEGER, REFUSED_KEYS
from plot_nb.twist.values import UNDEFINED, Error, Map, Url

__all__ = ["check", "decode", "revived"]

_CONTAINERS: Final = frozenset({list, dict})
_SIGNS_OF_REFUSED_KEYS: Final = ("proto", "constructor", "\\u")
_TOO_DEEP: Final = f"superjson text nested more than {MAX_DEPTH} levels deep"
# The annotations of a set go two levels deeper with each, the set itself one.
_MAX_DEPTH_OF_TEXT: Final = 2 * MAX_DEPTH + 10
_MAX_PEELED: Final = 16
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS: Final = bytes(set(range(256)) - set(_STEPS))
_LONG_NUMBER: Final = re.compile(r"[0-9]{16}")
_BIGINT: Final = re.compile(r"-?[0-9]+")
_MAX_OF_ONE_HASH: Final = 64
# In characters. A value that shares much within itself may be far larger than its text, once written out;
# what is no string costs as much as a short one.
_MAX_EXPANSION: Final = 1_000_000
_COST: Final = 10
_NUMBERS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": -float("inf"), "-0": -0.0}
_ERRORS: Final[Mapping[str, type[Exception]]] = {
    error.__name__: error
    for error in (
        ArithmeticError,
        AssertionError,
        AttributeError,
        ConnectionError,
        ConnectionRefusedError,
        ConnectionResetError,
        EOFError,
        Exception,
        FileNotFoundError,
        ImportError,
        IndexError,
        KeyError,
        LookupError,
        MemoryError,
        ModuleNotFoundError,
        NameError,
        NotImplementedError,
        OSError,
        OverflowError,
        PermissionError,
        RecursionError,
        RuntimeError,
        SyntaxError,
        TimeoutError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    )
}


def decode(text: str) -> tuple[Any, bool]:
    """Decode JSON with the numbers JavaScript would read.

    Returns:
        The document, and whether `check` is to be asked about it; most texts cannot hold what it refuses.

    Raises:
        ValueError: If it is not JSON, or is far too deep.
    """
    in_doubt = any(sign in text for sign in _SIGNS_OF_REFUSED_KEYS)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        depth = _depth(text)
        # Inside a twist nothing but the end of the native stack would stop the decoder, and that ends the twist.
        if depth > _MAX_DEPTH_OF_TEXT:
            raise ValueError(_TOO_DEEP)
        in_doubt = in_doubt or depth > MAX_DEPTH
    return (_decode_long if _LONG_NUMBER.search(text) else _decode)(text), in_doubt


def _depth(text: str) -> int:
    """Give how deep JSON is, or something above that and below the limit."""
    outside_strings = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    brackets = outside_strings.encode("ascii", "ignore").translate(None, _NO_BRACKETS)
    rest = brackets
    for _ in range(_MAX_PEELED):
        rest = rest.replace(b"[]", b"").replace(b"{}", b"")
        if not rest:
            return 2 * _MAX_PEELED
    return max(accumulate(map(_STEPS.__getitem__, brackets)))


def _integer(text: str) -> int | float:
    # A larger number with all its digits is a double; a BigInt is written as a string.
    return int(text) if len(text) < 16 or abs(float(text)) <= MAX_SAFE_INTEGER else float(text)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"not JSON: {text}")


_decode: Final = json.JSONDecoder(parse_constant=_no_constant).decode
_decode_long: Final = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer).decode


def check(plain: object) -> None:
    """Refuse what `dumps` would refuse in decoded JSON.

    Raises:
        ValueError: If it is nested too deeply, or has one of the refused keys.
    """
    level: list[Any] = [plain] if type(plain) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        for container in level:
            if type(container) is dict and not REFUSED_KEYS.isdisjoint(container):
                raise ValueError(f"superjson text with one of the keys {', '.join(sorted(REFUSED_KEYS))}")
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in _CONTAINERS
        ]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


class _Note:
    """What the annotations say of one place in the JSON."""

    __slots__ = ("kind", "same_as", "within")

    def __init__(self, kind: object = None) -> None:
        self.kind = kind
        self.within: dict[str, _Note] = {}
        self.same_as: tuple[str, ...] | None = None

    def at(self, path: Iterable[str]) -> "_Note":
        note = self
        for segment in path:
            found = note.within.get(segment)
            if found is None:
                found = note.within[segment] = _Note()
            note = found
        return note


def revived(plain: Any, meta: object, size: int) -> Any:
    """Make the value of decoded JSON.

    Args:
        plain: The JSON; it is used up.
        meta: What the text says of it.
        size: The length of the text.

    Raises:
        ValueError: If the two do not go together, or Python has no such value.
    """
    if type(meta) is not dict:
        raise ValueError(f"not superjson text: its meta is {_short(meta)}")
    version = meta.get("v", 0)
    if type(version) not in {int, float}:
        raise ValueError(f"not superjson text: its version is {_short(version)}")
    legacy = version < 1
    root = _Note()
    if meta.get("values") is not None:
        _annotate(root, meta["values"], legacy, 0)
    if meta.get("referentialEqualities") is not None:
        _equate(root, meta["referentialEqualities"], legacy)
        plain, expanded = _Expansion(plain, root, size).expanded(plain, root)
        root = expanded or _Note()
        check(plain)
    return _converted(plain, root)


def _annotate(note: _Note, tree: object, legacy: bool, depth: int) -> None:
    within: object = tree
    if type(tree) is list and 1 <= len(tree) <= 2:
        note.kind = tree[0]
        within = tree[1] if len(tree) == 2 else {}
    if type(within) is not dict:
        raise ValueError(f"not superjson text: the annotation {_short(tree)}")
    for key, rest in within.items():
        path = _path(key, legacy)
        if depth + len(path) > MAX_DEPTH:
            raise ValueError(_TOO_DEEP)
        _annotate(note.at(path), rest, legacy, depth + len(path))


def _path(text: str, legacy: bool) -> tuple[str, ...]:
    if "\\" not in text:
        return tuple(text.split("."))
    segments = [""]
    at = 0
    while at < len(text):
        character, following = text[at], text[at + 1 : at + 2]
        if character == "\\" and (following == "." or (following == "\\" and not legacy)):
            segments[-1] += following
            at += 1
        elif character == "\\" and not legacy:
            raise ValueError(f"not superjson text: the path {_short(text)}")
        elif character == ".":
            segments.append("")
        else:
            segments[-1] += character
        at += 1
    return tuple(segments)


def _equate(root: _Note, equalities: object, legacy: bool) -> None:
    if type(equalities) is not dict:
        # The form for a value that contains itself as a whole.
        raise ValueError("superjson text with a cycle, which cannot be loaded")
    for first, others in equalities.items():
        if type(others) is not list or not all(type(other) is str for other in others):
            raise ValueError(f"not superjson text: the equal paths {_short(others)}")
        source = _path(first, legacy)
        for other in others:
            path = _path(other, legacy)
            if len(path) > MAX_DEPTH:
                raise ValueError(_TOO_DEEP)
            root.at(path).same_as = source


class _Expansion:
    """Puts a copy of what is shared at each place where the text left a null for it.

    The package leaves one with `dedupe` on, and where a value contains itself.
    """

    def __init__(self, plain: object, root: _Note, size: int) -> None:
        self._plain = plain
        self._root = root
        self._open: set[tuple[str, ...]] = set()
        self._left = _MAX_EXPANSION + _COST * size

    def expanded(self, plain: Any, note: _Note | None) -> tuple[Any, _Note | None]:
        if note is not None and note.same_as is not None and plain is None and note.kind is None:
            return self._copied(note.same_as)
        self._left -= _COST + (len(plain) if type(plain) is str else 0)
        if type(plain) is dict:
            self._left -= sum(map(len, plain))
        if self._left < 0:
            raise ValueError("superjson text that is too large once what it shares is written out")
        if type(plain) not in _CONTAINERS:
            return plain, note
        copied = _Note(note.kind if note else None)
        copy: Any = plain.copy()
        for key in plain if type(plain) is dict else range(len(plain)):
            segment = str(key)
            copy[key], within = self.expanded(plain[key], note.within.get(segment) if note else None)
            if within is not None:
                copied.within[segment] = within
        return copy, copied

    def _copied(self, path: tuple[str, ...]) -> tuple[Any, _Note | None]:
        if path in self._open:
            raise ValueError(
                f"superjson text with a cycle at {_short('.'.join(path))}, which cannot be loaded"
            )
        plain, note = self._plain, self._root.within
        found: _Note | None = self._root
        for segment in path:
            plain = plain[_key(plain, segment)]  # type: ignore[index]
            found = note.get(segment)
            note = found.within if found else {}
        self._open.add(path)
        copy = self.expanded(plain, found)
        self._open.remove(path)
        return copy


def _key(plain: object, segment: str) -> Any:
    """Give the index or the key that a segment of a path stands for."""
    if type(plain) is dict and segment in plain:
        return segment
    if type(plain) is list and segment.isascii() and segment.isdecimal() and len(segment) <= 10:
        index = int(segment)
        if index < len(plain):
            return index
    raise ValueError(f"not superjson text: an annotation for {_short(segment)}, and nothing is there")


def _converted(plain: Any, note: _Note) -> Any:
    for segment, within in note.within.items():
        key = _key(plain, segment)
        plain[key] = _converted(plain[key], within)
    kind = note.kind
    if kind is None:
        return plain
    read = _READERS.get(kind) if type(kind) is str else None
    if read is None:
        raise ValueError(f"superjson text with a value of the type {_short(kind)}, which Python cannot load")
    return read(plain)


def _read_bigint(plain: object) -> int:
    return int(_text(plain, "a BigInt", _BIGINT))


def _read_number(plain: object) -> float:
    number = _NUMBERS.get(_text(plain, "a number"))
    if number is None:
        raise ValueError(f"not a number: {_short(plain)}")
    return number


def _read_date(plain: object) -> datetime:
    text = _text(plain, "a Date")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("it has no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"not a Date Python can hold: {_short(text)} ({error})") from None


def _read_url(plain: object) -> Url:
    return Url(_text(plain, "a URL"))


def _read_pattern(plain: object) -> re.Pattern[str]:
    return read_regexp(_text(plain, "a regular expression"))


def _read_set(plain: object) -> set[Any]:
    if type(plain) is not list:
        raise ValueError(f"not a Set: {_short(plain)}")
    members = [_hashable(member) for member in plain]
    _check_distinct(members)
    return set(members)


def _read_map(plain: object) -> dict[Any, Any]:
    if type(plain) is not list or not all(type(entry) is list and len(entry) == 2 for entry in plain):
        raise ValueError(f"not a Map: {_short(plain)}")
    keys = [_hashable(entry[0]) for entry in plain]
    _check_distinct(keys)
    entries = dict(zip(keys, (entry[1] for entry in plain), strict=True))
    return Map(entries) if all(type(key) is str for key in keys) else entries


def _hashable(value: Any) -> Any:
    if type(value) is list:
        return tuple(map(_hashable, value))
    if type(value) is set:
        return frozenset(value)
    if isinstance(value, dict):
        raise ValueError("an object in a Set, or for the key of a Map, has no counterpart")  # noqa: TRY004
    return value


def _check_distinct(values: list[Any]) -> None:
    # Hashes of numbers can be chosen. Where many are one, building the set takes the square of the time.
    if max(Counter(map(hash, values)).values(), default=0) > _MAX_OF_ONE_HASH:
        raise ValueError("a Set or Map whose members were chosen to be slow")
    if len(set(values)) < len(values):
        raise ValueError("a Set or Map with two members that are equal in Python, such as 1 and true")


def _read_error(plain: object) -> Exception:
    if type(plain) is not dict:
        raise ValueError(f"not an Error: {_short(plain)}")
    name = _text(plain.get("name", "Error"), "the name of an Error")
    message = _text(plain.get("message", ""), "the message of an Error")
    cause = plain.get("cause")
    if cause is None or cause is UNDEFINED:
        return _ERRORS[name](message) if name in _ERRORS else Error(message, name)
    if not isinstance(cause, Exception):
        return Error(message, name, cause)
    error = _ERRORS[name](message) if name in _ERRORS else Error(message, name)
    error.__cause__ = cause
    return error


def _text(plain: object, what: str, form: re.Pattern[str] | None = None) -> str:
    if type(plain) is not str or (form is not None and form.fullmatch(plain) is None):
        raise ValueError(f"not {what}: {_short(plain)}")
    return plain


_READERS: Final[Mapping[str, Callable[[object], Any]]] = {
    "undefined": lambda _: UNDEFINED,
    "bigint": _read_bigint,
    "number": _read_number,
    "Date": _read_date,
    "regexp": _read_pattern,
    "URL": _read_url,
    "set": _read_set,
    "map": _read_map,
    "Error": _read_error,
}


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
