"""An API to sync from: stands for https://api.example.com in the tutorials and the tests.

    runtime.mount("https://api.example.com", plot_nb.demo.app)      # in the notebook
    python -m plot_nb.demo --port 8000                              # on a real loopback port

What it answers is the same for the same arguments and the same requests, in every process.

    GET /items?page=1&per_page=50       {"items": [...], "page", "total", "has_more", "next_token"}
    GET /items?token=TOKEN              the same by cursor; without a token the first page
    GET /cursor?token=TOKEN&limit=50    {"items": [...], "next_token"}
    GET /items/7                        {"id", "title", "description", "updated"}
    GET /items/7/comments               {"comments": [{"id", "item", "author", "text"}, ...]}
    GET /items/latest                   a redirect to the item that was updated last
    GET /slow?ms=2000                   {"ms": 2000}, after that time

Errors are JSON too: `{"error": "..."}` with 400, 404, 405, 429 or 503. Every response says in
`x-latency-ms` how long it stands for; a mounted app takes that long on the runtime's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import math
import random
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["DemoApp", "app", "main", "make_app"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_PER_PAGE = 50
_MOST_PER_PAGE = 100
_LONGEST_MS = 600_000
_NEWEST = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
_ITEM = re.compile(r"/items/(?P<id>[0-9]{1,12})(?P<comments>/comments)?")
_NOW = re.compile(rb"[0-9]{1,15}(?:\.[0-9]{1,6})?")
_VERBS = ("Review", "Plan", "Draft", "Check", "Book", "Answer", "Move", "Prepare")
_THINGS = ("the budget", "the offsite", "a release", "the interview", "the contract", "a demo", "the roadmap")
_WHO = ("Ada", "Grace", "Alan", "Barbara", "Edsger", "Frances", "Tony", "Margaret")
_REMARKS = ("Looks good.", "Can this wait?", "Done on my side.", "Who owns this?", "See the notes.")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: dict[str, Any]
    latency_ms: float
    headers: tuple[tuple[str, str], ...] = ()


class _Refusal(Exception):
    """A request that gets an error."""

    def __init__(self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class DemoApp:
    """The ASGI app that `make_app` makes; see there."""

    def __init__(
        self,
        *,
        items: int,
        latency: timedelta,
        rate_limit: int | None,
        window: timedelta,
        failures: float,
        seed: int,
        wait: bool,
    ) -> None:
        self._items = items
        self._latency_ms = latency / timedelta(milliseconds=1)
        self._rate_limit = rate_limit
        self._window_ms = window / timedelta(milliseconds=1)
        self._failures = failures
        self._seed = seed
        self._wait = wait
        self._asked: Counter[str] = Counter()
        self._current_window = -1
        self._in_window = 0

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request, or go through the server's start and end."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the demo speaks HTTP, not {scope['type']}")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        try:
            self._count(scope["headers"])
            self._fail(scope["path"], query)
            answer = self._answer(scope["method"], scope["path"], query)
        except _Refusal as refusal:
            answer = _Answer(refusal.status, {"error": str(refusal)}, self._latency_ms, refusal.headers)
        if self._wait:
            await asyncio.sleep(answer.latency_ms / 1000)
        await _respond(send, answer, with_body=scope["method"] != "HEAD")

    def _answer(self, method: str, path: str, query: dict[str, str]) -> _Answer:
        if method not in {"GET", "HEAD"}:
            raise _Refusal(405, f"{method} is not supported; the demo only reads", (("allow", "GET, HEAD"),))
        if path == "/slow":
            ms = _number(query, "ms", default=2000, least=0, most=_LONGEST_MS)
            return _Answer(200, {"ms": ms}, float(ms))
        if path == "/items/latest":
            if not self._items:
                raise _Refusal(404, "there is no item")
            return _Answer(302, {}, self._latency_ms, (("location", f"/items/{self._items}"),))
        return _Answer(200, self._content(path, query), self._latency_ms)

    def _content(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        if path == "/":
            return {
                "total": self._items,
                "see": ["/items?page=1", "/cursor", "/items/1", "/items/1/comments"],
            }
        if path == "/items":
            return self._page(query) if query.get("token") is None else self._batch(query, "per_page")
        if path == "/cursor":
            batch = self._batch(query, "limit")
            return {"items": batch["items"], "next_token": batch["next_token"]}
        match = _ITEM.fullmatch(path)
        if match is None:
            raise _Refusal(404, f"there is nothing at {path}")
        number = int(match["id"])
        if not 1 <= number <= self._items:
            raise _Refusal(404, f"there is no item {number}; there are {self._items}")
        return {"comments": self._comments(number)} if match["comments"] else self._item(number)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        page = _number(query, "page", default=1, least=1, most=10**9)
        per_page = _number(query, "per_page", default=_PER_PAGE, least=1, most=_MOST_PER_PAGE)
        return {"page": page, **self._slice((page - 1) * per_page, per_page)}

    def _batch(self, query: dict[str, str], size_name: str) -> dict[str, Any]:
        size = _number(query, size_name, default=_PER_PAGE, least=1, most=_MOST_PER_PAGE)
        return self._slice(_offset(query.get("token", "")), size)

    def _slice(self, offset: int, size: int) -> dict[str, Any]:
        end = min(offset + size, self._items)
        has_more = end < self._items and offset < self._items
        return {
            "items": [self._item(number) for number in range(offset + 1, end + 1)],
            "total": self._items,
            "has_more": has_more,
            "next_token": _token(end) if has_more else None,
        }

    def _item(self, number: int) -> dict[str, Any]:
        draw = random.Random(f"{self._seed}:item:{number}")
        who, thing = draw.choice(_WHO), draw.choice(_THINGS)
        return {
            "id": number,
            "title": f"{draw.choice(_VERBS)} {thing}",
            "description": f"{who} asked about {thing} (item {number}).",
            "updated": (_NEWEST - timedelta(minutes=7 * (self._items - number))).isoformat(),
        }

    def _comments(self, number: int) -> list[dict[str, Any]]:
        draw = random.Random(f"{self._seed}:comments:{number}")
        return [
            {
                "id": f"{number}-{index}",
                "item": number,
                "author": draw.choice(_WHO),
                "text": draw.choice(_REMARKS),
            }
            for index in range(1, draw.randint(1, 4) + 1)
        ]

    def _count(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        if self._rate_limit is None:
            return
        now_ms = _now_ms(headers)
        window = int(now_ms // self._window_ms)
        if window != self._current_window:
            self._current_window, self._in_window = window, 0
        if self._in_window >= self._rate_limit:
            seconds = math.ceil(((window + 1) * self._window_ms - now_ms) / 1000)
            message = f"over {self._rate_limit} requests; try again in {seconds} s"
            raise _Refusal(429, message, (("retry-after", str(max(seconds, 1))),))
        self._in_window += 1

    def _fail(self, path: str, query: dict[str, str]) -> None:
        if not self._failures:
            return
        # By URL and how often it was asked for, so that the order of concurrent requests does not matter.
        asked = f"{path}?{sorted(query.items())}"
        if len(self._asked) > 100_000:
            self._asked.clear()
        self._asked[asked] += 1
        digest = hashlib.sha256(f"{self._seed}:{asked}:{self._asked[asked]}".encode()).digest()
        if int.from_bytes(digest[:8]) < self._failures * 2**64:
            raise _Refusal(503, "unavailable for a moment; try again")


def make_app(
    items: int = 1234,
    *,
    latency: timedelta | float = timedelta(milliseconds=50),
    rate_limit: int | None = None,
    window: timedelta | float = timedelta(seconds=60),
    failures: float = 0.0,
    seed: int = 0,
    wait: bool = False,
) -> DemoApp:
    """Make a demo API.

    Args:
        items: How many there are.
        latency: What every response but those of `/slow` says to have taken; a number is milliseconds.
        rate_limit: Requests that are answered in each window; the others get 429 with `retry-after`.
            The time is that of the runtime's clock where it is told (in the header `x-now-ms`, as a
            runtime does for a mounted app), and real time otherwise.
        window: How long a window is; a number is milliseconds.
        failures: The share of requests that get 503, drawn from the seed; asking again draws again.
        seed: Decides texts and failures.
        wait: Whether to take the time for real, as an app on a real port should.

    Raises:
        ValueError: If a figure makes no sense.
    """
    if items < 0:
        raise ValueError(f"items cannot be negative (items={items})")
    if rate_limit is not None and rate_limit < 0:
        raise ValueError(f"rate_limit cannot be negative (rate_limit={rate_limit}); None is no limit")
    if not 0.0 <= failures <= 1.0:
        raise ValueError(f"failures is a share from 0 to 1 (failures={failures})")
    duration, span = _duration(latency), _duration(window)
    if duration < timedelta(0):
        raise ValueError(f"latency cannot be negative (latency={latency})")
    if span < timedelta(milliseconds=1):
        raise ValueError(f"window must be a millisecond or more (window={window})")
    return DemoApp(
        items=items,
        latency=duration,
        rate_limit=rate_limit,
        window=span,
        failures=failures,
        seed=seed,
        wait=wait,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the demo on a loopback port until interrupted.

    Returns:
        The exit status: 1 where uvicorn is missing or the port is taken.
    """
    given = _parser().parse_args(arguments)
    try:
        import uvicorn
    except ModuleNotFoundError:
        return _complain('serving the demo takes uvicorn: pip install "plot_nb[demo]"')
    try:
        served = make_app(
            given.items,
            latency=given.latency_ms,
            rate_limit=given.rate_limit,
            failures=given.failures,
            seed=given.seed,
            wait=True,
        )
        listening = socket.create_server(("127.0.0.1", given.port))
        # asyncio sees to this only for sockets that name their protocol; without it every answer waits 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except ValueError as error:
        return _complain(str(error))
    except (OSError, OverflowError) as error:
        return _complain(f"cannot listen on port {given.port}: {error}")
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    # uvicorn shuts down in order when interrupted, and then raises it once more.
    with listening, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(
            f"{given.items} items at {url}/items\nA runtime reaches it with allow_private=True.\n"
        )
        sys.stdout.flush()
        config = uvicorn.Config(served, log_level="warning", lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _complain(message: str) -> int:
    sys.stderr.write(f"plot_nb.demo: {message}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plot_nb.demo", description="Serve the demo API.")
    parser.add_argument(
        "--port", type=int, default=8000, help="on 127.0.0.1; 0 is any free one (default: 8000)"
    )
    parser.add_argument("--items", type=int, default=1234, help="how many there are (default: 1234)")
    parser.add_argument("--latency-ms", type=float, default=50.0, help="of every response (default: 50)")
    parser.add_argument("--rate-limit", type=int, help="requests a minute; beyond it 429 (default: none)")
    parser.add_argument(
        "--failures", type=float, default=0.0, help="share of responses that are 503 (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides texts and failures (default: 0)")
    return parser


def _duration(value: timedelta | float) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(milliseconds=value)


def _number(query: dict[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise _Refusal(400, f"{name} must be a whole number from {least} to {most}, not {text[:40]!r}")
    return int(text)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"after:{offset}".encode()).decode().rstrip("=")


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError):
        text = ""
    match = re.fullmatch(r"after:([0-9]{1,12})", text)
    if match is None:
        raise _Refusal(400, f"token {token[:40]!r} is not one that this API gave")
    return int(match[1])


def _now_ms(headers: Sequence[tuple[bytes, bytes]]) -> float:
    told = next((value for name, value in headers if name == b"x-now-ms"), b"")
    return float(told) if _NOW.fullmatch(told) else time.time() * 1000


async def _respond(send: _Send, answer: _Answer, *, with_body: bool) -> None:
    body = json.dumps(answer.content).encode()
    headers = (
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("x-latency-ms", f"{answer.latency_ms:.3f}".rstrip("0").rstrip(".")),
        *answer.headers,
    )
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode("ascii"), value.encode("ascii")) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def _live(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


app = make_app()

if __name__ == "__main__":
    sys.exit(main())
