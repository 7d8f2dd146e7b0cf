"""The exceptions that users of the runtime meet, under one root."""

from __future__ import annotations


class PlotError(Exception):
    """The root of all errors that `plot_nb` raises on its own account."""


class DeployError(PlotError):
    """A version was not deployed; the one before it, if any, stays in force.

    Attributes:
        line: The line of the source that is at fault, if one is known.
        detail: The twist's own traceback, or an empty string.
    """

    def __init__(self, message: str, *, line: int | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.detail = detail


class MethodNotFound(PlotError, AttributeError):
    """The deployed version of a twist has no such method."""


class ActivityNotFound(PlotError, LookupError):
    """No twist created such an activity."""


class RuntimeOwned(PlotError):
    """The state file belongs to another running runtime."""


class RuntimeClosed(PlotError):
    """The runtime was closed, or was reset since this handle was made."""


class TwistInactive(PlotError):
    """The twist was deactivated."""


class RetryRefused(PlotError):
    """An execution cannot be tried again: it is unknown, not dead, or its key is taken."""


class ExecutionFailed(PlotError):
    """The first execution of a run ended with another outcome than `ok`.

    Attributes:
        outcome: One of the outcomes of SPEC 11.
        detail: The twist's own traceback, or an empty string.
    """

    def __init__(self, message: str, *, outcome: str, detail: str = "") -> None:
        super().__init__(message)
        self.outcome = outcome
        self.detail = detail
