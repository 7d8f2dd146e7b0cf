"""In a kernel, as a notebook has it: two cells at once, Stop, and what dies in the middle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plot_nb.journal.wire import MIME_TYPE
from tests.notebook.conftest import Kernel

WORK = """%%twist
import asyncio

class Work(Twist):
    async def some(self, name):
        for number in range(100):
            await self.set(f"{name}:{number}", number)
        return name

    async def spin(self):
        await self.set("began", True)
        while True:
            pass

    async def chain(self, n=0):
        await self.set("n", n)
        await self.run_task(await self.callback("chain", n + 1))

    async def held(self):
        await self.set("held", (await self.get("held") or 0) + 1)
        answer = await fetch("https://slow.example.com/")
        return answer.status

    def build(self, build):
        return {"network": build(Network, urls=["https://slow.example.com/*"])}
"""

# An API that says when it is asked, and answers when the notebook lets it.
SLOW = """
import threading, time
go_on = threading.Event()

async def slow(scope, receive, send):
    print("asked", flush=True)
    while not go_on.is_set():
        await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})

plot_nb.current().mount("https://slow.example.com", slow)
"""


@pytest.fixture(autouse=True)
def works_afterwards(kernel: Kernel) -> object:
    """Whatever a test does to the kernel, the next cell works."""
    kernel.run("%twist reset")
    assert kernel.run(WORK).status == "ok"
    yield
    assert "'after'" in kernel.run("(await Work.some('after')).value").text
    return None


def test_a_run_is_one_bundle_of_a_picture_html_and_text(kernel: Kernel) -> None:
    reply = kernel.run("await Work.some('a')")

    assert [set(result) for result in reply.results] == [{MIME_TYPE, "text/html", "text/plain"}]


def test_two_cells_run_at_once(kernel: Kernel) -> None:
    kernel.run(SLOW)
    subshell = kernel.new_subshell()
    held = kernel.start("(await Work.held()).value", subshell)
    kernel.wait_for_output("asked")
    # A twist's executions run one at a time, so the second cell waits behind the first without stopping the kernel.
    behind = kernel.start("(await Work.some('b')).value")
    let_go = kernel.start("go_on.set()", kernel.new_subshell())
    replies = kernel.finish(held, behind, let_go)

    assert [reply.status for reply in replies] == ["ok", "ok", "ok"]
    assert "204" in replies[0].text
    assert "'b'" in replies[1].text


def test_tasks_of_one_cell_run_beside_each_other(kernel: Kernel) -> None:
    reply = kernel.run(
        "runs = await asyncio.gather(*(Work.some(name) for name in 'xyz'))\nprint([run.value for run in runs])"
    )

    assert "['x', 'y', 'z']" in reply.text


@pytest.mark.rule("7.40", "11.5")
@pytest.mark.parametrize("source", ["await Work.spin()", "%twist call Work.spin", "run = await Work.spin()"])
def test_stop_cancels_the_chain_and_shows_what_ran(kernel: Kernel, source: str) -> None:
    cell = kernel.start(f"import threading\nthreading.Timer(0.5, print, ['began']).start()\n{source}")
    kernel.wait_for_output("began")
    kernel.interrupt()
    reply = kernel.finish(cell)[0]

    assert reply.status == "error"
    assert len(reply.error.splitlines()) == 1
    assert "Stopped" in reply.error
    assert "cancelled" in reply.results[-1]["text/plain"]
    assert "began" in kernel.run("print(list(Work.store.key))").text


@pytest.mark.rule("7.41")
def test_stop_of_a_chain_drops_its_queued_tasks(kernel: Kernel) -> None:
    cell = kernel.start(
        "import threading\nthreading.Timer(0.5, print, ['began']).start()\nawait Work.chain()"
    )
    kernel.wait_for_output("began")
    kernel.interrupt()
    kernel.finish(cell)
    reply = kernel.run("(await plot_nb.current().run_until_idle()).executions.shape[0]")

    assert reply.text.strip() == "0"


def test_stop_of_other_code_looks_as_it_always_did(kernel: Kernel) -> None:
    cell = kernel.start("print('began')\nawait asyncio.sleep(60)")
    kernel.wait_for_output("began")
    kernel.interrupt()
    reply = kernel.finish(cell)[0]

    assert "CancelledError" in reply.error
    assert "Stopped" not in reply.error
    assert reply.results == []


@pytest.mark.rule("11.6")
def test_a_call_whose_worker_is_killed_is_reported_crashed(kernel: Kernel) -> None:
    kernel.run(
        "def kill_workers():\n"
        "    import psutil\n"
        "    for child in psutil.Process().children(recursive=True):\n"
        "        child.kill()\n"
        "import threading\n"
    )
    reply = kernel.run(
        "threading.Timer(0.5, kill_workers).start()\nrun = await Work.spin()\nprint(run.outcome)"
    )

    assert reply.status == "ok"
    assert "crashed" in reply.text


@pytest.mark.rule("7.38", "7.39")
def test_a_runaway_chain_pauses_and_names_its_method(kernel: Kernel) -> None:
    kernel.run(
        "from plot_nb.runtime import use\n"
        "await plot_nb.current().aclose()\n"
        "use(plot_nb.Runtime(limits=plot_nb.Limits(chain=30)))"
    )
    kernel.run(WORK)
    reply = kernel.run("run = await Work.chain()\nrun")

    assert reply.status == "ok"
    assert "'chain' keeps queueing" in reply.text
    assert "30" in kernel.run("len((await plot_nb.current().run_until_idle()).executions)").text
    kernel.run("await plot_nb.current().aclose()")
    kernel.run(WORK)


def test_an_error_in_a_cell_fails_it_in_few_lines(kernel: Kernel) -> None:
    reply = kernel.run("%%twist\nclass A(Twist):\n    async def f(self)\n        pass\n")

    assert reply.status == "error"
    assert len(reply.error.splitlines()) <= 6
    assert "→ 3 │     async def f(self)" in reply.error


def test_empty_lines_above_the_magic_count(kernel: Kernel) -> None:
    reply = kernel.run("\n\n%%twist\nclass A(Twist):\n    async def f(self)\n        pass\n")

    assert "→ 5 │     async def f(self)" in reply.error


@pytest.mark.rule("7.25", "7.43", "7.45")
def test_after_a_killed_kernel_the_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "sync.db"
    source = """%%twist
class Steps(Twist):
    async def step(self, n=0):
        await self.set(f"step:{n:03}", n)
        if n < 300:
            await self.run_task(await self.callback("step", n + 1))
"""
    first = Kernel()
    try:
        first.run(f"%load_ext plot_nb\n%twist open {path}")
        first.run(source)
        first.start(
            "import threading, os, signal\n"
            "def kill():\n"
            "    if len(Steps.store) > 20:\n"
            "        print('dying', flush=True)\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    threading.Timer(0.05, kill).start()\n"
            "kill()\n"
            "await Steps.step()"
        )
        first.wait_for_death()
    finally:
        first.close()
    second = Kernel()
    try:
        opened = second.run(f"%load_ext plot_nb\n%twist open {path}")
        second.run("%twist run")
        count = second.run(
            "print(len(Steps.store), Steps.executions.query(\"method == 'step'\").execution.nunique())"
        )
    finally:
        second.close()

    # Two when it was killed after one had queued the next, and before it was acknowledged.
    assert re.search(r"Unfinished: (1 task|2 tasks);", opened.text)
    assert count.text.split() == ["301", "301"]
