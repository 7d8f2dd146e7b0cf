"""What a runtime shares with the world: apps and tools that twists reach, and what comes to them from there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plot_nb.journal import frames
from plot_nb.runtime.emitting import Event, check_edit, play
from plot_nb.runtime.handle import instance_of
from plot_nb.runtime.posting import post
from plot_nb.runtime.serving import WebhookServer, serve

if TYPE_CHECKING:
    import httpx
    import pandas as pd

    from plot_nb.engine.engine import Engine
    from plot_nb.runtime.handle import TwistHandle
    from plot_nb.runtime.run import Run
    from plot_nb.runtime.runtime import Runtime
    from plot_nb.runtime.thread import EngineThread
    from plot_nb.tools.network import AsgiApp
    from plot_nb.twist.activities import Activity, Note


class Surroundings:
    """A part of `Runtime`."""

    path: Path
    _engine: Engine
    _thread: EngineThread
    _server: WebhookServer | None = None

    if TYPE_CHECKING:

        def _check_open(self) -> None: ...

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

    async def emit(
        self,
        event: Event,
        activity: Activity | Mapping[str, str] | str,
        given: Activity | Note | Mapping[str, Any] | str,
        *,
        twist: TwistHandle | None = None,
    ) -> Run:
        """Play a user's edit: store it, then run the twist's method for it and the chain that this sets off.

        Args:
            event: `activity_updated` runs `on_activity_updated(activity, changes)`, `note_created` runs
                `on_note_created(note)`; like a task it is tried again if it fails.
            activity: Its id; with `twist` also its key.
            given: The changes, such as `{"title": "…", "tags": {"done": True}}`; or the note, or only its text.
            twist: Whose activity it is.

        Returns:
            What ran. If the twist has no such method, the edit is stored and nothing runs.

        Raises:
            ActivityNotFound: If there is no such activity.
            TwistInactive: If the twist was deactivated.
            TypeError: If the edit names a field that there is none of, or a value is of the wrong kind.
        """
        self._check_open()
        runtime = self._as_runtime
        edit = check_edit(runtime, event, activity, given, twist)
        return await runtime._submit(play(runtime, edit))

    def webhooks(self, twist: TwistHandle | None = None) -> pd.DataFrame:
        """One row per webhook, deleted ones included: of one twist, or of all.

        Raises:
            TypeError: If `twist` is no handle.
            ValueError: If it is of another runtime.
        """
        self._check_open()
        instance = None if twist is None else instance_of(self._as_runtime, twist, "webhooks").id
        return frames.webhooks(self.path, self._engine.webhook_base, instance)

    @property
    def _as_runtime(self) -> Runtime:
        from plot_nb.runtime.runtime import Runtime

        assert isinstance(self, Runtime)
        return self
