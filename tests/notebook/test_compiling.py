from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path

import pytest

from plot_nb.notebook.compiling import sandbox_compiled
from plot_nb.notebook.problems import MagicError
from plot_nb.sandbox import component


class Compiling:
    """A compile that ends when it was looked at a few times."""

    def __init__(self, looks: int, problem: Exception | None = None) -> None:
        self.result: Future[Path] = Future()
        self._looks = looks
        self._looked = 0
        if problem is None:
            self.result.set_result(Path("component.cwasm"))
        else:
            self.result.set_exception(problem)

    @property
    def done(self) -> bool:
        self._looked += 1
        return self._looked > self._looks

    @property
    def elapsed(self) -> float:
        return self._looked * 1.0


def wait_for(compiling: Compiling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component, "compilation", lambda: compiling)
    monkeypatch.setattr("plot_nb.notebook.compiling._POLL_S", 0)
    asyncio.run(sandbox_compiled())


def test_a_compiled_sandbox_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_for(Compiling(0), monkeypatch)

    assert capsys.readouterr().out == ""


def test_a_compile_shows_its_seconds_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_for(Compiling(2), monkeypatch)
    shown = capsys.readouterr().out

    assert "\rcompiling the sandbox, once per machine … 1 s" in shown
    assert "\rcompiling the sandbox, once per machine … 2 s" in shown
    assert shown.count("\n") == 1


def test_a_compile_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MagicError, match="no sandbox can start: the disk is full"):
        wait_for(Compiling(1, component.CompileError("the disk is full")), monkeypatch)
