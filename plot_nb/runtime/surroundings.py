"""What a runtime shares with the world: apps and tools that twists reach, and webhooks by which they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plot_nb.journal import frames
from plot_nb.runtime.posting import post
from plot_nb.runtime.serving import WebhookServer, serve

if TYPE_CHECKING:
    import httpx
    import pandas as pd

    from plot_nb.engine.engine import Engine
    from plot_nb.runtime.handle import TwistHandle
    from plot_nb.runtime.runtime import Runtime
    from plot_nb.runtime.thread import EngineThread
    from plot_nb.tools.network import AsgiApp


class Surroundings:
    """A part of `Runtime`."""

    path: Path
    _engine: Engine
    _thread: EngineThread
    _server: WebhookServer | None = None

    def _check_open(self) -> None:
        raise NotImplementedError

    def mount(self, origin: str, app: AsgiApp) -> None:
        """Let an ASGI app answer `origin`, such as `https://api.example.com`, instead of the network.

        Raises:
            ValueError: If `origin` is more or less than scheme, host and port.
        """
        self._check_open()
        if not isinstance(origin, str):
            raise TypeError(f"mount takes an origin, such as 'https://api.example.com', not {origin!r}")
        self._thread.mount(origin, app)

    def mount_tool(self, name: str, tool: object) -> None:
        """Let twists call the public methods of `tool`, a request each: `await self.tools.<name>.<method>(...)`.

        Arguments and results are values that the Store could hold. The object's own code runs in this process: its
        async methods on the engine's loop, the others in a thread.

        Raises:
            ValueError: If it cannot have that name, or has no public method.
        """
        self._check_open()
        self._thread.tools.mount(name, tool)

    async def post_webhook(
        self,
        url: str,
        *,
        json: Any = None,
        content: str | bytes | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        method: str = "POST",
    ) -> httpx.Response:
        """Post to a webhook, without a network; what is sent is what an httpx client would send.

        An asynchronous webhook answers `{"queued": true}`, and its method runs when somebody awaits the runtime the
        next time. A synchronous one runs at once, and answers with what its method returned.
        """
        self._check_open()
        sent = {"json": json, "content": content, "data": data, "headers": headers, "params": params}
        return await post(self._as_runtime, url, method, sent)

    async def serve_webhooks(self, port: int = 0) -> WebhookServer:
        """Serve all webhooks on a port of this machine, and run what is posted to them; until the server is closed.

        URLs and tokens that are made from now on are those of a server: tokens are random, whatever the seed.

        Args:
            port: On 127.0.0.1; 0 for any that is free.

        Raises:
            PlotError: If the port cannot be had, or uvicorn or starlette is not installed.
        """
        self._check_open()
        return await serve(self._as_runtime, port)

    def webhooks(self, twist: TwistHandle | None = None) -> pd.DataFrame:
        """One row per webhook, deleted ones included: of one twist, or of all."""
        self._check_open()
        instance = None if twist is None else twist._instance.id
        return frames.webhooks(self.path, self._engine.webhook_base, instance)

    @property
    def _as_runtime(self) -> Runtime:
        from plot_nb.runtime.runtime import Runtime

        assert isinstance(self, Runtime)
        return self
