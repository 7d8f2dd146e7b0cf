"""The pictures that the front end is tested with are those that Python makes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fixtures.making import make
from tests.fixtures.pictures.__main__ import FOLDER, text_of
from tests.journal.front import by_id


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return make()


def test_every_fixture_is_as_python_makes_it_now(made: dict[str, Any]) -> None:
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert set(kept) == set(made)
    changed = [name for name, fixture in made.items() if kept[name] != text_of(fixture)]
    assert not changed, (
        f"{changed} changed: `python -m tests.fixtures.pictures` writes them, then look at them"
    )


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < 400_000


def test_the_growing_chain_comes_to_its_whole(made: dict[str, Any]) -> None:
    sent, whole = made["deltas"]["rows"], made["deltas"]["whole"]
    assert len(sent) > 20
    assert [rows["running"] for rows in sent] == [True] * (len(sent) - 1) + [False]
    for table in ("executions", "writes", "progress"):
        found: dict[int, Any] = {}
        for rows in sent:
            if rows[table] is not None:
                found |= by_id(rows[table])
        assert found == by_id(whole[table])
    assert sent[-1]["scheduled"] == whole["scheduled"]
    assert any("running" in rows["executions"]["outcome"]["words"] for rows in sent)


def test_pictures_show_what_they_are_for(made: dict[str, Any]) -> None:
    (wrong,) = by_id(made["wrong_way"]["rows"]["executions"]).values()
    assert (wrong["outcome"], wrong["requests"], wrong["line"] is None) == ("over_requests", 1000, False)
    assert len(made["first_sync"]["rows"]["executions"]["id"]) == 26
    retries = by_id(made["retries"]["rows"]["executions"]).values()
    assert [row["outcome"] for row in retries if row["method"] == "stubborn"] == ["error", "error", "ok"]
    assert [row["outcome"] for row in retries if row["method"] == "hopeless"] == ["error"] * 3
    concurrent = list(by_id(made["concurrent"]["rows"]["executions"]).values())
    assert len(concurrent) == 40
    assert any(one["started"] < two["started"] < one["ended"] for one in concurrent for two in concurrent)
    waits = made["scheduled"]["rows"]["scheduled"]
    assert any(waits["every_ms"])
    assert "digest" in waits["key"]["words"]
    types = set(made["store_types"]["rows"]["writes"]["type"]["words"])
    assert {
        "str",
        "int",
        "float",
        "bool",
        "None",
        "list",
        "dict",
        "set",
        "datetime",
        "Url",
        "cleared",
    } <= types


def test_no_secret_is_in_any_of_them(made: dict[str, Any]) -> None:
    assert "hunter2" not in json.dumps(made)
