from __future__ import annotations

import asyncio
import contextlib
import gzip
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from plot_nb.tools.network import BODY_BYTES, Fetcher, FetchRequest, FetchResponse, Patterns, latency_of
from plot_nb.tools.network.internet import AddressRefused, GuardedBackend

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A loopback server that keeps the heads of its requests and answers each connection once."""

    def __init__(self, respond: Respond, head_ends: bytes) -> None:
        self.heads: list[str] = []
        self.port = 0
        self.connections: dict[asyncio.StreamWriter, asyncio.Task[object]] = {}
        self._respond = respond
        self._head_ends = head_ends

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections[writer] = task
        try:
            self.heads.append((await reader.readuntil(self._head_ends)).decode("latin-1"))
            await self._respond(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def aclose(self) -> None:
        for writer in self.connections:
            writer.transport.abort()
        await asyncio.gather(*self.connections.values(), return_exceptions=True)
        for writer in self.connections:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(respond: Respond, head_ends: bytes = b"\r\n\r\n") -> AsyncIterator[Server]:
    server = Server(respond, head_ends)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.aclose()
        await listening.wait_closed()


@contextlib.asynccontextmanager
async def fetching(
    *,
    allow_private: bool = True,
    resolve: Callable[[str, int], Awaitable[list[str]]] | None = None,
) -> AsyncIterator[Callable[[FetchRequest], Awaitable[FetchResponse]]]:
    fetcher = Fetcher(allow_private=allow_private, resolve=resolve)
    try:
        yield lambda request: fetcher.fetch(request, Patterns(["*"]), lambda url: None)
    finally:
        await fetcher.aclose()


def replying(raw: bytes) -> Respond:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return respond


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Latency-Ms: 99000\r\n\r\nok"


def test_a_real_server_answers_and_its_time_is_what_it_took() -> None:
    async def performed() -> tuple[FetchResponse, list[str]]:
        async with serving(replying(OK)) as server, fetching() as fetch:
            url = f"http://127.0.0.1:{server.port}/a?b=%20c"
            return await fetch(FetchRequest(url, "POST", (("X-A", "1"),), b"{}")), server.heads

    response, heads = asyncio.run(performed())
    assert (response.status, response.body) == (200, b"ok")
    assert 0 < response.latency < 30
    assert heads[0].startswith("POST /a?b=%20c HTTP/1.1\r\n")
    assert "x-a: 1\r\n" in heads[0]
    assert "x-now-ms" not in heads[0]


@pytest.mark.rule("9.11")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "0.0.0.0"]
)
def test_a_private_address_is_refused_and_not_contacted(host: str) -> None:
    async def performed() -> list[str]:
        async with serving(replying(OK)) as server, fetching(allow_private=False) as fetch:
            with pytest.raises(PermissionError, match=r"allow_private=True.*runtime\.mount"):
                await fetch(FetchRequest(f"http://{host}:{server.port}/"))
            return server.heads

    assert asyncio.run(performed()) == []


@pytest.mark.rule("9.12")
@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "169.254.169.254"), ("64:ff9b::7f00:1",)])
def test_a_name_that_leads_to_a_special_address_is_refused(addresses: tuple[str, ...]) -> None:
    async def performed() -> None:
        async with fetching(allow_private=False, resolve=resolving(*addresses)) as fetch:
            with pytest.raises(PermissionError, match=r"http://rebound\.example/ leads to"):
                await fetch(FetchRequest("http://rebound.example/"))

    asyncio.run(performed())


@pytest.mark.rule("9.13")
def test_a_name_is_resolved_once_and_connected_to_what_was_checked() -> None:
    async def performed() -> tuple[list[str], list[str]]:
        asked: list[str] = []

        async def resolve_differently(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["0.0.0.0"]

        async with serving(replying(OK)) as server, fetching(resolve=resolve_differently) as fetch:
            await fetch(FetchRequest(f"http://api.example.com:{server.port}/"))
            return asked, server.heads

    asked, heads = asyncio.run(performed())
    assert asked == ["api.example.com"]
    assert "host: api.example.com:" in heads[0]


@pytest.mark.rule("9.10", "9.11")
def test_a_redirect_to_a_private_address_is_refused() -> None:
    async def redirecting(
        scope: object, receive: object, send: Callable[[dict[str, object]], Awaitable[None]]
    ) -> None:
        headers = [(b"location", b"http://169.254.169.254/latest/meta-data/")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body"})

    async def performed() -> None:
        fetcher = Fetcher()
        fetcher.mount("https://api.example.com", redirecting)
        with pytest.raises(PermissionError, match="link-local"):
            await fetcher.fetch(FetchRequest("https://api.example.com/"), Patterns(["*"]), lambda url: None)
        await fetcher.aclose()

    asyncio.run(performed())


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def performed() -> FetchResponse:
        # Nobody listens on that port of 127.0.0.2.
        found = resolving("127.0.0.2", "127.0.0.1")
        async with serving(replying(OK)) as server, fetching(resolve=found) as fetch:
            return await fetch(FetchRequest(f"http://api.example.com:{server.port}/"))

    assert asyncio.run(performed()).status == 200


def test_no_unix_socket_is_reached() -> None:
    backend = GuardedBackend(allow_private=True, resolve=resolving())
    with pytest.raises(AddressRefused):
        asyncio.run(backend.connect_unix_socket("/run/docker.sock"))


def test_a_port_where_nobody_listens_is_a_connection_error_that_says_what_to_do() -> None:
    async def performed() -> None:
        async with serving(replying(OK)) as server:
            port = server.port
        async with fetching() as fetch:
            with pytest.raises(
                ConnectionError, match=rf"http://127.0.0.1:{port}/x .*runtime\.mount\('http://127"
            ):
                await fetch(FetchRequest(f"http://127.0.0.1:{port}/x"))

    asyncio.run(performed())


def test_an_unknown_name_is_a_connection_error() -> None:
    async def performed() -> None:
        async with fetching(resolve=resolving()) as fetch:
            with pytest.raises(ConnectionError, match="its host is not known"):
                await fetch(FetchRequest("https://nowhere.example/"))

    asyncio.run(performed())


TLS_HANDSHAKE = b"\x16"


def test_plain_text_where_tls_was_expected_is_a_connection_error() -> None:
    async def performed() -> None:
        async with serving(replying(OK), TLS_HANDSHAKE) as server, fetching() as fetch:
            with pytest.raises(ConnectionError, match=r"https://127\.0\.0\.1"):
                await fetch(FetchRequest(f"https://127.0.0.1:{server.port}/"))

    asyncio.run(performed())


def test_a_tls_handshake_that_never_ends_is_a_timeout_and_leaves_no_connection() -> None:
    async def performed() -> bytes:
        rest: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def wait_for_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            rest.set_result(b"closed")

        listening = await asyncio.start_server(wait_for_the_end, "127.0.0.1", 0)
        async with listening, fetching() as fetch:
            port = listening.sockets[0].getsockname()[1]
            with pytest.raises(TimeoutError):
                await fetch(FetchRequest(f"https://127.0.0.1:{port}/", timeout=0.1))
            return await asyncio.wait_for(rest, 10)

    assert asyncio.run(performed()) == b"closed"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_server_that_breaks_off_is_a_connection_error(raw: bytes) -> None:
    async def performed() -> None:
        async with serving(replying(raw)) as server, fetching() as fetch:
            with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1"):
                await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/"))

    asyncio.run(performed())


@pytest.mark.rule("9.18")
def test_a_server_that_stops_in_the_middle_is_a_timeout() -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.wait_closed()

    async def performed() -> BaseException:
        async with serving(stall) as server, fetching() as fetch:
            with pytest.raises(TimeoutError) as caught:
                await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/", timeout=0.2))
            return caught.value

    assert latency_of(asyncio.run(performed())) == 0.2


@pytest.mark.rule("4.12")
def test_a_declared_body_over_the_limit_is_refused_by_its_size() -> None:
    raw = f"HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES + 1}\r\n\r\n".encode()

    async def performed() -> None:
        async with serving(replying(raw)) as server, fetching() as fetch:
            with pytest.raises(ValueError, match=f"{BODY_BYTES + 1} bytes"):
                await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/"))

    asyncio.run(performed())


def test_an_endless_body_is_cut_at_the_limit() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 64 * BODY_BYTES:
            writer.write(b"x" * 2**16)
            await writer.drain()
            sent += 2**16

    async def performed() -> None:
        async with serving(flood) as server, fetching() as fetch:
            with pytest.raises(ValueError, match="more than"):
                await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/"))

    asyncio.run(performed())
    assert sent < 4 * BODY_BYTES


@pytest.mark.rule("4.12")
def test_a_compressed_bomb_is_refused() -> None:
    bomb = gzip.compress(b"\x00" * (BODY_BYTES + 1))
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb

    async def performed() -> None:
        async with serving(replying(raw)) as server, fetching() as fetch:
            with pytest.raises(ValueError, match=str(BODY_BYTES)):
                await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/"))

    asyncio.run(performed())


def test_a_head_request_has_no_body_whatever_is_declared() -> None:
    raw = f"HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES * 2}\r\n\r\n".encode()

    async def performed() -> FetchResponse:
        async with serving(replying(raw)) as server, fetching() as fetch:
            return await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/", "HEAD"))

    assert asyncio.run(performed()).body == b""


def test_the_endless_body_of_a_redirect_is_not_read() -> None:
    async def respond(writer: asyncio.StreamWriter) -> None:
        if server_heads:
            writer.write(OK)
            return
        server_heads.append("seen")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n")
        while True:
            writer.write(b"x" * 2**16)
            await writer.drain()

    server_heads: list[str] = []

    async def performed() -> FetchResponse:
        async with serving(respond) as server, fetching() as fetch:
            return await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/a"))

    assert asyncio.run(performed()).body == b"ok"


@pytest.mark.rule("9.14")
def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def performed() -> tuple[list[str], list[str]]:
        async with serving(replying(OK)) as server, serving(replying(OK)) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
            async with fetching() as fetch:
                await fetch(FetchRequest(f"http://127.0.0.1:{server.port}/"))
            return server.heads, proxy.heads

    heads, proxied = asyncio.run(performed())
    assert (len(heads), proxied) == (1, [])


def test_many_fetches_overlap() -> None:
    async def performed() -> int:
        everybody = asyncio.Barrier(20)

        async def respond(writer: asyncio.StreamWriter) -> None:
            await everybody.wait()
            writer.write(OK)

        async with serving(respond) as server, fetching() as fetch:
            url = f"http://127.0.0.1:{server.port}/"
            responses = await asyncio.gather(*(fetch(FetchRequest(url)) for _ in range(20)))
            return sum(response.status == 200 for response in responses)

    assert asyncio.run(performed()) == 20


def test_the_http_stack_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, plot_nb.tools.network; print(sorted({'httpx', 'httpcore', 'idna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
