"""Numbers as people read them."""

from __future__ import annotations

from itertools import pairwise

NOTHING = "—"  # Stands for a number that is not known.


def count(number: float) -> str:
    """`553`, `1000`, `13,604`: digits are grouped where there are five of them or more."""
    number = int(number)
    return f"{number:,}" if abs(number) >= 10_000 else str(number)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 execution`, `27 executions`."""
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def percent(part: float, whole: float) -> str:
    """A share, rounded down, so that 100% means all of it."""
    return f"{int(100 * part / whole) if whole > 0 else 0}%"


def duration(ms: float) -> str:
    """A time in two units at most: `12 ms`, `1.23 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`."""
    if ms < 1:
        return "0 ms" if ms <= 0 else f"{ms:.1g} ms" if ms >= 0.1 else "<0.1 ms"
    if ms < 9.95:
        return f"{ms:.1f}".removesuffix(".0") + " ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return _two_units(round(seconds))


def memory(size: float) -> str:
    """Bytes as `812 B`, `3.4 KB`, `38 MB`; a KB is 1024 bytes, as the limits count."""
    for unit in ("B", "KB", "MB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.5 else f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GB"


def ticks(span_ms: float, wanted: int = 4) -> list[float]:
    """Round times from zero up to a span, about as many as wanted."""
    step = next((step for step in _STEPS if span_ms / step <= wanted), _STEPS[-1])
    while span_ms / step > 2 * wanted:
        step *= 10
    return [step * index for index in range(int(span_ms / step) + 1)]


def tick(ms: float) -> str:
    """The label of a round time: `0`, `500 ms`, `20 s`, `2 h`."""
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if ms >= size:
            return f"{ms / size:g} {unit}"
    return f"{ms:g} ms" if ms else "0"


def _two_units(seconds: int) -> str:
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    for (unit, size), (lower, lower_size) in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            rest //= lower_size
            return f"{whole} {unit} {rest} {lower}" if rest else f"{whole} {unit}"
    return f"{seconds} s"


_STEPS = [
    *(float(digit * 10**power) for power in range(4) for digit in (1, 2, 5)),
    *(10_000.0, 20_000.0, 30_000.0),
    *(60_000.0 * minutes for minutes in (1, 2, 5, 10, 20, 30)),
    *(3_600_000.0 * hours for hours in (1, 2, 4, 6, 12)),
    *(86_400_000.0 * days for days in (1, 2, 5, 10, 20, 50, 100)),
]
