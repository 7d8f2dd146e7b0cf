"""Exceptions that requests raise in a twist."""

from __future__ import annotations


class RequestLimitExceeded(BaseException):
    """The execution has used up its requests; this one was not performed.

    Not an `Exception`, so that `except Exception` does not hide that the budget is spent.
    """


class CallbackNotFound(Exception):
    """No such callback, or the deployed version lacks its method."""


class CallbackDeleted(Exception):
    """The callback was deleted."""
