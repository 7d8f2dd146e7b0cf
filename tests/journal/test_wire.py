"""Both sides of the wire use the same names, and Python gives what they promise."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from plot_nb.journal import wire
from plot_nb.journal.wire import Picture, Rows
from tests.fixtures.pictures.__main__ import FOLDER

TYPESCRIPT = Path(__file__).parents[2] / "labextension" / "src" / "charts" / "wire.ts"

INTERFACES = (
    *("Picture", "Words", "Rows", "Cursor", "Limits", "ExecutionRows", "ScheduledRows", "WriteRows"),
    *("ProgressRows", "Detail", "LineRows", "RequestRows", "LogRows", "Source", "StateTable"),
)

PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def interfaces() -> dict[str, dict[str, str]]:
    """The fields of wire.ts and their types, by interface."""
    text = re.sub(r"/\*\*.*?\*/", "", TYPESCRIPT.read_text(), flags=re.DOTALL)
    found = {}
    for name, body in re.findall(r"export interface (\w+) \{(.*?)\n\}", text, flags=re.DOTALL):
        found[name] = dict(re.findall(r"^\s*(\w+): (.*);$", body, flags=re.MULTILINE))
    return found


def typescript(hint: Any) -> str:
    """A Python type as wire.ts writes it."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is list:
        inner = typescript(args[0])
        return f"({inner})[]" if "|" in inner and not inner.endswith("[]") else f"{inner}[]"
    if origin in {Union, types.UnionType}:
        return " | ".join(typescript(each) for each in args)
    if origin is Literal:
        return {wire.Panel: "Panel"}.get(hint) or " | ".join(repr(each) for each in args)
    if origin is dict:
        return f"Partial<Record<Kind, {typescript(args[1])}>>"
    return PLAIN.get(hint) or str(hint.__name__)


@pytest.mark.parametrize("name", INTERFACES)
def test_names_and_types_are_the_same_on_both_sides(name: str) -> None:
    mine = {field: typescript(hint) for field, hint in get_type_hints(getattr(wire, name)).items()}
    assert mine == interfaces()[name]
    assert list(mine) == list(interfaces()[name])


def test_every_interface_of_rows_is_looked_at() -> None:
    assert set(INTERFACES) == set(interfaces())


def test_constants_are_the_same_on_both_sides() -> None:
    text = TYPESCRIPT.read_text()
    assert f"MIME_TYPE = '{wire.MIME_TYPE}'" in text
    assert f"COMM_TARGET = '{wire.COMM_TARGET}'" in text
    assert f"KINDS = [{', '.join(repr(kind) for kind in wire.KINDS)}] as const" in text
    assert f"PANELS = [{', '.join(repr(panel) for panel in get_args(wire.Panel))}] as const" in text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_what_python_gives_has_these_names_and_no_others(path: Path) -> None:
    text = path.read_bytes()
    if path.stem == "deltas":
        for rows in [*msgspec.json.decode(text)["rows"], msgspec.json.decode(text)["whole"]]:
            hold(rows, Rows)
    else:
        hold(msgspec.json.decode(text), Picture)


def hold(given: Any, hint: Any) -> None:
    """Check a value by its type: a table has exactly its fields, and columns of one length."""
    args = get_args(hint)
    if given is None:
        assert type(None) in args
        return
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(each for each in args if each is not type(None))
    if hasattr(hint, "__required_keys__"):
        fields = get_type_hints(hint)
        assert list(given) == list(fields)
        for name, each in fields.items():
            hold(given[name], each)
        if hint.__name__.endswith("Rows"):
            columns = [
                each["at"] if isinstance(each, dict) and "at" in each else each for each in given.values()
            ]
            lengths = {len(each) for each in columns if isinstance(each, list)}
            assert hint is Rows or len(lengths) == 1
    else:
        msgspec.convert(given, hint)
