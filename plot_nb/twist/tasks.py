"""Tasks: executions of their own, each with a fresh budget."""

from __future__ import annotations

from plot_nb.twist.callbacks import check_token
from plot_nb.twist.request import Request
from plot_nb.twist.tool import Tool


class Tasks(Tool):
    """Queues executions."""

    def run(self, callback: str) -> Request[None]:
        """Queue a new execution of a callback's method, first in first out."""
        return Request("tasks.run", [check_token(callback)])
