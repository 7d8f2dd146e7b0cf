"""The codec against the npm package, both ways. `make golden` makes the two files, with what each line of them is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from plot_nb.twist.superjson import dumps, loads
from tests.twist import superjson_drawn
from tests.twist.described import built, form

OTHERWISE, REFUSED = "otherwise", "refused"


def lines(name: str) -> list[Any]:
    text = gzip.decompress(Path(__file__).with_name(name).read_bytes()).decode()
    return [json.loads(line) for line in text.split("\n") if line]


@pytest.fixture(scope="module")
def golden() -> list[Any]:
    """What the package wrote and Python can hold."""
    return [line for line in lines("superjson_golden.jsonl.gz") if line[2:] != [REFUSED]]


@pytest.fixture(scope="module")
def written_by_python() -> list[Any]:
    """What Python wrote and the package read."""
    return lines("superjson_python.jsonl.gz")


KINDS = [
    "Date",
    "Error",
    "URL",
    "bigint",
    "map",
    "number",
    "regexp",
    "set",
    "undefined",
    "referentialEqualities",
]


def test_the_golden_file_has_ten_thousand_values_and_every_type_hundreds_of_times(golden: list[Any]) -> None:
    every = lines("superjson_golden.jsonl.gz")
    assert len(every) == 10_000
    assert len({json.dumps(line) for line in every}) == 10_000
    assert len(golden) > 9_950
    for kind in KINDS:
        assert sum(f'"{kind}"' in text for _, text, *_ in golden) > 500, kind
    assert sum("\\\\." in text for _, text, *_ in golden) > 200


@pytest.mark.rule("5.13", "5.14", "5.15", "5.16")
def test_what_the_package_wrote_is_read_as_the_value_it_wrote(golden: list[Any]) -> None:
    for description, text, *_ in golden:
        assert form(loads(text)) == form(built(description)), text


@pytest.mark.rule("5.13")
def test_a_value_is_written_as_the_package_writes_it(golden: list[Any]) -> None:
    for description, text, *otherwise in golden:
        if not otherwise:
            assert dumps(built(description)) == text


@pytest.mark.rule("5.13", "5.14", "5.16")
def test_what_was_read_is_written_as_it_was(golden: list[Any]) -> None:
    for _, text, *otherwise in golden:
        if not otherwise:
            assert dumps(loads(text)) == text


@pytest.mark.rule("5.13", "5.16")
def test_what_is_shared_and_a_set_survive_being_written_otherwise(golden: list[Any]) -> None:
    otherwise = [line for line in golden if line[2:] == [OTHERWISE]]
    assert len(otherwise) > 1_500
    for description, text, _ in otherwise:
        again = dumps(loads(text))
        assert dumps(loads(again)) == again
        assert form(loads(again)) == form(built(description)), text


def test_what_python_has_no_value_for_is_a_value_error() -> None:
    refused = [line for line in lines("superjson_golden.jsonl.gz") if line[2:] == [REFUSED]]
    assert len(refused) >= 20
    for _, text, _ in refused:
        with pytest.raises(ValueError):  # noqa: PT011
            loads(text)


@pytest.mark.rule("5.13")
def test_python_writes_what_the_package_has_read_and_written_again(written_by_python: list[Any]) -> None:
    drawn = list(superjson_drawn.drawn())
    assert len(drawn) == len(written_by_python) == superjson_drawn.COUNT
    for (value, said), (description, text, *_) in zip(drawn, written_by_python, strict=True):
        assert (json.loads(json.dumps(said)), dumps(value)) == (description, text)


@pytest.mark.rule("5.13", "5.14", "5.15", "5.16", "5.17")
def test_what_python_wrote_it_reads_also_once_the_package_has_written_it_again(
    written_by_python: list[Any],
) -> None:
    assert sum(len(line) == 3 for line in written_by_python) > 500
    for description, text, *again in written_by_python:
        for each in (text, *again):
            assert form(loads(each)) == form(built(description)), each
            assert dumps(loads(each)) == text
