"""When what is old is dropped."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Protocol

from plot_nb.engine.clock import microseconds

_SHARE = 10
"""It is looked for old things each time that a tenth of the span to keep has passed: one in ten is kept too long."""


class Keeper(Protocol):
    """Who has the rows."""

    def drop_before(self, moment: int) -> None:
        """Drop what ended before a moment."""


class Retention:
    """Has old executions and replaced values dropped as time passes.

    Args:
        keeper: Who has them.
        keep: How long they are kept on the runtime's clock; None for ever.
    """

    def __init__(self, keeper: Keeper, keep: timedelta | None) -> None:
        self._keeper = keeper
        self._keep = None if keep is None else microseconds(keep)
        self._next = sys.maxsize if keep is None else 0

    def at(self, now: int) -> None:
        """It is now so late."""
        if now < self._next or self._keep is None:
            return
        self._keeper.drop_before(now - self._keep)
        self._next = now + max(1, self._keep // _SHARE)
