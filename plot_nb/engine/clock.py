"""The runtime's clock. All times inside the engine are whole microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


class VirtualClock:
    """A clock that moves only when told to, and never back."""

    def __init__(self, now: int | None = None) -> None:
        self.now = to_microseconds(EPOCH) if now is None else now

    def move_to(self, moment: int) -> None:
        """Move forward.

        Raises:
            ValueError: If `moment` has passed.
        """
        if moment < self.now:
            raise ValueError(f"time cannot go back (from {to_datetime(self.now)} to {to_datetime(moment)})")
        self.now = moment
