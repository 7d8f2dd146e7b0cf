"""The picture that is saved in a notebook: complete, bounded, and harmless."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import nbformat
import pytest

from plot_nb import Runtime
from plot_nb.journal.scope import Scope
from plot_nb.journal.wire import MIME_TYPE, Picture
from plot_nb.view.picture import ATTEMPTS, REQUESTS, picture, picture_text
from tests.fixtures import twists
from tests.fixtures.making import first_sync, hostile, made, wrong_way
from tests.journal.files import LIMITS, File, state_file
from tests.runtime.twists import methods, on_runtime


def shown(file: File, scope: Scope | None = None, **more: Any) -> Picture:
    return picture(file.path, scope or Scope(), title="Sync.go", limits=LIMITS, **more)


def strings(value: Any) -> list[str]:
    """All texts within."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    return [text for each in value for text in strings(each)] if isinstance(value, list) else []


def test_the_first_tutorial_s_run_takes_no_more_than_25_kb() -> None:
    found = made(first_sync)
    assert len(found["rows"]["executions"]["id"]) == 26
    assert len(picture_text(found).encode()) < 25_000


def test_ten_thousand_executions_take_no_more_than_450_kb() -> None:
    with state_file() as file:
        sync = file.install()
        parent = None
        requests = [("store", "set", "a", 4)] * 3 + [
            ("callbacks", "create", "b", 5),
            ("tasks", "run", "b", 5),
        ]
        run = []
        for number in range(10_000):
            file.now += 45_678
            parent = file.queue(sync, parent)
            run.append(file.begin(parent))
            file.now += 23_456
            failed = number % 50 == 7
            file.write(sync, {"state": {"total": number}}, run[-1])
            file.end(
                run[-1],
                "error" if failed else "ok",
                requests=requests,
                error=f"ValueError: no luck with page {number}" if failed else None,
                traceback="Traceback …\n" * 40 if failed else None,
                cpu_ms=12.345 + number % 99,
                memory_peak=38_123_456 + number * 1001,
            )
        found = shown(file, Scope(attempts=run), progress="state")
        assert len(picture_text(found).encode()) < 450_000
        rows = found["rows"]
        assert rows["left_out"] == 10_000 - ATTEMPTS
        assert rows["executions"]["id"] == run[: ATTEMPTS // 2] + run[-ATTEMPTS // 2 :]
        assert rows["progress"] is not None
        assert rows["progress"]["total"][-1] == 9_999
        assert rows["writes_left_out"] + len(rows["writes"]["id"]) == 10_000
        assert rows["writes"]["by"][-1] == run[-1]
        assert {detail["traceback"] is not None for detail in rows["details"]} == {True, False}


def test_the_one_that_went_over_its_budget_has_the_requests_and_its_source() -> None:
    rows = made(wrong_way)["rows"]
    (detail,) = rows["details"]
    assert 100 < len(detail["requests"]["seq"]) <= REQUESTS
    assert detail["requests"]["seq"] == list(range(1, len(detail["requests"]["seq"]) + 1))
    assert sum(detail["lines"]["requests"]) == 1000
    assert rows["sources"][0]["text"] == twists.tutorial("AllAtOnce")


def test_failures_are_kept_in_full_beside_the_heaviest() -> None:
    body = """
    async def go(self):
        for n in range(40):
            await self.run_task(await self.callback(self.work, n))
    async def work(self, n):
        for k in range(n):
            await self.get("a")
        if n == 20:
            self.log.warning("about to fail")
            raise ValueError("page 20")
    """

    async def work(runtime: Runtime) -> Picture:
        run = await (await runtime.deploy(methods(body))).go()
        return run.picture("budget", source="key")

    found = on_runtime(work)
    assert (found["panel"], found["source"], found["title"]) == ("budget", "key", "Sync.go")
    tracebacks = [detail["traceback"] for detail in found["rows"]["details"] if detail["traceback"]]
    assert tracebacks
    assert all("page 20" in text for text in tracebacks)
    heaviest = max(found["rows"]["executions"]["requests"])
    assert heaviest in [sum(detail["lines"]["requests"]) for detail in found["rows"]["details"]]


def test_whatever_a_twist_writes_stays_small_and_valid() -> None:
    found = made(hostile)
    text = picture_text(found)
    assert len(text) < 40_000
    assert json.loads(text) == msgspec.json.decode(text) == found
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", {MIME_TYPE: text})])]
    )
    nbformat.validate(notebook)
    again = nbformat.reads(nbformat.writes(notebook), 4)
    assert json.loads(again.cells[0].outputs[0].data[MIME_TYPE]) == found


def test_what_is_not_needed_exactly_has_nothing_that_acts_on_a_screen() -> None:
    rows = made(hostile)["rows"]
    rows["writes"] = rows["sources"] = rows["progress"] = None  # these are shown as text alone
    for text in strings(rows):
        assert not set(text) & set("\x00\x1b\x07\r\u202e\u2066\u200b\u2028"), text


@pytest.mark.parametrize("count", [0, 1])
def test_what_hardly_ran_has_a_picture_too(count: int) -> None:
    with state_file() as file:
        sync = file.install()
        run = [file.ran(sync) for _ in range(count)]
        found = shown(file, Scope(attempts=run))
        assert len(found["rows"]["executions"]["id"]) == len(found["rows"]["details"]) == count
        assert not found["rows"]["running"]


def test_a_picture_of_what_still_runs_says_so() -> None:
    with state_file() as file:
        sync = file.install()
        attempt = file.begin(file.queue(sync))
        rows = shown(file)["rows"]
        assert rows["running"]
        assert rows["executions"]["outcome"]["words"] == ["running"]
        file.end(attempt)
        assert not shown(file)["rows"]["running"]
        assert shown(file, active=True)["rows"]["running"]


@pytest.mark.rule("4.29")
def test_options_are_in_no_picture() -> None:
    secret = "sesame-and-tahini"
    body = """
    async def go(self, given):
        print(self.options["token"])
        await self.set("kept", self.options["token"])
        await self.set(self.options["token"], 1)
        return self.options["token"]
    """

    async def work(runtime: Runtime) -> str:
        twist = await runtime.deploy(methods(body), options={"token": secret})
        return picture_text((await twist.go(secret)).picture())

    assert secret not in on_runtime(work)


def test_a_run_draws_itself_in_all_three_ways() -> None:
    async def work(runtime: Runtime) -> dict[str, Any]:
        twist = await runtime.deploy(methods("async def go(self): return 5"))
        return (await twist.go())._repr_mimebundle_()

    bundle = on_runtime(work)
    assert set(bundle) == {"text/html", "text/plain", MIME_TYPE}
    found = json.loads(bundle[MIME_TYPE])
    assert (found["format"], found["panel"], found["rows"]["value"]) == (1, "inspector", "5")
