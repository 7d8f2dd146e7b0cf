"""How a sync gets on: what the writes of one Store key say of it."""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from plot_nb.journal import frames
from plot_nb.journal.frames import PROGRESS_COLUMNS, decoded
from plot_nb.journal.instances import Instances
from plot_nb.journal.reader import id_list, rows
from plot_nb.journal.wire import ProgressRows, milliseconds, shortened

if TYPE_CHECKING:
    import pandas as pd

ROWS = 800
"""Rows that are given at once: the newest."""

COLUMNS = ("items", "rate", "requests_per_item", "left_ms")
"""What `Run.progress` adds to the value's own entries."""

_COUNTS = (
    "processed",
    "done",
    "synced",
    "completed",
    "imported",
    "fetched",
    "count",
    "items",
    "total",
    "offset",
)
"""Parts of names that a count of items has, those first that mean nothing else."""

_EXPECTED = frozenset({"expected", "of", "size", "total", "goal", "target", "all", "available"})
_NO_EXPECTATION = frozenset({"page", "per", "batch", "limit", "chunk"})
_NO_COUNT = frozenset(
    {"time", "timestamp", "stamp", "date", "at", "ts", "ms", "updated", "id", "seed", "version"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")

_WRITES = """
SELECT v.id, v.attempt_id, v.updated, v.version, v.value FROM store_versions v
WHERE v.instance = ? AND v.key = ? AND v.version > ? ORDER BY v.version
"""


@dataclass(slots=True)
class _Entry:
    """What the writes so far say of one entry of the value."""

    last: float
    climbed: float = 0.0
    falls: bool = False

    def take(self, number: float) -> None:
        self.climbed += max(number - self.last, 0.0)
        self.falls = self.falls or number < self.last
        self.last = number


@dataclass(frozen=True, slots=True)
class _Write:
    id: int
    by: int | None
    updated: int
    numbers: Mapping[str, float]


class Counter:
    """Counts the items of a sync, write by write.

    What counts items is told, or found by its name, or is the number that never falls and grows most. A later write
    may show that another entry counts: then all is counted anew.

    Args:
        items: The entry of the value that counts items; unless given, it is found.
        expected: How many items there will be, or the entry that says so.
        before: The value before the first write.
    """

    def __init__(
        self, items: str | None = None, expected: float | str | None = None, before: object = None
    ) -> None:
        self._items = items
        self._expected = expected
        self._before = numbers_of(before)
        self._entries: dict[str, _Entry] = {}
        self._writes: list[_Write] = []
        self._begin()
        self.field: str | None = None
        self.changed_at = 0
        """The write that showed which entry counts."""

    def _begin(self) -> None:
        self.ids: list[int] = []
        self.by: list[int | None] = []
        self.updated: list[int] = []
        self.totals: list[float] = []
        self.items: list[float] = []
        self.rates: list[float | None] = []
        self.left: list[float | None] = []
        self.expected: float | None = None
        self.added: dict[int, float] = {}
        self._since = 0
        self._counted = 0.0

    def take(self, number: int, by: int | None, updated: int, value: object) -> None:
        """One more write; `updated` in microseconds."""
        write = _Write(number, by, updated, numbers_of(value))
        for name, count in write.numbers.items():
            entry = self._entries.get(name)
            if entry is None:
                self._entries[name] = _Entry(count)
            else:
                entry.take(count)
        self._writes.append(write)
        field = self._find_field()
        if field == self.field:
            self._count(write)
            return
        self.field, self.changed_at = field, number
        self._begin()
        for each in self._writes:
            self._count(each)

    def _find_field(self) -> str | None:
        if self._items is not None:
            return self._items
        found = {name: entry for name, entry in self._entries.items() if not _words(name) & _NO_COUNT}
        named = _by_name(name for name, entry in found.items() if entry.climbed)
        if named is not None:
            return named
        climbing = [name for name, entry in found.items() if entry.climbed and not entry.falls]
        if climbing:
            return max(climbing, key=lambda name: found[name].climbed)
        still = _by_name(name for name, entry in found.items() if not entry.falls)
        if still is not None or "" in found:
            return still or ""
        return self.field

    def _count(self, write: _Write) -> None:
        total = None if self.field is None else write.numbers.get(self.field)
        if total is None:
            return
        before = self.totals[-1] if self.totals else self._before.get(self.field or "", 0.0)
        anew = not self.totals or total < before
        items = max(total if total < before else total - before, 0.0)
        if anew:
            self._since, self._counted = write.updated, 0.0
        else:
            self._counted += items
        seconds = (write.updated - self._since) / 1e6
        rate = self._counted / seconds if seconds > 0 else None
        self.expected = self._expectation(write.numbers, total)
        self.ids.append(write.id)
        self.by.append(write.by)
        self.updated.append(write.updated)
        self.totals.append(total)
        self.items.append(items)
        self.rates.append(rate)
        left = None if self.expected is None else max(self.expected - total, 0.0)
        self.left.append(0.0 if left == 0 else left / rate * 1000 if left is not None and rate else None)
        if write.by is not None:
            self.added[write.by] = self.added.get(write.by, 0.0) + items

    def _expectation(self, numbers: Mapping[str, float], total: float) -> float | None:
        if isinstance(self._expected, str):
            return numbers.get(self._expected)
        if self._expected is not None:
            return float(self._expected)
        for name, number in numbers.items():
            words = _words(name)
            if (
                name != self.field
                and number >= total > 0
                and words & _EXPECTED
                and not words & _NO_EXPECTATION
            ):
                return number
        return None

    def requests_per_item(self, place: int, requests: Mapping[int, int]) -> float | None:
        """What an item cost in the execution of a row; None while it runs."""
        by = self.by[place]
        spent = None if by is None else requests.get(by)
        added = 0.0 if by is None else self.added[by]
        return spent / added if spent is not None and added > 0 else None


class Tracker:
    """Follows the writes of a key, for a picture that is live. One thread at a time may use it.

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
        self.key = key
        self._instance = instance
        self._attempts = attempts
        self._items, self._given = items, expected
        self._counter: Counter | None = None
        self._version = 0
        self._before: object = None
        self._requests: dict[int, int] = {}
        self._unfinished: set[int] = set()
        self._late = 0
        self._shown_key = key

    def begin_late(self, after: int) -> None:
        """Have the next rows be all rows, for who has those up to a write, but none of this key."""
        self._late = after + 1

    def climbs(self, steps: int) -> bool:
        """Whether its writes so far count upwards, at least so many times."""
        totals = self._counter.totals if self._counter is not None else []
        return len(set(totals)) >= steps and totals == sorted(totals)

    def read(self, connection: sqlite3.Connection) -> None:
        """Take what was written since."""
        if not self._version:
            self._shown_key = Instances(connection).mask(self._instance)(self.key) or ""
        found = connection.execute(_WRITES, (self._instance, self.key, self._version)).fetchall()
        for write, by, updated, version, text in found:
            self._version = version
            value = decoded(text)[1]
            if not self._covers(by):
                self._before = value if self._counter is None else self._before
                continue
            if self._counter is None:
                self._counter = Counter(self._items, self._given, self._before)
            self._counter.take(write, by, updated, value)
            if by is not None:
                self._unfinished.add(by)
        if self._unfinished:
            ended = connection.execute(
                "SELECT id, requests FROM attempts WHERE id IN (SELECT value FROM json_each(?))"
                " AND outcome IS NOT NULL",
                (id_list(self._unfinished),),
            ).fetchall()
            self._requests.update(ended)
            self._unfinished.difference_update(attempt for attempt, _ in ended)

    def _covers(self, by: int | None) -> bool:
        if self._attempts is None:
            return True
        place = bisect_right(self._attempts, by or 0)
        return by is not None and place > 0 and self._attempts[place - 1] == by

    def rows(self, after: int, to: int, ended: Collection[int], origin: int) -> ProgressRows:
        """The rows of writes after one and up to another, and again those by attempts that have ended since."""
        counter = self._counter or Counter()
        if after < max(counter.changed_at, self._late):
            after, self._late = 0, 0
        first = bisect_right(counter.ids, after)
        last = bisect_right(counter.ids, to)
        places = list(range(max(first, last - ROWS), last))
        if ended:
            places = [place for place in range(min(first, last)) if counter.by[place] in ended][
                -ROWS:
            ] + places
        return self._columns(places, origin)

    def sample(self, most: int, origin: int) -> ProgressRows:
        """All rows; of more than `most` some between the first and the last."""
        total = len(self._counter.ids) if self._counter else 0
        if total <= most:
            return self._columns(range(total), origin)
        return self._columns([place * (total - 1) // (most - 1) for place in range(most)], origin)

    def _columns(self, places: Sequence[int], origin: int) -> ProgressRows:
        counter = self._counter or Counter()
        return {
            "key": self._shown_key,
            "field": counter.field or "",
            "expected": counter.expected,
            "id": [counter.ids[place] for place in places],
            "by": [counter.by[place] for place in places],
            "updated": [milliseconds(counter.updated[place], origin) for place in places],
            "items": [shortened(counter.items[place]) for place in places],
            "total": [shortened(counter.totals[place]) for place in places],
            "rate": [_short(counter.rates[place]) for place in places],
            "requests_per_item": [
                _short(counter.requests_per_item(place, self._requests)) for place in places
            ],
            "left_ms": [_short(counter.left[place], 0) for place in places],
        }


def rates(
    frame: pd.DataFrame,
    items: str | None = None,
    expected: float | str | None = None,
    *,
    before: object = None,
) -> pd.DataFrame | None:
    """What a frame of `Run.progress` says of the sync; None where no entry of its value counts items.

    Args:
        frame: One row a write.
        items: The entry of the value that counts items; unless given, it is found.
        expected: How many items there will be, or the entry that says so.
        before: The value before the first write.

    Returns:
        One row a write, with the frame's index: items, total, rate (items a second), requests_per_item, left_ms.

    Raises:
        ValueError: If an entry is named that no value has.
    """
    import pandas as pd

    if not len(frame):
        return None
    names = [name for name in frame.columns if name not in PROGRESS_COLUMNS and name not in _added(frame)]
    for given in (items, expected):
        if isinstance(given, str) and given not in names:
            raise ValueError(f"no value has an entry {given!r}: there are {', '.join(names) or 'none'}")
    counter = Counter(items, expected, before)
    attempts = {
        pair: number for number, pair in enumerate(zip(frame["execution"], frame["attempt"], strict=True))
    }
    by = [attempts[pair] for pair in zip(frame["execution"], frame["attempt"], strict=True)]
    single = names == ["value"]
    columns = [
        frame[name].tolist() for name in names
    ]  # of Python's own numbers, which a frame's rows are not
    for place, row in enumerate(zip(*columns, strict=True)):
        value = row[0] if single else {n: v for n, v in zip(names, row, strict=True) if v is not pd.NA}
        counter.take(place + 1, by[place], int(frame["updated"].iloc[place].value // 1000), value)
    if not counter.ids:
        return None
    ended = frame["outcome"] != "running"
    requests = {
        by[place]: int(frame["requests"].iloc[place]) for place in range(len(by)) if ended.iloc[place]
    }
    found = pd.DataFrame(
        {
            "items": counter.items,
            "total": counter.totals,
            "rate": counter.rates,
            "requests_per_item": [
                counter.requests_per_item(place, requests) for place in range(len(counter.ids))
            ],
            "left_ms": counter.left,
        },
        index=frame.index[[write - 1 for write in counter.ids]],
        dtype="float64",
    ).reindex(frame.index)
    for name in ("items", "total"):
        if (found[name].dropna() % 1 == 0).all():
            found[name] = found[name].astype("Int64")
    return found


def progress(
    path: Path,
    key: str,
    *,
    instance: int,
    attempts: Sequence[int] | None = None,
    items: str | None = None,
    expected: float | str | None = None,
) -> pd.DataFrame:
    """One row per write of a key, as `frames.progress` gives it, and beside it what that says of the sync."""
    frame = frames.progress(path, key, instance=instance, attempts=attempts)
    return with_rates(frame, items, expected, before=_value_before(path, key, instance, attempts))


def _value_before(path: Path, key: str, instance: int, attempts: Sequence[int] | None) -> object:
    """What the key held when the attempts first wrote it."""
    if attempts is None:
        return None
    found = rows(
        path,
        "SELECT value FROM store_versions WHERE instance = ?1 AND key = ?2 AND version + 1 ="
        " (SELECT min(version) FROM store_versions WHERE instance = ?1 AND key = ?2"
        " AND attempt_id IN (SELECT value FROM json_each(?3)))",
        instance,
        key,
        id_list(attempts),
    )
    return decoded(found[0][0])[1] if found else None


def with_rates(
    frame: pd.DataFrame,
    items: str | None = None,
    expected: float | str | None = None,
    *,
    before: object = None,
) -> pd.DataFrame:
    """The frame and beside it what it says of the sync, as far as it does.

    An entry of the value keeps its name: what is added beside it is then called `progress.items` and so on.
    """
    found = rates(frame, items, expected, before=before)
    if found is not None:
        for name in COLUMNS:
            frame[f"progress.{name}" if name in frame.columns else name] = found[name]
    return frame


def numbers_of(value: object) -> dict[str, float]:
    """The numbers in a value by the names of their entries; by the empty name where it is one itself."""
    entries = value if isinstance(value, dict) else {"": value}
    return {
        name: float(number)
        for name, number in entries.items()
        if isinstance(name, str)
        and isinstance(number, int | float)
        and not isinstance(number, bool)
        and abs(number) < 2**53
    }


def _added(frame: pd.DataFrame) -> frozenset[str]:
    """The columns at its end that `with_rates` has added."""
    last = tuple(str(name) for name in frame.columns[-len(COLUMNS) :])
    plain = tuple(name.removeprefix("progress.") for name in last)
    return frozenset(last if plain == COLUMNS else ())


def _by_name(names: Iterable[str]) -> str | None:
    """The first whose name says that it counts items."""
    names = list(names)
    return next((name for part in _COUNTS for name in names if part in name.lower()), None)


@lru_cache(maxsize=1024)
def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))


def _short(number: float | None, digits: int = 3) -> float | None:
    return None if number is None else shortened(number, digits)
