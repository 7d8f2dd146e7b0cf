"""What stands below the table: errors, the lines that spent the budget, logs, the result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from plot_nb.view.digest import in_order, kind, performed
from plot_nb.view.hostile import block, isolated, line, markup, missing
from plot_nb.view.rows import OVER, SHAPES, axis, bar
from plot_nb.view.style import grid
from plot_nb.view.units import count, counted, duration, percent

if TYPE_CHECKING:
    from plot_nb.view.digest import Attempt, Digest
    from plot_nb.view.tables import RunTables

ERRORS = 5
_TRACEBACK = 3000
_LINES = 12
_LOGS = 120
_LOG_TEXT = 400
_LOG_TOTAL = 14_000
_WARNINGS = 5
_LOUD = ("warning", "error")
_OPEN = 5  # Logs up to which nobody should have to unfold them.


@dataclass(frozen=True, slots=True)
class Failure:
    """Attempts that failed alike."""

    example: Attempt
    attempts: tuple[Attempt, ...]

    @property
    def heading(self) -> str:
        """Who failed, how and where."""
        attempt = self.example
        words = f"{attempt.label} {attempt.method}: {attempt.outcome}"
        if attempt.line is not None:
            words += f" at line {attempt.line}"
        if len(self.attempts) > 1:
            words += f", and {counted(len(self.attempts) - 1, 'more attempt')} alike"
        return words


@dataclass(frozen=True, slots=True)
class LineTotal:
    """What one line of the cell spent."""

    line: int | None
    requests: int
    spent: tuple[tuple[str, int], ...]
    operations: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the logs."""

    label: str
    time: str
    level: str
    line: int | None
    text: str

    @property
    def loud(self) -> bool:
        """Whether it should be seen without being asked for."""
        return self.level in _LOUD


def failures(digest: Digest) -> list[Failure]:
    """What failed, what failed alike together, in the order of their first."""
    groups: dict[tuple[str, str, str, int | None], list[Attempt]] = {}
    for attempt in digest.attempts:
        if attempt.failed:
            groups.setdefault((attempt.method, attempt.outcome, attempt.error, attempt.line), []).append(
                attempt
            )
    return [Failure(group[0], tuple(group)) for group in groups.values()]


def errors(digest: Digest) -> str:
    """Each kind of failure with its traceback."""
    found = failures(digest)
    parts = []
    for failure in found[:ERRORS]:
        traceback = trace(failure.example)
        message = (
            "" if failure.example.error and failure.example.error in traceback else failure.example.error
        )
        heading = f"{_shape(failure.example)} {isolated(failure.heading)}"
        parts.append(
            f'<div class="note e"><p><b class="bad">{heading}</b></p>'
            + (f"<p>{isolated(message)}</p>" if message else "")
            + (f"<pre>{markup(traceback)}</pre>" if traceback else "")
            + "</div>"
        )
    if len(found) > ERRORS:
        parts.append(
            f'<p class="m">{counted(len(found) - ERRORS, "more kind")} of failure in run.executions.</p>'
        )
    return "\n".join(parts)


def trace(attempt: Attempt) -> str:
    """A traceback: its beginning and, where it is long, its end, which says what happened."""
    if missing(attempt.traceback):
        return ""
    text = str(attempt.traceback)
    if len(text) <= _TRACEBACK:
        return block(text, _TRACEBACK).strip("\n")
    half = _TRACEBACK // 2
    left_out = len(text) - 2 * half
    head, tail = block(text[:half], half), block(text[-half:], half)
    return f"{head}\n… ({left_out:,} characters left out)\n{tail}".strip("\n")


def spender(digest: Digest) -> Attempt | None:
    """Whose lines to show: the first that went over its requests, else the heaviest."""
    over = (attempt for attempt in digest.attempts if attempt.over == "requests")
    return next(over, digest.heaviest)


def line_totals(tables: RunTables, digest: Digest, attempt: Attempt) -> list[LineTotal]:
    """Requests of an attempt by the line that made them, the most first."""
    requests = performed(tables)
    if not len(requests):
        return []
    number = requests["execution"].map(digest.numbers)
    mine = requests[(number == attempt.number) & (requests["attempt"] == attempt.attempt)]
    groups: dict[int | None, Counter[tuple[str, str]]] = {}
    for at, tool, operation in zip(mine["line"], mine["tool"], mine["operation"], strict=True):
        groups.setdefault(None if missing(at) else int(at), Counter())[
            line(tool, 40), line(operation, 40)
        ] += 1
    found = [_line_total(at, operations) for at, operations in groups.items()]
    return sorted(found, key=lambda total: (-total.requests, total.line or 0))


def stopped_at(attempt: Attempt, total: LineTotal) -> bool:
    """Whether the request that was one too many was made on this line."""
    return attempt.over == "requests" and total.line is not None and total.line == attempt.line


def shown_lines(attempt: Attempt, found: list[LineTotal]) -> list[LineTotal]:
    """The heaviest lines, and in any case the one where the attempt was stopped."""
    stop = next((total for total in found if stopped_at(attempt, total)), None)
    if stop is None or stop in found[:_LINES]:
        return found[:_LINES]
    return [*found[: _LINES - 1], stop]


def by_line(tables: RunTables, digest: Digest) -> str:
    """The lines of the heaviest attempt as a table; unfolded where the budget was a matter."""
    attempt = spender(digest)
    found = line_totals(tables, digest, attempt) if attempt is not None else []
    if attempt is None or not found:
        return ""
    limit = digest.limits.requests
    rows = []
    shown = shown_lines(attempt, found)
    for total in shown:
        name = "unknown" if total.line is None else f"line {total.line}"
        rows.append(
            f'<tr><td>{name}</td><td class="n">{count(total.requests)}</td>'
            f'<td class="g b" hidden="hidden">{bar(total.spent, limit)}</td>'
            f'<td class="n">{percent(total.requests, limit)}</td>'
            f"<td>{isolated(total.operations)}"
            + (f' <span class="bad">{OVER} stopped here</span>' if stopped_at(attempt, total) else "")
            + "</td></tr>"
        )
    if len(found) > len(shown):
        rest = sum(total.requests for total in found) - sum(total.requests for total in shown)
        rows.append(
            f'<tr class="gap"><td>other lines</td><td class="n">{count(rest)}</td><td colspan="3"></td></tr>'
        )
    matters = (
        attempt.over == "requests" or "requests" in attempt.near or len(digest.attempts) == 1 < len(found)
    )
    summary = (
        f"Requests by line, in {attempt.label} {attempt.method}: {count(attempt.requests)} of {count(limit)}"
    )
    head = (
        f'<th>line</th><th class="n">requests</th>{axis([(0, "0")], f"limit {count(limit)}", "b")}'
        f'<th class="n">of {count(limit)}</th><th>spent on</th>'
    )
    return _folded(summary, grid(head, rows), unfolded=matters)


def log_lines(tables: RunTables, digest: Digest) -> tuple[list[LogLine], int]:
    """The logs that are shown, and how many there are; warnings and errors are the last to be left out."""
    logs = tables.logs.reset_index(drop=True)
    if not len(logs):
        return [], 0
    loud = logs["level"].isin(_LOUD)
    loudest = logs.index[loud][: _LOGS // 4]
    chosen = logs.loc[[*loudest, *logs.index[~loud][: _LOGS - len(loudest)]]]
    begin = pd.to_datetime(tables.executions["started"], utc=True).min() if len(tables.executions) else None
    found: dict[int, LogLine] = {}
    used = 0
    columns = ["execution", "attempt", "time", "level", "line", "text"]
    for place, execution, attempt, time, level, at, text in chosen[columns].itertuples(name=None):
        number = digest.numbers.get(execution)
        shown = LogLine(
            label="" if number is None else f"#{number}" + _again(attempt),
            time=_offset(time, begin),
            level=line(level, 12),
            line=None if missing(at) or int(at) <= 0 else int(at),
            text=block(text, _LOG_TEXT).rstrip("\n"),
        )
        used += len(shown.text) + 60
        if used > _LOG_TOTAL:
            break
        found[place] = shown
    return [found[place] for place in sorted(found)], len(logs)


def warnings(tables: RunTables, digest: Digest) -> str:
    """Warnings and errors of the logs, which no fold may hide."""
    alike: dict[tuple[str, int | None, str], list[LogLine]] = {}
    for entry in log_lines(tables, digest)[0]:
        if entry.loud:
            alike.setdefault((entry.level, entry.line, entry.text), []).append(entry)
    if not alike or len(tables.logs) <= _OPEN:
        return ""
    rows = [
        f"<p>{_level(entries[0])} {_where(entries[0])} {isolated(entries[0].text)}"
        + (f" (and {count(len(entries) - 1)} more alike)" if len(entries) > 1 else "")
        + "</p>"
        for entries in list(alike.values())[:_WARNINGS]
    ]
    return f'<div class="note">{"".join(rows)}</div>'


def logs(tables: RunTables, digest: Digest, *, unfolded: bool = False) -> str:
    """All logs, folded when they are many."""
    found, total = log_lines(tables, digest)
    if not total:
        return '<p class="m">No logs.</p>' if unfolded else ""
    rows = [
        f'<tr class="l"><td class="n">{entry.label}</td><td class="n">{entry.time}</td>'
        f'<td>{_level(entry)}</td><td class="n">{"" if entry.line is None else entry.line}</td>'
        f'<td class="x d">{isolated(entry.text)}</td></tr>'
        for entry in found
    ]
    summary = f"Logs: {counted(total, 'line')}" + (f", {digest.alarms}" if digest.alarms else "")
    rest = f'<p class="m">{count(total - len(found))} more in run.logs.</p>' if total > len(found) else ""
    head = '<th class="n">#</th><th class="n">time</th><th>level</th><th class="n">line</th><th>text</th>'
    return _folded(summary, grid(head, rows, wide=True) + rest, unfolded=unfolded or total <= _OPEN)


def result_text(tables: RunTables) -> str:
    """The first execution's result; empty where it returned nothing."""
    text = block(tables.value, 2000)
    return "" if text == "None" else text


def result(tables: RunTables) -> str:
    """What the first execution returned, where it returned something."""
    text = result_text(tables)
    if not text:
        return ""
    if "\n" in text or len(text) > 200:
        return f"<p>Result:</p><pre>{markup(text)}</pre>"
    return f"<p>Result: <code>{isolated(text)}</code></p>"


def _folded(summary: str, body: str, *, unfolded: bool) -> str:
    return f"<details{' open' if unfolded else ''}><summary>{markup(summary)}</summary>{body}</details>"


def _line_total(at: int | None, operations: Counter[tuple[str, str]]) -> LineTotal:
    spent: Counter[str] = Counter()
    for (tool, _), number in operations.items():
        spent[kind(tool)] += number
    shown = [f"{tool}.{operation} {count(number)}" for (tool, operation), number in operations.most_common(4)]
    if len(operations) > 4:
        shown.append("…")
    return LineTotal(at, operations.total(), in_order(spent), ", ".join(shown))


def _again(attempt: Any) -> str:
    """The number of an attempt; the runtime's own notices belong to none."""
    return "" if missing(attempt) or attempt == 1 else f".{attempt}"


def _offset(time: Any, begin: pd.Timestamp | None) -> str:
    if begin is None or missing(time):
        return ""
    return f"+{duration((pd.to_datetime(time, utc=True) - begin) / pd.Timedelta(milliseconds=1))}"


def _level(entry: LogLine) -> str:
    if entry.level == "error":
        return f'<span class="bad">{SHAPES["error"]} error</span>'
    if entry.level == "warning":
        return '<span class="near"><i>▲</i> warning</span>'
    return markup(entry.level)


def _where(entry: LogLine) -> str:
    return entry.label + (f" line {entry.line}:" if entry.line is not None else ":")


def _shape(attempt: Attempt) -> str:
    return OVER if attempt.over else SHAPES.get(attempt.outcome, "○")
