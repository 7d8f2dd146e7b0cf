"""How much memory the guest has come to use."""

from __future__ import annotations

NEAR_LIMIT_BYTES = 2 * 2**20


class Gauge:
    """Measures the size of the guest's linear memory, which never shrinks: its peak."""

    def measure(self) -> int | None:
        """Bytes, or None where this cannot be known."""
        return None
