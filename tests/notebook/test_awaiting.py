from inspect import iscoroutinefunction

import pytest

from plot_nb.notebook import commands
from plot_nb.notebook.awaiting import AWAITED, await_twist
from plot_nb.notebook.magics import COMMANDS

CALL = "get_ipython().run_line_magic('twist', 'call Sync.start')"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (CALL, f"await {CALL}"),
        (f"run = {CALL}", f"run = await {CALL}"),
        (f"if True:\n    {CALL}\n", f"if True:\n    await {CALL}\n"),
        (f"größe = 1; {CALL}", f"größe = 1; await {CALL}"),
        (f"{CALL}\n{CALL}\n", f"await {CALL}\nawait {CALL}\n"),
        (
            "get_ipython().run_line_magic('twist', 'run')",
            "await get_ipython().run_line_magic('twist', 'run')",
        ),
        (
            "get_ipython().run_cell_magic('twist', '', 'x')",
            "await get_ipython().run_cell_magic('twist', '', 'x')",
        ),
        (
            "get_ipython().run_cell_magic('twist', '--help', '')",
            "await get_ipython().run_cell_magic('twist', '--help', '\\n')",
        ),
    ],
)
def test_magics_that_run_something_are_awaited(source: str, expected: str) -> None:
    assert "".join(await_twist(source.splitlines(keepends=True))) == expected


@pytest.mark.parametrize(
    "source",
    [
        "get_ipython().run_line_magic('twist', 'store')",
        "get_ipython().run_line_magic('twist', '')",
        "get_ipython().run_line_magic('time', 'call')",
        "get_ipython().run_line_magic('pinfo', '%twist')",
        f"await {CALL}",
        f'text = """{CALL}"""',
        f"# {CALL}",
        f"{CALL} ===",
        "x = 1\n",
        "",
    ],
)
def test_everything_else_stays_as_it_is(source: str) -> None:
    lines = source.splitlines(keepends=True)

    assert await_twist(lines) == lines


def test_every_command_that_gives_a_coroutine_is_awaited_and_no_other() -> None:
    running = {
        name
        for name, command in COMMANDS.items()
        if any(iscoroutinefunction(getattr(commands, used, None)) for used in command.__code__.co_names)
    }
    assert running == AWAITED
