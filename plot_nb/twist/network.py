"""HTTP from inside a twist."""

from __future__ import annotations

import base64
import json as _json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plot_nb.twist import superjson
from plot_nb.twist.builtin import BuiltIn
from plot_nb.twist.callbacks import method_name
from plot_nb.twist.request import Request
from plot_nb.twist.values import Url

if TYPE_CHECKING:
    from plot_nb.twist.scoped import Scoped

BODY_LIMIT = 8 * 2**20
TEXT_LIMIT = 64 * 2**10
"""A longer text body crosses as base64, whose size can be told in advance."""

_NO_JSON: Any = object()


class Network(BuiltIn):
    """Permission to fetch: `build(Network, urls=["https://api.example.com/*"])`; and webhooks, with or without urls."""

    def __init__(self, owner: Scoped, *, urls: Iterable[str] = ()) -> None:
        super().__init__(owner)
        if isinstance(urls, str):
            raise TypeError(f"urls is a list of patterns, not one str: pass [{urls!r}]")
        self.urls = tuple(urls)
        for url in self.urls:
            if not isinstance(url, str):
                raise TypeError(f"a URL pattern is a str, not {type(url).__name__}")

    def create_webhook(
        self, method: str | Callable[..., Any], *args: Any, sync: bool = False
    ) -> Request[str]:
        """A URL to which others can send requests; each runs a method.

        Args:
            method: The method, or its name. It gets a `WebhookRequest`, then `args`.
            *args: Extra arguments.
            sync: Answer with what the method returns, instead of queueing an execution and answering at once.

        Returns:
            The URL; who knows it can run the method.

        Raises:
            TypeError: If `method` is none, or an argument cannot be stored.
            ValueError: If there is no such method.
        """
        name = method_name(self._owner, method, "a webhook", "run by a webhook")
        return self._request("network.create_webhook", [name, superjson.dumps(list(args)), bool(sync)])

    def delete_webhook(self, url: str | Url) -> Request[None]:
        """End a webhook; no error if it is gone."""
        if not isinstance(url, (str, Url)):
            raise TypeError(f"a webhook is ended by its URL, a str, not {type(url).__name__}")
        return self._request("network.delete_webhook", [str(url)])


class Headers(Mapping[str, str]):
    """Headers by name, whatever its case; those that came several times are joined by a comma."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [(name, value) for name, value in pairs]
        self._joined: dict[str, str] = {}
        for name, value in self._pairs:
            key = name.lower()
            self._joined[key] = f"{self._joined[key]}, {value}" if key in self._joined else value

    def __getitem__(self, name: str) -> str:
        return self._joined[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._joined)

    def __len__(self) -> int:
        return len(self._joined)

    def get_all(self, name: str) -> list[str]:
        """Every value of a header that came several times, such as `set-cookie`."""
        return [value for key, value in self._pairs if key.lower() == name.lower()]

    def __repr__(self) -> str:
        return f"Headers({self._joined!r})"


class Response:
    """What a server answered."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.status: int = answer["status"]
        self.url: str = answer["url"]
        self.headers = Headers(answer["headers"])
        self._body: str = answer["body"]
        self._encoding: str = answer["encoding"]

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299

    async def bytes(self) -> bytes:
        """The body as it came."""
        return base64.b64decode(self._body) if self._encoding == "base64" else self._body.encode()

    async def text(self) -> str:
        """The body as text, in the charset that the server named."""
        if self._encoding != "base64":
            return self._body
        raw = base64.b64decode(self._body)
        try:
            return raw.decode(_charset(self.headers.get("content-type", "")), "replace")
        except (LookupError, ValueError):
            return raw.decode("utf-8", "replace")

    async def json(self) -> Any:
        """The body, parsed as JSON."""
        return _json.loads(await self.text() if self._encoding != "base64" else await self.bytes())

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.url}>"


def fetch(
    url: object,
    method: str = "GET",
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: str | bytes | None = None,
    json: Any = _NO_JSON,
    timeout: float | timedelta = 30,
) -> Request[Response]:
    """Fetch a URL that `build(Network, urls=...)` allows.

    Args:
        url: Where to.
        method: The HTTP method.
        headers: What to send along.
        body: What to send.
        json: What to send as JSON, instead of `body`.
        timeout: How long to wait on the runtime's clock, in seconds.

    Raises:
        TypeError: If an argument is of the wrong kind, or there are both `body` and `json`.
        ValueError: If the body is too large, or the timeout is not positive.
    """
    pairs = [
        [_text(name, "a header's name"), _text(value, "a header's value")]
        for name, value in (headers.items() if isinstance(headers, Mapping) else headers)
    ]
    if json is not _NO_JSON:
        if body is not None:
            raise TypeError("fetch() takes body or json, not both")
        body = _json.dumps(json)
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(["content-type", "application/json"])
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    if not 0 < seconds < float("inf"):
        raise ValueError(f"timeout is a positive number of seconds, not {timeout!r}")
    sent, encoding = _body(body)
    return Request(
        "network.fetch", [str(url), _text(method, "method").upper(), pairs, sent, encoding, seconds], Response
    )


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return "utf-8"


def _text(value: str, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is a str, not {type(value).__name__}")
    return value


def _body(body: str | bytes | None) -> tuple[str | None, str]:
    if body is None:
        return None, "utf-8"
    if isinstance(body, str) and len(body) <= TEXT_LIMIT:
        return body, "utf-8"
    if not isinstance(body, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"body is str or bytes, not {type(body).__name__}: use json= for other values")
    raw = body.encode() if isinstance(body, str) else bytes(body)
    if len(raw) > BODY_LIMIT:
        raise ValueError(f"the body is {len(raw)} bytes, at most {BODY_LIMIT} can be sent")
    return base64.b64encode(raw).decode("ascii"), "base64"
