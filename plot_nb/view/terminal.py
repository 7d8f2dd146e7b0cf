"""A run as text: at most 100 columns, no control characters, bars of block characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plot_nb.view import details, overview
from plot_nb.view.digest import select
from plot_nb.view.hostile import fit, pad, width
from plot_nb.view.rows import NEAR, OVER, SHAPES
from plot_nb.view.units import NOTHING, count, counted, duration, memory, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plot_nb.view.digest import Attempt, Digest
    from plot_nb.view.tables import RunTables

COLUMNS = 100
_BAR = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_LOGS = 20
_TRACEBACK_LINES = 14


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cells: list[str]
    right: bool = True
    most: int = 40


def run(tables: RunTables, digest: Digest) -> str:
    """All of a run."""
    parts = [_heading(digest), _result(tables), _totals(digest), _budget_rows(digest), _spark(digest)]
    parts += [_errors(digest), _by_line(tables, digest)]
    if len(tables.logs):
        parts.append(_logs(tables, digest, _LOGS))
    return _joined(parts)


def budget(tables: RunTables, digest: Digest) -> str:
    """What each execution spent."""
    parts = [
        _heading(digest),
        _totals(digest),
        _budget_rows(digest),
        _spark(digest),
        _by_line(tables, digest),
    ]
    return _joined(parts)


def chain(digest: Digest) -> str:
    """What ran when, and what set it off."""
    return _joined([_heading(digest), _totals(digest), _lanes(digest), _errors(digest)])


def logs(tables: RunTables, digest: Digest, *, most: int) -> str:
    """What was printed and logged."""
    return _joined([_logs(tables, digest, most)]) if len(tables.logs) else "No logs."


def table(columns: Iterable[tuple[str, list[str], bool]], caption: str, note: str) -> str:
    """Cells below their heads; columns that do not fit are left out with a word about it.

    Args:
        columns: Head, cells and whether they stand at the right.
        caption: Above it; may be empty.
        note: Below it; may be empty.
    """
    found = [_Column(head, cells, right) for head, cells, right in columns]
    kept: list[_Column] = []
    used = 0
    for column in found:
        used += _width(column) + 2
        if kept and used - 2 > COLUMNS:
            break
        kept.append(column)
    lines = [fit(caption, COLUMNS)] if caption else []
    lines += _laid(kept)
    if len(kept) < len(found):
        lines.append(fit(f"not shown: {', '.join(column.head for column in found[len(kept) :])}", COLUMNS))
    if note:
        lines.append(fit(note, COLUMNS))
    return "\n".join(lines)


def _heading(digest: Digest) -> list[str]:
    shape = SHAPES["error"] if digest.failed else SHAPES["running"] if digest.running else SHAPES["ok"]
    shape = shape if digest.attempts or not digest.paused else SHAPES["suspended"]
    title = f"{digest.title}: " if digest.title else ""
    lines = _wrapped(f"{title}{digest.headline()}", f"{shape} ", "  ")
    rest = " ".join(part for part in (digest.resources(), *digest.remarks()) if part)
    lines += _wrapped(rest, "  ", "  ") if rest else []
    lines += _wrapped(digest.rate, f"{NEAR} ", "  ") if digest.rate else []
    lines += _wrapped(f"Paused. {digest.paused}", "Ⅱ ", "  ") if digest.paused else []
    return lines


def _result(tables: RunTables) -> list[str]:
    text = details.result_text(tables)
    if not text:
        return []
    shown = [fit(part, COLUMNS - 8) for part in text.split("\n")]
    return ["Result: " + shown[0], *("        " + part for part in shown[1:12])]


def _totals(digest: Digest) -> list[str]:
    if not digest.attempts or select(digest).complete:
        return []
    found = overview.totals(digest)[:20]
    examples = [total.example for total in found]
    limit = digest.limits.requests
    return _laid(
        [
            _Column("method", [example.method for example in examples], right=False, most=24),
            _Column("outcome", [_outcome(example) for example in examples], right=False),
            _Column("attempts", [count(total.attempts) for total in found]),
            _Column("requests", [count(total.requests) for total in found]),
            _Column(
                "most in one", [f"{count(total.most)} ({percent(total.most, limit)})" for total in found]
            ),
            _Column("CPU", [duration(total.cpu_ms) for total in found]),
            _Column("memory", [NOTHING if total.memory is None else memory(total.memory) for total in found]),
        ]
    )


def _budget_rows(digest: Digest) -> list[str]:
    if not digest.attempts:
        return []
    chosen = [digest.attempts[place] for place in select(digest).rows]
    limits = digest.limits
    columns = [
        *_naming(chosen),
        _Column("requests", [count(attempt.requests) for attempt in chosen]),
        _Column(
            f"limit {count(limits.requests)}│".rjust(_BAR + 1),
            [_bar(attempt.requests / limits.requests) + "│" for attempt in chosen],
        ),
        _Column(
            f"of {count(limits.requests)}",
            [_marked(attempt, "requests", percent(attempt.requests, limits.requests)) for attempt in chosen],
        ),
        _Column("CPU", [_marked(attempt, "cpu", duration(attempt.cpu_ms)) for attempt in chosen]),
        _Column(
            "memory",
            [
                NOTHING if attempt.memory is None else _marked(attempt, "memory", memory(attempt.memory))
                for attempt in chosen
            ],
        ),
    ]
    return _with_gaps(digest, _laid(columns))


def _lanes(digest: Digest) -> list[str]:
    if not digest.attempts:
        return []
    places = select(digest).rows
    chosen = [digest.attempts[place] for place in places]
    causes = [
        "" if attempt.cause_row is None else f"#{digest.attempts[attempt.cause_row].number}"
        for attempt in chosen
    ]
    columns = [
        *_naming(chosen),
        _Column("from", causes),
        _Column("started", ["+" + duration(attempt.start) for attempt in chosen]),
        _Column("took", [duration(attempt.end - attempt.start) for attempt in chosen]),
    ]
    room = COLUMNS - sum(_width(column) + 2 for column in columns)
    end = duration(digest.span)
    head = "0" + end.rjust(room - 1)
    columns.append(
        _Column(head, [_lane(attempt, digest.span, room) for attempt in chosen], right=False, most=room)
    )
    return _with_gaps(digest, _laid(columns))


def _spark(digest: Digest) -> list[str]:
    if not digest.attempts or select(digest).complete:
        return []
    size = -(-len(digest.attempts) // (COLUMNS - 2))
    limit = digest.limits.requests
    tops = [
        max(attempt.requests for attempt in digest.attempts[place : place + size])
        for place in range(0, len(digest.attempts), size)
    ]
    bars = "".join(_LEVELS[min(int(len(_LEVELS) * top / limit), len(_LEVELS) - 1)] for top in tops)
    each = "one execution a column" if size == 1 else f"each column the heaviest of {count(size)}"
    return [f"Requests, {each}; full height is the limit {count(limit)}:", f"  {bars}"]


def _errors(digest: Digest) -> list[str]:
    lines: list[str] = []
    found = details.failures(digest)
    for failure in found[: details.ERRORS]:
        attempt = failure.example
        lines.append(fit(f"{_shape(attempt)} {failure.heading}", COLUMNS))
        traceback = details.trace(attempt)
        if not (attempt.error and attempt.error in traceback):
            lines += _wrapped(attempt.error, "  ", "  ") if attempt.error else []
        shown = traceback.split("\n") if traceback else []
        if len(shown) > _TRACEBACK_LINES:
            shown = [*shown[:4], "…", *shown[-_TRACEBACK_LINES + 5 :]]
        lines += [fit("  │ " + part.replace("\t", "    "), COLUMNS) for part in shown[:-1]]
        # The last line is the message, which tells what to do.
        lines += _wrapped(shown[-1], "  │ ", "  │   ")[:6] if shown else []
    if len(found) > details.ERRORS:
        lines.append(f"{counted(len(found) - details.ERRORS, 'more kind')} of failure in run.executions")
    return lines


def _by_line(tables: RunTables, digest: Digest) -> list[str]:
    attempt = details.spender(digest)
    found = details.line_totals(tables, digest, attempt) if attempt is not None else []
    if attempt is None or not found:
        return []
    limit = digest.limits.requests
    lines = [fit(f"Requests by line, in {attempt.label} {attempt.method}:", COLUMNS)]
    for total in details.shown_lines(attempt, found):
        name = "  unknown" if total.line is None else f"  line {total.line}"
        stopped = f"  {OVER} stopped here" if details.stopped_at(attempt, total) else ""
        words = (
            f"{pad(name, 11)} {count(total.requests):>6} of {count(limit)}  {_bar(total.requests / limit)}│"
        )
        lines.append(fit(f"{words}{stopped}  {total.operations}", COLUMNS))
    return lines


def _logs(tables: RunTables, digest: Digest, most: int) -> list[str]:
    found, total = details.log_lines(tables, digest)
    lines = [f"Logs: {counted(total, 'line')}"]
    for entry in found[:most]:
        where = f" line {entry.line}" if entry.line is not None else ""
        mark = f"{SHAPES['error']} " if entry.level == "error" else f"{NEAR} " if entry.loud else "  "
        prefix = f"{mark}{entry.label}{where} {entry.level}: "
        first, *rest = entry.text.replace("\t", "    ").split("\n")
        lines.append(fit(prefix + first, COLUMNS))
        lines += [fit(" " * 6 + part, COLUMNS) for part in rest[:5]]
    if total > min(len(found), most):
        lines.append(f"  {count(total - min(len(found), most))} more in run.logs")
    return lines


def _naming(chosen: list[Attempt]) -> list[_Column]:
    numbers = [
        count(attempt.number) + (f".{attempt.attempt}" if attempt.attempt > 1 else "") for attempt in chosen
    ]
    return [
        _Column("#", numbers),
        _Column("method", [attempt.method for attempt in chosen], right=False, most=18),
        _Column("outcome", [_outcome(attempt) for attempt in chosen], right=False, most=16),
    ]


def _with_gaps(digest: Digest, lines: list[str]) -> list[str]:
    """Say where attempts were left out between two rows."""
    head, *rows = lines
    found = [head]
    before = -1
    for place, row in zip(select(digest).rows, rows, strict=True):
        if place > before + 1:
            found.append(f"  ⋯ {count(place - before - 1)} more")
        found.append(row)
        before = place
    return found


def _outcome(attempt: Attempt) -> str:
    return f"{_shape(attempt)} {attempt.outcome}"


def _shape(attempt: Attempt) -> str:
    return OVER if attempt.over else SHAPES.get(attempt.outcome, "○")


def _marked(attempt: Attempt, what: str, text: str) -> str:
    mark = OVER if attempt.over == what else NEAR if what in attempt.near else ""
    return f"{mark} {text}" if mark else text


def _bar(share: float) -> str:
    eighths = round(min(max(share, 0), 1) * _BAR * 8)
    eighths = max(eighths, 1) if share > 0 else eighths
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR)


def _lane(attempt: Attempt, span: float, room: int) -> str:
    def at(ms: float) -> int:
        return min(int(room * ms / span), room - 1)

    start, end = at(attempt.start), max(at(attempt.end), at(attempt.start) + 1)
    queued = start if attempt.queued is None else min(at(attempt.queued), start)
    bar = _shape(attempt) if attempt.failed else ""
    body = "█" * (end - start - len(bar)) + bar
    return " " * queued + "─" * (start - queued) + body


def _laid(columns: list[_Column]) -> list[str]:
    widths = [_width(column) for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    heads = [pad(column.head, size, right=column.right) for column, size in zip(columns, widths, strict=True)]
    lines = ["  ".join(heads).rstrip()]
    for row in rows:
        cells = [
            pad(cell, size, right=column.right)
            for cell, size, column in zip(row, widths, columns, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(column: _Column) -> int:
    return min(max(map(width, (column.head, *column.cells))), column.most)


def _wrapped(text: str, first: str, indent: str) -> list[str]:
    lines: list[str] = []
    current = first
    for word in text.split(" "):
        if current not in {first, indent} and width(current) + 1 + width(word) > COLUMNS:
            lines.append(current.rstrip())
            current = indent
        current += word if current in {first, indent} else f" {word}"
    return [fit(part, COLUMNS) for part in (*lines, current)]


def _joined(parts: list[list[str]]) -> str:
    return "\n\n".join("\n".join(part) for part in parts if part)
