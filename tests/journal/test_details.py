"""One attempt in full: what a picture asks for."""

from __future__ import annotations

from typing import Any

import pytest

from plot_nb import Runtime
from plot_nb.engine.masking import Mask
from plot_nb.journal.cells import masked_cell
from plot_nb.journal.details import Bounds, details, instance_of, source_for
from plot_nb.journal.wire import Detail
from tests.journal.files import BEGIN, SOURCE, state_file
from tests.runtime.twists import line_of, methods, on_runtime


def detail_of(body: str, *args: Any, options: dict[str, Any] | None = None, **named: Any) -> Detail:
    """What a call of `go` came to."""

    async def work(runtime: Runtime) -> Detail:
        twist = await runtime.deploy(methods(body), options=options or {})
        run = await twist.go(*args, **named)
        found = details(runtime.path, run._attempts[0], limit=runtime.limits.requests, origin=BEGIN)
        assert found is not None
        return found

    return on_runtime(work)


def texts(column: Any) -> list[str]:
    return [column["words"][place] for place in column["at"]]


def test_arguments_and_result_are_written_as_python_writes_them() -> None:
    found = detail_of("async def go(self, *a, **k): return {1, 2.5}", 1, "x", [None], name={"y": True})
    assert found["arguments"] == "1, 'x', [None], name={'y': True}"
    assert found["result"] == "{1, 2.5}"
    nothing = detail_of("async def go(self): pass")
    assert (nothing["arguments"], nothing["result"], nothing["traceback"]) == (None, None, None)


@pytest.mark.rule("4.29")
def test_options_are_masked_in_arguments_result_logs_requests_and_traceback() -> None:
    body = """
    async def go(self, *a, **k):
        secret = self.options["token"]
        print(secret)
        await self.set(secret, 1)
        await self.set("k", {"a": object} if k else secret)
    """
    found = detail_of(
        body,
        "sesame-tahini",
        [{"x": "sesame-tahini"}],
        key="sesame-tahini",
        options={"token": "sesame-tahini"},
    )
    assert "sesame" not in str(found)
    assert found["arguments"] == "'•••', [{'x': '•••'}], key='•••'"
    assert found["logs"]["text"] == ["•••"]


def test_lines_count_all_requests_whatever_rows_are_left_out() -> None:
    body = """
    async def go(self):
        for n in range(50):
            await self.set(f"k{n}", n)
        await self.get("k1")
    """

    async def work(runtime: Runtime) -> Detail:
        run = await (await runtime.deploy(methods(body))).go()
        found = details(runtime.path, run._attempts[0], limit=1000, origin=BEGIN, bounds=Bounds(requests=10))
        assert found is not None
        return found

    found = on_runtime(work)
    source = methods(body)
    by_line = dict(zip(found["lines"]["line"], found["lines"]["requests"], strict=True))
    assert by_line == {line_of(source, "self.set"): 50, line_of(source, "self.get"): 1}
    assert found["requests"]["seq"] == list(range(1, 11))
    assert texts(found["requests"]["operation"]) == ["set"] * 10
    assert found["requests"]["cpu_ms"] == sorted(found["requests"]["cpu_ms"])  # type: ignore[type-var]


def test_requests_over_the_limit_are_left_out_but_for_the_first() -> None:
    with state_file() as file:
        sync = file.install()
        attempt = file.begin(file.queue(sync))
        file.end(attempt, requests=[("store", "get", "a", 1)] * 8)
        found = details(file.path, attempt, limit=5, origin=BEGIN)
        assert found is not None
        assert found["lines"]["requests"] == [5]
        assert found["requests"]["seq"] == [1, 2, 3, 4, 5, 6]


def test_warnings_and_errors_are_the_last_logs_to_be_left_out_and_logs_keep_their_order() -> None:
    body = """
    async def go(self):
        for n in range(20):
            print("line", n)
        self.log.error("late")
        print("last")
    """

    async def work(runtime: Runtime) -> Detail:
        run = await (await runtime.deploy(methods(body))).go()
        found = details(runtime.path, run._attempts[0], limit=1000, origin=BEGIN, bounds=Bounds(logs=5))
        assert found is not None
        return found

    found = on_runtime(work)
    assert found["logs"]["text"] == ["line 0", "line 1", "line 2", "line 3", "late"]
    assert texts(found["logs"]["level"]) == ["print"] * 4 + ["error"]
    assert found["logs_left_out"] == 17


@pytest.mark.parametrize("unit", ["x", "\x00", "\x00y"])
def test_long_text_is_cut_and_says_so(unit: str) -> None:
    with state_file() as file:
        sync = file.install()
        attempt = file.begin(file.queue(sync))
        text = unit * 50_000
        file.end(
            attempt,
            "error",
            traceback=text,
            logs=[(0, file.now, "print", 1, text)] * 100,
            requests=[("store", "get", text, 1)],
        )
        found = details(file.path, attempt, limit=1000, origin=BEGIN)
        assert found is not None
        assert found["traceback"] is not None
        assert len(found["traceback"]) < 20_100
        assert "characters left out" in found["traceback"]
        assert len(found["requests"]["detail"][0]) == 301
        assert 1 < len(found["logs"]["text"]) < 100
        assert found["logs_left_out"] + len(found["logs"]["text"]) == 100
        assert f"({len(text):,} characters)" in found["logs"]["text"][0]


def test_a_source_is_found_by_the_name_that_rows_give_and_by_its_attempt() -> None:
    with state_file() as file:
        file.install()
        second = file.install("Sync", "second")
        attempt = file.ran(second)
        assert instance_of(file.path, "Sync/second") == second
        assert instance_of(file.path, "Sync/third") is None
        expected = {"twist": "Sync/second", "version": 1, "filename": "<cell>", "text": SOURCE}
        assert source_for(file.path, attempt) == expected


def test_an_attempt_that_is_gone_has_no_detail() -> None:
    with state_file() as file:
        assert details(file.path, 1, limit=1000, origin=BEGIN) is None
        assert source_for(file.path, 1) is None


def test_the_source_of_a_twist_is_its_cell_without_the_magic() -> None:
    async def work(runtime: Runtime) -> None:
        text = methods("async def go(self): raise ValueError(1)")
        run = await (await runtime.deploy(text)).go()
        source = source_for(runtime.path, run._attempts[0])
        assert source is not None
        assert source["text"] == text
        assert "raise ValueError" in source["text"].splitlines()[(run.line or 0) - 1]

    on_runtime(work)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token = 'sesame-oil'  # sesame-oil\n", "token = '•••'  # •••\n"),
        ("seed = 471199 + x471199\n", "seed = ••• + x471199\n"),
        ("async def start_sync(): return 'sync'\n", "async def start_sync(): return '•••'\n"),
        ("a = f'{sync} sync'\nb = start_sync\n", "a = f'{•••} •••'\nb = start_sync\n"),
        ("a = '''one\ntwo'''\nb = 1\n", "a = '''•••\n'''\nb = 1\n"),
        ("new syntax: (sync\n", "new syntax: (•••\n"),
    ],
)
def test_a_source_has_options_masked_in_texts_numbers_and_comments(text: str, shown: str) -> None:
    mask = Mask({"token": "sesame-oil", "seed": 471199, "mode": "sync", "key": "one\ntwo"})
    assert masked_cell(text, mask) == shown
    assert masked_cell(text, Mask({})) == text


@pytest.mark.rule("4.29")
def test_an_option_in_a_cell_is_not_shown_beside_its_requests() -> None:
    async def work(runtime: Runtime) -> str:
        cell = methods("async def go(self): await self.set('token', 'sesame-oil')")
        run = await (await runtime.deploy(cell, options={"token": "sesame-oil"})).go()
        return str(source_for(runtime.path, run._attempts[0])) + str(run.picture())

    assert "sesame" not in on_runtime(work)
