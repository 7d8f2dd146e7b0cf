"""The second tutorial, run as its readers run it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.notebook.test_tutorial import executed, shown

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "02_time_and_events.ipynb"


@pytest.fixture(scope="module")
def tutorial() -> NotebookNode:
    """The tutorial with its outputs."""
    return executed(nbformat.read(TUTORIAL, as_version=4))


@pytest.mark.rule("7.12", "7.32", "7.33")
def test_a_day_has_24_occurrences_and_those_that_failed_ran_again(tutorial: NotebookNode) -> None:
    assert "24 executions" in shown(tutorial, "day")
    assert "5 attempts failed and" in shown(tutorial, "day")
    words = shown(tutorial, "day-store").split()
    assert words[words.index("asked") + 1] == "29"
    assert words[words.index("collected") + 1] == "24"


@pytest.mark.rule("7.20", "7.52", "10.12")
def test_dead_letters_run_on_the_mended_version(tutorial: NotebookNode) -> None:
    assert shown(tutorial, "mailer-run").count("send  dead         3") == 3
    assert "NameError: name 'nmae' is not defined" in shown(tutorial, "dead")
    printed = [line for line in shown(tutorial, "retry").splitlines() if line.startswith("ok ")]
    assert printed == ["ok Dear Ada", "ok Dear Grace", "ok Dear Barbara"]


@pytest.mark.rule("8.3", "8.4", "9.21")
def test_a_burst_of_posts_makes_one_pass_and_keys_make_one_activity_each(tutorial: NotebookNode) -> None:
    assert "200 {'queued': True}" in shown(tutorial, "post")
    assert "30 posts, 1 pass, 12 activities" in shown(tutorial, "post-summary")
    assert "Look at issue-00" in shown(tutorial, "activities")
    assert "Done already: the user changed title" in shown(tutorial, "emit")


def test_a_tool_has_a_store_of_its_own(tutorial: NotebookNode) -> None:
    assert "101" in shown(tutorial, "tool-run")
    assert "the shop's own" in shown(tutorial, "tool-run")


@pytest.mark.rule("10.16", "10.19")
def test_the_check_names_the_webhook_that_would_break(tutorial: NotebookNode) -> None:
    assert "method 'on_change' is gone" in shown(tutorial, "upgrade")


@pytest.mark.rule("7.37")
def test_the_race_loses_updates_and_the_lock_keeps_them(tutorial: NotebookNode) -> None:
    lines = [line for line in shown(tutorial, "race").splitlines() if line.startswith("20 executions")]
    without, with_lock = (int(line.rsplit(" ", 1)[1]) for line in lines)
    assert without < 20
    assert with_lock == 20


def test_the_limits_say_when_plot_would_suspend_it(tutorial: NotebookNode) -> None:
    assert "At this pace Plot would suspend this twist in" in shown(tutorial, "limits")
    assert "Inbox" in shown(tutorial, "status")
