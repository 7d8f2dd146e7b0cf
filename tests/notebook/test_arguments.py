from typing import Any

import pytest

from plot_nb.notebook.arguments import parse_call
from plot_nb.notebook.problems import MagicError

NAMES = {"size": 50, "items": [1, 2]}


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("Sync.page", (), {}),
        ("Sync.page()", (), {}),
        ("Sync . page ( 1 )", (1,), {}),
        ("Sync.page 1", (1,), {}),
        ("Sync.page 1 2", (1, 2), {}),
        ("Sync.page 1, 2", (1, 2), {}),
        ("Sync.page(1, size=2)", (1,), {"size": 2}),
        ("Sync.page 1 size=size", (1,), {"size": 50}),
        ("Sync.page 1 -2", (1, -2), {}),
        ("Sync.page 1 + 2", (3,), {}),
        ("Sync.page size * 2", (100,), {}),
        ("Sync.page (1, 2)", (1, 2), {}),
        ("Sync.page [1, 2] {'a': 'b c'}", ([1, 2], {"a": "b c"}), {}),
        ("Sync.page *items", (1, 2), {}),
        ("Sync.page 'two words' \"it's\"", ("two words", "it's"), {}),
        ("Sync.page size if items else 0", (50,), {}),
        ("Sync.page [n * size for n in items]", ([50, 100],), {}),
        ("Sync.page 1 # the first", (1,), {}),
    ],
)
def test_arguments_are_python_separated_by_spaces_or_commas(
    text: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    call = parse_call(text, dict(NAMES))

    assert (call.twist, call.method, call.args, call.kwargs) == ("Sync", "page", args, kwargs)


@pytest.mark.parametrize(
    "text", ["", "Sync", "Sync.", "Sync.page(1", "Sync.page unknown", "Sync.page 1 +", "1.x", "Sync.page )("]
)
def test_what_is_no_call_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(MagicError) as refused:
        parse_call(text, dict(NAMES))

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "known", "twist", "method", "args"),
    [
        ("Sync.calendar.page 1", [], "Sync", "calendar.page", (1,)),
        ("Sync.calendar.page(1)", [], "Sync", "calendar.page", (1,)),
        ("Sync.page .5", [], "Sync", "page", (0.5,)),
        ("Sync/staging.page 1", [], "Sync/staging", "page", (1,)),
        ("Sync/v1.2.page 1", ["Sync", "Sync/v1", "Sync/v1.2"], "Sync/v1.2", "page", (1,)),
        ("Sync/two words.page 1", ["Sync/two words"], "Sync/two words", "page", (1,)),
    ],
)
def test_a_twist_may_be_an_instance_and_a_method_a_tools(
    text: str, known: list[str], twist: str, method: str, args: tuple[Any, ...]
) -> None:
    call = parse_call(text, {}, known)

    assert (call.twist, call.method, call.args) == (twist, method, args)
