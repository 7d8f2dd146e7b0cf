"""Loading a program: what the engine learns of it, and how its errors look."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.host import Host
from tests.sandbox.test_requests import twist

SOURCE = '''
class Base(Twist):
    async def inherited(self, a, b=1, *rest, c=2, d): ...
    async def dropped(self): ...

class Sync(Base):
    """Syncs."""


    dropped = None

    def build(self, build):
        return {"net": build(Network, urls=["https://a.example/*", self.options["more"]])}

    async def start(self):
        """Starts."""

    async def _private(self): ...
    def plain(self): ...
    async def agen(self):
        yield 1
    async def activate(self, context): ...
'''


def manifest(host: Host, source: str, **settings: Any) -> dict[str, Any]:
    payload = host.run(source, kind="describe", **settings).payload
    assert payload["ok"], payload
    found: dict[str, Any] = payload["manifest"]
    return found


def test_the_manifest_tells_class_methods_and_urls(host: Host) -> None:
    found = manifest(host, SOURCE, options={"more": "https://b.example/*"})
    assert (found["name"], found["line"], found["urls"]) == (
        "Sync",
        6,
        ["https://a.example/*", "https://b.example/*"],
    )
    assert found["doc"] == "Syncs."
    assert list(found["methods"]) == ["inherited", "start", "activate", "__drain__"]
    assert found["methods"]["inherited"] == {
        "line": 3,
        "required": 1,
        "maximum": None,
        "names": ["a", "b"],
        "keywords": ["d"],
        "doc": "",
    }
    assert found["methods"]["start"] == {
        "line": 15,
        "required": 0,
        "maximum": 0,
        "names": [],
        "keywords": [],
        "doc": "Starts.",
    }


def test_a_named_class_is_loaded_among_several(host: Host) -> None:
    source = "class A(Twist):\n    async def go(self): return 'a'\nclass B(Twist):\n    async def go(self): return 'b'"
    assert host.run(source, name="B").value == "b"
    assert host.run(source, name="A").value == "a"


@pytest.mark.rule("4.3", "10.8", "10.9", "10.10")
@pytest.mark.parametrize(
    ("source", "kind", "message", "line"),
    [
        ("x = 1", "ValueError", "no twist", None),
        ("class A(Twist): ...\nclass B(Twist): ...", "ValueError", "A (line 1), B (line 2)", None),
        ("x = 1\nclass A(Twist)\n    pass", "SyntaxError", "expected ':'", 2),
        ("\n\nraise LookupError('mine')", "LookupError", "mine", 3),
        ("class A(Twist):\n    def build(self, build): return 5", "TypeError", "dict of tools", None),
        (
            "class A(Twist):\n    def build(self, build): return {'store': build(Network, urls=[])}",
            "ValueError",
            "taken",
            None,
        ),
        ("class A(Twist):\n    def build(self, build): return {'x': build(Tool)}", "TypeError", "Network", 2),
        (
            "class A(Twist):\n    def build(self, build): return {'x': build(Network, urls='*')}",
            "TypeError",
            "list",
            2,
        ),
        ("class A(Twist):\n    def build(self, build):\n        return 1 / 0", "ZeroDivisionError", "", 3),
    ],
)
def test_what_cannot_be_deployed_says_why_and_where(
    host: Host, source: str, kind: str, message: str, line: int | None
) -> None:
    error = host.run(source, kind="describe").error
    assert (error["type"], error["line"]) == (kind, line)
    assert message in error["message"]


@pytest.mark.rule("4.33")
def test_modules_given_at_deploy_can_be_imported(host: Host) -> None:
    modules = {
        "helpers": "from package.inner import two\ndef twice(x): return x * two",
        "package.inner": "two = 2",
    }
    body = "import helpers\nreturn helpers.twice(21)"
    assert host.run(twist(body), modules=modules).value == 42


def test_a_module_cannot_take_a_name_of_the_standard_library(host: Host) -> None:
    assert "'json' is taken" in host.run(twist("pass"), modules={"json": "x = 1"}).error["message"]


@pytest.mark.rule("11.3")
def test_a_traceback_shows_frames_of_the_cell_and_its_modules_only(host: Host) -> None:
    modules = {"helpers": "import json\ndef parse(text):\n    return json.loads(text)"}
    error = host.run(twist("import helpers\nhelpers.parse('{')"), modules=modules).error
    assert error["line"] == 6
    frames = [line.strip() for line in error["traceback"].splitlines() if line.strip().startswith("File")]
    assert frames == ['File "cell 1", line 6, in go', 'File "helpers.py", line 3, in parse']
    assert "json.loads(text)" in error["traceback"]


def test_chained_exceptions_and_groups_show_frames_of_the_cell_only(host: Host) -> None:
    body = """
        async def fail():
            try:
                await self.get("raise:ValueError:first")
            except ValueError as error:
                raise LookupError("second") from error
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
    """
    trace = host.run(twist(body)).error["traceback"]
    assert all(text in trace for text in ("first", "second", "ExceptionGroup", "direct cause"))
    assert all('File "cell 1"' in line for line in trace.splitlines() if "File " in line)


def test_an_exception_of_the_cell_goes_by_its_bare_name(host: Host) -> None:
    error = host.run(twist("raise Mine('x')", "class Mine(Exception): ...")).error
    assert error["type"] == "Mine"
    assert error["traceback"].endswith("\nMine: x\n")


def test_an_exception_that_cannot_be_printed_is_still_reported(host: Host) -> None:
    head = "class Bad(Exception):\n    def __str__(self): raise ValueError\n    __repr__ = __str__"
    assert host.run(twist("raise Bad", head)).error["type"] == "Bad"


def test_messages_and_tracebacks_are_cut(host: Host) -> None:
    error = host.run(twist("raise ValueError('x' * 10**6)")).error
    assert len(json.dumps(error)) < 200_000


@pytest.mark.parametrize(
    "raised", ["KeyboardInterrupt", "SystemExit(3)", "GeneratorExit", "asyncio.CancelledError"]
)
def test_exceptions_that_are_none_are_reported_like_others(host: Host, raised: str) -> None:
    assert host.run(twist(f"raise {raised}")).error["line"] == 5


def test_wrong_arguments_are_the_ordinary_type_error(host: Host) -> None:
    source = "class T(Twist):\n    async def go(self, a): ..."
    error = host.run(source, "go", 1, 2).error
    assert error["type"] == "TypeError"
    assert "T.go() takes 2 positional arguments but 3 were given" in error["message"]


@pytest.mark.rule("4.27")
def test_print_and_log_carry_levels_and_lines(host: Host) -> None:
    body = """
        print("a", 1)
        print("two\\nlines")
        print("no end", end="")
        self.log.info("b", 2)
        self.log.warning("c")
        self.log.error("d")
        import sys, warnings, logging
        print("e", file=sys.stderr)
        logging.warning("f")
        print("half a pair: \\ud800")
    """
    logs = [(log.level, log.line, log.text) for log in host.run(twist(body)).logs]
    assert logs[:2] == [("print", 5, "a 1"), ("print", 6, "two\nlines")]
    assert ("info", 8, "b 2") in logs
    assert ("warning", 9, "c") in logs
    assert ("error", 10, "d") in logs
    assert ("warning", 12, "e") in logs
    assert ("warning", 13, "WARNING:root:f") in logs
    assert any("no end" in text for _, _, text in logs)
    assert any("\\ud800" in text for _, _, text in logs)


def test_a_dataclass_and_a_pickle_of_the_cell_work(host: Host) -> None:
    head = "import pickle\nfrom dataclasses import dataclass\n@dataclass\nclass Item:\n    name: 'str'"
    assert host.run(twist("return pickle.loads(pickle.dumps(Item('a'))).name", head)).value == "a"


def test_init_may_use_what_the_sandbox_gives(host: Host) -> None:
    init = "    def __init__(self): self.token = self.options['t']"
    source = f"class T(Twist):\n{init}\n    async def go(self): return self.token"
    assert host.run(source, options={"t": "x"}).value == "x"
