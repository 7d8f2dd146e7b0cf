"""What Tab offers, asked of a kernel as a front end asks it. `|` is the cursor."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import plot_nb
from plot_nb.notebook import body
from plot_nb.notebook.completion import _usage
from plot_nb.notebook.magics import COMMANDS, TwistMagics
from plot_nb.sandbox.guest.program import BARE_NAMES
from plot_nb.twist import Twist
from tests.notebook.conftest import Cell, Kernel

COUNTER = """%%twist
class Counter(Twist):
    async def add(self, n=1, times=1):
        await self.set("total", n)
        for key in ("two words", "turned\\u202e", "esc\\x1b[2J", "k" * 1000):
            await self.set(key, n)

    async def sub(self):
        pass
"""

BODY = """%%twist --modules mods
import json
class CalendarSync(Twist):
    def build(self, build):
        return {{"network": build(Network, urls=["https://x.example.com/*"])}}

    async def start_sync(self, n=0):
        response = await fetch("https://x.example.com/")
        {}

    async def sync_page(self, page):
        pass

    def helper(self):
        pass
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """One completion, and what the cell would be with it."""

    text: str
    type: str
    signature: str
    cell: str


class Front:
    """A front end: it sends a cell with a cursor to the kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def _answer(self, asked: str) -> dict[str, Any]:
        while True:
            reply = self._kernel.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == asked:
                assert reply["content"]["status"] == "ok"
                return dict(reply["content"])

    def tooltip(self, cell: str) -> str:
        """What Shift+Tab shows."""
        cursor = cell.index("|")
        content = self._answer(self._kernel.client.inspect(cell[:cursor] + cell[cursor + 1 :], cursor))
        assert content["found"] == bool(content["data"])
        return str(content["data"].get("text/plain", ""))

    def offers(self, cell: str) -> dict[str, Offer]:
        """What the kernel offers, by text."""
        cursor = cell.index("|")
        code = cell[:cursor] + cell[cursor + 1 :]
        content = self._answer(self._kernel.client.complete(code, cursor))
        return {
            each["text"]: Offer(
                each["text"],
                each["type"],
                each["signature"],
                code[: each["start"]] + each["text"] + code[each["end"] :],
            )
            for each in content["metadata"]["_jupyter_types_experimental"]
        }


@pytest.fixture(scope="module")
def front(kernel: Kernel) -> Front:
    kernel.run(COUNTER)
    kernel.run("%%twist --instance other\n" + COUNTER.partition("\n")[2])
    kernel.run("await Counter.add(1)")
    kernel.run("opts = {'token': 'secret'}; mods = {'helpers_of_mine': ''}; size = 3; not_a_dict = []")
    return Front(kernel)


@pytest.fixture(params=[True, False], ids=["jedi", "no jedi"])
def either(front: Front, kernel: Kernel, request: pytest.FixtureRequest) -> Iterator[Front]:
    kernel.run(f"get_ipython().Completer.use_jedi = {request.param}")
    yield front
    kernel.run("get_ipython().Completer.use_jedi = True")


MAGICS: list[tuple[str, list[str]]] = [
    ("%%twist --|", ["--instance", "--options", "--modules", "--check", "--help"]),
    ("%%twist |\nclass A(Twist): pass", ["--instance", "--options", "--modules", "--check", "--help"]),
    ("%%twist --op|", ["--options"]),
    ("%%twist --options |", ["mods", "opts"]),
    ("%%twist --options=o|", ["opts"]),
    ("%%twist --modules m|\nclass A(Twist): pass", ["mods"]),
    ("%%twist --instance |", ["default", "other"]),
    ("%%twist --options opts --|", ["--instance", "--modules", "--check", "--help"]),
    ("%twist |", list(COMMANDS)),
    ("%twist st|", ["status", "store"]),
    ("  found = %twist sto|", ["store"]),
    ("x = 1\n%twist bu|\ny = 2", ["budget"]),
    ("%%time\n%twist bu|", ["budget"]),
    ("%twist call Co|", ["Counter", "Counter/default", "Counter/other"]),
    ("%twist call Counter/other.a|", ["add"]),
    ("%twist call Counter/other.add ti|", ["times="]),
    ("%twist call Counter.|", ["add", "sub"]),
    ("%twist call Counter.a|", ["add"]),
    ("%twist call Counter.add ti|", ["times="]),
    ("%twist call Counter.add n=siz|", ["size"]),
    ("%twist store |", ["Counter", "Counter/default", "Counter/other"]),
    ("%twist deactivate C|", ["Counter", "Counter/default", "Counter/other"]),
    ("%twist limits C|", ["Counter", "Counter/default", "Counter/other"]),
    ("%twist advance 1|", ["10m", "1h", "1d", "1w"]),
    ("%twist progress |", ["total"]),
    ("%twist progress 'to|", ["total"]),
    ("%twist progress total Co|", ["Counter", "Counter/default", "Counter/other"]),
]


@pytest.mark.parametrize(("cell", "expected"), MAGICS)
def test_what_follows_a_magic(either: Front, cell: str, expected: list[str]) -> None:
    assert list(either.offers(cell)) == expected


def test_a_command_and_an_option_say_what_they_do(front: Front) -> None:
    store = front.offers("%twist st|")["store"].type
    instance = front.offers("%%twist --in|")["--instance"].type

    assert " " not in store + instance  # JupyterLab would break them into lines
    assert " ".join(store.split()) == "the Store, a row for each key"
    assert " ".join(instance.split()) == "install it beside others of its class"


def test_every_command_is_told_of_in_the_help() -> None:
    assert set(_usage()) == set(COMMANDS)


IN_A_CELL: list[tuple[str, list[str], list[str]]] = [
    ("self.|", ["set", "run_task", "tools", "log", "start_sync", "sync_page", "helper"], ["_twist", "add"]),
    ("await self.se|", ["set", "set_many"], ["get"]),
    ("self.tools.|", ["store", "tasks", "callbacks", "network"], ["get"]),
    ("self.tools.store.|", ["get", "acquire_lock", "list"], ["_twist"]),
    ("self.tools.tasks.s|", ["schedule", "schedule_recurring"], []),
    ("self.tools.network.|", ["urls"], []),
    ("self.log.|", ["info", "warning", "error"], []),
    ("response.|", ["ok", "status", "json", "text"], []),
    ("(await fetch('x')).st|", ["status"], []),
    ('await self.set("x", self.|', ["get", "sync_page"], []),
    ("from json import lo|", ["loads"], ["%load_ext"]),
    ("import js|", ["json"], ["json5", "jsonschema"]),
    ("import json, r|", ["re", "random"], []),
    ("import t|", ["time"], ["tkinter", "turtle"]),
    ("import helpers|", ["helpers_of_mine"], []),
    ("Uuid.|", ["generate"], []),
    (
        "|",
        [*BARE_NAMES, "print", "CalendarSync", "response", "await"],
        ["size", "opts", "Counter", "_plot_nb_Twist"],
    ),
]


@pytest.mark.parametrize(("text", "offered", "not_offered"), IN_A_CELL)
def test_what_a_cell_knows(either: Front, text: str, offered: list[str], not_offered: list[str]) -> None:
    found = either.offers(BODY.format(text))

    assert set(offered) <= set(found)
    assert not set(not_offered) & set(found)


@pytest.mark.parametrize(
    "text",
    [
        'self.callback("|',
        "self.callback('|')",
        "self.callback(self.|",
        "await self.run_task(await self.callback(self.|))",
        'self.tools.callbacks.create("|',
    ],
)
def test_a_callback_is_for_a_method_of_the_cell(either: Front, text: str) -> None:
    assert sorted(either.offers(BODY.format(text))) == ["start_sync", "sync_page"]


def test_a_completion_replaces_what_was_typed(front: Front) -> None:
    written = BODY.format('x = self.callback("sy|", 1)')

    assert front.offers(written)["sync_page"].cell == BODY.format('x = self.callback("sync_page", 1)')


def test_methods_come_with_their_signatures(front: Front) -> None:
    found = front.offers(BODY.format("self.tools.store.|"))

    assert found["set"].signature == "(key: str, value: Any) -> Request[None]"
    assert found["set"].type == "function"
    assert front.offers(BODY.format("self.sy|"))["sync_page"].signature == "(page)"


def test_a_tool_that_build_makes_first_and_returns_then(front: Front) -> None:
    found = front.offers(
        "%%twist\nclass A(Twist):\n    def build(self, build):\n        net = build(Network, urls=[])\n"
        "        return {'web': net}\n    async def f(self):\n        self.tools.|\n"
    )

    assert "web" in found


def test_methods_and_tools_of_a_tool_class_are_offered(front: Front) -> None:
    cell = (
        "%%twist\nclass Calendar(Tool):\n    def build(self, build):\n        return {'net': build(Network)}\n"
        "    async def sync(self):\n        IN_TOOL\nclass A(Twist):\n    def build(self, build):\n"
        "        return {'calendar': build(Calendar)}\n    async def f(self):\n        IN_TWIST\n"
    )
    here = front.offers(cell.replace("IN_TOOL", "self.tools.n|").replace("IN_TWIST", "pass"))
    there = front.offers(cell.replace("IN_TOOL", "pass").replace("IN_TWIST", "self.tools.calendar.|"))
    assert "net" in here
    assert {"sync", "set", "run_task"} <= set(there)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("self.se|t", "set(key: str, value: Any) -> Request[None]\n\nStore a value."),
        ("await self.set(|", "set(key: str, value: Any) -> Request[None]\n\nStore a value."),
        ("await self.set('a|', n)", "set(key: str, value: Any) -> Request[None]\n\nStore a value."),
        ("fetch|", "fetch(url: object, method: str"),
        ("self.sync_page|", "sync_page(page)"),
        ("self.tools|", "Tools(owner: Scoped)\n\nThe tools of a twist or tool"),
        ("self.tools.network|", "Permission to fetch"),
        ("size|", ""),
        ("|", ""),
    ],
)
def test_a_name_of_a_cell_is_told_of(front: Front, text: str, told: str) -> None:
    shown = front.tooltip(BODY.format(text))

    assert shown.startswith(told)
    assert bool(shown) == bool(told)


def test_names_of_other_cells_are_told_of_as_ever(front: Front) -> None:
    assert "Out[" not in front.tooltip("siz|e")
    assert "int" in front.tooltip("siz|e")
    assert "call a method" in front.tooltip("%twis|t")
    assert "--modules VAR" in front.tooltip("%%twis|t --modules\nx = 1")
    assert "--modules VAR" in front.tooltip("%%twist --mod|ules mods\nx = 1")
    assert "dict" in front.tooltip("%%twist --modules mod|s\nx = 1")


def test_nothing_of_the_options_is_told(front: Front) -> None:
    assert not {"token", '"token"', "'token'", 'token"'} & set(front.offers(BODY.format('self.options["|')))
    assert not {"token", '"token"', "'token'"} & set(front.offers(BODY.format("self.options[|")))


@pytest.mark.parametrize("lines", ["\n\n", "\n  \n"])
def test_empty_lines_above_the_magic(front: Front, lines: str) -> None:
    assert "set" in front.offers(lines + BODY.format("self.|"))


def test_methods_of_a_deployed_twist(either: Front) -> None:
    cells = {each.cell for each in either.offers("await Counter.|").values()}

    assert {"await Counter.add", "await Counter.sub", "await Counter.store"} <= cells


def test_other_cells_are_as_they_were(either: Front) -> None:
    assert "size" in either.offers("siz|")
    assert "token" in either.offers("opts['to|")
    assert "%timeit" in either.offers("%timei|")
    assert "%%twist" in either.offers("%%tw|")
    assert "Twist" not in either.offers("Twis|")
    assert either.offers("%%bash\nself.|") == {}


def test_keys_that_cannot_be_typed_are_not_offered(front: Front, kernel: Kernel) -> None:
    assert "two words" in kernel.run("print(list(Counter.store.key))").text
    assert set(front.offers("%twist progress |")) == {"total"}


HALF_WRITTEN = [
    "%%twist\n|",
    "%%twist\nclass|",
    "%%twist\nclass A(Tw|",
    "%%twist --modules\nimport |",
    "%%twist --modules opts --options\nimport |",
    "%%twist\n    )]} self.|\n'''",
    '%%twist\nself.callback("|',
    "%%twist\nclass A(Twist):\n  def build(self, build): return {'class': build(, '1': build(}\n  self.tools.|",
    "%%twist\n\x00\x0c\\\n|",
    "%%twist\n" + "(" * 3000 + "self.|",
    "%twist call |.",
    "%twist call No.such|",
    "%twist call No.such |",
    "%twist call |Counter.add(1, [",
    "%twist nothing |",
    "%twist store Counter |",
    "%twist progress total Counter |",
]


@pytest.mark.parametrize("cell", HALF_WRITTEN)
def test_half_written_cells_raise_nothing(
    shell: InteractiveShell, cell: str, capfd: pytest.CaptureFixture[str]
) -> None:
    cursor = cell.index("|")
    with provisionalcompleter():
        list(shell.Completer.completions(cell[:cursor] + cell[cursor + 1 :], cursor))
    shown = capfd.readouterr()

    assert shown.out + shown.err == ""


def test_no_code_of_the_user_runs(shell: InteractiveShell, cell: Cell) -> None:
    class Trap(dict[str, Any]):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        def __iter__(self) -> Any:
            raise AssertionError("iterated")

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = None

    cell(COUNTER)
    shell.user_ns["trap"] = Trap()

    assert "trap" in _texts(shell, "%%twist --options ")
    assert _texts(shell, "%twist call ") == ["Counter"]
    assert "trap" in _texts(shell, "%twist call Counter.add ")
    assert "json" in _texts(shell, "%%twist --modules trap\nimport js")


def test_no_runtime_is_made_for_a_completion(shell: InteractiveShell) -> None:
    from plot_nb.runtime import opened

    assert opened() is None
    for line in ("%twist call ", "%twist progress ", "%twist call A.", "%%twist --instance "):
        _texts(shell, line)
    assert opened() is None


def test_the_older_interface_of_the_completer_knows_the_magics(shell: InteractiveShell) -> None:
    with pytest.warns(PendingDeprecationWarning):
        assert shell.complete("", "%twist sto", 10) == ("sto", ["store"])
    with pytest.warns(PendingDeprecationWarning):
        assert shell.complete("", "%%twist --m", 11) == ("--m", ["--modules"])


def test_unloading_takes_the_completions_out(shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "plot_nb")
    try:
        assert shell.Completer.custom_matchers == []
        assert "store" not in _texts(shell, "%twist sto")
    finally:
        shell.run_line_magic("load_ext", "plot_nb")


BEFORE_LOADING = """
import sys
from pathlib import Path
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.Completer.use_jedi = sys.argv[2] == "jedi"
shell.run_cell(Path(sys.argv[1]).read_text())
shell.user_ns["size"] = 3

def complete(code):
    with provisionalcompleter():
        return sorted(each.text for each in shell.Completer.completions(code, len(code)))

print(complete("siz"), complete("%tim"), "plot_nb" in sys.modules)
print(complete(CODE))
print(complete("%twist sto"), complete("%%twist\\nfet"), complete("siz"), len(shell.Completer.custom_matchers))
"""


@pytest.mark.parametrize(
    ("code", "offered", "jedi"),
    [
        ("%twist sto", "['store']", "jedi"),
        ("%%twist --op", "['--options']", "no jedi"),
        ("%%twist\nclass A(Twi", "['Twist']", "jedi"),
        ("%%twist\nclass A(Twist):\n    async def f(self):\n        self.get_m", "['get_many']", "no jedi"),
    ],
)
def test_the_first_cell_of_all_is_completed_too(code: str, offered: str, jedi: str) -> None:
    startup = Path(plot_nb.__file__).parent / "notebook" / "startup.py"
    script = BEFORE_LOADING.replace("CODE", repr(code))
    shown = subprocess.run(
        [sys.executable, "-c", script, startup, jedi], capture_output=True, text=True, check=True
    )

    assert shown.stderr == ""
    assert shown.stdout.splitlines() == [
        "['size'] ['%%time', '%%timeit', '%time', '%timeit'] False",
        offered,
        "['store'] ['fetch'] ['size'] 2",
    ]


def test_a_long_cell_is_completed_quickly() -> None:
    methods = "".join(
        f"    async def step_{number}(self, n=0):\n"
        f"        found = await self.get('key:{number}')\n"
        "        response = await fetch(f'https://x.example.com/{n}')\n"
        "        await self.set('items', [item for item in await response.json() if item])\n"
        f"        await self.run_task(await self.callback(self.step_{number}, n + 1))\n"
        for number in range(40)
    )
    before = f"class A(Twist):\n{methods}    async def last(self):\n        self."
    body.completions(before, "")
    began = time.process_time()
    found = body.completions(before, "\n\n    async def after(self): pass\n")

    assert time.process_time() - began < 0.1
    assert {"step_0", "last", "after", "set"} <= {each.name for each in found}


def test_all_of_the_api_is_offered() -> None:
    found = {each.name for each in body.completions("class A(Twist):\n    def f(self):\n        self.", "")}

    assert {name for name in vars(Twist) if not name.startswith("_")} <= found
    assert set(Twist.__annotations__) <= found


def test_the_options_are_those_of_the_parser(shell: InteractiveShell) -> None:
    taken = [option for action in TwistMagics.cell.parser._actions for option in action.option_strings]

    assert _texts(shell, "%%twist --") == [option for option in taken if option.startswith("--")]


def _texts(shell: InteractiveShell, code: str) -> list[str]:
    with provisionalcompleter():
        return [each.text for each in shell.Completer.completions(code, len(code))]
