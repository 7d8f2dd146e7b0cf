"""Origins that an ASGI app in the notebook answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from plot_nb.tools.network.messages import BODY_BYTES, AsgiApp, Incoming, Outgoing, incoming_headers, too_big
from plot_nb.tools.network.url import Url, parse_url, shown

_FAREWELL_SECONDS = 1.0


class _NoResponse(Exception):
    """An app ended without a whole response."""


class Mounts:
    """The mounted apps. `mount` and `unmount` may be called from any thread.

    An app is the user's own code and runs on the engine's event loop: one that awaits for ever is left
    behind at the timeout, one that computes for ever cannot be stopped. Lifespan events are not sent.
    """

    def __init__(self) -> None:
        self._apps: dict[str, AsgiApp] = {}
        self._left_behind: set[asyncio.Task[Incoming]] = set()

    def mount(self, origin: str, app: AsgiApp) -> None:
        """Let an app answer an origin; one that was mounted there before is replaced.

        Raises:
            ValueError: If `origin` is more or less than scheme, host and port.
            TypeError: If `app` is not callable.
        """
        if not callable(app):
            raise TypeError(
                f"an ASGI app is called with (scope, receive, send); {type(app).__name__} is not callable"
            )
        self._apps[_origin(origin)] = app

    def unmount(self, origin: str) -> None:
        """Let the network answer an origin again.

        Raises:
            LookupError: If nothing is mounted there.
        """
        if self._apps.pop(_origin(origin), None) is None:
            mounted = ", ".join(sorted(self._apps)) or "nothing"
            raise LookupError(f"no app is mounted at {shown(origin)}; mounted: {mounted}")

    def app_at(self, url: Url) -> AsgiApp | None:
        """The app that answers a URL, if one does."""
        return self._apps.get(url.origin)

    async def send(self, app: AsgiApp, message: Outgoing, now_ms: float | None, seconds: float) -> Incoming:
        """Ask an app; nothing is decompressed.

        Raises:
            TimeoutError: If it took longer than `seconds` of real time.
            ConnectionError: If it raised, or answered with something that is no response. A server would
                hide its exception behind a bare 500; in a notebook it is what the reader needs.
            ValueError: If the response is too big.
        """
        # A task of its own, so that an app that swallows its cancellation does not hold up the engine.
        task = asyncio.ensure_future(_ask(app, message, now_ms))
        try:
            done, _ = await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                self._leave(task)
        if not done:
            raise TimeoutError
        if task.cancelled() or isinstance(task.exception(), GeneratorExit):
            raise ConnectionError(f"the app mounted at {message.url.origin} cancelled itself")
        return task.result()

    async def aclose(self) -> None:
        """Give apps that were left behind a moment to end."""
        if self._left_behind:
            await asyncio.wait(self._left_behind, timeout=_FAREWELL_SECONDS)

    def _leave(self, task: asyncio.Task[Incoming]) -> None:
        self._left_behind.add(task)
        task.add_done_callback(self._forget)
        task.cancel()

    def _forget(self, task: asyncio.Task[Incoming]) -> None:
        self._left_behind.discard(task)
        if not task.cancelled():
            # Looked at, so that asyncio does not report it as lost.
            task.exception()


class _Bounded:
    """An app whose response cannot grow past the limit, whatever it does with the refusal."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.bytes_sent = 0

    @property
    def is_too_big(self) -> bool:
        return self.bytes_sent > BODY_BYTES

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        started = ended = False

        async def send_bounded(message: MutableMapping[str, Any]) -> None:
            nonlocal started, ended
            if message["type"] == "http.response.body":
                self.bytes_sent += len(message.get("body", b""))
                if self.is_too_big:
                    raise OSError("the response is too big")
                ended = not message.get("more_body", False)
            await send(message)
            started = True

        await self._app(scope, receive, send_bounded)
        if not (started and ended):
            raise _NoResponse


async def _ask(app: AsgiApp, message: Outgoing, now_ms: float | None) -> Incoming:
    import httpx

    url = message.url
    bounded = _Bounded(app)
    headers = message.raw_headers()
    if now_ms is not None:
        headers.append((b"x-now-ms", f"{now_ms:.3f}".encode("ascii")))
    transport = httpx.ASGITransport(bounded)
    try:
        response = await transport.handle_async_request(
            httpx.Request(message.method, str(url), headers=headers, content=message.body)
        )
        body = b"".join([chunk async for chunk in response.aiter_raw()])
        if not 200 <= response.status_code <= 599:
            raise _NoResponse
        return Incoming(response.status_code, incoming_headers(response.headers.raw), body)
    except (asyncio.CancelledError, GeneratorExit):
        raise
    # SystemExit among them: it would end the engine's loop.
    except BaseException as error:
        if bounded.is_too_big:
            raise ValueError(too_big(url)) from None
        raise ConnectionError(
            f"the app mounted at {url.origin} {_failure(error)} ({message.method} {_path(url)})"
        ) from error


def _failure(error: BaseException) -> str:
    if isinstance(error, _NoResponse):
        return "ended without a whole response"
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"raised {type(error).__name__}: {shown(text)}" if text else f"raised {type(error).__name__}"


def _path(url: Url) -> str:
    return shown(url.target)


def _origin(text: str) -> str:
    try:
        url = parse_url(text)
    except ValueError as error:
        raise ValueError(f"cannot mount an app at {shown(text)}: {error}") from None
    if url.target != "/" or "?" in text or "#" in text:
        raise ValueError(f"cannot mount an app at {shown(text)}: give scheme, host and port, as {url.origin}")
    return url.origin
