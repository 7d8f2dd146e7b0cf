"""Posts to webhooks (SPEC 9): what is queued, what is run at once, and what the sender is answered."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from plot_nb.backend.records import Webhook
from plot_nb.engine.chains import Drive
from plot_nb.engine.engine import Engine
from plot_nb.engine.model import Execution, Instance
from plot_nb.errors import PlotError, RuntimeClosed
from plot_nb.runtime.run import Run
from plot_nb.tools.webhooks import BASE
from plot_nb.twist import UNDEFINED, superjson

if TYPE_CHECKING:
    from plot_nb.runtime.runtime import Runtime

BODY_LIMIT = 2**20
"""Bytes of a body (SPEC 9)."""

HEAD_LIMIT = 64 * 2**10
"""Bytes of a query and of all headers."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})

_REFUSED = frozenset({"__proto__", "constructor", "prototype"})
"""Keys that superjson does not have."""

_SERVED = "webhooks served"
"""The setting, saved with the state, that tokens are random from now on."""

_log = logging.getLogger("plot_nb")


@dataclass(frozen=True, slots=True)
class Post:
    """What was sent to a webhook, as it came."""

    method: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def arguments(self, extra: str) -> str:
        """What the method is given, as superjson text of a list.

        Of a header that came several times the values are joined, of such a parameter the last one holds. A byte
        that is no UTF-8 becomes half a surrogate pair, as Python's `surrogateescape` has it.

        Args:
            extra: superjson text of a list: what the webhook was made with.

        Raises:
            ValueError: If there are more parameters than anybody has, or a name that no object may have.
        """
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        params = parse_qsl(
            self.query.decode("latin-1"), keep_blank_values=True, errors="replace", max_num_fields=1000
        )
        refused = _REFUSED & (headers.keys() | dict(params).keys())
        if refused:
            raise ValueError(f"no object may have the key {min(refused)!r}")
        request = {
            "method": self.method,
            "headers": headers,
            "params": dict(params),
            "raw_body": self.body.decode("utf-8", "surrogateescape"),
        }
        # Nothing but texts, which are in superjson as in JSON; a body of a mebibyte takes no time so.
        empty = superjson.dumps([None, *superjson.loads(extra)])
        return empty.replace("null", json.dumps(request, separators=(",", ":")), 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender gets."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    closes: bool = False

    def headers(self) -> dict[str, str]:
        """With the body's type, which no browser shall guess anew."""
        given = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        if self.closes:
            given["connection"] = "close"
        return given if self.content_type is None else {"content-type": self.content_type, **given}


_QUEUED = Answer(200, b'{"queued": true}', "application/json")
_TOO_LARGE = Answer(413)


class Webhooks:
    """The webhooks of a runtime; on the engine's thread.

    Posts that come at the same time are queued in one commit, and answered after it.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._arrived: list[tuple[str, str, asyncio.Future[Answer]]] = []
        self._base = BASE
        self._wanted = False
        self._idle = asyncio.Event()
        self._idle.set()

    def attach(self, engine: Engine) -> None:
        """Tell a new engine what URLs and tokens are like."""
        served = self._base != BASE
        if served:
            self._runtime._backend.save_meta(_SERVED, 1)
        engine.webhook_base = self._base
        engine.derives_tokens = not (served or self._runtime._backend.meta(_SERVED))

    async def serve_at(self, base: str | None) -> list[Webhook]:
        """From now on webhooks are served at an address, or no more.

        Returns:
            Those whose token follows from the seed.
        """
        self._base = base or BASE
        self.attach(self._runtime._engine)
        return [each for each in self._runtime._backend.live_webhooks() if each.derived] if base else []

    async def has(self, token: str) -> bool:
        """Whether a post would find a webhook."""
        return self._find(token) is not None

    async def post(self, token: str | None, post: Post, *, remembered: bool) -> Answer:
        """Take one post.

        Args:
            token: Of the webhook; None for a URL that has none.
            post: What was sent.
            remembered: Whether what runs for it is the runtime's last run then.
        """
        found = self._find(token)
        if found is None:
            return Answer(404)
        if post.method not in METHODS:
            return Answer(405)
        if len(post.body) > BODY_LIMIT:
            return _TOO_LARGE
        if len(post.query) + sum(len(name) + len(value) for name, value in post.headers) > HEAD_LIMIT:
            return Answer(431)
        webhook, instance = found
        try:
            args = post.arguments(webhook.args)
        except ValueError:
            return Answer(400)
        if webhook.sync:
            return await self._run(webhook, instance, args, remembered=remembered)
        accepted: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self._arrived:
            asyncio.get_running_loop().call_soon(self._queue)
        self._arrived.append((webhook.token, args, accepted))
        return await accepted

    def _find(self, token: str | None) -> tuple[Webhook, Instance] | None:
        webhook = self._runtime._backend.webhook(token) if token is not None else None
        instance = self._runtime._instances.get(webhook.instance) if webhook is not None else None
        return (
            (webhook, instance) if webhook is not None and instance is not None and instance.active else None
        )

    def _queue(self) -> None:
        """Queue what has arrived since the loop's last turn."""
        arrived, self._arrived = self._arrived, []
        engine = self._runtime._engine
        posts: list[tuple[str, Execution]] = []
        accepted: list[asyncio.Future[Answer]] = []
        for token, args, future in arrived:
            found = self._find(token)
            if future.done():
                continue
            if found is None:
                future.set_result(Answer(404))
                continue
            webhook, instance = found
            posts.append((token, engine.make_execution(instance.id, "webhook", webhook.method, args)))
            accepted.append(future)
        try:
            engine.queue_posts(posts)
            engine.turn()
        except Exception as error:  # a full disk, say
            for future in accepted:
                future.set_exception(self._runtime._stopped(error))
            return
        for future in accepted:
            future.set_result(_QUEUED)

    async def _run(self, webhook: Webhook, instance: Instance, args: str, *, remembered: bool) -> Answer:
        runtime = self._runtime
        await runtime._thread.ready()
        if self._find(webhook.token) is None:
            return Answer(404)
        if instance.suspended is not None:
            return Answer(503)
        engine = runtime._engine

        def begin(ended: Callable[[], None]) -> Drive:
            runtime._backend.count_post(webhook.token)
            execution = engine.make_execution(instance.id, "webhook", webhook.method, args, awaited=True)
            return engine.begin([execution], ended, alone=True)

        run = await runtime._drive(f"{instance.twist}.{webhook.method}", begin, remembered=remembered)
        assert run is not None
        return _answer_of(run)

    # on a port

    async def serve(self, token: str, post: Post) -> Answer:
        """Take one post of another program, and see to it that it runs."""
        answer = await self.post(token, post, remembered=False)
        await self.drive()
        return answer

    async def drive(self) -> None:
        """Run what waits, in the background: nobody awaits what another program has posted."""
        self._wanted = True
        if self._idle.is_set():
            self._idle.clear()
            self._runtime._thread.keep(self._drive_all())

    async def idle(self) -> None:
        """Wait until all of that has run."""
        await self._idle.wait()

    async def _drive_all(self) -> None:
        runtime = self._runtime
        try:
            await runtime._thread.ready()
            while self._wanted:
                self._wanted = False
                until: int | None = runtime._engine.now
                while until is not None:
                    await self._drive_until(until)
                    until = runtime._engine.last_retry()
        except RuntimeClosed:
            return
        except PlotError:
            _log.exception("what was posted cannot be run")
        finally:
            self._idle.set()

    async def _drive_until(self, until: int) -> None:
        engine = self._runtime._engine
        await self._runtime._drive(
            "webhooks", lambda ended: engine.drive(ended, until=until), remembered=False
        )


def _answer_of(run: Run) -> Answer:
    """What a synchronous webhook's method came to, as its sender sees it: of a failure nothing but that."""
    text = run._drive.value
    if run.outcome == "suspended":
        return Answer(503)
    if run.outcome != "ok" or text is None:
        return Answer(500)
    value = superjson.loads(text)
    if value is None or value is UNDEFINED:
        return Answer(200)
    if isinstance(value, str):
        try:
            body = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half a surrogate pair that stands for no byte
            body = value.encode("utf-8", "replace")
        return Answer(200, body, "text/plain; charset=utf-8")
    # What JSON does not have is written as superjson writes it, without its notes on what it was.
    return Answer(200, json.dumps(json.loads(text)["json"]).encode(), "application/json")
