"""How often and how dearly an instance runs, against the rates at which Plot suspends it (SPEC 10).

Pure and deterministic: who counts says what time it is, and time never goes back.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from plot_nb.engine.prices import DOLLAR

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_BUCKETS = 300
"""Into how many parts a window of executions is divided where the count goes beyond its limit."""

_RECENT = 10
"""The pace is that of the latest tenth of a limit: of an hour's burst, not of the idle day before it."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rate: at most so much in any so long.

    Attributes:
        name: How long it is, in words.
        span: The same in microseconds.
        limit: Executions, or picodollars.
        unit: Which of the two.
    """

    name: str
    span: int
    limit: int
    unit: Literal["executions", "$"]

    def amount(self, number: float) -> str:
        """So many executions or picodollars, in words."""
        return f"{number:,.0f} executions" if self.unit == "executions" else f"${number / DOLLAR:,.2f}"

    @property
    def allowance(self) -> str:
        """Its limit, in words."""
        return f"at most {self.amount(self.limit).removesuffix(' executions')}"


WINDOWS = (
    Window("5 minutes", 5 * _MINUTE, 200, "executions"),
    Window("24 hours", 24 * _HOUR, 500, "executions"),
    Window("4 hours", 4 * _HOUR, 5 * DOLLAR, "$"),
    Window("30 days", 30 * _DAY, 20 * DOLLAR, "$"),
)
"""Plot's own (SPEC 10): no setting."""

LONGEST = max(window.span for window in WINDOWS)
"""What is older counts nowhere."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an instance stands in one window.

    Attributes:
        used: Executions or picodollars in it.
        pace: The same a microsecond, of late.
        full_in: Microseconds until it goes over at that pace; 0 where it has, None where it never will.
    """

    window: Window
    used: int
    pace: float
    full_in: int | None


@dataclass(frozen=True, slots=True)
class Entered:
    """A window that has just gone over.

    Attributes:
        used: Executions or picodollars in it.
    """

    window: Window
    used: int


class _Sums:
    """What was added in the last `span`, by buckets: the oldest counts until all of it has passed."""

    def __init__(self, span: int, width: int) -> None:
        self._span = span
        self._width = width
        self._buckets: deque[int] = deque()
        self._amounts: deque[int] = deque()
        self._oldest_passes = sys.maxsize
        self.total = 0

    def add(self, now: int, amount: int) -> None:
        bucket = now // self._width
        if self._buckets and self._buckets[-1] == bucket:
            self._amounts[-1] += amount
        else:
            self._buckets.append(bucket)
            self._amounts.append(amount)
            self._oldest_passes = self.passes(self._buckets[0])
        self.total += amount

    def trim(self, now: int) -> int:
        """Let go of what has passed; returns what is left."""
        while self._oldest_passes <= now:
            self._buckets.popleft()
            self.total -= self._amounts.popleft()
            self._oldest_passes = self.passes(self._buckets[0]) if self._buckets else sys.maxsize
        return self.total

    def newest_first(self) -> Iterator[tuple[int, int]]:
        return zip(reversed(self._buckets), reversed(self._amounts), strict=True)

    def oldest_first(self) -> Iterator[tuple[int, int]]:
        return zip(self._buckets, self._amounts, strict=True)

    def begins(self, bucket: int) -> int:
        return bucket * self._width

    def passes(self, bucket: int) -> int:
        """The moment from which a bucket counts no more."""
        return (bucket + 1) * self._width + self._span

    def clear(self) -> None:
        self._buckets.clear()
        self._amounts.clear()
        self._oldest_passes = sys.maxsize
        self.total = 0


class _Count:
    """A window of executions. The times of the last `limit` of them tell all, but how far it is over."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.entered = False
        self._times: deque[int] = deque(maxlen=window.limit)
        self._sums = _Sums(window.span, window.span // _BUCKETS)

    def is_full(self, now: int) -> bool:
        """Whether one more would be too many."""
        times = self._times
        return len(times) == self.window.limit and times[0] > now - self.window.span

    def add(self, now: int) -> Entered | None:
        """Count one; says so where the one before did not go over, and this one does."""
        before, self.entered = self.entered, self.is_full(now)
        if self.entered:
            for time in self._times if not before else ():
                self._sums.add(time, 1)
            self._sums.add(now, 1)
            self._sums.trim(now)
        elif before:
            self._sums.clear()
        self._times.append(now)
        return Entered(self.window, self.window.limit + 1) if self.entered and not before else None

    def standing(self, now: int) -> Standing:
        limit = self.window.limit
        held = [time for time in self._times if time > now - self.window.span]
        used = max(self._sums.trim(now), limit) if self.entered and len(held) == limit else len(held)
        pace = self._pace(held, now)
        full_in = 0 if used > limit else _until_too_many(held, pace, self.window, now)
        return Standing(self.window, used, pace, full_in)

    def _pace(self, held: list[int], now: int) -> float:
        recent = held[-self.window.limit // _RECENT :]
        return (len(recent) - 1) / (now - recent[0]) if len(recent) > 1 and now > recent[0] else 0.0


def _until_too_many(held: list[int], pace: float, window: Window, now: int) -> int | None:
    """When one more is too many, if they go on to come at a pace, and those that are held leave in their time."""
    left = 0
    for coming in range(1, window.limit + 2) if pace else ():
        passed = coming / pace
        if (coming - 1) / pace >= window.span:
            return None  # the first of those to come has left by then, so it goes on like this for ever
        while left < len(held) and held[left] <= now + passed - window.span:
            left += 1
        if coming + len(held) - left > window.limit:
            return round(passed)
    return None


class _Cost:
    """A window of picodollars, summed by the minute."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._sums = _Sums(window.span, _MINUTE)

    def is_full(self, now: int) -> bool:
        """Whether more was spent than may be: how much an attempt costs is known only when it has ended."""
        return self._sums.trim(now) > self.window.limit

    def add(self, now: int, cost: int) -> Entered | None:
        """Add what one cost; says so where that takes it over."""
        before = self.is_full(now)
        self._sums.add(now, cost)
        used = self._sums.total
        return Entered(self.window, used) if used > self.window.limit and not before else None

    def standing(self, now: int) -> Standing:
        used = self._sums.trim(now)
        pace = self._pace(now)
        full_in = 0 if used > self.window.limit else self._until_too_much(pace, now)
        return Standing(self.window, used, pace, full_in)

    def _pace(self, now: int) -> float:
        spent, since = 0, now
        for bucket, amount in self._sums.newest_first():
            spent, since = spent + amount, self._sums.begins(bucket)
            if spent >= self.window.limit / _RECENT:
                break
        return spent / (now - since) if now > since else 0.0

    def _until_too_much(self, pace: float, now: int) -> int | None:
        """The same as of executions, between the moments at which buckets pass."""
        if not pace:
            return None
        used = self._sums.total
        for bucket, amount in self._sums.oldest_first():
            passes = self._sums.passes(bucket) - now
            needed = (self.window.limit - used) / pace
            if needed < passes:
                return round(needed) if needed < self.window.span else None
            used -= amount
        needed = (self.window.limit - used) / pace
        return round(needed) if needed < self.window.span else None


class Rates:
    """The windows of one instance. What they hold is bounded, however long it runs."""

    def __init__(self, windows: Iterable[Window] = WINDOWS) -> None:
        windows = tuple(windows)
        self._counts = tuple(_Count(window) for window in windows if window.unit == "executions")
        self._costs = tuple(_Cost(window) for window in windows if window.unit == "$")
        self._all: tuple[_Count | _Cost, ...] = (*self._counts, *self._costs)

    def begin(self, now: int) -> list[Entered]:
        """Count an attempt that begins; returns the windows that it takes over their limits."""
        return [entered for each in self._counts if (entered := each.add(now)) is not None]

    def end(self, now: int, cost: int) -> list[Entered]:
        """Count what an attempt cost, in picodollars; returns the same."""
        return [entered for each in self._costs if (entered := each.add(now, cost)) is not None]

    def refuses(self, now: int) -> Window | None:
        """The window that would be over if an attempt began now; None if it may."""
        return next((each.window for each in self._all if each.is_full(now)), None)

    def overspent(self, now: int) -> Window | None:
        """The window in which more was spent than may be."""
        return next((each.window for each in self._costs if each.is_full(now)), None)

    def standings(self, now: int) -> list[Standing]:
        """Where the instance stands in each window."""
        return [each.standing(now) for each in self._all]


def recount(attempts: Iterable[tuple[int, int | None, int]]) -> Rates:
    """The windows of an instance, from its attempts of the longest window in any order.

    Args:
        attempts: Of each, when it began, when it ended (None while it runs), and what it cost.
    """
    rates = Rates()
    moments: list[tuple[int, int | None]] = []
    for started, ended, cost in attempts:
        moments.append((started, None))
        if ended is not None:
            moments.append((ended, cost))
    for moment, spent in sorted(moments, key=lambda each: each[0]):
        if spent is None:
            rates.begin(moment)
        else:
            rates.end(moment, spent)
    return rates


def warning(entered: Entered) -> str:
    """What the journal says of the execution that takes an instance over a limit."""
    window = entered.window
    return (
        f"Plot would suspend this twist here: {window.amount(entered.used)} in {window.name} "
        f"({window.allowance}). Do more in one execution, or spread them over time"
    )


def refusal(window: Window) -> str:
    """Why the next execution of a twist does not begin."""
    if window.unit == "executions":
        return f"one more would be {window.amount(window.limit + 1)} in {window.name} ({window.allowance})"
    return f"more than {window.amount(window.limit)} in {window.name} was spent"
