"""When what is old is dropped."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from plot_nb.engine.clock import microseconds
from plot_nb.engine.rates import LONGEST

if TYPE_CHECKING:
    from plot_nb.backend.sqlite import SqliteBackend

_SHARE = 10
"""It is looked for old things each time that a tenth of the span to keep has passed: one in ten is kept too long."""


class Retention:
    """Has old executions and replaced values dropped as time passes.

    Args:
        keeper: Who has them.
        keep: How long they are kept on the runtime's clock; None for ever.
    """

    def __init__(self, keeper: SqliteBackend, keep: timedelta | None) -> None:
        self._keeper = keeper
        self._keep = None if keep is None else microseconds(keep)
        self._next = sys.maxsize if keep is None else 0

    def at(self, now: int) -> None:
        """It is now so late."""
        if now < self._next or self._keep is None:
            return
        self._keeper.drop_before(now - self._keep, now - LONGEST)
        self._next = now + max(1, self._keep // _SHARE)
