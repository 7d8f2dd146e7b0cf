"""How a sync gets on: what the writes of one Store key say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Tracker:
    """Follows the writes of a key, for a picture that is live.

    Args:
        key: Which key.
        instance: Whose.
        attempts: By which attempts, ascending, a list that may grow; None: by any, and by hand.
        items: The entry of the value that counts items; unless given, it is found.
        expected: How many items there will be, or the entry that says so.
    """

    def __init__(
        self,
        key: str,
        instance: int,
        *,
        attempts: Sequence[int] | None = None,
        items: str | None = None,
        expected: float | str | None = None,
    ) -> None:
        raise NotImplementedError


def rates(
    frame: pd.DataFrame, items: str | None = None, expected: float | str | None = None
) -> pd.DataFrame | None:
    """What a frame of `Run.progress` says of the sync; None where no entry of its value counts items.

    Returns:
        One row a write: items, total, rate (items a second), requests_per_item, left_ms.
    """
    raise NotImplementedError
