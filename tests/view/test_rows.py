"""Attempts as rows with bars and lanes."""

from __future__ import annotations

import re

from plot_nb import view
from tests.view.journal import Journal, at, sync, troubled, wrong_way


def rows(html: str) -> list[str]:
    return re.findall(r"<tr>(?:(?!</tr>).)*?</tr>", html[html.index("<tbody>") :])


def test_each_bar_has_the_limit_as_a_line() -> None:
    html = view.budget(sync(pages=3).tables())["text/html"]
    head = html[html.index("<thead>") : html.index("<tbody>")]
    assert "limit 1000" in head
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    assert table.count('<line class="lim" x1="99.5%" x2="99.5%"') == 4


def test_a_bar_is_as_long_as_the_share_of_the_limit() -> None:
    journal = Journal()
    journal.execution("a", spent={("store", "set", 1): 400, ("network", "fetch", 2): 100})
    row = rows(view.budget(journal.tables())["text/html"])[0]
    assert '<rect class="ks" x="0%" y="7" width="39.8%"' in row
    assert '<rect class="kn" x="39.8%" y="7" width="9.95%"' in row


def test_the_meter_decides_how_long_a_bar_is() -> None:
    journal = Journal()
    journal.execution("a", spent={("network", "fetch", 1): 10}, requests=12)
    journal.execution("b", start=200, spent={("network", "fetch", 1): 10}, requests=4)
    first, second = rows(view.budget(journal.tables())["text/html"])[:2]
    assert 'title="network 10, other 2"' in first
    assert 'title="network 4"' in second


def test_eighty_percent_of_a_limit_stands_out_by_mark_and_weight() -> None:
    journal = Journal()
    journal.execution("a", spent={("store", "set", 1): 799})
    journal.execution("b", start=200, spent={("store", "set", 1): 800})
    journal.execution("c", start=400, cpu_ms=48_000.0)
    journal.execution("d", start=600, memory_peak=103 * 2**20)
    html = view.budget(journal.tables())["text/html"]
    below, requests, cpu, memory = rows(html)[:4]
    assert "▲" not in below
    assert '<span class="near"><i>▲</i> 80%</span>' in requests
    assert 'class="out w"' in requests
    assert '<span class="near"><i>▲</i> 48.0 s</span>' in cpu
    assert '<span class="near"><i>▲</i> 103 MB</span>' in memory
    assert "3 executions were at 80% of a limit or more." in html


def test_a_limit_that_was_passed_stands_out_by_mark_and_outcome() -> None:
    html = view.budget(wrong_way().tables())["text/html"]
    assert '<span class="bad">■ over_requests</span> line 14' in html
    assert '<span class="bad">■ 100%</span>' in html
    assert "▲" not in html


def test_a_lane_stands_where_its_attempt_ran() -> None:
    journal = Journal()
    journal.execution("a", took=100)
    journal.execution("b", start=150, took=50, parent="a", queued=50)
    first, second = rows(view.chain(journal.tables())["text/html"])[:2]
    assert '<rect class="run" x="0%" y="7" width="47.5%"' in first
    assert '<rect class="run" x="71.25%" y="7" width="23.75%"' in second
    assert 'title="#2 sync_page: 150 ms to 200 ms, waited 100 ms"' in second


def test_a_stem_leads_from_the_cause_through_the_rows_between() -> None:
    journal = Journal()
    journal.execution("a", took=100)
    journal.execution("b", start=100, took=50, parent="a", queued=40)
    journal.execution("c", start=150, took=50, parent="a", queued=60)
    first, second, third = rows(view.chain(journal.tables())["text/html"])[:3]
    x = "28.5%"
    assert f'<line x1="{x}" x2="{x}" y1="17" y2="24"/>' in first
    assert f'<line x1="{x}" x2="{x}" y1="0" y2="24"/>' in second
    assert f'<line x1="{x}" x2="{x}" y1="0" y2="12"/>' in third


def test_an_attempt_made_again_hangs_below_the_one_that_failed() -> None:
    journal = Journal()
    journal.execution("a", took=100, outcome="error", error="ValueError: no")
    journal.execution("a", attempt=2, start=1100, took=100)
    html = view.chain(journal.tables())["text/html"]
    assert "<bdi>sync_page</bdi> attempt 2" in html
    assert "waited 1 s" in html.replace("1.00 s", "1 s")
    assert "1 execution, 0 requests: ok." in html


def test_outcomes_differ_by_shape_and_words() -> None:
    html = view.chain(troubled().tables())["text/html"]
    assert '<span class="ok">✓</span> ok' in html
    assert '<span class="bad">✕ error</span> line 17' in html
    assert '<span class="bad">■ over_cpu</span> line 31' in html
    assert '<span class="bad">✕ crashed</span>' in html


def test_rows_come_by_their_start_whatever_the_order_of_the_table() -> None:
    journal = sync(pages=3)
    journal.rows["executions"].reverse()
    methods = re.findall(r"<td><bdi>(\w+)</bdi>", view.chain(journal.tables())["text/html"])
    assert methods == ["start_sync", "sync_page", "sync_page", "sync_page"]


def test_unknown_memory_leaves_its_column_out() -> None:
    journal = Journal()
    journal.execution("a", memory_peak=None, ended=at(30))
    html = view.budget(journal.tables())["text/html"]
    assert ">memory<" not in html
