"""In a terminal IPython, which has no kernel and no loop of its own between cells."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pexpect
import pytest

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "01_first_sync.ipynb"


class Terminal:
    """An IPython that is typed into."""

    def __init__(self) -> None:
        self._ipython = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
            encoding="utf-8",
            timeout=120,
            dimensions=(50, 200),
        )
        # pexpect writes to a terminal, which would show all that is typed, and hold back lines of more than 4096 bytes.
        self._ipython.setecho(False)
        self._ipython.expect_exact("In [1]: ")

    def start(self, source: str) -> None:
        """Type a cell; one of several lines is pasted, since a blank line would end it."""
        if "\n" in source:
            source = f"%cpaste -q\n{source}\n--"
        self._ipython.send(f"{source}\n")

    def finish(self) -> str:
        """What it shows until the next prompt."""
        self._ipython.expect(r"In \[\d+\]: ")
        return str(self._ipython.before)

    def run(self, source: str) -> str:
        """Type a cell, and wait for its end."""
        self.start(source)
        return self.finish()

    def wait_for(self, words: str) -> None:
        """Wait until something is shown."""
        self._ipython.expect_exact(words)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._ipython.sendintr()

    def close(self) -> None:
        """End it."""
        self._ipython.close(force=True)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal IPython."""
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_control_c_cancels_the_chain(terminal: Terminal) -> None:
    terminal.run("%load_ext plot_nb")
    terminal.run(
        "%%twist\nclass A(Twist):\n    async def spin(self):\n        while True: pass\n\n"
        "    async def ok(self):\n        return 41\n"
    )
    terminal.start("import threading; threading.Timer(0.5, print, ['be' + 'gan']).start(); await A.spin()")
    terminal.wait_for("began")
    terminal.interrupt()
    stopped = terminal.finish()

    assert "cancelled" in stopped
    assert "Stopped" in stopped
    assert "Traceback" not in stopped
    assert "42" in terminal.run("(await A.ok()).value + 1")


def test_the_tutorial_runs_in_a_terminal(terminal: Terminal) -> None:
    shown = ""
    for cell in nbformat.read(TUTORIAL, as_version=4).cells:
        if cell.cell_type == "code":
            shown += terminal.run(cell.source)

    assert "over_requests at line 25" in shown
    assert (
        "25 executions of sync_page, 1,234 items, at most 505 of 1,000 requests in one, 12,466 in all"
        in shown
    )
    assert "Error" not in shown.replace("RequestLimitExceeded", "")
