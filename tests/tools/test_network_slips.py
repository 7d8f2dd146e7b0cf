"""The table of slips.py: what tries to slip past is refused, what is ordinary is allowed, from within a twist too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpcore
import pytest

from plot_nb import Runtime
from plot_nb.tools.network import Fetcher, FetchRequest, Patterns, internet
from tests.runtime.twists import methods, on_runtime
from tests.tools.slips import ADDRESSES, EVERYTHING, LOOPBACK, NAMES, ORDINARY, REDIRECTS, SLIPS, V1

EVERY_SLIP = [slip for slips in SLIPS.values() for slip in slips]

FETCHES = """
def build(self, build):
    return {{"network": build(Network, urls=[{pattern!r}])}}
async def go(self, urls):
    import asyncio
    answers = await asyncio.gather(*(fetch(url) for url in urls), return_exceptions=True)
    return [f"{{type(a).__name__}}: {{a}}" if isinstance(a, Exception) else a.status for a in answers]
"""


class Outside:
    """What a twist reached: the names it had resolved, the addresses it connected to, the requests apps got."""

    def __init__(self, names: dict[str, tuple[str, ...]]) -> None:
        self.names = names
        self.resolved: list[str] = []
        self.connected: list[str] = []
        self.requests: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return list(self.names.get(host, ()))

    async def connect(self, host: str, *rest: object, **named: object) -> Any:
        self.connected.append(host)
        raise httpcore.ConnectError("nobody is there")

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["raw_path"].decode()
        self.requests.append(path)
        headers = []
        if path == "/v1/redirect":
            headers = [(b"location", REDIRECTS[int(scope["query_string"])].encode())]
        await send({"type": "http.response.start", "status": 302 if headers else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    reached = Outside(dict(NAMES))
    monkeypatch.setattr(internet, "resolve_by_system", reached.resolve)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", reached.connect)
    return reached


def fetched(
    table: Iterable[tuple[str, str]], outside: Outside, mounted: Iterable[str] = ()
) -> list[tuple[str, str, Any]]:
    """What deployed twists get, each with one pattern of the table: pattern, URL, and a status or an error."""

    async def work(runtime: Runtime) -> list[tuple[str, str, Any]]:
        for origin in mounted:
            runtime.mount(origin, outside.app)
        answers: list[tuple[str, str, Any]] = []
        for pattern, urls in by_pattern(table).items():
            twist = await runtime.deploy(methods(FETCHES.format(pattern=pattern)))
            run = await twist.go(urls)
            run.raise_for_outcome()
            answers += ((pattern, url, answer) for url, answer in zip(urls, run.value, strict=True))
        return answers

    return on_runtime(work)


def by_pattern(table: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pattern, url in table:
        found.setdefault(pattern, []).append(url)
    return found


def test_the_table_is_as_long_as_it_is_meant_to_be() -> None:
    assert len(set(EVERY_SLIP)) == len(EVERY_SLIP) >= 180
    assert len({url for _, url in EVERY_SLIP}) >= 100
    assert len(set(ORDINARY)) == len(ORDINARY) >= 30
    assert all(len(slips) >= 3 for slips in SLIPS.values())


@pytest.mark.rule("9.2", "9.3", "9.4", "9.5", "9.6", "9.7", "9.8")
@pytest.mark.parametrize(("pattern", "url"), ORDINARY)
def test_a_pattern_allows(pattern: str, url: str) -> None:
    assert Patterns([pattern]).allows(url)


@pytest.mark.rule("9.3", "9.5", "9.6", "9.7", "9.8", "9.9")
@pytest.mark.parametrize(("pattern", "url"), EVERY_SLIP)
def test_a_pattern_refuses(pattern: str, url: str) -> None:
    assert not Patterns([pattern]).allows(url)


@pytest.mark.rule("9.1", "9.3", "9.5", "9.6", "9.8", "9.9", "9.35")
def test_a_twist_slips_past_with_none_of_them_and_nothing_is_sent(outside: Outside) -> None:
    origins = ["https://api.example.com", "http://api.example.com", "https://evil.example", LOOPBACK]
    for pattern, url, answer in fetched(EVERY_SLIP, outside, origins):
        # What is no text, or names no scheme at all, is an author's mistake and told as one.
        mistaken = "ValueError" in str(answer) and ("no absolute URL" in answer or "surrogate" in answer)
        assert str(answer).startswith("PermissionError") or mistaken, (pattern, url, answer)
    assert (outside.requests, outside.resolved, outside.connected) == ([], [], [])


@pytest.mark.rule("9.2", "9.3", "9.4", "9.15", "9.16")
def test_a_twist_fetches_every_ordinary_one(outside: Outside) -> None:
    origins = {Patterns([pattern]).check(url).origin for pattern, url in ORDINARY}
    assert {answer for _, _, answer in fetched(ORDINARY, outside, origins)} == {200}
    assert len(outside.requests) == len(ORDINARY)
    assert outside.resolved == []


@pytest.mark.rule("9.11")
def test_a_twist_that_may_go_everywhere_reaches_no_special_address(outside: Outside) -> None:
    for _, url, answer in fetched([(EVERYTHING, url) for url in ADDRESSES], outside):
        assert str(answer).startswith("PermissionError"), (url, answer)
        assert "leads to" in answer, (url, answer)
    assert outside.connected == []


@pytest.mark.rule("9.12")
def test_a_name_with_one_address_that_is_special_is_not_connected_to(outside: Outside) -> None:
    for _, url, answer in fetched([(EVERYTHING, f"https://{name}/") for name in NAMES], outside):
        assert str(answer).startswith("PermissionError"), (url, answer)
    assert sorted(outside.resolved) == sorted(NAMES)
    assert outside.connected == []


@pytest.mark.rule("9.13")
def test_a_name_that_changes_its_address_is_connected_to_the_one_that_was_checked(outside: Outside) -> None:
    async def turning(host: str, port: int) -> list[str]:
        outside.resolved.append(host)
        return ["93.184.215.14"] if len(outside.resolved) == 1 else ["127.0.0.1"]

    async def performed() -> None:
        fetcher = Fetcher(resolve=turning)
        with pytest.raises(ConnectionError):
            await fetcher.fetch(FetchRequest("http://turning.example/"), Patterns([EVERYTHING]), unused)
        assert (outside.resolved, outside.connected) == (["turning.example"], ["93.184.215.14"])
        with pytest.raises(PermissionError, match="loopback"):
            await fetcher.fetch(FetchRequest("http://turning.example/"), Patterns([EVERYTHING]), unused)
        assert outside.connected == ["93.184.215.14"]
        await fetcher.aclose()

    asyncio.run(performed())


def unused(url: str) -> None:
    raise AssertionError(url)


@pytest.mark.rule("9.10")
def test_a_redirect_leads_a_twist_out_of_its_pattern_by_none_of_these_ways(outside: Outside) -> None:
    urls = [f"https://api.example.com/v1/redirect?{number}" for number in range(len(REDIRECTS))]
    origins = ["https://api.example.com", "http://api.example.com", "https://evil.example", LOOPBACK]
    answers = fetched([(V1, url) for url in urls], outside, origins)
    for location, (_, _, answer) in zip(REDIRECTS, answers, strict=True):
        assert str(answer).startswith("PermissionError"), (location, answer)
    assert outside.requests == ["/v1/redirect"] * len(REDIRECTS)
    assert (outside.resolved, outside.connected) == ([], [])


@pytest.mark.rule("9.10", "9.11", "9.12")
def test_a_redirect_of_a_twist_that_may_go_everywhere_reaches_no_special_address(outside: Outside) -> None:
    async def redirecting(scope: Any, receive: Any, send: Any) -> None:
        location = targets[int(scope["query_string"])].encode()
        await send({"type": "http.response.start", "status": 307, "headers": [(b"location", location)]})
        await send({"type": "http.response.body", "body": b""})

    targets = [*ADDRESSES, *(f"http://{name}/" for name in NAMES)]

    async def work(runtime: Runtime) -> None:
        runtime.mount("https://api.example.com", redirecting)
        twist = await runtime.deploy(methods(FETCHES.format(pattern=EVERYTHING)))
        run = await twist.go([f"https://api.example.com/?{number}" for number in range(len(targets))])
        for target, answer in zip(targets, run.value, strict=True):
            assert str(answer).startswith("PermissionError"), (target, answer)

    on_runtime(work)
    assert outside.connected == []
