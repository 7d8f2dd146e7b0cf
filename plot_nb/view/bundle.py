"""A run as a MIME bundle: HTML and text that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plot_nb.view import details, overview, rows, terminal
from plot_nb.view.digest import Digest, digest, select
from plot_nb.view.hostile import isolated
from plot_nb.view.rows import NEAR, SHAPES
from plot_nb.view.style import page

if TYPE_CHECKING:
    from plot_nb.view.tables import RunTables


def bundle(tables: RunTables) -> dict[str, str]:
    """All of a run: what happened, the budget, the chain, errors and logs."""
    run = digest(tables)
    chosen = select(run)
    parts = [_heading(run), details.result(tables)]
    if run.attempts and not chosen.complete:
        parts.append(overview.totals_table(run))
    parts.append(rows.attempts(run, chosen) if run.attempts else "")
    parts += [details.errors(run), details.warnings(tables, run)]
    if not chosen.complete:
        parts += [overview.budget_figure(run), overview.chain_figure(run)]
    parts += [details.by_line(tables, run), details.logs(tables, run)]
    return {"text/html": page(*parts), "text/plain": terminal.run(tables, run)}


def budget(tables: RunTables) -> dict[str, str]:
    """What each execution spent of its limits, and on which lines."""
    run = digest(tables)
    chosen = select(run)
    parts = [_heading(run)]
    if run.attempts and not chosen.complete:
        parts.append(overview.totals_table(run))
    parts.append(rows.attempts(run, chosen, chain=False) if run.attempts else "")
    if not chosen.complete:
        parts.append(overview.budget_figure(run))
    parts.append(details.by_line(tables, run))
    return {"text/html": page(*parts), "text/plain": terminal.budget(tables, run)}


def chain(tables: RunTables) -> dict[str, str]:
    """What set off what, and when it ran."""
    run = digest(tables)
    chosen = select(run)
    parts = [_heading(run)]
    parts.append(rows.attempts(run, chosen, budget=False) if run.attempts else "")
    if not chosen.complete:
        parts.append(overview.chain_figure(run))
    parts.append(details.errors(run))
    return {"text/html": page(*parts), "text/plain": terminal.chain(run)}


def logs(tables: RunTables) -> dict[str, str]:
    """What was printed and logged."""
    run = digest(tables)
    return {
        "text/html": page(details.logs(tables, run, unfolded=True)),
        "text/plain": terminal.logs(tables, run, most=100),
    }


def _heading(run: Digest) -> str:
    title = f"<b>{isolated(run.title)}:</b> " if run.title else ""
    shape = (
        '<span class="bad">✕</span>' if run.failed else "▸" if run.running else '<span class="ok">✓</span>'
    )
    if not run.attempts and run.paused:
        shape = SHAPES["suspended"]
    head = f'<p class="h">{shape} {title}{isolated(run.headline())}</p>'
    rest = " ".join(part for part in (run.resources(), *run.remarks()) if part)
    if rest:
        head += f'<p class="m">{isolated(rest)}</p>'
    if run.rate:
        head += f'<p class="note">{NEAR} {isolated(run.rate)}</p>'
    if run.paused:
        head += f'<p class="note"><b>Ⅱ Paused.</b> {isolated(run.paused)}</p>'
    return head
