"""A serverless runtime for twists inside a notebook: isolated, metered, durable, and drawn so that you can see why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plot_nb.engine.limits import Latency, Limits
from plot_nb.engine.prices import Prices
from plot_nb.errors import (
    ActivityNotFound,
    DeployError,
    ExecutionFailed,
    MethodNotFound,
    PlotError,
    RetryRefused,
    RuntimeClosed,
    RuntimeOwned,
    TwistInactive,
)
from plot_nb.runtime import Run, Runtime, TwistHandle, current
from plot_nb.twist import (
    UNDEFINED,
    Activity,
    ActivityType,
    Network,
    Note,
    Plot,
    Tool,
    Twist,
    Url,
    Uuid,
    WebhookRequest,
    fetch,
    now,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = [
    "UNDEFINED",
    "Activity",
    "ActivityNotFound",
    "ActivityType",
    "DeployError",
    "ExecutionFailed",
    "Latency",
    "Limits",
    "MethodNotFound",
    "Network",
    "Note",
    "Plot",
    "PlotError",
    "Prices",
    "RetryRefused",
    "Run",
    "Runtime",
    "RuntimeClosed",
    "RuntimeOwned",
    "Tool",
    "Twist",
    "TwistHandle",
    "TwistInactive",
    "Url",
    "Uuid",
    "WebhookRequest",
    "current",
    "fetch",
    "now",
]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext plot_nb` calls."""
    from plot_nb.notebook import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What `%unload_ext plot_nb` calls."""
    from plot_nb.notebook import unload

    unload(shell)


def __dir__() -> list[str]:
    return sorted([*__all__, "load_ipython_extension", "unload_ipython_extension"])
