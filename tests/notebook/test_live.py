"""A cell that runs for longer than a moment, and the comm that its picture opens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from plot_nb.journal.wire import COMM_TARGET, MIME_TYPE
from tests.notebook.conftest import Kernel, Reply

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"

HELD = """%%twist
class {name}(Twist):
    async def held(self, n=0):
        await self.set("held", n)
        await fetch("https://slow.example.com/")
        return n

    async def refused(self):
        await fetch("https://slow.example.com/")
        raise ValueError("no good")

    async def quick(self):
        return "quick"

    def build(self, build):
        return {{"network": build(Network, urls=["https://slow.example.com/*"])}}
"""

# An API that answers when the notebook lets it: what asks it runs for as long as a test wants.
SLOW = """
import threading
from IPython.display import clear_output, display
go_on = threading.Event()

async def slow(scope, receive, send):
    while not go_on.is_set():
        await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})

plot_nb.current().mount("https://slow.example.com", slow)
"""


class Comm:
    """What a picture opens."""

    def __init__(self, kernel: Kernel, source: str) -> None:
        self._kernel = kernel
        self._number = 0
        self.id = uuid4().hex
        kernel.send("comm_open", comm_id=self.id, target_name=COMM_TARGET, data={"source": source})

    def say(self, view: str = "v", **ask: Any) -> None:
        """Ask what is answered later, or not at all."""
        self._kernel.send("comm_msg", comm_id=self.id, data={"view": view, **ask})

    def ask(self, **ask: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self._number += 1
        self.say(number=self._number, **ask)
        return self.hear("number")

    def follow(self) -> None:
        self.say(ask="follow", after={"attempt": 0, "write": 0}, running=[])

    def hear(self, kind: str) -> dict[str, Any]:
        """Wait for an answer of a kind that was not heard yet."""
        message = self._kernel.wait_for(
            lambda message: (
                message["msg_type"] == "comm_msg"
                and message["content"]["comm_id"] == self.id
                and kind in message["content"]["data"]
            )
        )
        return dict(message["content"]["data"])

    def close(self) -> None:
        self._kernel.send("comm_close", comm_id=self.id, data={})


@pytest.fixture(autouse=True)
def nothing_runs_afterwards(kernel: Kernel) -> Iterator[None]:
    kernel.run("%twist reset")
    for name in ("Work", "Other"):
        assert kernel.run(HELD.format(name=name)).status == "ok"
    assert kernel.run(SLOW).status == "ok"
    yield
    kernel.run("go_on.set()")


def shown(kernel: Kernel, kind: str = "display_data") -> dict[str, Any]:
    """Wait for a cell's live picture."""
    message = kernel.wait_for(
        lambda message: message["msg_type"] == kind and MIME_TYPE in message["content"]["data"]
    )
    return dict(json.loads(message["content"]["data"][MIME_TYPE]))


def let_go(kernel: Kernel) -> str:
    return kernel.start("go_on.set()", kernel.new_subshell())


def pictures(reply: Reply) -> list[dict[str, Any]]:
    return [json.loads(result[MIME_TYPE]) for result in reply.results if MIME_TYPE in result]


def test_what_takes_long_is_shown_while_it_runs_and_static_in_the_end(kernel: Kernel) -> None:
    cell = kernel.start("await Work.held(41)")
    live = shown(kernel)
    reply, _ = kernel.finish(cell, let_go(kernel))
    [kept] = pictures(reply)

    assert (live["title"], live["rows"]["running"]) == ("Work.held", True)
    assert (kept["rows"]["running"], kept["rows"]["value"], kept["source"]) == (False, "41", live["source"])
    assert "running" not in reply.results[0]["text/html"]
    assert [set(result) for result in reply.results] == [
        {MIME_TYPE, "text/html", "text/plain"},
        {"text/plain"},
    ]
    assert reply.results[1]["text/plain"] == "<Run Work.held: ok, 1 execution>"


def test_what_is_quick_is_one_output(kernel: Kernel) -> None:
    reply = kernel.run("await Work.quick()")

    assert len(reply.results) == len(pictures(reply)) == 1


@pytest.mark.parametrize("source", ["run = await Work.held()", "await Work.held();", "%twist call Work.held"])
def test_the_picture_stays_whatever_becomes_of_the_run(kernel: Kernel, source: str) -> None:
    cell = kernel.start(source)
    shown(kernel)
    reply, _ = kernel.finish(cell, let_go(kernel))

    assert [picture["rows"]["running"] for picture in pictures(reply)] == [False]


def test_the_picture_stays_when_the_cell_fails(kernel: Kernel) -> None:
    cell = kernel.start("(await Work.refused()).raise_for_outcome()")
    shown(kernel)
    reply, _ = kernel.finish(cell, let_go(kernel))
    [kept] = pictures(reply)

    assert reply.status == "error"
    assert kept["rows"]["executions"]["outcome"]["words"] == ["error"]


def test_stop_leaves_one_picture_of_what_ran(kernel: Kernel) -> None:
    cell = kernel.start("await Work.held()")
    shown(kernel)
    kernel.interrupt()
    [reply] = kernel.finish(cell)
    [kept] = pictures(reply)

    assert "Stopped" in reply.error
    assert len(reply.results) == 1
    assert (kept["rows"]["running"], kept["rows"]["executions"]["outcome"]["words"]) == (False, ["cancelled"])


def test_a_runtime_that_is_closed_meanwhile_leaves_no_picture_that_seems_to_run(kernel: Kernel) -> None:
    cell = kernel.start("rt = plot_nb.current()\nawait Work.held()")
    shown(kernel)
    reply, _ = kernel.finish(cell, kernel.start("await rt.aclose()", kernel.new_subshell()))

    assert "runtime was closed" in reply.error
    assert "is running" not in reply.results[0]["text/plain"]
    assert not any(picture["rows"]["running"] for picture in pictures(reply))


def test_a_second_run_of_a_cell_takes_its_place(kernel: Kernel) -> None:
    cell = kernel.start("a = await Work.held(1)\ngo_on.clear()\nb = await Other.held(2)\na")
    shown(kernel)
    first = let_go(kernel)
    assert shown(kernel, "update_display_data")["title"] == "Other.held"
    reply, *_ = kernel.finish(cell, first, let_go(kernel))

    # The first is the cell's result, and no longer shown above.
    assert [picture["title"] for picture in pictures(reply)] == ["Other.held", "Work.held"]


def test_a_picture_that_the_cell_cleared_is_shown_again(kernel: Kernel) -> None:
    cell = kernel.start("run = await Work.held()\nclear_output()\nrun")
    shown(kernel)
    reply, _ = kernel.finish(cell, let_go(kernel))

    assert set(reply.results[-1]) == {MIME_TYPE, "text/html", "text/plain"}
    assert pictures(reply)[-1]["rows"]["running"] is False


def test_two_cells_show_each_their_own(kernel: Kernel) -> None:
    subshell = kernel.new_subshell()
    one = kernel.start("await Work.held()")
    other = kernel.start("await Other.held()", subshell)
    shown(kernel)
    shown(kernel)
    replies = kernel.finish(one, other, let_go(kernel))

    assert [picture["title"] for reply in replies for picture in pictures(reply)] == [
        "Work.held",
        "Other.held",
    ]


def test_what_outlasts_its_cell_becomes_static_when_it_ends(kernel: Kernel) -> None:
    cell = kernel.start(
        "seen = threading.Event()\ntask = asyncio.create_task(Work.held(3))\nawait asyncio.to_thread(seen.wait)"
    )
    live = shown(kernel)
    kernel.finish(cell, kernel.start("seen.set()", kernel.new_subshell()))
    let_go(kernel)
    kept = shown(kernel, "update_display_data")

    assert kept["source"] == live["source"]
    assert (kept["rows"]["running"], kept["rows"]["value"]) == (False, "3")


def test_a_deploy_that_takes_long_shows_what_it_runs(kernel: Kernel) -> None:
    source = HELD.format(name="Work").replace("async def quick(self)", "async def upgrade(self)")
    source = source.replace('return "quick"', "await self.held()")
    cell = kernel.start(source)
    shown(kernel)
    reply, _ = kernel.finish(cell, let_go(kernel))

    assert [picture["title"] for picture in pictures(reply)] == ["Work.upgrade"]
    assert "<Work version 2" in reply.results[-1]["text/plain"]


def test_a_picture_follows_a_run_while_its_cell_waits(kernel: Kernel) -> None:
    cell = kernel.start("await Work.held()")
    comm = Comm(kernel, shown(kernel)["source"])
    comm.follow()
    rows = comm.hear("rows")["rows"]
    reply, _ = kernel.finish(cell, let_go(kernel)) if not rows["running"] else (None, None)

    assert reply is None, "it was told only when the cell had ended"
    assert rows["executions"]["outcome"]["words"] == ["running"]
    assert rows["writes"]["key"]["words"] == ["held"]
    ended = let_go(kernel)
    outcomes = []
    while rows["running"]:
        rows = comm.hear("rows")["rows"]
        outcomes += rows["executions"]["outcome"]["words"]
    assert outcomes == ["ok"]
    assert comm.hear("picture")["picture"]["rows"]["running"] is False
    kernel.finish(cell, ended)


def test_a_picture_asks_and_writes_while_its_cell_waits(kernel: Kernel) -> None:
    cell = kernel.start("await Work.held(5)")
    picture = shown(kernel)
    comm = Comm(kernel, picture["source"])
    attempt = picture["rows"]["executions"]["id"][0]

    assert comm.ask(ask="detail", id=attempt)["detail"]["arguments"] == "5"
    assert comm.ask(ask="write", twist="Work", key="held", text='{"json":6}')["done"] is True
    assert "are locks" in comm.ask(ask="write", twist="Work", key="__lock__:x", text=None)["error"]
    reply, _ = kernel.finish(cell, let_go(kernel))
    assert reply.status == "ok"
    assert kernel.run("print(Work.dump())").text == "{'held': '{\"json\":6}'}\n"


def test_a_picture_of_an_unknown_source_is_told_that_it_is_gone(kernel: Kernel) -> None:
    comm = Comm(kernel, "of another kernel")
    comm.follow()
    assert comm.hear("gone") == {"view": "v", "gone": True}


def test_a_selection_reaches_the_other_pictures_of_a_run(kernel: Kernel) -> None:
    source = pictures(kernel.run("await Work.quick()"))[0]["source"]
    one, other = Comm(kernel, source), Comm(kernel, source)
    other.say(view="w", ask="select", id=None)
    one.say(ask="select", id=1)

    assert other.hear("selected") == {"view": "w", "selected": 1}


def test_a_reset_runtime_tells_its_pictures_that_it_is_gone(kernel: Kernel) -> None:
    source = pictures(kernel.run("%twist inspect"))[0]["source"]
    comm = Comm(kernel, source)
    comm.follow()
    comm.hear("rows")
    reset = kernel.start("%twist reset")

    assert comm.hear("gone") == {"view": "v", "gone": True}
    kernel.finish(reset)


def test_inspect_shows_a_twist_or_everything(kernel: Kernel) -> None:
    kernel.run("await Work.quick()")
    kernel.run("await Other.quick()")
    everything, one = pictures(kernel.run("%twist inspect")) + pictures(kernel.run("%twist inspect Other"))

    assert everything["rows"]["executions"]["twist"]["words"] == ["Work", "Other"]
    assert one["rows"]["executions"]["twist"]["words"] == ["Other"]
    assert one["panel"] == "inspector"
    assert "no twist 'Nobody'" in kernel.run("%twist inspect Nobody").error


def test_what_ran_goes_on_to_be_shown_after_a_cell_clears_the_extension(kernel: Kernel) -> None:
    kernel.run("%unload_ext plot_nb")
    reply = kernel.run("await Work.quick()")
    kernel.run("%load_ext plot_nb")

    assert "text/html" in reply.results[0]


def test_where_only_widgets_are_drawn_a_run_is_one_too(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "widget.js").write_text("export default { render() {} };")
    (tmp_path / "widget.css").write_text(".pnb {}")
    kernel.run(
        "from plot_nb.widgets import inspectors\n"
        f"built, inspectors.STATIC = inspectors.STATIC, type(inspectors.STATIC)({str(tmp_path)!r})\n"
        "__vsc_ipynb_file__ = 'tutorial.ipynb'"
    )
    cell = kernel.start("await Work.held()")
    live = kernel.wait_for(lambda message: message["msg_type"] == "display_data")["content"]["data"]
    [reply, _] = kernel.finish(cell, let_go(kernel))
    inspected = kernel.run("%twist inspect")
    kernel.run("inspectors.STATIC = built\ninspectors.built.cache_clear()\ndel __vsc_ipynb_file__")
    after = kernel.run("await Work.quick()")

    assert set(reply.results[0]) == {WIDGET_TYPE, MIME_TYPE, "text/html", "text/plain"}
    assert reply.results[0][WIDGET_TYPE] == live[WIDGET_TYPE]
    assert set(inspected.results[0]) == {WIDGET_TYPE, MIME_TYPE, "text/html", "text/plain"}
    assert WIDGET_TYPE not in after.results[0]


def test_a_run_kept_over_a_reset_is_shown_as_what_it_was_and_no_empty_picture(kernel: Kernel) -> None:
    kernel.run("kept = await Work.quick()")
    kernel.run("%twist reset")
    shown = kernel.run("kept").results[0]

    assert set(shown) == {"text/plain"}
    assert "reset since" in shown["text/plain"]
