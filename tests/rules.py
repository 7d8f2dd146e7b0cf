"""Which rules of docs/runtime.md there are, and which tests name them, read without running anything."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

RULE = re.compile(r"- \*\*(?P<number>(?P<section>[1-9]\d*)\.[1-9]\d*)\*\* (?P<text>\S.*)")
SECTION = re.compile(r"## (?P<section>[1-9]\d*)\. \S")

NOT_RUN = {"prove", "skip", "xfail"}
"""Marks of tests that `make test` does not run, or whose failing it takes for granted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of docs/runtime.md."""

    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One number in one `pytest.mark.rule(...)`.

    Attributes:
        number: The rule.
        where: File and line of the mark.
        holds: False for a test that `make test` does not run.
    """

    number: str
    where: str
    holds: bool = True


class Unreadable(ValueError):
    """A line that looks like a rule or a mark and is none."""


def rules_in(text: str) -> list[Rule]:
    """The rules of a document, in its order.

    Raises:
        Unreadable: If a section has a list entry that is no rule, or a rule of another section.
    """
    rules = []
    section = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            heading = SECTION.match(line)
            section = heading["section"] if heading else None
            continue
        rule = RULE.fullmatch(line)
        if rule is not None and rule["section"] == section:
            rules.append(Rule(rule["number"], rule["text"]))
        elif rule is not None or (section is not None and line.strip()):
            raise Unreadable(f"line {number} is no rule of section {section}: {line!r}")
    return rules


def marks_in(source: str, name: str) -> list[Mark]:
    """The rules that the tests of one file name.

    Args:
        source: The file's text.
        name: What the file is called in a mark's `where`.

    Raises:
        Unreadable: If a mark is on something that is no test, or has anything but plain strings.
    """
    tree = ast.parse(source)
    marks = list(_on_tests(tree, name, holds=True))
    calls = sum(len(_numbers(node, name)) for node in ast.walk(tree) if _is_mark(node, "rule"))
    if calls != len(marks):
        seen = {mark.where for mark in marks}
        loose = [
            f"{name}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and _is_mark(node, "rule") and f"{name}:{node.lineno}" not in seen
        ]
        raise Unreadable(f"a rule is named by something that is no test: {', '.join(loose) or name}")
    return marks


def repeated(rules: Iterable[Rule]) -> list[str]:
    """Numbers that several rules have."""
    return [number for number, times in Counter(rule.number for rule in rules).items() if times > 1]


def unknown(rules: Iterable[Rule], marks: Iterable[Mark]) -> list[str]:
    """Marks that name no rule."""
    numbers = {rule.number for rule in rules}
    return [f"{mark.where} names {mark.number}" for mark in marks if mark.number not in numbers]


def unheld(rules: Iterable[Rule], marks: Iterable[Mark]) -> list[str]:
    """Rules that no test holds."""
    held = {mark.number for mark in marks if mark.holds}
    return [f"{rule.number} {rule.text}" for rule in rules if rule.number not in held]


def _on_tests(body: ast.AST, name: str, *, holds: bool) -> Iterator[Mark]:
    """Marks of a module or class and of the tests in it."""
    own = [node.value for node in _statements(body) if isinstance(node, ast.Assign) and _is_pytestmark(node)]
    holds = holds and not any(_is_mark(each, *NOT_RUN) for value in own for each in ast.walk(value))
    for value in own:
        yield from _marks(value, name, holds=holds)
    for node in _statements(body):
        is_class = isinstance(node, ast.ClassDef) and node.name.startswith("Test")
        is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
        if not (is_class or is_test):
            continue
        decorators = node.decorator_list  # type: ignore[attr-defined]  # both have some
        runs = holds and not any(_is_mark(each, *NOT_RUN) for each in decorators)
        for decorator in decorators:
            yield from _marks(decorator, name, holds=runs)
        if is_class:
            yield from _on_tests(node, name, holds=runs)


def _statements(body: ast.AST) -> list[ast.stmt]:
    return body.body if isinstance(body, ast.Module | ast.ClassDef) else []


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(
        getattr(target, "id", getattr(target, "attr", None)) == "pytestmark" for target in node.targets
    )


def _is_mark(node: ast.AST, *names: str) -> bool:
    """Whether it is `pytest.mark.NAME` or `pytest.mark.NAME(...)`."""
    mark = node.func if isinstance(node, ast.Call) else node
    return (
        isinstance(mark, ast.Attribute)
        and mark.attr in names
        and isinstance(mark.value, ast.Attribute)
        and mark.value.attr == "mark"
    )


def _marks(node: ast.AST, name: str, *, holds: bool) -> Iterator[Mark]:
    """All marks inside a decorator or a value, those of `pytest.param(..., marks=...)` too."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and _is_mark(each, "rule"):
            for number in _numbers(each, name):
                yield Mark(number, f"{name}:{each.lineno}", holds)


def _numbers(node: ast.AST, name: str) -> list[str]:
    if not isinstance(node, ast.Call):
        return []
    numbers = [
        each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    if node.keywords or not numbers or len(numbers) != len(node.args):
        raise Unreadable(f'{name}:{node.lineno}: a rule\'s mark has numbers as plain strings: rule("7.12")')
    return numbers
