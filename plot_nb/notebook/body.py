"""What can be typed in the body of a `%%twist` cell: jedi reads it as the sandbox would, without the notebook."""

from __future__ import annotations

import keyword
import re
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import plot_nb
from plot_nb.sandbox.guest.importer import LEFT_OUT
from plot_nb.sandbox.guest.program import BARE_NAMES
from plot_nb.twist import Tool, Twist
from plot_nb.twist.scoped import Tools

_OURS = "_plot_nb_"
_CALLBACK = re.compile(r"""\bself\.(?:callback|tools\.callbacks\.create)\(\s*(self\.|["'])(\w*)\Z""")
_MODULE = re.compile(
    r"^[ \t]*(?:from[ \t]+|import[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*)(\w*)\Z"
)
_BUILT = re.compile(r"""["'](\w+)["'][ \t]*:[ \t]*build\(\s*([^\W\d]\w*)""")
_BUILT_BEFORE = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*build\(\s*([^\W\d]\w*)", re.MULTILINE)
_PASSED = re.compile(r"""["'](\w+)["'][ \t]*:[ \t]*(\w+)[ \t]*[,}]""")
_AT_NAME = re.compile(r"\w")
_SWALLOWED = re.compile(r"^([ \t]*)(?:@|async\b)", re.MULTILINE)


def modules_to_import(line: str, given: list[str]) -> tuple[str, list[str]] | None:
    """What has been typed of a module's name, and the modules that a sandbox may have; None elsewhere.

    Args:
        line: The line up to the cursor.
        given: The modules that the cell is deployed with.
    """
    match = _MODULE.search(line)
    if match is None:
        return None
    typed = match[1]
    known = {*(sys.stdlib_module_names - LEFT_OUT), *(name.partition(".")[0] for name in given), "plot_nb"}
    return typed, sorted(
        name for name in known if name.startswith(typed) and (typed or not name.startswith("_"))
    )


def completions(before: str, after: str, *, hidden: int = 2) -> list[Any]:
    """What jedi would write at the cursor, as its own completions.

    Args:
        before: The cell below its first line, up to the cursor.
        after: The rest.
        hidden: Which names a dot does not show: 2 those with an underscore, 1 those with two, 0 none.
    """
    callback = _CALLBACK.search(before)
    if callback is not None and callback[1] != "self.":
        # Jedi knows no names in a string; what stands there is one of the same methods.
        before = f"{before[: callback.start(1)]}self.{callback[2]}"
        after = after[after.find("\n") :] if "\n" in after else ""
    if not before.rpartition("\n")[2].strip() and not after.partition("\n")[0].strip():
        after = f"{_OURS}{after}"  # to jedi an empty line belongs to what follows, not to the method above
    head = _head(before + after)
    text = head + before
    line = text.count("\n")
    found = _script(text + _closed(after)).complete(line + 1, len(text) - text.rfind("\n") - 1)
    if callback is not None:
        return [each for each in found if _can_be_called_back(each)]
    if found and found[0].type == "path":
        return []  # a sandbox has no files
    skipped = ("", "__", "_")[hidden] if before.endswith(".") else ""
    return [
        each
        for each in found
        if not each.name.startswith(_OURS) and not (skipped and each.name.startswith(skipped))
    ]


def description(before: str, after: str) -> str:
    """The signature and docstring of the name at the cursor, else of what is called around it; empty if there is none.

    Args:
        before: The cell below its first line, up to the cursor.
        after: The rest.
    """
    text = _head(before + after) + before
    place = {"line": text.count("\n") + 1, "column": len(text) - text.rfind("\n") - 1}
    script = _script(text + _closed(after))
    told: list[str] = []
    if _AT_NAME.search(before[-1:] + after[:1]) and (named := script.goto(**place, follow_imports=True)):
        told = [each.docstring() for each in (*named, *script.infer(**place))]
    told += [f"{each.to_string()}\n\n{each.docstring(raw=True)}" for each in script.get_signatures(**place)]
    return next((each.replace(_OURS, "").strip() for each in told if each), "")


def _head(cell: str) -> str:
    """Lines that make the names known which a cell need not import, and the tools that `build` returns in it."""
    tools = _tools(cell)
    if not tools:
        return f"from plot_nb.twist import {', '.join(BARE_NAMES)}\n"
    others = ", ".join(name for name in BARE_NAMES if name not in {"Twist", "Tool"})
    return (
        f"from plot_nb.twist import {others}, Tool as {_OURS}AnyTool, Twist as {_OURS}AnyTwist\n"
        f"from plot_nb.twist.scoped import Tools as {_OURS}AnyTools\n"
        f"class {_OURS}Tools({_OURS}AnyTools):\n"
        f"    {Tools.__doc__!r}\n"
        + "".join(f"    {name}: '{kind}'\n" for name, kind in tools.items())
        + "".join(
            f"class {kind.__name__}({_OURS}Any{kind.__name__}):\n    {kind.__doc__!r}\n    tools: {_OURS}Tools\n"
            for kind in (Tool, Twist)
        )
    )


def _tools(cell: str) -> dict[str, str]:
    """The class of each tool by name. The cell is being written, so its text is all there is."""
    made = dict(_BUILT_BEFORE.findall(cell))
    tools = {name: made[value] for name, value in _PASSED.findall(cell) if value in made}
    tools |= dict(_BUILT.findall(cell))
    return {name: kind for name, kind in tools.items() if name.isidentifier() and not keyword.iskeyword(name)}


def _closed(after: str) -> str:
    """The text after the cursor, such that a bracket open at the cursor does not take the next method with it.

    `pass` ends an open bracket for jedi's parser; `async` and a decorator do not.
    """
    line_end = after.find("\n") + 1
    match = _SWALLOWED.search(after, line_end) if line_end else None
    if match is None:
        return after
    return f"{after[: match.start()]}{match[1]}pass\n{after[match.start() :]}"


def _can_be_called_back(found: Any) -> bool:
    return (
        found.module_path is None
        and not found.name.startswith("_")
        and found.get_line_code().lstrip().startswith("async def")
    )


def _script(text: str) -> Any:
    import jedi  # type: ignore[import-untyped]

    return jedi.Script(text, environment=_environment(), project=_project())


@cache
def _environment() -> Any:
    from jedi.api.environment import InterpreterEnvironment  # type: ignore[import-untyped]

    return InterpreterEnvironment()  # jedi's default starts a process


@cache
def _project() -> Any:
    import jedi

    home = Path(plot_nb.__file__).parent.parent
    return jedi.Project(home, sys_path=[sysconfig.get_path("stdlib"), str(home)], smart_sys_path=False)
