from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from plot_nb import demo
from plot_nb.demo import DemoApp, make_app
from plot_nb.tools.network import Fetcher, FetchRequest, FetchResponse, Patterns

ORIGIN = "https://api.example.com"


def ask(app: DemoApp, *paths: str, method: str = "GET", now_ms: float | None = None) -> list[FetchResponse]:
    async def asked() -> list[FetchResponse]:
        fetcher = Fetcher()
        fetcher.mount(ORIGIN, app)
        try:
            return [
                await fetcher.fetch(
                    FetchRequest(ORIGIN + path, method, now_ms=now_ms, timeout=700),
                    Patterns([ORIGIN]),
                    lambda url: None,
                )
                for path in paths
            ]
        finally:
            await fetcher.aclose()

    return asyncio.run(asked())


def content(app: DemoApp, path: str) -> Any:
    return json.loads(ask(app, path)[0].body)


def test_pages_hold_every_item_once() -> None:
    pages = [content(demo.app, f"/items?page={page}&per_page=50") for page in range(1, 26)]
    assert [item["id"] for page in pages for item in page["items"]] == list(range(1, 1235))
    assert [page["has_more"] for page in pages] == [True] * 24 + [False]
    assert {page["total"] for page in pages} == {1234}
    assert pages[2]["page"] == 3


def test_a_page_behind_the_last_is_empty() -> None:
    assert content(demo.app, "/items?page=26") == {
        "page": 26,
        "items": [],
        "total": 1234,
        "has_more": False,
        "next_token": None,
    }


@pytest.mark.parametrize("endpoint", ["/items?per_page=7&token=", "/cursor?limit=7&token="])
def test_tokens_lead_over_every_item_once(endpoint: str) -> None:
    app, token, ids = make_app(items=20), "", []
    while token is not None:
        batch = content(app, endpoint + token)
        ids += [item["id"] for item in batch["items"]]
        token = batch["next_token"]
    assert ids == list(range(1, 21))


def test_the_first_page_gives_a_token_too() -> None:
    first = content(demo.app, "/items")
    assert content(demo.app, f"/items?token={first['next_token']}")["items"][0]["id"] == 51


def test_an_item_is_the_same_in_a_page_and_alone() -> None:
    item = content(demo.app, "/items?page=2")["items"][0]
    assert content(demo.app, "/items/51") == item
    assert sorted(item) == ["description", "id", "title", "updated"]
    assert datetime.fromisoformat(item["updated"]).tzinfo is not None


def test_an_item_has_comments() -> None:
    comments = content(demo.app, "/items/7/comments")["comments"]
    assert {comment["item"] for comment in comments} == {7}
    assert sorted(comments[0]) == ["author", "id", "item", "text"]


def test_the_latest_item_is_one_redirect_away() -> None:
    [response] = ask(demo.app, "/items/latest")
    assert (response.redirects, json.loads(response.body)["id"]) == (1, 1234)


def test_the_index_names_the_endpoints() -> None:
    for path in content(demo.app, "/")["see"]:
        assert ask(demo.app, path)[0].status == 200


def test_the_seed_decides_the_texts() -> None:
    paths = ("/items", "/items/3/comments")
    first, again, other = (
        [response.body for response in ask(make_app(seed=seed), *paths)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/items/0", 404),
        ("/items/1235", 404),
        ("/items/x", 404),
        ("/items/1/other", 404),
        ("/items?page=0", 400),
        ("/items?page=-1", 400),
        ("/items?page=x", 400),
        ("/items?page=", 400),
        ("/items?per_page=101", 400),
        ("/items?per_page=0", 400),
        ("/items?page=%D9%A3", 400),
        ("/items?token=nonsense", 400),
        ("/items?token=%C3%BC", 400),
        ("/cursor?limit=0", 400),
        ("/slow?ms=-1", 400),
    ],
)
def test_errors_are_json(path: str, status: int) -> None:
    [response] = ask(demo.app, path)
    assert response.status == status
    assert isinstance(json.loads(response.body)["error"], str)
    assert dict(response.headers)["x-latency-ms"] == "50"


def test_only_reading_is_supported() -> None:
    [response] = ask(demo.app, "/items", method="POST")
    assert (response.status, dict(response.headers)["allow"]) == (405, "GET, HEAD")
    [head] = ask(demo.app, "/items", method="HEAD")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("latency", [timedelta(milliseconds=120), 120, 120.0])
def test_every_response_says_how_long_it_took(latency: timedelta | float) -> None:
    [response] = ask(make_app(latency=latency), "/items")
    assert response.latency == pytest.approx(0.12)


def test_a_slow_response_takes_as_long_as_asked() -> None:
    [response] = ask(demo.app, "/slow?ms=600000")
    assert response.latency == pytest.approx(600.0)


def test_over_the_rate_limit_comes_429_until_the_window_ends() -> None:
    app = make_app(rate_limit=2, window=timedelta(seconds=10))
    responses = ask(app, "/items", "/items", "/items", now_ms=1_004_000.0)
    assert [response.status for response in responses] == [200, 200, 429]
    assert dict(responses[2].headers)["retry-after"] == "6"
    assert ask(app, "/items", now_ms=1_009_999.0)[0].status == 429
    assert ask(app, "/items", now_ms=1_010_000.0)[0].status == 200


def test_without_the_runtimes_clock_the_rate_limit_goes_by_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(rate_limit=1)
    monkeypatch.setattr("plot_nb.demo.time.time", lambda: 60_000.0)
    assert [response.status for response in ask(app, "/items", "/items")] == [200, 429]
    monkeypatch.setattr("plot_nb.demo.time.time", lambda: 60_060.0)
    assert ask(app, "/items")[0].status == 200


def test_failures_are_drawn_from_the_seed_and_pass() -> None:
    paths = [f"/items/{number}" for number in range(1, 401)]
    first, again, other = (
        [response.status for response in ask(make_app(failures=0.25, seed=seed), *paths)]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert 60 <= first.count(503) <= 140
    assert first.count(200) == 400 - first.count(503)
    retried = [response.status for response in ask(make_app(failures=0.25, seed=1), *["/items/1"] * 40)]
    assert {200, 503} == set(retried)


def test_failures_do_not_depend_on_the_order_of_requests() -> None:
    paths = [f"/items/{number}" for number in range(1, 101)]
    forth = ask(make_app(failures=0.5), *paths)
    back = ask(make_app(failures=0.5), *reversed(paths))
    assert [response.status for response in forth] == [response.status for response in reversed(back)]


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        ({"items": -1}, "items"),
        ({"rate_limit": -1}, "rate_limit"),
        ({"failures": 1.5}, "failures"),
        ({"latency": -1}, "latency"),
        ({"window": 0}, "window"),
    ],
)
def test_figures_that_make_no_sense_are_refused(figures: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make_app(**figures)


# on a real port


@contextlib.contextmanager
def served(*arguments: str) -> Iterator[str]:
    command = [sys.executable, "-m", "plot_nb.demo", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield line.split(" at ")[1].removesuffix("/items\n")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


def test_it_is_served_on_a_real_port_until_interrupted() -> None:
    with served("--items", "3", "--latency-ms", "1") as url:
        response = httpx.get(f"{url}/items", trust_env=False)
        assert response.json()["total"] == 3
        assert response.headers["x-latency-ms"] == "1"


def test_a_taken_port_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo.main(["--port", str(port)]) == 1
    assert f"cannot listen on port {port}" in capsys.readouterr().err


def test_a_missing_uvicorn_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert demo.main(["--port", "0"]) == 1
    assert "plot_nb[demo]" in capsys.readouterr().err


def test_a_figure_that_makes_no_sense_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--port", "0", "--failures", "2"]) == 1
    assert "failures" in capsys.readouterr().err
