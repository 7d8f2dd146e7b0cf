"""From a `%%twist` cell to a deployed twist."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from plot_nb.errors import DeployError
from plot_nb.notebook.compiling import sandbox_compiled
from plot_nb.notebook.problems import MagicError, excerpt, shorten
from plot_nb.runtime import Runtime, TwistHandle, UpgradeReport

_CLASS = re.compile(r"^class[ \t]+(\w+)", re.MULTILINE)
_TWIST_CLASS = re.compile(r"^class[ \t]+(\w+)\s*\([^)]*Twist", re.MULTILINE)


async def deploy_cell(
    runtime: Runtime,
    body: str,
    *,
    first_line: str = "%%twist",
    above: int = 0,
    instance: str = "default",
    options: Mapping[str, Any] | None = None,
    modules: Mapping[str, str] | None = None,
    before: Callable[[UpgradeReport], object] | None = None,
) -> TwistHandle:
    """Deploy the class of a cell; lines are counted as the cell's reader counts them.

    Args:
        runtime: Where to.
        body: The cell without its first line.
        first_line: That line, to be shown with an error.
        above: Empty lines above the first one.
        instance: See `Runtime.deploy`; so are the others.
        options: What the twist finds in `self.options`.
        modules: Source texts that the twist can import, by name.
        before: See `Runtime.deploy`.

    Raises:
        DeployError: If it is not deployed. IPython shows it by the line at fault.
        MagicError: If an argument is wrong, or no sandbox can start.
    """
    source = await _source(body, above)
    with _shown_in_place(source, [*[""] * above, first_line]):
        return await runtime.deploy(source, instance, options, modules, filename=label(body), before=before)


async def check_cell(
    runtime: Runtime,
    body: str,
    *,
    first_line: str,
    above: int,
    instance: str,
    options: Mapping[str, Any] | None,
    modules: Mapping[str, str] | None,
) -> UpgradeReport | None:
    """What deploying a cell would break; nothing is deployed. Arguments and errors as for `deploy_cell`."""
    source = await _source(body, above)
    with _shown_in_place(source, [*[""] * above, first_line]):
        return await runtime.check_upgrade(source, instance, options, modules)


async def _source(body: str, above: int) -> str:
    if not body.strip():
        raise MagicError("the cell is empty: write a class that extends Twist below %%twist")
    await sandbox_compiled()
    return "\n" * (above + 1) + body


@contextmanager
def _shown_in_place(source: str, head: list[str]) -> Iterator[None]:
    """Show what is wrong with a source by the line at fault."""
    try:
        yield
    except DeployError as error:
        shorten(error, _place(error, source, head))
        raise
    except (TypeError, ValueError) as error:
        raise MagicError(str(error)) from None


def label(body: str) -> str:
    """What tracebacks call a cell: by its class, since its number changes whenever it is run again."""
    names = _TWIST_CLASS.findall(body) or _CLASS.findall(body)
    return f"%%twist {names[-1]}" if names else "%%twist"


def defines(body: str, name: str) -> bool:
    """Whether a cell has a class statement of that name; what a sandbox says of it alone binds no name."""
    return re.search(rf"^[ \t]*class[ \t]+{re.escape(name)}\b", body, re.MULTILINE) is not None


def _place(error: DeployError, source: str, head: list[str]) -> str:
    lines = source.split("\n")
    lines[: len(head)] = head
    if error.line is not None and 1 <= error.line <= len(lines):
        return excerpt(lines, {error.line}, column=_column(source, error.line))
    # No line is at fault where there is no twist, or two: then it is about these.
    classes = {source.count("\n", 0, match.start()) + 1 for match in _CLASS.finditer(source)}
    return excerpt(lines, classes or {len(head)}, around=0)


def _column(source: str, line: int) -> int | None:
    """Where this Python sees a syntax error in that line; the sandbox says the line only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "<cell>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return error.offset if error.lineno == line else None
        except (ValueError, RecursionError, MemoryError):
            return None
    return None
