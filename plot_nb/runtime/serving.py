"""Webhooks on a real port of this machine, so that another program can post to them."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import TYPE_CHECKING, Self

from plot_nb.errors import PlotError, RuntimeClosed
from plot_nb.runtime.webhooks import BODY_LIMIT, Answer, Post
from plot_nb.tools.webhooks import token_of

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from plot_nb.runtime.runtime import Runtime

_log = logging.getLogger("plot_nb")

_HOST = "127.0.0.1"

_BACKLOG = 4096

_READ_SECONDS = 30.0
"""What a sender may take to send its body."""

_SMALL = 8 * 2**10
"""Bytes of a body that is read before anything is asked: most are smaller."""

_DISCARDED = 16 * BODY_LIMIT
"""Bytes of a body that is too large and yet read to its end: many a client looks for an answer only then."""

_FAREWELL_SECONDS = 2
"""What posts that run at once are given when the server is closed."""


class WebhookServer:
    """Serves the webhooks of one runtime, to programs of this machine only; made by `Runtime.serve_webhooks`.

    What it accepts is committed before it is answered, and runs in the background.

    Attributes:
        port: Where it listens.
        url: What the URL of each webhook begins with.
    """

    def __init__(self, runtime: Runtime, listening: socket.socket, server: uvicorn.Server) -> None:
        self._runtime = runtime
        self._server = server
        self.port: int = listening.getsockname()[1]
        self.url = f"http://{_HOST}:{self.port}"
        self._thread = threading.Thread(
            target=self._live, args=(listening,), name="plot_nb webhooks", daemon=True
        )

    def _live(self, listening: socket.socket) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[listening]))
        except Exception:
            _log.exception("webhooks are not served any more")

    async def aclose(self) -> None:
        """Take no more posts, and wait until what was accepted has run. More than once is no error."""
        await self._stop()
        if not self._runtime.closed:
            await self._runtime._submit(self._runtime._webhooks.idle())

    async def _stop(self) -> None:
        self._server.should_exit = True
        await asyncio.to_thread(self._thread.join)
        if self._runtime._server is self:
            self._runtime._server = None
            await self._runtime._submit(self._runtime._webhooks.serve_at(None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "at" if self._runtime._server is self else "closed, was at"
        return f"<WebhookServer {state} {self.url}>"


class _App:
    """What the server runs for each request; on its own thread."""

    def __init__(self, runtime: Runtime, port: int) -> None:
        self._runtime = runtime
        names = (_HOST, "localhost", "[::1]")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.requests import Request
        from starlette.responses import Response

        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(Request(scope, receive))
        except RuntimeClosed:
            answer = Answer(503)
        except Exception:
            _log.exception("a post to a webhook failed")
            answer = Answer(500)
        await Response(answer.body, answer.status, answer.headers())(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        # A page of a browser can give any name the address 127.0.0.1, but not another name than its own.
        if request.headers.get("host", "").lower() not in self._hosts:
            return Answer(400)
        webhooks = self._runtime._webhooks
        token = token_of(request.url.path)
        # Before a body of any size is read: who has no token fills no memory.
        if token is None or not (_is_small(request) or await self._runtime._submit(webhooks.has(token))):
            return Answer(404)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                body = await _read(request)
        except TimeoutError:
            return Answer(408, closes=True)
        if body is None:
            return Answer(413, closes=True)
        post = Post(request.method, request.scope["query_string"], request.headers.raw, body)
        return await self._runtime._submit(webhooks.serve(token, post))


def _is_small(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length[:20]) <= _SMALL


async def _read(request: Request) -> bytes | None:
    """The body, cut a byte after what it may have; None if it is too large to be read to its end."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > _DISCARDED:
        return None
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _DISCARDED:
            return None
        body += chunk[: BODY_LIMIT + 1 - len(body)]
    return bytes(body)


async def serve(runtime: Runtime, port: int) -> WebhookServer:
    """Serve the webhooks of a runtime on a loopback port.

    Raises:
        TypeError: If `port` is no number.
        ValueError: If there is no such port.
        PlotError: If they are served already, the port cannot be had, or a package is missing.
    """
    if isinstance(port, bool) or not isinstance(port, int):
        raise TypeError(f"serve_webhooks takes a port, such as 8000, or 0 for any that is free, not {port!r}")
    if not 0 <= port < 65536:
        raise ValueError(f"port {port} does not exist: give 1 to 65535, or 0 for any that is free")
    if runtime._server is not None:
        raise PlotError(f"webhooks are served already, at {runtime._server.url}: close that server first")
    try:
        import starlette.requests  # noqa: F401  # looked for before anything is opened
        import uvicorn
    except ImportError as error:
        raise PlotError(
            f"serving webhooks needs uvicorn and starlette ({error}): pip install 'plot_nb[webhooks]'"
        ) from None
    listening = _listen(port)
    try:
        config = uvicorn.Config(
            _App(runtime, listening.getsockname()[1]),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_FAREWELL_SECONDS,
        )
        server = WebhookServer(runtime, listening, uvicorn.Server(config))
        derived = await runtime._submit(runtime._webhooks.serve_at(server.url))
    except BaseException:
        listening.close()
        raise
    runtime._server = server
    if derived:
        _log.warning(
            "tokens of webhooks made before now (%d of them) follow from the runtime's seed: who knows that can guess "
            "them. Have the twist create them again",
            len(derived),
        )
    server._thread.start()
    await runtime._submit(runtime._webhooks.drive())  # what a process that was killed had accepted
    return server


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_HOST, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise PlotError(
            f"port {port} cannot be had ({error.strerror}): give another, or 0 for any that is free"
        ) from None
    return listening
