"""The runtime's clock. All times inside the engine are whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a new runtime's virtual clock stands."""

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(span: timedelta) -> int:
    """A span as whole microseconds, exactly."""
    return span // _MICROSECOND


def to_microseconds(moment: datetime) -> int:
    """An aware moment as microseconds since 1970."""
    return (moment - _UNIX) // _MICROSECOND


def to_datetime(moment: int) -> datetime:
    """Microseconds since 1970 as an aware moment in UTC."""
    return _UNIX + timedelta(microseconds=moment)


class Clock(Protocol):
    """What time it is; microseconds since 1970, UTC, never less than before."""

    @property
    def now(self) -> int:
        """The time."""

    @property
    def runs_by_itself(self) -> bool:
        """Whether time passes while nobody awaits anything."""

    def move_to(self, moment: int) -> int:
        """Come to a moment; returns the microseconds that are left until then, zero if it has come."""


class VirtualClock:
    """A clock that moves only when told to, and never back."""

    runs_by_itself = False

    def __init__(self, now: int | None = None) -> None:
        self.now = to_microseconds(EPOCH) if now is None else now

    def move_to(self, moment: int) -> int:
        """Move forward; the moment has come then.

        Raises:
            ValueError: If `moment` has passed.
        """
        if moment < self.now:
            raise ValueError(f"time cannot go back (from {to_datetime(self.now)} to {to_datetime(moment)})")
        self.now = moment
        return 0


class RealClock:
    """The wall clock; where the state was written later than that, it stands until the wall has caught up.

    Args:
        latest: The latest moment in the state.
        read: Nanoseconds since 1970.
    """

    runs_by_itself = True

    def __init__(self, latest: int | None = None, read: Callable[[], int] = time.time_ns) -> None:
        self._latest = latest or 0
        self._read = read

    @property
    def now(self) -> int:
        """The time."""
        self._latest = max(self._latest, self._read() // 1000)
        return self._latest

    def move_to(self, moment: int) -> int:
        """How long it is until then."""
        return max(0, moment - self.now)
