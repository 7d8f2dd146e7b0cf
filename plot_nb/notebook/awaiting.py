"""Cells with a magic that runs something are awaited, so that the kernel serves messages meanwhile, and can stop it."""

from __future__ import annotations

import ast
import asyncio
import contextvars
import threading
import warnings
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

AWAITED = frozenset(
    {"call", "run", "advance", "deactivate", "suspend", "resume", "retry", "webhook", "emit", "open", "reset"}
)
"""The commands of `%twist` that run something; the others only show."""


def await_twist(lines: list[str]) -> list[str]:
    """Put `await` before the twist magics that run something.

    An input transformer: IPython has written the magics as calls by now, and has not yet looked for an `await`.
    A cell magic without a body gets an empty line for one: IPython would refuse even its `--help`.
    """
    source = "".join(lines)
    if "_magic('twist'" not in source:
        return lines
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IPython compiles the cell too, and warns then
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return lines  # it is IPython's to say what is wrong
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    edits: list[tuple[int, int, bytes, bytes]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _runs_something(node) and id(node) not in awaited:
            edits.append((node.lineno - 1, node.col_offset, b"get_ipython()", b"await get_ipython()"))
            if len(node.args) == 3:
                body = node.args[2]
                edits.append((body.lineno - 1, body.col_offset, b"'')", b"'\\n')"))
    encoded = [line.encode() for line in source.splitlines(keepends=True)]
    for row, column, old, new in sorted(edits, reverse=True):
        line = encoded[row]
        if line[column:].startswith(old):
            encoded[row] = line[:column] + new + line[column + len(old) :]
    return [line.decode() for line in encoded]


def _runs_something(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    arguments = [each.value if isinstance(each, ast.Constant) else None for each in call.args]
    if arguments[:1] != ["twist"]:
        return False
    if call.func.attr == "run_cell_magic":
        return True
    line = arguments[1] if len(arguments) > 1 else None
    return call.func.attr == "run_line_magic" and isinstance(line, str) and runs_something(line)


def runs_something(line: str) -> bool:
    """Whether `%twist LINE` has to be awaited."""
    return line.split(maxsplit=1)[:1] != [] and line.split(maxsplit=1)[0] in AWAITED


def wait_blocking(work: Coroutine[Any, Any, T]) -> T:
    """The result of what cannot be awaited here; another thread's loop waits for it, since this one's may be busy."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(loop.run_until_complete, _ended(task)), daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    finally:
        loop.close()
    return task.result()


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])
