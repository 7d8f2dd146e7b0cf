"""The runtime's time, as a twist's values hold it."""

from __future__ import annotations

from datetime import UTC, datetime

from plot_nb.twist.wall import current


def now() -> datetime:
    """The runtime's time in UTC, in milliseconds, so that it survives the Store unchanged."""
    current()
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
