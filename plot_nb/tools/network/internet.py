"""The way out to the real network: resolving, checking and connecting as one step."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from plot_nb.tools.network.addresses import special_use
from plot_nb.tools.network.messages import (
    BODY_BYTES,
    REDIRECTS,
    Incoming,
    Outgoing,
    incoming_headers,
    too_big,
)
from plot_nb.tools.network.url import shown

Resolve = Callable[[str, int], Awaitable[list[str]]]

_MOST_ADDRESSES = 8
_PATIENCE_SECONDS = 5.0


class AddressRefused(Exception):
    """A name leads to an address that a twist may not reach."""


class NameUnknown(Exception):
    """A name leads nowhere."""


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses of a host, as the operating system knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(info[4][0]) for info in found]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the very address that it has checked, so that a name cannot change in between."""

    def __init__(self, *, allow_private: bool, resolve: Resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check every address, connect to the first that answers.

        The pool asks for no time limit, no local address and no socket options; the limit is the fetch's.

        Raises:
            AddressRefused: If one of them is special; the others are not tried either.
            NameUnknown: If there is none.
        """
        addresses = await self._addresses(host, port)
        for address in addresses:
            use = special_use(address)
            if use is not None and not self._allow_private:
                raise AddressRefused(f"{address} ({use})")
        for address in addresses[:-1]:
            try:
                return _Stream(await self._sockets.connect_tcp(address, port, _PATIENCE_SECONDS))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return _Stream(await self._sockets.connect_tcp(addresses[-1], port))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """No URL leads to one."""
        raise AddressRefused(f"unix socket {path}")

    async def sleep(self, seconds: float) -> None:
        """Wait between two attempts to connect."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NameUnknown(str(error)) from error
        if not found:
            raise NameUnknown("no address")
        # IPv4 first: where only one of the two is broken, it is IPv6.
        return sorted(dict.fromkeys(found), key=lambda address: ":" in address)[:_MOST_ADDRESSES]


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed when its TLS handshake is cancelled; httpcore would leave it open."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Internet:
    """A pool of connections to the real network. Lives on one event loop.

    Uses httpcore itself, because httpx's transport has no public way to be given a network backend, and a
    guard that hangs on a private attribute is lost without a sound when the attribute is renamed.
    """

    def __init__(self, *, allow_private: bool, resolve: Resolve = resolve_by_system) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=GuardedBackend(allow_private=allow_private, resolve=resolve),
        )

    async def send(self, message: Outgoing) -> Incoming:
        """Send one request and read its response; no redirect is followed, nothing is decompressed.

        Raises:
            PermissionError: If the host's address may not be reached.
            ConnectionError: If there is no whole response.
            ValueError: If it cannot be sent, or if the response is too big.
        """
        url = message.url
        try:
            async with self._pool.stream(
                message.method.encode("ascii"),
                httpcore.URL(
                    scheme=url.scheme.encode("ascii"),
                    host=url.host.encode("ascii"),
                    port=url.port,
                    target=url.target.encode("ascii"),
                ),
                headers=message.raw_headers(),
                content=message.body,
            ) as response:
                return Incoming(
                    response.status, incoming_headers(response.headers), await _body(response, message)
                )
        except AddressRefused as error:
            raise PermissionError(
                f"{shown(str(url))} leads to {error}, which a twist may not reach; open the runtime with "
                f"allow_private=True, or answer it in the notebook: runtime.mount({url.origin!r}, app)"
            ) from None
        except httpcore.LocalProtocolError as error:
            raise ValueError(f"the request to {shown(str(url))} cannot be sent: {error}") from None
        except NameUnknown as error:
            raise ConnectionError(_unreachable(message, f"its host is not known ({error})")) from None
        except (httpcore.ConnectError, httpcore.TimeoutException) as error:
            raise ConnectionError(_unreachable(message, shown(str(error)) or "no connection")) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise ConnectionError(
                f"{shown(str(url))} broke off: {shown(str(error)) or type(error).__name__}"
            ) from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


async def _body(response: httpcore.Response, message: Outgoing) -> bytes:
    headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    if response.status in REDIRECTS and b"location" in headers:
        # Read by nobody, and may be endless.
        return b""
    declared = headers.get(b"content-length", "")
    if (
        message.method != "HEAD"
        and declared.isdecimal()
        and len(declared) < 20
        and int(declared) > BODY_BYTES
    ):
        raise ValueError(too_big(message.url, f"{declared} bytes"))
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise ValueError(too_big(message.url))
    return bytes(body)


def _unreachable(message: Outgoing, why: str) -> str:
    origin = message.url.origin
    return (
        f"{shown(str(message.url))} cannot be reached: {why}; "
        f"to answer it in the notebook: runtime.mount({origin!r}, app)"
    )
