from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from plot_nb.tools.network import BODY_BYTES, Fetcher, FetchRequest, FetchResponse, Patterns, latency_of

ORIGIN = "https://api.example.com"
Scope = Mapping[str, Any]
Reply = tuple[int, dict[str, str], bytes]


class Recorder:
    """An ASGI app that keeps what it was asked and replies by path."""

    def __init__(self, replies: dict[str, Reply] | None = None) -> None:
        self.replies = replies or {}
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.scopes.append(scope)
        self.bodies.append(body)
        status, headers, content = self.replies.get(scope["path"], (200, {}, b"ok"))
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    def headers(self, index: int = -1) -> dict[str, str]:
        return {name.decode(): value.decode("latin-1") for name, value in self.scopes[index]["headers"]}


def fetch(
    request: FetchRequest,
    apps: Mapping[str, Any],
    *,
    urls: tuple[str, ...] = ("*",),
    charge: Callable[[str], None] = lambda url: None,
    fetch_latency: float = 0.05,
) -> FetchResponse:
    async def performed() -> FetchResponse:
        fetcher = Fetcher(fetch_latency=fetch_latency)
        for origin, app in apps.items():
            fetcher.mount(origin, app)
        try:
            return await fetcher.fetch(request, Patterns(urls), charge)
        finally:
            await fetcher.aclose()

    return asyncio.run(performed())


@pytest.mark.rule("9.15")
def test_a_mounted_app_answers_its_origin() -> None:
    app = Recorder({"/items": (201, {"Content-Type": "text/plain", "X-A": "1"}, b"hello")})
    response = fetch(FetchRequest(ORIGIN + "/items?page=2#top"), {ORIGIN: app})
    assert (response.status, response.body, response.redirects) == (201, b"hello", 0)
    assert response.url == ORIGIN + "/items?page=2"
    assert response.headers == (("content-type", "text/plain"), ("x-a", "1"))
    assert app.scopes[0]["query_string"] == b"page=2"


def test_method_headers_and_body_arrive() -> None:
    app = Recorder()
    headers = (("Authorization", "Bearer x"), ("X-A", "1"), ("X-A", "2"), ("Accept", "text/csv"))
    fetch(FetchRequest(ORIGIN + "/", "post", headers, b"\x00body"), {ORIGIN: app})
    assert app.scopes[0]["method"] == "POST"
    assert app.bodies == [b"\x00body"]
    assert [value for name, value in app.scopes[0]["headers"] if name == b"x-a"] == [b"1", b"2"]
    assert app.headers()["authorization"] == "Bearer x"
    assert app.headers()["accept"] == "text/csv"
    assert app.headers()["host"] == "api.example.com"
    assert app.headers()["content-length"] == "5"


def test_a_mounted_origin_is_told_the_runtimes_clock_and_nobody_can_forge_it() -> None:
    app = Recorder()
    fetch(FetchRequest(ORIGIN, headers=(("x-now-ms", "5"),), now_ms=1_000.5), {ORIGIN: app})
    fetch(FetchRequest(ORIGIN, headers=(("x-now-ms", "5"),)), {ORIGIN: app})
    assert app.headers(0)["x-now-ms"] == "1000.500"
    assert "x-now-ms" not in app.headers(1)


def test_another_port_or_scheme_is_not_the_mounted_origin() -> None:
    async def resolve_nothing(host: str, port: int) -> list[str]:
        raise OSError("no network in this test")

    async def attempted() -> None:
        fetcher = Fetcher(resolve=resolve_nothing)
        fetcher.mount(ORIGIN, Recorder())
        for url in ("http://api.example.com/", "https://api.example.com:8443/"):
            with pytest.raises(ConnectionError, match=r"runtime\.mount"):
                await fetcher.fetch(FetchRequest(url), Patterns(["*"]), print)
        await fetcher.aclose()

    asyncio.run(attempted())


def test_an_unmounted_origin_is_no_longer_answered() -> None:
    fetcher = Fetcher()
    fetcher.mount(ORIGIN, Recorder())
    fetcher.unmount("https://API.example.com:443/")
    with pytest.raises(LookupError, match="nothing"):
        fetcher.unmount(ORIGIN)


@pytest.mark.parametrize(
    "origin",
    ["api.example.com", "https://api.example.com/v1", "https://*.example.com", "ftp://x", "https://x?", "*"],
)
def test_only_an_origin_can_be_mounted(origin: str) -> None:
    with pytest.raises(ValueError, match="cannot mount an app"):
        Fetcher().mount(origin, Recorder())


def test_only_something_callable_can_be_mounted() -> None:
    with pytest.raises(TypeError, match="str is not callable"):
        Fetcher().mount(ORIGIN, "app")  # type: ignore[arg-type]


# what a twist may ask


@pytest.mark.rule("9.1", "9.17")
def test_a_url_that_is_not_declared_is_refused_and_nothing_is_sent() -> None:
    app = Recorder()
    with pytest.raises(PermissionError, match=r"https://api\.example\.com/x.*v1"):
        fetch(FetchRequest(ORIGIN + "/x"), {ORIGIN: app}, urls=(ORIGIN + "/v1/*",))
    assert app.scopes == []


@pytest.mark.parametrize("url", ["/items", "items", "", "//api.example.com/"])
def test_a_relative_url_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="no absolute URL"):
        fetch(FetchRequest(url), {ORIGIN: Recorder()})


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (FetchRequest(ORIGIN, "GE T"), "GE T"),
        (FetchRequest(ORIGIN, ""), "method"),
        (FetchRequest(ORIGIN, "CONNECT"), "CONNECT"),
        (FetchRequest(ORIGIN, "strae\u00df"), "method"),
        (FetchRequest(ORIGIN, headers=(("a b", "1"),)), "a b"),
        (FetchRequest(ORIGIN, headers=(("", "1"),)), "header name"),
        (FetchRequest(ORIGIN, headers=(("x-a", "1\r\nx-b: 2"),)), "x-a"),
        (FetchRequest(ORIGIN, headers=(("x-a", "1\x00"),)), "x-a"),
        (FetchRequest(ORIGIN, headers=(("x-a", "\u4e2d"),)), "x-a"),
        (FetchRequest(ORIGIN, headers=(("Host", "evil.example"),)), "host"),
        (FetchRequest(ORIGIN, headers=(("Transfer-Encoding", "chunked"),)), "transfer-encoding"),
        (FetchRequest(ORIGIN, headers=(("Content-Length", "5"),)), "content-length"),
        (FetchRequest(ORIGIN, timeout=0), "timeout"),
        (FetchRequest(ORIGIN, timeout=float("nan")), "timeout"),
        (FetchRequest(ORIGIN, timeout=float("inf")), "timeout"),
        (FetchRequest(ORIGIN, "POST", body=b"x" * (BODY_BYTES + 1)), str(BODY_BYTES + 1)),
    ],
)
def test_what_cannot_be_sent_is_a_value_error(request_: FetchRequest, message: str) -> None:
    app = Recorder()
    with pytest.raises(ValueError, match=message):
        fetch(request_, {ORIGIN: app})
    assert app.scopes == []


# latency


@pytest.mark.rule("7.49")
def test_an_app_may_say_how_long_it_took() -> None:
    app = Recorder({"/": (200, {"x-latency-ms": "1234.5"}, b"")})
    assert fetch(FetchRequest(ORIGIN), {ORIGIN: app}).latency == pytest.approx(1.2345)


@pytest.mark.parametrize("told", ["", "-5", "nan", "inf", "1e3", "1_000", "0x10", "fast"])
def test_otherwise_it_takes_the_modelled_time(told: str) -> None:
    app = Recorder({"/": (200, {"x-latency-ms": told}, b"")})
    assert fetch(FetchRequest(ORIGIN), {ORIGIN: app}, fetch_latency=7.0).latency == 7.0


def test_latencies_of_redirects_add_up() -> None:
    app = Recorder(
        {
            "/": (302, {"x-latency-ms": "100", "location": "/b"}, b""),
            "/b": (200, {"x-latency-ms": "20"}, b""),
        }
    )
    response = fetch(FetchRequest(ORIGIN, now_ms=1000.0), {ORIGIN: app})
    assert response.latency == pytest.approx(0.12)
    assert app.headers(1)["x-now-ms"] == "1100.000"


@pytest.mark.rule("9.18")
def test_a_latency_over_the_timeout_is_a_timeout_that_took_as_long() -> None:
    app = Recorder({"/": (200, {"x-latency-ms": "31000"}, b"")})
    with pytest.raises(TimeoutError, match=r"api\.example\.com.*30 s") as caught:
        fetch(FetchRequest(ORIGIN, timeout=30.0), {ORIGIN: app})
    assert latency_of(caught.value) == 30.0


def test_a_failure_of_a_mounted_app_takes_the_modelled_time() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ConnectionError) as caught:
        fetch(FetchRequest(ORIGIN), {ORIGIN: broken}, fetch_latency=0.2)
    assert latency_of(caught.value) == 0.2


def test_what_was_never_sent_took_no_time() -> None:
    with pytest.raises(PermissionError) as caught:
        fetch(FetchRequest(ORIGIN), {ORIGIN: Recorder()}, urls=())
    assert latency_of(caught.value) == 0.0


# apps that misbehave


def test_an_app_that_raises_is_a_connection_error_with_its_exception() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("page")

    with pytest.raises(
        ConnectionError, match=r"https://api\.example\.com raised KeyError: 'page' \(GET /x\)"
    ):
        fetch(FetchRequest(ORIGIN + "/x"), {ORIGIN: broken})


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_an_app_cannot_end_the_loop(error: type[BaseException]) -> None:
    async def leaving(scope: Any, receive: Any, send: Any) -> None:
        raise error

    with pytest.raises(ConnectionError, match=r"api\.example\.com"):
        fetch(FetchRequest(ORIGIN), {ORIGIN: leaving})


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "http.response.start", "status": 200, "headers": []}],
        [{"type": "http.response.body", "body": b"x"}],
        [{"type": "http.response.start", "status": 200}, {"type": "http.response.body", "more_body": True}],
        [{"type": "http.response.start", "status": 99, "headers": []}, {"type": "http.response.body"}],
        [{"type": "http.response.start", "status": "200", "headers": []}, {"type": "http.response.body"}],
        [{"type": "http.response.start", "headers": []}, {"type": "http.response.body"}],
        [{"type": "http.response.start", "status": 200, "headers": 5}, {"type": "http.response.body"}],
        [{"type": "http.response.start", "status": 200}, {"type": "http.response.body", "body": "text"}],
        [{}],
    ],
)
def test_an_app_that_breaks_the_protocol_is_a_connection_error(messages: list[dict[str, Any]]) -> None:
    async def wrong(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(ConnectionError, match=r"api\.example\.com"):
        fetch(FetchRequest(ORIGIN), {ORIGIN: wrong})


@pytest.mark.rule("9.18")
def test_an_app_that_never_answers_is_a_timeout() -> None:
    cancelled = threading.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        fetch(FetchRequest(ORIGIN, timeout=0.05), {ORIGIN: waiting})
    assert cancelled.is_set()


def test_an_app_that_swallows_its_cancellation_does_not_hold_up_the_fetch() -> None:
    async def performed() -> None:
        release = asyncio.Event()

        async def stubborn(scope: Any, receive: Any, send: Any) -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

        fetcher = Fetcher()
        fetcher.mount(ORIGIN, stubborn)
        with pytest.raises(TimeoutError):
            await fetcher.fetch(FetchRequest(ORIGIN, timeout=0.05), Patterns(["*"]), print)
        release.set()
        await fetcher.aclose()

    asyncio.run(performed())


def test_cancelling_a_fetch_cancels_the_app() -> None:
    async def performed() -> bool:
        asked, cancelled = asyncio.Event(), asyncio.Event()

        async def waiting(scope: Any, receive: Any, send: Any) -> None:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        fetcher = Fetcher()
        fetcher.mount(ORIGIN, waiting)
        task = asyncio.create_task(fetcher.fetch(FetchRequest(ORIGIN), Patterns(["*"]), print))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fetcher.aclose()
        return cancelled.is_set()

    assert asyncio.run(performed())


# bodies


@pytest.mark.rule("4.12")
def test_a_body_of_8_mib_arrives_and_one_byte_more_does_not() -> None:
    app = Recorder(
        {"/fits": (200, {}, b"x" * BODY_BYTES), "/bursts": (200, {}, b"x" * (BODY_BYTES + 1))},
    )
    assert len(fetch(FetchRequest(ORIGIN + "/fits"), {ORIGIN: app}).body) == BODY_BYTES
    with pytest.raises(ValueError, match=str(BODY_BYTES)):
        fetch(FetchRequest(ORIGIN + "/bursts"), {ORIGIN: app})


def test_an_app_that_floods_is_stopped_at_the_limit() -> None:
    sent = 0

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        chunk = b"x" * 2**20
        while True:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            sent += len(chunk)

    with pytest.raises(ValueError, match="ask for less"):
        fetch(FetchRequest(ORIGIN), {ORIGIN: flood})
    assert sent <= BODY_BYTES


def raw_deflate(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-15)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("GZIP", gzip.compress(b"hello")),
        ("x-gzip", gzip.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", raw_deflate(b"hello")),
        ("deflate, gzip", gzip.compress(zlib.compress(b"hello"))),
        ("identity", b"hello"),
    ],
)
def test_a_compressed_body_is_decompressed(coding: str, body: bytes) -> None:
    app = Recorder({"/": (200, {"content-encoding": coding}, body)})
    assert fetch(FetchRequest(ORIGIN), {ORIGIN: app}).body == b"hello"


@pytest.mark.parametrize("coding", ["gzip", "deflate, gzip"])
def test_a_decompressed_body_over_the_limit_is_refused(coding: str) -> None:
    bomb = b"\x00" * (BODY_BYTES + 1)
    body = gzip.compress(bomb if coding == "gzip" else zlib.compress(bomb))
    app = Recorder({"/": (200, {"content-encoding": coding}, body)})
    with pytest.raises(ValueError, match=str(BODY_BYTES)):
        fetch(FetchRequest(ORIGIN), {ORIGIN: app})


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b"hello" * 100)[:-9]),
        ("deflate", b"\xff\xff"),
        ("br", b"hello"),
        ("gzip, gzip, gzip", b"hello"),
    ],
)
def test_a_body_that_cannot_be_decompressed_is_a_connection_error(coding: str, body: bytes) -> None:
    app = Recorder({"/": (200, {"content-encoding": coding}, body)})
    with pytest.raises(ConnectionError, match=r"api\.example\.com"):
        fetch(FetchRequest(ORIGIN), {ORIGIN: app})


# redirects


@pytest.mark.rule("3.5", "9.10")
def test_each_redirect_is_charged_before_it_is_followed() -> None:
    app = Recorder(
        {"/a": (302, {"location": "b"}, b""), "/b": (307, {"location": ORIGIN + "/c?x=1#frag"}, b"")},
    )
    charged: list[tuple[str, int]] = []
    response = fetch(
        FetchRequest(ORIGIN + "/a"), {ORIGIN: app}, charge=lambda url: charged.append((url, len(app.scopes)))
    )
    assert charged == [(ORIGIN + "/b", 1), (ORIGIN + "/c?x=1", 2)]
    assert (response.redirects, response.url) == (2, ORIGIN + "/c?x=1")


class Limit(BaseException):
    pass


def test_what_charging_raises_ends_the_fetch() -> None:
    app = Recorder({"/": (302, {"location": "/b", "x-latency-ms": "40"}, b"")})

    def refuse(url: str) -> None:
        raise Limit

    with pytest.raises(Limit) as caught:
        fetch(FetchRequest(ORIGIN), {ORIGIN: app}, charge=refuse)
    assert len(app.scopes) == 1
    assert latency_of(caught.value) == pytest.approx(0.04)


@pytest.mark.rule("9.10")
@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/",
        "//evil.example/",
        "http://api.example.com/v1/x",
        "/admin",
        "../admin",
        "https://api.example.com:8443/v1/x",
        "\\\\evil.example\\",
        "file:///etc/passwd",
        "https://api.example.com@evil.example/v1/",
    ],
)
def test_a_redirect_out_of_the_patterns_is_refused_and_not_charged(location: str) -> None:
    app, evil = Recorder({"/v1/a": (302, {"location": location}, b"")}), Recorder()
    charged: list[str] = []
    with pytest.raises(PermissionError):
        fetch(
            FetchRequest(ORIGIN + "/v1/a"),
            {ORIGIN: app, "https://evil.example": evil},
            urls=(ORIGIN + "/v1/*",),
            charge=charged.append,
        )
    assert (len(app.scopes), evil.scopes, charged) == (1, [], [])


def test_endless_redirects_end() -> None:
    app = Recorder({"/": (302, {"location": "/"}, b"")})
    charged: list[str] = []
    with pytest.raises(ConnectionError, match="more than 20"):
        fetch(FetchRequest(ORIGIN), {ORIGIN: app}, charge=charged.append)
    assert (len(app.scopes), len(charged)) == (21, 20)


@pytest.mark.parametrize(
    ("status", "method", "followed_by"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
    ],
)
def test_a_redirect_keeps_or_changes_the_method_as_in_browsers(
    status: int, method: str, followed_by: str
) -> None:
    app = Recorder({"/": (status, {"location": "/b"}, b"")})
    fetch(FetchRequest(ORIGIN, method, (("content-type", "a/b"),), b"body"), {ORIGIN: app})
    keeps_body = followed_by == method
    assert app.scopes[1]["method"] == followed_by
    assert app.bodies[1] == (b"body" if keeps_body else b"")
    assert ("content-type" in app.headers(1)) == keeps_body


@pytest.mark.parametrize(
    ("target", "kept"),
    [(ORIGIN + "/b", True), ("https://other.example/b", False), ("http://api.example.com/b", False)],
)
def test_secrets_stay_with_their_origin(target: str, kept: bool) -> None:
    app = Recorder({"/": (302, {"location": target}, b"")})
    apps = {ORIGIN: app, "https://other.example": app, "http://api.example.com": app}
    headers = (("Authorization", "Bearer x"), ("Cookie", "a=b"), ("X-Trace", "1"))
    fetch(FetchRequest(ORIGIN, headers=headers), apps)
    assert ("authorization" in app.headers(1)) == kept
    assert ("cookie" in app.headers(1)) == kept
    assert app.headers(1)["x-trace"] == "1"


@pytest.mark.parametrize(
    ("status", "headers"), [(302, {}), (300, {"location": "/b"}), (304, {"location": "/b"})]
)
def test_what_is_no_redirect_is_a_response(status: int, headers: dict[str, str]) -> None:
    app = Recorder({"/": (status, headers, b"")})
    assert fetch(FetchRequest(ORIGIN), {ORIGIN: app}).status == status


def test_no_cookie_is_kept_between_fetches() -> None:
    app = Recorder({"/": (200, {"set-cookie": "session=1"}, b"")})

    async def twice() -> None:
        fetcher = Fetcher()
        fetcher.mount(ORIGIN, app)
        for _ in range(2):
            await fetcher.fetch(FetchRequest(ORIGIN), Patterns(["*"]), print)
        await fetcher.aclose()

    asyncio.run(twice())
    assert "cookie" not in app.headers(1)
