"""Pictures without a widget: each opens a connection of its own to the kernel, and names its source."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comm.base_comm import BaseComm, CommManager

    from plot_nb.widgets.asks import Answer

TARGET = "plot_nb.picture"


def register(manager: CommManager) -> None:
    """Have a kernel answer pictures."""
    manager.register_target(TARGET, _opened)


def unregister(manager: CommManager) -> None:
    """Have it answer new ones no more."""
    if manager.targets.get(TARGET) is _opened:
        manager.unregister_target(TARGET, _opened)


def _opened(comm: BaseComm, message: dict[str, Any]) -> None:
    # Late: a kernel that shows no picture in a browser needs none of this.
    from plot_nb.widgets.connection import Connection
    from plot_nb.widgets.source import SOURCES

    data = message["content"].get("data")
    source = SOURCES.get(data.get("source") if isinstance(data, dict) else None)
    way = Way(comm.send)
    connection = Connection(source, way.send, keeps=True)

    def hear(message: dict[str, Any]) -> None:
        way.came()
        connection.hear(message["content"].get("data"))

    comm.on_msg(hear)
    comm.on_close(lambda _: connection.close())


class Way:
    """The way back to a browser, from any thread.

    What is sent belongs to the message that came last, as far as Jupyter is concerned: from it ipykernel 7 takes on
    which thread the next one is handled. From a thread of ours alone it would take whatever cell began last.
    """

    def __init__(self, send: Callable[[Answer], None]) -> None:
        self._send = send
        self._context = contextvars.copy_context()

    def came(self) -> None:
        """Note that a message came."""
        self._context = contextvars.copy_context()

    def send(self, answer: Answer) -> None:
        """Send an answer."""
        self._context.copy().run(self._send, answer)
