"""`fetch`, from the twist's request to its response, over every redirect in between."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from plot_nb.engine.under_way import real_seconds_waited
from plot_nb.tools.network.bodies import decoded_body
from plot_nb.tools.network.messages import (
    REDIRECTS,
    AsgiApp,
    FetchRequest,
    FetchResponse,
    Incoming,
    Outgoing,
    outgoing,
)
from plot_nb.tools.network.mounts import Mounts
from plot_nb.tools.network.patterns import Patterns
from plot_nb.tools.network.url import is_absolute, join_url, shown

if TYPE_CHECKING:
    from plot_nb.tools.network.internet import Internet

_MOST_REDIRECTS = 20
_LATENCY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


class Fetcher:
    """Performs the fetches of all twists of a runtime, on one event loop.

    No cookies are kept, and no environment variable is read.

    Args:
        allow_private: Whether loopback, link-local, private and other special addresses may be reached.
        fetch_latency: Seconds that a mounted app takes at least on the runtime's clock, unless it says
            itself, in `x-latency-ms`.
        resolve: How a name becomes addresses; by default as the operating system does it.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        fetch_latency: float = 0.05,
        resolve: Callable[[str, int], Awaitable[list[str]]] | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._fetch_latency = fetch_latency
        self._resolve = resolve
        self._mounts = Mounts()
        self._internet: Internet | None = None

    def mount(self, origin: str, app: AsgiApp) -> None:
        """Let an ASGI app answer an origin; it is never resolved. Callable from any thread.

        Raises:
            ValueError: If `origin` is more or less than scheme, host and port.
            TypeError: If `app` is not callable.
        """
        self._mounts.mount(origin, app)

    def unmount(self, origin: str) -> None:
        """Let the network answer an origin again. Callable from any thread.

        Raises:
            LookupError: If nothing is mounted there.
        """
        self._mounts.unmount(origin)

    async def fetch(
        self, request: FetchRequest, patterns: Patterns, charge: Callable[[str], None]
    ) -> FetchResponse:
        """Perform one fetch.

        Args:
            request: What the twist asked for; hostile.
            patterns: The URLs that it declared.
            charge: Called with the URL of each redirect before it is followed; what it raises ends the fetch.

        Raises:
            ValueError: If it cannot be sent as it is, or if the response is over 8 MiB.
            PermissionError: If a URL, or the address of its host, is not allowed; it was not contacted.
            TimeoutError: If it took longer than `request.timeout`, really or on the runtime's clock.
            ConnectionError: If there is no whole response, a mounted app that raised included.
        """
        if not is_absolute(request.url):
            raise ValueError(f"{shown(request.url)!r} is no absolute URL; write https://host/path")
        message = outgoing(request, patterns.check(request.url))
        trip = _Trip(request)
        try:
            return await self._follow(message, trip, patterns, charge)
        except BaseException as error:
            _note_latency(error, trip.latency)
            raise

    async def aclose(self) -> None:
        """Close what is open."""
        await self._mounts.aclose()
        if self._internet is not None:
            await self._internet.aclose()
            self._internet = None

    async def _follow(
        self, message: Outgoing, trip: _Trip, patterns: Patterns, charge: Callable[[str], None]
    ) -> FetchResponse:
        redirects = 0
        while True:
            answer = await self._exchange(message, trip)
            location = answer.header("location") if answer.status in REDIRECTS else None
            if location is None:
                body = decoded_body(answer, message.url)
                return FetchResponse(
                    answer.status, str(message.url), answer.headers, body, trip.latency, redirects
                )
            if redirects == _MOST_REDIRECTS:
                raise ConnectionError(
                    f"{shown(trip.request.url)} redirects more than {_MOST_REDIRECTS} times"
                )
            url = patterns.check(_target(message, location))
            charge(str(url))
            redirects += 1
            message = message.redirected(answer.status, url)

    async def _exchange(self, message: Outgoing, trip: _Trip) -> Incoming:
        started, waited = time.perf_counter(), real_seconds_waited()
        app = self._mounts.app_at(message.url)
        try:
            if app is None:
                async with asyncio.timeout(trip.seconds_left()):
                    answer = await self._network().send(message)
            else:
                answer = await self._mounts.send(app, message, trip.now_ms(), trip.seconds_left())
        except TimeoutError:
            raise trip.timed_out(message) from None
        except (ValueError, OSError):
            # Not what it really took, so that a mounted app fails after the same time in every run.
            trip.latency += self._fetch_latency if app else time.perf_counter() - started
            raise
        # What an app awaits of the engine takes time on the runtime's clock, which the engine knows.
        took = time.perf_counter() - started - (real_seconds_waited() - waited)
        trip.latency += _told_latency(answer, max(took, self._fetch_latency)) if app else took
        if trip.latency > trip.request.timeout:
            raise trip.timed_out(message)
        return answer

    def _network(self) -> Internet:
        if self._internet is None:
            from plot_nb.tools.network.internet import Internet, resolve_by_system

            self._internet = Internet(
                allow_private=self._allow_private, resolve=self._resolve or resolve_by_system
            )
        return self._internet


class _Trip:
    """What one fetch has spent so far, of real time and of the runtime's."""

    def __init__(self, request: FetchRequest) -> None:
        self.request = request
        self.latency = 0.0
        self._began = time.perf_counter()

    def seconds_left(self) -> float:
        return self.request.timeout - (time.perf_counter() - self._began)

    def now_ms(self) -> float | None:
        began = self.request.now_ms
        return None if began is None else began + self.latency * 1000

    def timed_out(self, message: Outgoing) -> TimeoutError:
        self.latency = self.request.timeout
        return TimeoutError(
            f"{shown(str(message.url))} did not answer within {self.request.timeout:g} s; "
            "a longer wait: fetch(url, timeout=...)"
        )


def latency_of(error: BaseException) -> float:
    """What a fetch that failed took, in seconds on the runtime's clock.

    Args:
        error: What `Fetcher.fetch` raised.
    """
    latency = getattr(error, "_fetch_latency", 0.0)
    return latency if isinstance(latency, float) else 0.0


def _note_latency(error: BaseException, latency: float) -> None:
    error._fetch_latency = latency  # type: ignore[attr-defined]


def _told_latency(answer: Incoming, otherwise: float) -> float:
    told = answer.header("x-latency-ms")
    return float(told) / 1000 if told is not None and _LATENCY.fullmatch(told) else otherwise


def _target(message: Outgoing, location: str) -> str:
    try:
        return join_url(message.url, location)
    except ValueError:
        raise ConnectionError(
            f"{shown(str(message.url))} redirects to {shown(location)!r}, which is no URL"
        ) from None
