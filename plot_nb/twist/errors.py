"""Exceptions that requests raise in a twist.

Their module is named so that tracebacks show them by the bare names under which a cell knows them.
"""

from __future__ import annotations


class RequestLimitExceeded(BaseException):
    """The execution has used up its requests; this one was not performed.

    Not an `Exception`, so that `except Exception` does not hide that the budget is spent.
    """

    __module__ = "builtins"


class CallbackNotFound(Exception):
    """No such callback, or the deployed version lacks its method."""

    __module__ = "builtins"


class CallbackDeleted(Exception):
    """The callback was deleted."""

    __module__ = "builtins"
