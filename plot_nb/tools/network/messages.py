"""What goes out and what comes back: the values of one `fetch`."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from plot_nb.tools.network.url import Url, shown

BODY_BYTES = 8 * 2**20
REDIRECTS = frozenset({301, 302, 303, 307, 308})

# Those an origin trusts to name its user.
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_BODY_HEADERS = frozenset({"content-encoding", "content-language", "content-location", "content-type"})
# They follow from the URL and the body; a twist that set them could reach past its patterns.
_OWN_HEADERS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding"}
    | {"proxy-authorization", "proxy-connection", "upgrade"}
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})

AsgiApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One `fetch` as the twist asked for it.

    Attributes:
        timeout: Seconds, redirects included. Real seconds, and those of the runtime's clock too.
        now_ms: The runtime's clock at the start; mounted apps are told in `x-now-ms`.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout: float = 30.0
    now_ms: float | None = None


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """What a `fetch` brought back.

    Attributes:
        url: Where the last redirect led.
        headers: Names in lower case, repeated ones apart.
        body: Decompressed.
        latency: Seconds on the runtime's clock, redirects included.
        redirects: How many were followed.
    """

    status: int
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    latency: float
    redirects: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP request on its way: the twist's own, or the next one after a redirect."""

    url: Url
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as bytes, those that the host decides included."""
        sent = [("host", self.url.authority), *self.headers]
        names = {name for name, _ in sent}
        sent.extend(pair for pair in (("accept", "*/*"), ("user-agent", "plot-nb")) if pair[0] not in names)
        sent.append(("accept-encoding", "gzip, deflate"))
        if self.body is not None or self.method in {"POST", "PUT", "PATCH"}:
            sent.append(("content-length", str(len(self.body or b""))))
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in sent]

    def redirected(self, status: int, url: Url) -> Outgoing:
        """The request that follows a redirect, by the rules browsers follow."""
        method, headers, body = self.method, self.headers, self.body
        if (status in {301, 302} and method == "POST") or (status == 303 and method not in {"GET", "HEAD"}):
            method, body = "GET", None
            headers = _without(headers, _BODY_HEADERS)
        if url.origin != self.url.origin:
            headers = _without(headers, _SECRET_HEADERS)
        return Outgoing(url, method, headers, body)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP response, its body read whole but not yet decompressed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for found, value in self.headers if found == name), None)


def outgoing(request: FetchRequest, url: Url) -> Outgoing:
    """Check what a twist asked to send.

    Raises:
        ValueError: If method, headers, body or timeout cannot be sent; the message names it.
    """
    method = request.method.upper()
    if not _TOKEN.fullmatch(request.method) or method in _REFUSED_METHODS:
        raise ValueError(f"{shown(request.method)} is no method that fetch can send")
    if not (math.isfinite(request.timeout) and request.timeout > 0):
        raise ValueError(f"timeout must be a positive number of seconds, not {request.timeout}")
    if request.body is not None and len(request.body) > BODY_BYTES:
        raise ValueError(f"the body for {shown(str(url))} has {len(request.body)} bytes, over {BODY_BYTES}")
    headers = (_header(*pair) for pair in request.headers)
    # What can be decompressed is for the host to say.
    kept = tuple(pair for pair in headers if pair[0] not in {"accept-encoding", "x-now-ms"})
    return Outgoing(url, method, kept, request.body)


def too_big(url: Url, size: str = f"more than {BODY_BYTES} bytes") -> str:
    """What to say of a response that is over the limit."""
    return (
        f"the response of {shown(str(url))} has {size}; a body may have {BODY_BYTES}: ask for less at a time"
    )


def incoming_headers(raw: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Headers as text; bytes that are not UTF-8 count as Latin-1, which never fails."""
    return tuple((_text(name).lower(), _text(value)) for name, value in raw)


def _header(name: str, value: str) -> tuple[str, str]:
    lower = name.lower()
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{shown(name)!r} is no header name")
    if lower in _OWN_HEADERS:
        raise ValueError(f"the header {lower} follows from the URL and the body; leave it out")
    stripped = value.strip(" \t")
    if (
        not all(character == "\t" or " " <= character <= "\xff" for character in stripped)
        or "\x7f" in stripped
    ):
        raise ValueError(f"the value of header {lower} holds a character that a header cannot carry")
    return lower, stripped


def _without(headers: tuple[tuple[str, str], ...], names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers if pair[0] not in names)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
