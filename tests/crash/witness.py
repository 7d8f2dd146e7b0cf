"""Who saw what: a file outside of the state file, which a killed process leaves as it was.

A twist tells it over the network what it has done, the client that drives the runtime what was acknowledged to it.
What is in it must be in the state file too, however often the process died since.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ORIGIN = "https://witness.example"


class Witness:
    """A list of facts (who, what, item) in a file.

    Args:
        path: The file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.on: dict[str, Callable[[], Awaitable[None]]] = {}

    def saw(self, who: str, what: str, item: object) -> None:
        """Keep a fact; it outlives this process."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, json.dumps([who, what, item]).encode() + b"\n")
        finally:
            os.close(descriptor)

    def facts(self) -> list[tuple[str, str, Any]]:
        """All facts, in the order in which they were seen."""
        if not self._path.exists():
            return []
        return [tuple(json.loads(line)) for line in self._path.read_text().splitlines()]

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """What a twist posts `[what, item]` to; `on[what]` is awaited before it is answered."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        what, item = json.loads(body)
        self.saw(scope["path"].strip("/"), what, item)
        if what in self.on:
            await self.on[what]()
        headers = [(b"x-latency-ms", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
