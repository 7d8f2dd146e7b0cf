from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import plot_nb
from plot_nb.errors import DeployError, MethodNotFound, PlotError, RuntimeClosed, RuntimeOwned
from plot_nb.journal.wire import MIME_TYPE
from plot_nb.notebook.magics import TwistMagics
from plot_nb.notebook.problems import MagicError
from plot_nb.sandbox.guest.program import BARE_NAMES
from tests.notebook.conftest import Cell

COUNTER = """%%twist
class Counter(Twist):
    async def add(self, n=1, times=1):
        total = (await self.get("total") or 0) + n * times
        await self.set("total", total)
        print("total", total)
        return total

    async def boom(self):
        raise ValueError("no good")
"""


def test_a_cell_is_deployed_and_its_name_bound(cell: Cell) -> None:
    twist = cell(COUNTER).result

    assert isinstance(twist, plot_nb.TwistHandle)
    assert (twist.name, twist.version) == ("Counter", 1)
    assert cell("(await Counter.add(3)).value").result == 3
    assert cell("Counter is not None and Counter.name").result == "Counter"


@pytest.mark.rule("10.2", "10.3")
def test_a_changed_cell_is_the_next_version_and_an_unchanged_one_nothing(cell: Cell) -> None:
    cell(COUNTER)

    assert cell(COUNTER).result.version == 1
    assert cell(COUNTER + "    async def more(self): pass\n").result.version == 2


def test_lines_are_counted_as_the_reader_of_the_cell_counts_them(cell: Cell) -> None:
    cell(COUNTER)
    run = cell("await Counter.boom()").result

    assert run.line == 10
    assert COUNTER.splitlines()[run.line - 1].strip() == 'raise ValueError("no good")'
    assert 'File "%%twist Counter", line 10' in run.traceback
    assert set(cell("await Counter.add()").result.requests["line"]) == {4, 5}


def test_empty_lines_above_the_magic_count(cell: Cell, shell: InteractiveShell) -> None:
    result = cell("\n\n" + COUNTER + "    def broken(:\n")

    assert isinstance(result.error_in_exec, DeployError)
    # Without a history there is no raw cell to look at; kernels have one.
    assert result.error_in_exec.line in {11, 13}


def test_instance_options_and_modules_are_given_by_name(cell: Cell) -> None:
    cell('settings = {"token": "s3cret"}\nsources = {"words": "WORD = 7"}')
    source = """%%twist --instance second --options settings --modules sources
class Given(Twist):
    async def look(self):
        import words
        return [self.options["token"] == "s3cret", words.WORD]
"""
    twist = cell(source).result

    assert "second" in repr(twist)
    assert cell("(await Given.look()).value").result == [True, 7]


def test_call_takes_python_and_gives_the_run(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    cell(COUNTER)
    cell("many = 4")

    assert cell("run = %twist call Counter.add many times=2\nrun.value").result == 8
    assert cell("%twist call Counter.add(1, times=2)").result.value == 10
    assert cell("twin = Counter\nrun = %twist call twin.add\nrun.value").result == 11
    assert "Result: 10" in capsys.readouterr().out


def test_braces_in_arguments_are_python_not_ipythons(cell: Cell) -> None:
    cell("%%twist\nclass Echo(Twist):\n    async def echo(self, value):\n        return value\n")

    assert cell("run = %twist call Echo.echo {'a': 1}\nrun.value").result == {"a": 1}


@pytest.mark.parametrize(
    "command",
    ["budget", "chain", "logs", "store", "store Counter", "progress total", "progress total Counter"],
)
def test_pictures_are_one_bundle(cell: Cell, command: str) -> None:
    cell(COUNTER)
    cell("await Counter.add()")
    picture = cell(f"%twist {command}").result
    bundle = picture._repr_mimebundle_()

    kinds = {"text/html", "text/plain"} if command == "logs" else {MIME_TYPE, "text/html", "text/plain"}
    assert set(bundle) == kinds
    assert "total" in bundle["text/plain"] or "add" in bundle["text/plain"]
    assert "<script" not in bundle["text/html"]


def test_progress_with_a_name_looks_at_all_runs(cell: Cell) -> None:
    cell(COUNTER)
    cell("await Counter.add(); await Counter.add(); await Counter.boom()")

    assert "2" in repr(cell("%twist progress total Counter").result)
    missed = cell("%twist progress total").error_in_exec
    assert isinstance(missed, MagicError)
    assert "%twist progress total Counter" in str(missed)


@pytest.mark.rule("7.38", "7.39")
def test_run_goes_on_with_a_paused_chain(cell: Cell) -> None:
    from plot_nb.runtime import use

    use(plot_nb.Runtime(limits=plot_nb.Limits(chain=3)))
    cell("""%%twist
class Long(Twist):
    async def step(self, n=5):
        if n:
            await self.run_task(await self.callback("step", n - 1))
""")
    run = cell("await Long.step()").result

    assert "keeps queueing" in run.paused
    assert len(cell("%twist run").result.executions) == 3


@pytest.mark.parametrize(
    "source",
    ["%twist", "%twist help", "%twist --help", "%%twist --help", "%%twist -h\n", "%%twist --help\nx = 1"],
)
def test_help_explains_and_deploys_nothing(
    cell: Cell, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    result = cell(source)
    shown = capsys.readouterr().out

    assert result.success
    assert "%%twist" in shown
    assert "version" in shown or "%twist call" in shown
    assert plot_nb.current().twists() == []


@pytest.mark.parametrize(("magic", "words"), [("%twist?", "%twist open PATH"), ("%%twist?", "--modules VAR")])
def test_a_question_mark_explains(
    cell: Cell, capsys: pytest.CaptureFixture[str], magic: str, words: str
) -> None:
    cell(magic)

    assert words in capsys.readouterr().out


BAD_CELLS: list[tuple[str, type[PlotError], list[str]]] = [
    (
        "%%twist\nclass A(Twist):\n    async def f(self)\n        pass\n",
        DeployError,
        ["→ 3 │     async def f(self)", "│                      ^", "SyntaxError"],
    ),
    ("%%twist\nx = 1\n", DeployError, ["→ 1 │ %%twist", "no twist"]),
    ("%%twist\n\nclass A:\n    pass\n", DeployError, ["→ 3 │ class A:", "extends Twist"]),
    (
        "%%twist\nclass A(Twist):\n    pass\n\nclass B(Twist):\n    pass\n",
        DeployError,
        ["→ 2 │ class A(Twist):", "→ 5 │ class B(Twist):", "2 twists"],
    ),
    (
        "%%twist\nimport requests\nclass A(Twist): pass\n",
        DeployError,
        ["→ 2 │ import requests", "ModuleNotFoundError"],
    ),
    ("%%twist\nclass A(Twist): pass\n1 / 0\n", DeployError, ["→ 3 │ 1 / 0", "ZeroDivisionError"]),
    ("%%twist", MagicError, ["→ 1 │ %%twist", "cell is empty"]),
    (
        "%%twist --instnace b\nclass A(Twist): pass\n",
        MagicError,
        ["→ 1 │ %%twist --instnace b", "did you mean '--instance'?"],
    ),
    ("%%twist call\nclass A(Twist): pass\n", MagicError, ["line magic", "`%twist call`"]),
    (
        "%%twist --instance\nclass A(Twist): pass\n",
        MagicError,
        ["→ 1 │ %%twist --instance", "expected one argument"],
    ),
    ("%%twist --options options\nclass A(Twist): pass\n", MagicError, ["there is no 'options'"]),
    ("%%twist --options COUNTER\nclass A(Twist): pass\n", MagicError, ["→ 1 │", "'COUNTER'"]),
    ("%twist stor", MagicError, ["→ 1 │ %twist stor", "did you mean 'store'?"]),
    ("%twist call Conter.add", MagicError, ["→ 1 │ %twist call Conter.add", "did you mean 'Counter'?"]),
    ("%twist call Counter.ad", MethodNotFound, ["→ 1 │ %twist call Counter.ad", "did you mean 'add'?"]),
    ("%twist call Counter.add(1", MagicError, ["→ 1 │ %twist call Counter.add(1", "SyntaxError"]),
    ("%twist call Counter.add(print)", MagicError, ["→ 1 │ %twist call Counter.add(print)"]),
    ("%twist run fast", MagicError, ["takes nothing more"]),
    ("%twist progress", MagicError, ["which key?"]),
    ("%twist store Nobody", MagicError, ["no twist 'Nobody'"]),
    ("%twist open", MagicError, ["which file?"]),
    ("%twist open /nowhere/at/all.db", PlotError, ["no state file can be at", "/nowhere/at/all.db"]),
    (
        "x = 1\nawait Counter.ad()",
        MethodNotFound,
        ["line 2", "→ 2 │ await Counter.ad()", "did you mean 'add'?"],
    ),
]


@pytest.mark.parametrize(("source", "kind", "words"), BAD_CELLS)
def test_errors_are_short_and_point_at_the_line(
    cell: Cell, capsys: pytest.CaptureFixture[str], source: str, kind: type[PlotError], words: list[str]
) -> None:
    cell(COUNTER)
    capsys.readouterr()
    result = cell(source)
    shown = capsys.readouterr().out

    assert isinstance(result.error_in_exec, kind)
    for each in words:
        assert each in shown
    assert len(shown.splitlines()) <= 8
    assert "plot_nb/" not in shown
    assert "Traceback" not in shown


@pytest.mark.rule("10.39")
def test_a_refused_cell_leaves_the_version_in_force(cell: Cell) -> None:
    cell(COUNTER)
    cell(COUNTER + "1 / 0\n")

    assert cell("(await Counter.add(2)).value").result == 2


@pytest.mark.rule("12.3")
def test_what_a_twist_says_in_an_error_cannot_act_on_the_terminal(
    cell: Cell, capsys: pytest.CaptureFixture[str]
) -> None:
    cell('%%twist\nclass A(Twist): pass\nraise ValueError("\\x1b]0;title\\x07\\x1b[2J")\n')

    assert "\x1b" not in capsys.readouterr().out


def test_a_name_that_the_cell_does_not_define_is_not_bound(cell: Cell, shell: InteractiveShell) -> None:
    cell("%%twist\nA = type('display', (Twist,), {'__module__': '__main__'})\n")

    assert not isinstance(shell.user_ns.get("display"), plot_nb.TwistHandle)


def test_open_binds_the_twists_of_a_file_and_keeps_their_state(cell: Cell, tmp_path: Path) -> None:
    path = tmp_path / "sync.db"
    cell(f"%twist open {path}")
    cell(COUNTER)
    cell("await Counter.add(5)")
    cell(f"%twist open {tmp_path / 'other.db'}")
    closed = cell("await Counter.add()").error_in_exec
    opened = cell(f"%twist open {path}")

    assert isinstance(closed, RuntimeClosed)
    assert "Counter version 1" in repr(opened.result)
    assert cell("(await Counter.add(1)).value").result == 6


def test_open_of_what_is_open_changes_nothing(cell: Cell, tmp_path: Path) -> None:
    cell(f"%twist open {tmp_path / 'sync.db'}")
    before = plot_nb.current()
    cell(f"%twist open {tmp_path}/../{tmp_path.name}/sync.db")

    assert plot_nb.current() is before


@pytest.mark.rule("7.44")
def test_a_file_that_cannot_be_opened_leaves_the_runtime(cell: Cell, tmp_path: Path) -> None:
    path = tmp_path / "sync.db"
    before = plot_nb.current()
    owner = plot_nb.Runtime(path)
    owned = cell(f"%twist open {path}").error_in_exec
    asyncio.run(owner.aclose())
    path.write_bytes(b"something else entirely" * 100)
    foreign = cell(f"%twist open {path}").error_in_exec

    assert isinstance(owned, RuntimeOwned)
    assert isinstance(foreign, PlotError)
    assert plot_nb.current() is before


def test_a_twist_of_a_file_hides_nothing_of_the_notebook(
    cell: Cell, tmp_path: Path, shell: InteractiveShell
) -> None:
    async def prepare() -> None:
        async with plot_nb.Runtime(tmp_path / "sync.db") as rt:
            await rt.deploy("class print(Twist): pass")
            await rt.deploy("class mine(Twist): pass")

    asyncio.run(prepare())
    shell.user_ns["mine"] = 7
    shown = repr(cell(f"%twist open {tmp_path / 'sync.db'}").result)

    assert shell.user_ns["mine"] == 7
    assert "print" not in shell.user_ns
    assert shown.count("not bound") == 2


def test_open_tells_of_unfinished_work(cell: Cell, tmp_path: Path) -> None:
    async def prepare() -> None:
        async with plot_nb.Runtime(tmp_path / "sync.db", limits=plot_nb.Limits(chain=1)) as rt:
            twist = await rt.deploy(
                "class Two(Twist):\n async def one(self): await self.run_task(await self.callback('two'))\n"
                " async def two(self): await self.set('done', True)\n"
            )
            await twist.one()

    asyncio.run(prepare())

    assert "1 task; `%twist run` goes on" in repr(cell(f"%twist open {tmp_path / 'sync.db'}").result)
    assert len(cell("%twist run").result.executions) == 1
    assert cell("list(Two.store.key)").result == ["done"]


def test_reset_leaves_the_runtime_as_new(cell: Cell) -> None:
    cell(COUNTER)
    cell("await Counter.add(5)")
    cell("%twist reset")
    cell("%%twist\nclass Other(Twist):\n    async def add(self, n=1):\n        return 'other'\n")

    assert isinstance(cell("await Counter.add()").error_in_exec, RuntimeClosed)
    cell(COUNTER)
    assert cell("(await Counter.add(1)).value").result == 1


def test_wait_works_where_code_cannot_await(cell: Cell) -> None:
    cell(COUNTER)
    cell("def on_click(_):\n    return plot_nb.current().wait(Counter.add(2)).value")

    assert cell("import plot_nb\non_click(None)").result == 2


def test_a_handler_for_exceptions_that_was_there_stays(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Any] = []
    shell.run_line_magic("unload_ext", "plot_nb")
    shell.set_custom_exc((KeyError,), lambda shell, kind, error, tb, tb_offset=None: shown.append(error))
    try:
        shell.run_line_magic("load_ext", "plot_nb")
        shell.run_cell("{}['x']")
        shell.run_cell("%twist stor")
        shell.run_line_magic("unload_ext", "plot_nb")
        shell.run_cell("{}['y']")
    finally:
        shell.set_custom_exc((), None)
        shell.run_line_magic("load_ext", "plot_nb")

    assert [str(error) for error in shown] == ["'x'", "'y'"]
    assert "did you mean 'store'?" in capsys.readouterr().out


def test_unloading_takes_everything_out(shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "plot_nb")
    try:
        assert shell.find_line_magic("twist") is None
        assert shell.find_cell_magic("twist") is None
        assert shell.transform_cell("%twist run") == "get_ipython().run_line_magic('twist', 'run')\n"
        assert shell.custom_exceptions == ()
    finally:
        shell.run_line_magic("load_ext", "plot_nb")


def test_the_help_names_all_that_need_not_be_imported() -> None:
    assert f"no import in the cell: {', '.join(BARE_NAMES)}." in " ".join(
        str(TwistMagics.cell.__doc__).split()
    )


LATER = """%%twist
from datetime import timedelta

class Later(Twist):
    async def plan(self):
        await self.schedule_recurring("tick", await self.callback(self.tick, 7), every=timedelta(hours=1))
        await self.run_task(await self.callback(self.tick, 8), run_at=now() + timedelta(days=2))

    async def tick(self, number):
        return number
"""


@pytest.mark.rule("7.16")
def test_advance_runs_what_falls_due(cell: Cell) -> None:
    cell(LATER)
    cell("await Later.plan()")

    run = cell("%twist advance 3h 30m").result

    assert list(run.executions["method"]) == ["tick"] * 3
    refused = cell("%twist advance soon").error_in_exec
    assert isinstance(refused, MagicError)
    assert "no span of time" in str(refused)


def test_what_waits_is_shown_in_order_of_time(cell: Cell) -> None:
    cell(LATER)
    assert repr(cell("%twist tasks").result) == "Nothing waits."
    cell("await Later.plan()")

    text = repr(cell("%twist tasks").result)
    assert text.index("schedule") < text.index("0 days 01:00:00") < text.index("task ")
    assert "tick" in repr(cell("%twist tasks Later").result)
    assert "<table" in cell("%twist callbacks").result.bundle["text/html"]
    assert '"json":[7]' in repr(cell("%twist callbacks Later").result)


@pytest.mark.rule("10.6", "10.7")
def test_deactivate_drops_what_waits(cell: Cell) -> None:
    cell(LATER)
    cell("await Later.plan()")

    cell("%twist deactivate Later")

    assert repr(cell("%twist tasks").result) == "Nothing waits."
    assert repr(cell("%twist callbacks").result) == "There are no callbacks."


@pytest.mark.rule("10.16", "10.20")
def test_what_an_upgrade_breaks_is_shown_before_it_takes_effect(
    cell: Cell, capsys: pytest.CaptureFixture[str]
) -> None:
    cell(LATER)
    cell("await Later.plan()")

    upgraded = cell(LATER.replace("self, number", "self")).result

    shown = capsys.readouterr().out
    assert upgraded.version == 2
    assert "version 2 of Later breaks 2 that wait" in shown
    assert "tick() takes 0 arguments in version 2, it gets 1" in shown
    assert "breaks" not in repr(upgraded)


@pytest.mark.rule("10.19")
def test_a_check_shows_the_same_and_deploys_nothing(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    cell(LATER)
    cell("await Later.plan()")
    checked = LATER.replace("%%twist", "%%twist --check")

    assert cell(checked.replace("self, number", "self")).result is None
    assert "version 2 of Later breaks 2 that wait" in capsys.readouterr().out
    assert cell(checked).result is None
    assert "Nothing would be replaced" in capsys.readouterr().out
    assert cell("Later.version").result == 1


def offered(shell: InteractiveShell, line: str) -> list[str]:
    """What Tab offers at the end of a line."""
    with provisionalcompleter():
        return [each.text for each in shell.Completer.completions(line, len(line))]


FAILING = """%%twist
class Failing(Twist):
    async def begin(self):
        await self.run_task(await self.callback(self.work))

    async def work(self):
        if not await self.get("mended"):
            raise ValueError("no good")

    async def mend(self):
        await self.set("mended", True)
"""


@pytest.mark.rule("7.20", "7.52")
def test_dead_letters_are_listed_offered_and_tried_again(cell: Cell, shell: InteractiveShell) -> None:
    cell(FAILING)
    assert repr(cell("%twist dead").result) == "Nothing was given up."
    cell("await Failing.begin()")

    text = repr(cell("%twist dead Failing").result)
    assert "ValueError: no good" in text
    identity = text.rsplit("%twist retry ", 1)[1].partition("`")[0]
    assert offered(shell, "%twist retry ") == [identity]
    cell("await Failing.mend()")
    assert cell(f"%twist retry {identity}").result.ok
    assert repr(cell("%twist dead").result) == "Nothing was given up."
    assert "is done" in str(cell(f"%twist retry {identity}").error_in_exec)
    assert "which one?" in str(cell("%twist retry").error_in_exec)


@pytest.mark.rule("10.29", "10.31", "10.32")
def test_suspend_and_resume(cell: Cell) -> None:
    cell(LATER)
    cell("await Later.plan()")
    cell("%twist suspend Later")

    assert len(cell("%twist advance 90m").result.executions) == 0
    assert "suspended by its user" in repr(cell("%twist status").result)
    assert "It is suspended by `rt.suspend`" in repr(cell("%twist limits Later").result)
    assert list(cell("%twist resume Later").result.executions["method"]) == ["tick"]
    assert "active" in repr(cell("%twist status").result)


@pytest.mark.rule("10.33")
def test_limits_say_when_plot_would_suspend_it(cell: Cell) -> None:
    cell(COUNTER)
    assert "At this pace it goes over no rate limit" in repr(cell("%twist limits").result)
    cell("for _ in range(12): await Counter.add()")

    shown = cell("%twist limits Counter").result.bundle
    assert "At this pace Plot would suspend this twist in " in shown["text/plain"]
    assert "in 5 minutes, at most 200" in shown["text/html"]
    assert "12" in shown["text/plain"]


def test_the_status_of_nothing_and_of_something(cell: Cell) -> None:
    assert "Nothing is deployed yet" in repr(cell("%twist status").result)
    cell(LATER)
    cell("await Later.plan()")

    text = repr(cell("%twist status").result)
    assert "virtual clock: 2026-01-01" in text
    assert "Later" in text
    assert "takes nothing more" in str(cell("%twist status Later").error_in_exec)


BOARD = """%%twist
class Board(Twist):
    def build(self, build):
        return {"plot": build(Plot), "network": build(Network)}

    async def fill(self):
        await self.set("url", await self.tools.network.create_webhook(self.on_post, sync=True))
        await self.tools.plot.create_activity({"key": "one", "title": "<b>First</b>"})

    async def on_post(self, request):
        return {"got": request.body}

    async def on_note_created(self, note):
        print("noted:", note.content)
"""


def test_activities_are_listed_and_edits_played_back(cell: Cell, shell: InteractiveShell) -> None:
    cell(BOARD)
    assert repr(cell("%twist activities").result) == "There are no activities."
    cell("await Board.fill()")

    shown = cell("%twist activities Board").result
    assert "<b>First" in shown.bundle["text/plain"]
    assert "<b>First" not in shown.bundle["text/html"]
    identity, key = offered(shell, "%twist emit note_created ")
    assert key == "one"
    assert offered(shell, "%twist emit ") == ["activity_updated", "note_created"]
    run = cell(f"%twist emit note_created {identity} {{'content': 'Hi'}}").result
    assert "noted: Hi" in set(run.logs["text"])
    assert "what did the user do?" in str(cell("%twist emit note_created").error_in_exec)
    assert "no activity" in str(cell("%twist emit note_created nobody {'content': 'Hi'}").error_in_exec)


@pytest.mark.rule("9.22", "9.23")
def test_a_webhook_is_listed_and_posted_to(cell: Cell, shell: InteractiveShell) -> None:
    cell(BOARD)
    assert "There are no webhooks" in repr(cell("%twist webhooks").result)
    cell("await Board.fill()")

    assert "on_post" in repr(cell("%twist webhooks Board").result)
    (url,) = offered(shell, "%twist webhook ")
    cell("number = 3")
    answer = repr(cell(f"%twist webhook {url} {{'n': number}}").result)
    assert "200 OK" in answer
    assert '{"got":{"n":3}}' in answer.replace(" ", "").replace("200OK", "")
    assert "post where?" in str(cell("%twist webhook").error_in_exec)
    refused = cell("%twist webhook nonsense").error_in_exec
    assert isinstance(refused, MagicError)
    assert "'nonsense' is no URL" in str(refused)
    assert "404" in repr(cell("%twist webhook https://webhooks.test/wh_no").result)


def test_how_often_a_webhook_was_posted_to_is_shown_before_its_long_url(cell: Cell) -> None:
    cell(BOARD)
    cell("await Board.fill()")

    head = repr(cell("%twist webhooks").result).split("\n")[1].split()
    assert head.index("posts") < head.index("url")


def test_an_edit_names_an_activity_by_the_key_that_one_twist_has(cell: Cell) -> None:
    cell(BOARD)
    cell("await Board.fill()")

    assert "noted: Hi" in set(cell("%twist emit note_created one 'Hi'").result.logs["text"])
    assert "noted: Ho" in set(cell("%twist emit note_created Board:one 'Ho'").result.logs["text"])
    assert "did you mean 'one'?" in str(cell("%twist emit note_created onne 'Hi'").error_in_exec)


def test_an_edit_says_whose_activity_is_meant_where_several_have_the_key(
    cell: Cell, shell: InteractiveShell
) -> None:
    cell(BOARD)
    cell("await Board.fill()")
    cell(BOARD.replace("%%twist", "%%twist --instance staging"))
    cell("await Board.fill()")

    refused = str(cell("%twist emit note_created one 'Hi'").error_in_exec)
    assert "Board/default:one or Board/staging:one" in refused
    for name in ("Board/default", "Board/staging"):
        run = cell(f"%twist emit note_created {name}:one 'Hi'").result
        assert "noted: Hi" in set(run.logs["text"])
    notes = [len(twist.activities["notes"].iloc[0]) for twist in plot_nb.current().twists()]
    assert notes == [1, 1]
    assert offered(shell, "%twist emit note_created Board/s") == ["Board/staging:one"]


@pytest.fixture
def twins(cell: Cell) -> Cell:
    """Two instances of one class; the variable holds the second."""
    for line in ("%%twist", "%%twist --instance staging"):
        cell(FAILING.replace("%%twist", line))
    return cell


def test_a_label_tells_instances_of_one_class_apart(twins: Cell) -> None:
    twins("%twist suspend Failing/default")

    status = repr(twins("%twist status").result)
    first, second = (line for line in status.split("\n") if "Failing/" in line)
    assert "Failing/default" in first
    assert "suspended by its user" in first
    assert "Failing/staging" in second
    assert "active" in second
    assert twins("%twist call Failing/staging.mend").result.ok
    assert "Rate limits of Failing/staging" in repr(twins("%twist limits Failing").result)
    assert "Rate limits of Failing/default" in repr(twins("%twist limits Failing/default").result)


def test_tables_of_several_instances_say_which(twins: Cell) -> None:
    twins("%twist resume Failing/default")
    twins("%twist call Failing/default.begin")
    twins("%twist call Failing/staging.begin")

    for command in ("dead", "callbacks"):
        shown = repr(twins(f"%twist {command}").result)
        assert shown.count("Failing/default") == shown.count("Failing/staging") == 1


def test_an_error_names_what_can_be_typed(twins: Cell, shell: InteractiveShell) -> None:
    shell.user_ns["_before"] = shell.user_ns["Failing"]

    unnamed = str(twins("%twist limits").error_in_exec)
    assert "There are Failing/default, Failing/staging: name one" in unnamed
    unknown = str(twins("%twist limits Nobody").error_in_exec)
    assert unknown.endswith("there is Failing, Failing/default, Failing/staging")
    assert offered(shell, "%twist limits ") == ["Failing", "Failing/default", "Failing/staging"]
    assert offered(shell, "%twist call Failing/staging.me") == ["mend"]
    assert "Failing/staging" in str(twins("%twist call Failing/stagin.mend").error_in_exec)
    del shell.user_ns["Failing"]
    assert twins("%twist limits Failing").success


@pytest.mark.rule("4.22")
def test_a_method_of_a_tool_is_called_by_its_path(cell: Cell, shell: InteractiveShell) -> None:
    cell("""%%twist
class Calendar(Tool):
    async def sync_page(self, page):
        return page + 1

class Sync(Twist):
    def build(self, build):
        return {"calendar": build(Calendar)}
""")

    assert offered(shell, "%twist call Sync.cal") == ["calendar.sync_page"]
    assert cell("run = %twist call Sync.calendar.sync_page 1\nrun.value").result == 2
