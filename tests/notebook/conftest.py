"""Shells and kernels with the extension loaded."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from IPython.core import async_helpers
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager
from traitlets.config import Config

import plot_nb
from plot_nb.runtime import opened

Cell = Callable[[str], Any]


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    """IPython as a terminal has it, without a kernel."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "plot_nb")
    yield shell
    shell.run_line_magic("unload_ext", "plot_nb")
    InteractiveShell.clear_instance()
    if async_helpers._asyncio_event_loop is not None:
        async_helpers._asyncio_event_loop.close()


@pytest.fixture
def cell(shell: InteractiveShell) -> Iterator[Cell]:
    """Runs a cell, on a runtime that is this test's own."""
    before = dict(shell.user_ns)
    yield lambda source: shell.run_cell(source, store_history=True)
    runtime = opened()
    if runtime is not None:
        asyncio.run(runtime.aclose())
    shell.user_ns.clear()
    shell.user_ns.update(before)


@pytest.fixture
def runtime() -> plot_nb.Runtime:
    """The runtime of the magics."""
    return plot_nb.current()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a kernel sent for one cell."""

    status: str
    text: str
    error: str
    results: list[dict[str, Any]] = field(default_factory=list)


class Kernel:
    """A kernel of this environment, as Jupyter starts it."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self._seen: list[dict[str, Any]] = []
        self._met: set[int] = set()

    def start(self, source: str, subshell: str | None = None) -> str:
        """Send a cell; returns what `finish` takes."""
        message = self.client.session.msg(
            "execute_request",
            {
                "code": source,
                "silent": False,
                "store_history": True,
                "allow_stdin": False,
                "stop_on_error": False,
            },
        )
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def finish(self, *cells: str) -> list[Reply]:
        """Wait for cells that were started."""
        sent: dict[str, list[dict[str, Any]]] = {cell: [] for cell in cells}
        waiting = set(cells)
        seen, self._seen = self._seen, []
        self._met.clear()
        while waiting:
            message = seen.pop(0) if seen else self.client.get_iopub_msg(timeout=120)
            parent = message["parent_header"].get("msg_id")
            if parent in sent:
                sent[parent].append(message)
                if message["content"].get("execution_state") == "idle":
                    waiting.discard(parent)
        return [_reply(messages) for messages in sent.values()]

    def run(self, source: str) -> Reply:
        """Run a cell to its end."""
        return self.finish(self.start(source))[0]

    def wait_for_output(self, words: str) -> None:
        """Wait until a running cell prints."""
        self.wait_for(lambda message: words in message["content"].get("text", ""))

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message that no cell's end has come after, and that was not waited for before."""
        for message in self._seen:
            if id(message) not in self._met and wanted(message):
                self._met.add(id(message))
                return message
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            self._seen.append(message)
            if wanted(message):
                self._met.add(id(message))
                return message

    def send(self, kind: str, **content: Any) -> None:
        """Send a message that no cell is, on the same way."""
        self.client.shell_channel.send(self.client.session.msg(kind, content))

    def wait_for_death(self) -> None:
        """Wait until the kernel is no more."""
        while self.manager.is_alive():
            self.client.iopub_channel.socket.poll(100)

    def interrupt(self) -> None:
        """What the Stop button does."""
        self.manager.interrupt_kernel()

    def close(self) -> None:
        """End it."""
        self.client.stop_channels()
        with contextlib.suppress(RuntimeError):
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager.context.destroy()

    def new_subshell(self) -> str:
        """Another lane for cells, beside the main one."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        return str(self.client.get_control_msg(timeout=30)["content"]["subshell_id"])


def _reply(messages: list[dict[str, Any]]) -> Reply:
    """What a notebook keeps of the messages: an output that is updated is another one in the same place."""
    error, outputs = "", []
    places: dict[str, int] = {}
    for message in messages:
        content = message["content"]
        place = content.get("transient", {}).get("display_id")
        if message["msg_type"] == "stream":
            outputs.append(content["text"])
        elif message["msg_type"] == "error":
            error = "\n".join(content["traceback"])
        elif message["msg_type"] == "update_display_data":
            outputs[places[place]] = content["data"]
        elif message["msg_type"] in {"execute_result", "display_data"}:
            if place is not None:
                places[place] = len(outputs)
            outputs.append(content["data"])
    text = "".join(each if isinstance(each, str) else each.get("text/plain", "") + "\n" for each in outputs)
    results = [each for each in outputs if not isinstance(each, str)]
    return Reply("error" if error else "ok", text, error, results)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """A kernel with the extension loaded."""
    kernel = Kernel()
    with contextlib.suppress(queue.Empty):
        kernel.run("%load_ext plot_nb\nimport plot_nb, asyncio, os, signal")
    yield kernel
    kernel.close()
