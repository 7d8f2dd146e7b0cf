"""Values in words that JavaScript and Python share, and what makes two of them the same."""

from __future__ import annotations

import functools
import json
import math
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from plot_nb.twist.values import UNDEFINED, Error, Map, Url

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REGEXPS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


def frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return frozenset(value) if isinstance(value, set) else value


def built(description: Any, named: dict[str, Any] | None = None) -> Any:
    """The value a line of the golden file describes, made without the codec."""
    named = {} if named is None else named
    if isinstance(description, dict):
        return {key: built(value, named) for key, value in description.items()}
    if not isinstance(description, list):
        return description
    tag, *rest = description
    if tag == "list":
        return [built(item, named) for item in rest]
    if tag == "set":
        return {frozen(built(item, named)) for item in rest}
    if tag == "map":
        entries = {frozen(built(key, named)): built(value, named) for key, value in rest}
        return Map(entries) if all(isinstance(key, str) for key in entries) else entries
    if tag == "date":
        return EPOCH + timedelta(milliseconds=rest[0])
    if tag == "bigint":
        return int(rest[0])
    if tag == "bits":
        number = struct.unpack(">d", bytes.fromhex(rest[0]))[0]
        whole = (
            number.is_integer() and abs(number) < 2**53 and not (number == 0 and math.copysign(1, number) < 0)
        )
        return int(number) if whole else number
    if tag == "undefined":
        return UNDEFINED
    if tag == "url":
        return Url(rest[0])
    if tag == "regexp":
        named_group = rest[0].replace("(?<year>", "(?P<year>").replace("\\k<year>", "(?P=year)")
        return re.compile(named_group, functools.reduce(lambda a, b: a | REGEXPS[b], rest[1], re.NOFLAG))
    if tag == "error":
        causes = (built(cause, named) for cause in rest[2:])
        return failure(*rest[:2], *(cause for cause in causes if cause is not UNDEFINED))
    if tag == "def":
        named[rest[0]] = built(rest[1], named)
        return named[rest[0]]
    assert tag == "ref"
    return named[rest[0]]


def failure(name: str, message: str, cause: Any = None) -> Exception:
    known = {error.__name__: error for error in (TypeError, ValueError, KeyError, OSError, TimeoutError)}
    if cause is not None and not isinstance(cause, Exception):
        return Error(message, name, cause)
    error = known[name](message) if name in known else Error(message, name)
    error.__cause__ = cause
    return error


def form(value: Any) -> Any:
    """A value so that == tells apart what must not be mixed up, and not what JavaScript cannot tell apart."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 and str(value) != "-0.0":
        value = int(value)
    if isinstance(value, datetime):
        return "date", value.astimezone(UTC).replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, bool | int | float):
        return type(value).__name__, repr(value)
    if isinstance(value, list | tuple):
        return "list", [form(item) for item in value]
    if isinstance(value, set | frozenset):
        return "set", sorted((form(item) for item in value), key=repr)
    if isinstance(value, dict):
        kind = "map" if isinstance(value, Map) or any(not isinstance(key, str) for key in value) else "object"
        pairs = [(form(key), form(item)) for key, item in value.items()]
        return kind, pairs if kind == "map" else sorted(pairs, key=repr)
    if isinstance(value, Exception):
        cause = value.__cause__ or getattr(value, "cause", None)
        name = value.name if isinstance(value, Error) else type(value).__name__
        return "error", name, value.args[0] if value.args else "", form(cause)
    if isinstance(value, re.Pattern):
        # How a slash and a line end are spelled in the source makes no difference.
        source = re.sub(r"\\/", "/", value.pattern)
        for end, spelled in (("\n", r"\n"), ("\r", r"\r"), ("\u2028", r"\u2028")):
            source = source.replace(end, spelled)
        return "regexp", source, int(value.flags)
    return type(value).__name__, value


def annotated(plain: Any, values: Any, **meta: Any) -> str:
    """A text as the package writes it, of JSON and what is said of it."""
    return json.dumps({"json": plain, "meta": {"values": values, "v": 1, **meta}})
