"""Attempts as rows of a table that draws itself: the budget as a bar, the time as a lane.

The numbers are text in cells of their own. Cells with a picture are `hidden` until the style that comes along
shows them, so what a sanitizer leaves, which takes both picture and style, is a plain table.
Positions are percentages: the picture takes the width there is and its text keeps its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plot_nb.view.hostile import isolated, markup
from plot_nb.view.style import grid
from plot_nb.view.units import NOTHING, count, counted, duration, memory, percent, tick, ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    from plot_nb.view.digest import Attempt, Digest, Selection

HEIGHT = 24
_MIDDLE = HEIGHT / 2
_FULL = 99.5  # Where the limit's line stands, so that all of it is seen.
_LAST_TICK = 0.6  # Of the span: behind it there is room only for the end's own label.
_LEAST = 0.8  # What is there is seen.
_SPAN = 95  # Where the run ends, so that a mark fits behind it.

TOOL_CLASS = {
    "store": "ks",
    "network": "kn",
    "callbacks": "kc",
    "tasks": "kt",
    "plot": "kp",
    "other": "ko",
}
SHAPES = {"ok": "✓", "running": "▸", "error": "✕", "crashed": "✕", "cancelled": "○", "suspended": "Ⅱ"}
OVER = "■"
NEAR = "▲"


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cell: Callable[[int], str]


def attempts(digest: Digest, selection: Selection, *, budget: bool = True, chain: bool = True) -> str:
    """The table of a run's attempts.

    Args:
        digest: The run.
        selection: Which of them.
        budget: With requests, CPU and memory.
        chain: With times and what set off what.
    """
    columns = [*_naming(digest)]
    lanes = _Lanes(digest, selection)
    if budget:
        columns += _budget(digest, selection)
    if chain:
        columns += [] if budget else [_Column('<th class="n">from</th>', lambda place: _cause(digest, place))]
        columns += _chain(digest, selection, lanes)
    rows = []
    before = -1
    for place in selection.rows:
        if place > before + 1:
            rows.append(_gap(digest.attempts[before + 1 : place], len(columns)))
        rows.append("<tr>" + "".join(column.cell(place) for column in columns) + "</tr>")
        before = place
    head = "".join(column.head for column in columns)
    title = "Executions" if selection.complete else "Executions worth a look"
    if budget and selection.complete:
        title += legend(digest)
    return grid(head, rows, caption=title, wide=True, step=lanes.step)


def axis(marks: list[tuple[float, str]], end: str, kind: str, share: float = 100) -> str:
    """The head of a drawn column: words at percentages of its width, the last one at its end."""
    words = " ".join(f'<span style="left:{_p(at)}">{markup(text)}</span>' for at, text in marks)
    last = f'<span style="left:{_p(share)}">{markup(end)}</span>'
    return f'<th class="g {kind}" hidden="hidden"><span class="ax">{words} {last}</span></th>'


def legend(digest: Digest) -> str:
    """What the colours of the bars are, with the run's total of each."""
    return "".join(
        f' <span class="s"><i class="{TOOL_CLASS[name]}"></i>{markup(name)} {count(number)}</span>'
        for name, number in digest.spent
    )


def outcome(attempt: Attempt, *, where: bool = True) -> str:
    """An outcome in shape, words and colour; `where` adds the line of the cell that it happened at."""
    shape = OVER if attempt.over else SHAPES.get(attempt.outcome, "○")
    kind = "bad" if attempt.failed else "ok" if attempt.outcome == "ok" else "run-s"
    if kind == "ok":
        return '<span class="ok">✓</span> ok'
    at = f" line {attempt.line}" if where and attempt.failed and attempt.line is not None else ""
    return f'<span class="{kind}">{shape} {markup(attempt.outcome)}</span>{at}'


def bar(spent: tuple[tuple[str, int], ...], limit: int, *, over: bool = False, near: bool = False) -> str:
    """Requests against their limit, which is the line at the right."""
    parts, used = [], 0.0
    total = sum(number for _, number in spent)
    scale = max(_FULL * min(total / limit, 1), _LEAST) / max(total, 1)
    for name, number in spent:
        share = scale * number
        parts.append(
            f'<rect class="{TOOL_CLASS[name]}" x="{_p(used)}" y="7" width="{_p(share)}" height="10"/>'
        )
        used += share
    if over or near:
        kind = "out" if over else "out w"
        parts.append(f'<rect class="{kind}" x="0" y="4.5" width="{_p(used)}" height="15"/>')
    return (
        f'<svg width="100%" height="{HEIGHT}" aria-hidden="true">'
        f'{"".join(parts)}<line class="lim" x1="{_p(_FULL)}" x2="{_p(_FULL)}" y2="{HEIGHT}"/></svg>'
    )


def _naming(digest: Digest) -> list[_Column]:
    attempts = digest.attempts
    return [
        _Column('<th class="n">#</th>', lambda place: _number(attempts[place])),
        _Column("<th>method</th>", lambda place: _method(attempts[place])),
        _Column("<th>outcome</th>", lambda place: f"<td>{outcome(attempts[place])}</td>"),
    ]


def _budget(digest: Digest, selection: Selection) -> list[_Column]:
    attempts, limits = digest.attempts, digest.limits
    columns = [
        _Column(
            '<th class="n">requests</th>',
            lambda place: f'<td class="n">{count(attempts[place].requests)}</td>',
        ),
        _Column(
            axis([(0, "0")], f"limit {count(limits.requests)}", "b"),
            lambda place: _bar_cell(attempts[place], limits.requests),
        ),
        _Column(
            f'<th class="n">of {count(limits.requests)}</th>',
            lambda place: _marked(
                attempts[place], "requests", percent(attempts[place].requests, limits.requests)
            ),
        ),
        _Column(
            '<th class="n">CPU</th>',
            lambda place: _marked(attempts[place], "cpu", duration(attempts[place].cpu_ms)),
        ),
    ]
    if any(attempts[place].memory is not None for place in selection.rows):
        columns.append(
            _Column(
                '<th class="n">memory</th>',
                lambda place: _marked(attempts[place], "memory", _memory(attempts[place])),
            )
        )
    return columns


def _chain(digest: Digest, selection: Selection, lanes: _Lanes) -> list[_Column]:
    attempts = digest.attempts
    columns = [
        _Column(
            '<th class="n">started</th>',
            lambda place: f'<td class="n">+{duration(attempts[place].start)}</td>',
        ),
        _Column(
            '<th class="n">took</th>',
            lambda place: _marked(attempts[place], "time", _took(attempts[place])),
        ),
    ]
    if len(selection.rows) > 1:
        columns.append(_Column(lanes.head(), lanes.cell))
    return columns


class _Lanes:
    """A lane for each row: waiting as a thin line, running as a bar, and a stem from what set it off."""

    def __init__(self, digest: Digest, selection: Selection) -> None:
        self._attempts = digest.attempts
        self._span = digest.span
        self._places = selection.rows
        self._order = {place: row for row, place in enumerate(selection.rows)}
        self._stems: dict[int, dict[str, tuple[float, float]]] = {}
        self._ticks = ticks(digest.span)
        for place in selection.rows:
            self._trace(place)

    @property
    def step(self) -> str:
        """The distance of the grid's lines."""
        return self._x(self._ticks[1]) if len(self._ticks) > 1 else "101%"

    def head(self) -> str:
        marks = [(_SPAN * ms / self._span, tick(ms)) for ms in self._ticks if ms <= _LAST_TICK * self._span]
        return axis(marks, duration(self._span), "c", _SPAN)

    def cell(self, place: int) -> str:
        attempt = self._attempts[place]
        stems = "".join(
            f'<line x1="{x}" x2="{x}" y1="{top:g}" y2="{bottom:g}"/>'
            for x, (top, bottom) in self._stems.get(place, {}).items()
        )
        if place in self._order and attempt.queued is not None and attempt.queued < attempt.start:
            stems += (
                f'<line x1="{self._x(attempt.queued)}" x2="{self._x(attempt.start)}"'
                f' y1="{_MIDDLE:g}" y2="{_MIDDLE:g}"/>'
            )
        lane = f'<g class="arr">{stems}</g>' if stems else ""
        kind = "run f" if attempt.failed else "run"
        length = max(attempt.end - attempt.start, 0.001 * self._span)
        lane += (
            f'<rect class="{kind}" x="{self._x(attempt.start)}" y="7" '
            f'width="{_p(_SPAN * length / self._span)}" height="10"/>'
        )
        if attempt.failed:
            lane += f'<svg x="{self._x(attempt.end)}" overflow="visible">{_marker(attempt)}</svg>'
        drawn = f'<svg width="100%" height="{HEIGHT}" aria-hidden="true">{lane}</svg>'
        return f'<td class="g c" hidden="hidden" title="{markup(self._told(attempt))}">{drawn}</td>'

    def _trace(self, place: int) -> None:
        """Note the stem from its cause down to this row, in every row between."""
        attempt = self._attempts[place]
        if attempt.queued is None or attempt.cause_row is None:
            return
        above = self._order.get(attempt.cause_row)
        here = self._order[place]
        if above is None or above >= here:
            return
        x = self._x(attempt.queued)
        for row in range(above, here + 1):
            top = 17 if row == above else 0
            bottom = _MIDDLE if row == here else HEIGHT
            stems = self._stems.setdefault(self._places[row], {})
            known = stems.get(x, (top, bottom))
            stems[x] = (min(known[0], top), max(known[1], bottom))

    def _x(self, ms: float) -> str:
        return _p(_SPAN * ms / self._span)

    def _told(self, attempt: Attempt) -> str:
        words = f"{attempt.label} {attempt.method}: {duration(attempt.start)} to {duration(attempt.end)}"
        if attempt.queued is not None and attempt.start > attempt.queued:
            words += f", waited {duration(attempt.start - attempt.queued)}"
        return words


def _number(attempt: Attempt) -> str:
    return f'<td class="n" title="execution {markup(attempt.id)}">{attempt.number}</td>'


def _method(attempt: Attempt) -> str:
    again = f" attempt {attempt.attempt}" if attempt.attempt > 1 else ""
    return f"<td>{isolated(attempt.method)}{again}</td>"


def _cause(digest: Digest, place: int) -> str:
    row = digest.attempts[place].cause_row
    return f'<td class="n">{"" if row is None else digest.attempts[row].number}</td>'


def _bar_cell(attempt: Attempt, limit: int) -> str:
    told = ", ".join(f"{name} {count(number)}" for name, number in attempt.spent)
    drawn = bar(attempt.spent, limit, over=attempt.over == "requests", near="requests" in attempt.near)
    return f'<td class="g b" hidden="hidden" title="{markup(told)}">{drawn}</td>'


def _marked(attempt: Attempt, what: str, text: str) -> str:
    if attempt.over == what:
        return f'<td class="n"><span class="bad">{OVER} {text}</span></td>'
    if what in attempt.near:
        return f'<td class="n"><span class="near"><i>{NEAR}</i> {text}</span></td>'
    return f'<td class="n">{text}</td>'


def _memory(attempt: Attempt) -> str:
    return NOTHING if attempt.memory is None else memory(attempt.memory)


def _took(attempt: Attempt) -> str:
    return "…" if attempt.outcome == "running" else duration(attempt.end - attempt.start)


def _marker(attempt: Attempt) -> str:
    if attempt.over:
        return '<path class="mb" d="M2 7h10v10h-10z"/>'
    if attempt.outcome == "cancelled":
        return '<circle class="out" cx="7" cy="12" r="4.5"/>'
    return '<path class="out" d="M3 8l8 8m0-8l-8 8"/>'


def _gap(left_out: tuple[Attempt, ...], columns: int) -> str:
    failed = sum(attempt.failed for attempt in left_out)
    words = counted(len(left_out), "more") if len(left_out) == 1 else f"{count(len(left_out))} more"
    words += f", {count(failed)} failed" if failed else ", none failed"
    return f'<tr class="gap"><td class="n">⋯</td><td colspan="{columns - 1}">{words}</td></tr>'


def _p(percentage: float) -> str:
    return f"{percentage:.2f}".rstrip("0").rstrip(".") + "%"
