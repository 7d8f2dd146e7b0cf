"""The rules of docs/runtime.md and the tests that name them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.rules import Mark, Rule, Unreadable, marks_in, repeated, rules_in, unheld, unknown

DOCUMENT = """
# Rules

An introduction with 7.12 and **7.12** in it.
- a list of the introduction

## 2. One

- **2.1** A first rule.
- **2.2** A rule with `code` and a **7.12**.

## 10. Another

- **10.1** A rule.
"""


def test_rules_are_the_numbered_lines_of_the_numbered_sections() -> None:
    assert rules_in(DOCUMENT) == [
        Rule("2.1", "A first rule."),
        Rule("2.2", "A rule with `code` and a **7.12**."),
        Rule("10.1", "A rule."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "- **7.1** A rule of another section.",
        "- **2.3.** A number with a dot.",
        "- **2.03** A number that begins with a zero.",
        "* **2.3** Another bullet.",
        "- 2.3 Not bold.",
        "- **2.3**",
        "  that goes on in a second line",
    ],
)
def test_a_line_of_a_section_that_is_no_rule_is_not_passed_over(line: str) -> None:
    with pytest.raises(Unreadable, match="line 4"):
        rules_in(f"## 2. One\n\n- **2.1** A rule.\n{line}\n")


def test_a_rule_before_any_section_is_not_passed_over() -> None:
    with pytest.raises(Unreadable, match="line 1"):
        rules_in("- **2.1** A rule.\n")


def marks(source: str) -> list[tuple[str, int, bool]]:
    found = marks_in(textwrap.dedent(source), "test_it.py")
    return [(mark.number, int(mark.where.removeprefix("test_it.py:")), mark.holds) for mark in found]


def test_marks_are_found_on_tests_classes_modules_and_cases() -> None:
    source = """\
    import pytest
    pytestmark = [pytest.mark.rule("2.1"), pytest.mark.browser]

    @pytest.mark.rule("2.2", "2.3")
    def test_a(): ...

    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.rule("2.4")),
        pytest.param(3, marks=[pytest.mark.rule("2.5")])])
    async def test_b(n): ...

    @pytest.mark.rule("2.6")
    class TestC:
        pytestmark = pytest.mark.rule("2.7")
        @pytest.mark.rule("2.8")
        def test_d(self): ...

    TestMachine.pytestmark = pytest.mark.rule("2.9")
    """
    assert sorted(marks(source)) == [
        ("2.1", 2, True),
        ("2.2", 4, True),
        ("2.3", 4, True),
        ("2.4", 7, True),
        ("2.5", 8, True),
        ("2.6", 11, True),
        ("2.7", 13, True),
        ("2.8", 14, True),
        ("2.9", 17, True),
    ]


def test_a_mark_in_a_comment_or_a_text_is_none() -> None:
    source = """\
    # @pytest.mark.rule("2.1")
    CELL = '@pytest.mark.rule("2.2")'
    def test_a():
        '''@pytest.mark.rule("2.3")'''
    """
    assert marks(source) == []


@pytest.mark.parametrize("mark", ["prove", "skip(reason='later')", "xfail"])
def test_a_test_that_is_not_run_holds_nothing(mark: str) -> None:
    on_test = f"@pytest.mark.{mark}\n@pytest.mark.rule('2.1')\ndef test_a(): ...\n"
    on_class = f"@pytest.mark.{mark}\nclass TestA:\n    @pytest.mark.rule('2.1')\n    def test_a(self): ...\n"
    on_module = f"pytestmark = pytest.mark.{mark}\n@pytest.mark.rule('2.1')\ndef test_a(): ...\n"
    for source in (on_test, on_class, on_module):
        assert [holds for _, _, holds in marks(source)] == [False]


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.rule('2.1')\ndef work(): ...\n",
        "def test_a():\n    @pytest.mark.rule('2.1')\n    def test_b(): ...\n",
        "held = pytest.mark.rule('2.1')\n",
        "@pytest.mark.rule('2.1')\nclass Cases:\n    def test_a(self): ...\n",
    ],
    ids=["function", "inner", "variable", "class"],
)
def test_a_mark_on_what_is_no_test_is_not_passed_over(source: str) -> None:
    with pytest.raises(Unreadable, match=r"no test: test_it\.py:\d"):
        marks_in(source, "test_it.py")


@pytest.mark.parametrize("call", ["()", "(7.12)", "('2.1', number)", "(*NUMBERS)", "(number='2.1')"])
def test_a_mark_has_its_numbers_as_plain_strings(call: str) -> None:
    with pytest.raises(Unreadable, match=r"test_it\.py:1"):
        marks_in(f"@pytest.mark.rule{call}\ndef test_a(): ...\n", "test_it.py")


def test_what_does_not_fit_is_named() -> None:
    rules = [Rule("2.1", "Held."), Rule("2.2", "Not held."), Rule("2.3", "Here."), Rule("2.3", "And here.")]
    named = [
        Mark("2.1", "a.py:1"),
        Mark("2.3", "a.py:2"),
        Mark("2.2", "a.py:3", holds=False),
        Mark("2.4", "a.py:4"),
    ]
    assert repeated(rules) == ["2.3"]
    assert unknown(rules, named) == ["a.py:4 names 2.4"]
    assert unheld(rules, named) == ["2.2 Not held."]


ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    return rules_in((ROOT / "docs/runtime.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def named() -> list[Mark]:
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        mark
        for test in tests
        for mark in marks_in(test.read_text(encoding="utf-8"), test.relative_to(ROOT).as_posix())
    ]


def test_each_section_of_the_document_has_rules(rules: list[Rule]) -> None:
    assert {rule.number.split(".")[0] for rule in rules} == {str(section) for section in range(2, 13)}


def test_no_number_is_given_twice(rules: list[Rule]) -> None:
    assert repeated(rules) == []


def test_each_mark_names_a_rule(rules: list[Rule], named: list[Mark]) -> None:
    assert unknown(rules, named) == []


def test_each_rule_is_held_by_a_test(rules: list[Rule], named: list[Mark]) -> None:
    assert unheld(rules, named) == []
