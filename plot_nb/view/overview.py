"""Runs with more executions than rows: totals by method, and two small charts of all of them.

Each chart is drawn by a few paths that stretch, below text and marks that do not, so its size does not grow
with the run. Charts are `hidden` until their own style shows them: a sanitizer that removes drawing and
style, but keeps words, would else leave the words of the axes behind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plot_nb.view.digest import CLOSE
from plot_nb.view.hostile import isolated, markup
from plot_nb.view.rows import NEAR, OVER, SHAPES, TOOL_CLASS, legend, outcome
from plot_nb.view.style import grid
from plot_nb.view.units import NOTHING, count, duration, memory, percent, tick, ticks

if TYPE_CHECKING:
    from plot_nb.view.digest import Attempt, Digest

SINGLE = 200  # Attempts up to which each is drawn by itself.
_BINS = 160
_METHODS = 20
_TOP, _PLOT, _BOTTOM = 18, 140, 18
_GUTTER = 4.5  # Percent of the width, for the labels of the scale.


@dataclass(frozen=True, slots=True)
class Total:
    """What attempts of one method with one outcome have in common."""

    example: Attempt
    attempts: int
    requests: int
    most: int
    cpu_ms: float
    memory: int | None
    took_ms: float


def totals(digest: Digest) -> list[Total]:
    """Attempts by method and outcome, the most frequent first within good and bad."""
    groups: dict[tuple[str, str], list[Attempt]] = {}
    for attempt in digest.attempts:
        groups.setdefault((attempt.method, attempt.outcome), []).append(attempt)
    found = [
        Total(
            example=group[0],
            attempts=len(group),
            requests=sum(attempt.requests for attempt in group),
            most=max(attempt.requests for attempt in group),
            cpu_ms=sum(attempt.cpu_ms for attempt in group),
            memory=max((attempt.memory for attempt in group if attempt.memory is not None), default=None),
            took_ms=sum(attempt.end - attempt.start for attempt in group) / len(group),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda total: (not total.example.failed, -total.attempts, total.example.method))


def totals_table(digest: Digest) -> str:
    """The totals as a plain table."""
    heads = (
        "method",
        "outcome",
        "attempts",
        "requests",
        "most in one",
        "of the limit",
        "CPU",
        "memory peak",
        "took, mean",
    )
    rows = []
    found = totals(digest)
    for total in found[:_METHODS]:
        share = percent(total.most, digest.limits.requests)
        cells = (
            count(total.attempts),
            count(total.requests),
            count(total.most),
            _flagged(total, digest, share),
            duration(total.cpu_ms),
            NOTHING if total.memory is None else memory(total.memory),
            duration(total.took_ms),
        )
        numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
        status = f"<td>{outcome(total.example, where=False)}</td>"
        rows.append(f"<tr><td>{isolated(total.example.method)}</td>{status}{numbers}</tr>")
    if len(found) > _METHODS:
        rows.append(f'<tr class="gap"><td colspan="9">{count(len(found) - _METHODS)} more</td></tr>')
    head = "".join(f"<th>{name}</th>" for name in heads[:2])
    head += "".join(f'<th class="n">{name}</th>' for name in heads[2:])
    return grid(head, rows, caption="By method" + legend(digest))


def budget_figure(digest: Digest) -> str:
    """A column for each attempt, or for the heaviest of several, against the limit."""
    groups = _groups(digest)
    limit = digest.limits.requests
    paths: dict[str, list[str]] = {}
    marks = _Marks()
    for place, group in enumerate(groups):
        heaviest = max(group, key=lambda attempt: attempt.requests)
        base = 0
        for name, number in heaviest.spent:
            paths.setdefault(name, []).append(f"M{place} {limit - base}v-{number}h.8v{number}z")
            base += number
        if flagged := next((attempt for attempt in group if attempt.over == "requests"), None):
            marks.over(_x((place + 0.4) / len(groups)), _y(flagged.requests / limit) - 11)
        elif "requests" in heaviest.near:
            marks.near(_x((place + 0.4) / len(groups)), _y(heaviest.requests / limit) - 11)
    drawn = "".join(f'<path class="{TOOL_CLASS[name]}" d="{"".join(path)}"/>' for name, path in paths.items())
    lines = "".join(
        f'<line class="{kind}" x1="{_GUTTER}%" x2="100%" y1="{_y(share):g}" y2="{_y(share):g}"/>'
        + _text(at, _y(share) + down, label)
        for share, kind, label, at, down in (
            (1, "lim", f"limit {count(limit)}", _GUTTER, -5),
            (0.8, "tk", "80%", 0, 4),
            (0.5, "tk", count(limit / 2), 0, 4),
            (0, "tk", "0", 0, 4),
        )
    )
    size = len(groups[0])
    each = "one column an execution" if size == 1 else f"each column the heaviest of {count(size)} executions"
    height = _TOP + _PLOT + _BOTTOM
    return _figure(
        digest,
        f"Requests of each execution, {each}",
        f"{digest.near} at 80% of a limit or more ({NEAR}); over the limit is {OVER}.",
        height,
        f'<svg x="{_GUTTER}%" y="{_TOP}" width="{100 - _GUTTER}%" height="{_PLOT}" viewBox="0 0 {len(groups)} {limit}"'
        f' preserveAspectRatio="none">{drawn}</svg>{lines}'
        f"{marks}"
        + _text(_GUTTER, height - 4, f"#{digest.attempts[0].number}")
        + _text(100, height - 4, f"#{digest.attempts[-1].number}"),
    )


def chain_figure(digest: Digest) -> str:
    """All lanes, one below the other: the slope is the pace, and what stands still shows as a step."""
    groups = _groups(digest)
    rows = len(groups)
    height = min(260, max(120, 3 * rows))
    good: list[str] = []
    bad: list[str] = []
    marks = _Marks()
    for row, group in enumerate(groups):
        start = min(attempt.start for attempt in group)
        end = max(attempt.end for attempt in group)
        x = round(10_000 * start / digest.span)
        length = max(round(10_000 * (end - start) / digest.span), 12)
        failed = [attempt for attempt in group if attempt.failed]
        (bad if len(failed) == len(group) else good).append(f"M{x} {row}h{length}v.8h-{length}z")
        for attempt in failed[:1]:
            marks.failure(attempt, attempt.end / digest.span, _TOP / 2 + height * (row + 0.5) / rows - 6)
    stems = _stems(digest) if rows == len(digest.attempts) else ""
    grid = "".join(
        f'<line class="tk" x1="{share:.4g}%" x2="{share:.4g}%" y1="{_TOP / 2:g}" y2="{height + _TOP / 2:g}"/>'
        + _text(share, height + _TOP / 2 + 14, tick(ms))
        for ms in ticks(digest.span, 6)
        if (share := 100 * ms / digest.span) <= 85
    )
    size = len(groups[0])
    each = "one lane an execution" if size == 1 else f"each lane {count(size)} executions"
    return _figure(
        digest,
        f"Executions over the runtime's time, {each}",
        f"From #{digest.attempts[0].number} at the top to #{digest.attempts[-1].number} at the bottom, "
        f"over {duration(digest.span)}. What failed is marked {SHAPES['error']} or {OVER}.",
        height + _TOP / 2 + _BOTTOM,
        f'{grid}<svg y="{_TOP / 2:g}" width="100%" height="{height}" viewBox="0 0 10000 {rows}"'
        f' preserveAspectRatio="none"><path class="arr" d="{stems}"/><path class="run" d="{"".join(good)}"/>'
        f'<path class="run f" d="{"".join(bad)}"/></svg>{marks}'
        + _text(100, height + _TOP / 2 + 14, duration(digest.span)),
    )


class _Marks:
    """Shapes that do not stretch; where many would cover each other, one stands for them."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, int, int]] = Counter()
        self._drawn: list[str] = []

    def over(self, x: float, y: float) -> None:
        self._draw("over", x, y, '<path class="mb" d="M-4 1h8v8h-8z"/>')

    def near(self, x: float, y: float) -> None:
        self._draw("near", x, y, '<path class="mw" d="M0 0l5 9h-10z"/>')

    def failure(self, attempt: Attempt, x: float, y: float) -> None:
        if attempt.over:
            self._draw("over", x, y, '<path class="mb" d="M2 2h8v8h-8z"/>')
        else:
            self._draw("failure", x, y, '<path class="out" d="M3 2l8 8m0-8l-8 8"/>')

    def __str__(self) -> str:
        return "".join(self._drawn)

    def _draw(self, kind: str, x: float, y: float, shape: str) -> None:
        cell = (kind, round(50 * x), round(y / 12))
        self._taken[cell] += 1
        if self._taken[cell] == 1:
            self._drawn.append(
                f'<svg x="{min(100 * x, 98.5):.4g}%" y="{y:.4g}" overflow="visible">{shape}</svg>'
            )


def _flagged(total: Total, digest: Digest, share: str) -> str:
    if total.example.over == "requests":
        return f"{OVER} {share}"
    return f"{NEAR} {share}" if total.most >= CLOSE * digest.limits.requests else share


def _groups(digest: Digest) -> list[tuple[Attempt, ...]]:
    attempts = digest.attempts
    size = 1 if len(attempts) <= SINGLE else -(-len(attempts) // _BINS)
    return [attempts[place : place + size] for place in range(0, len(attempts), size)]


def _stems(digest: Digest) -> str:
    parts = []
    for row, attempt in enumerate(digest.attempts):
        if attempt.queued is not None and attempt.cause_row is not None and attempt.cause_row < row:
            queued = round(10_000 * attempt.queued / digest.span)
            start = round(10_000 * attempt.start / digest.span)
            parts.append(f"M{queued} {attempt.cause_row + 0.8:g}V{row + 0.4:g}H{start}")
    return "".join(parts)


def _figure(digest: Digest, caption: str, described: str, height: float, drawn: str) -> str:
    return (
        f'<figure hidden="hidden"><figcaption>{markup(caption)}</figcaption>'
        f'<svg role="img" width="100%" height="{height:g}"><title>{markup(digest.headline())}</title>'
        f"<desc>{markup(caption)}. {markup(described)}</desc>{drawn}</svg></figure>"
    )


def _text(share: float, y: float, words: str) -> str:
    anchor = "start" if share <= _GUTTER else "end" if share >= 100 else "middle"
    return f'<text x="{share:.4g}%" y="{y:g}" text-anchor="{anchor}">{markup(words)}</text>'


def _x(share: float) -> float:
    return (_GUTTER + (100 - _GUTTER) * share) / 100


def _y(share: float) -> float:
    return _TOP + _PLOT * (1 - min(share, 1))
