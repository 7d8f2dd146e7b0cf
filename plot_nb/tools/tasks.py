"""The host side of tasks (SPEC 7): a callback queued as an execution of its own."""

from __future__ import annotations

from typing import Any

from plot_nb.tools.callbacks import find, method_of
from plot_nb.tools.operation import Context, Operation


def _run(context: Context, arguments: tuple[str]) -> None:
    callback = find(context, arguments[0])
    context.queue_task(callback.token, callback.method, callback.args)


OPERATIONS: dict[str, Operation[Any]] = {
    "run": Operation(tuple[str], method_of, _run),
}
