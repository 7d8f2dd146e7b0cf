"""Exceptions as they leave the sandbox: the frames of the cell and nothing of ours."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from typing import Any

MESSAGE_LIMIT = 16 * 2**10
TRACEBACK_LIMIT = 64 * 2**10


def failure(error: BaseException, cell: str, files: Collection[str]) -> dict[str, Any]:
    """Describe an exception for the wire.

    Args:
        error: What was raised.
        cell: The file name of the cell.
        files: The file names whose frames are shown: the cell and the modules given at deploy.
    """
    trace = traceback.TracebackException.from_exception(error, max_group_width=15)
    line = _line(error, trace, cell)
    _keep(trace, files, set())
    try:
        message = str(error)
    except BaseException:
        message = "<its message cannot be had: str() of it raises>"
    return {
        "type": type(error).__name__,
        "message": _cut(message, MESSAGE_LIMIT),
        "line": line,
        "traceback": _cut("".join(trace.format()), TRACEBACK_LIMIT),
    }


def _line(error: BaseException, trace: traceback.TracebackException, cell: str) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == cell and isinstance(error.lineno, int):
        # Anybody can raise one, with any line.
        return error.lineno if 0 < error.lineno < 10**9 else None
    lines = [frame.lineno for frame in trace.stack if frame.filename == cell]
    return lines[-1] if lines else None


def _keep(trace: traceback.TracebackException, files: Collection[str], seen: set[int]) -> None:
    if id(trace) in seen:
        return
    seen.add(id(trace))
    trace.stack = traceback.StackSummary.from_list([f for f in trace.stack if f.filename in files])
    for other in (trace.__cause__, trace.__context__, *(trace.exceptions or ())):
        if other is not None:
            _keep(other, files, seen)


def _cut(text: str, limit: int) -> str:
    text = text.encode("utf-8", "backslashreplace").decode() if not text.isascii() else text
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters in all)"
