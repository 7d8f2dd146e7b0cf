"""The class that a twist extends."""

from __future__ import annotations

from plot_nb.twist.scoped import Scoped


class Twist(Scoped):
    """The base of every twist: what happens to one instance is written as its `async def` methods.

    Nothing assigned to `self` survives the execution; the Store does.

    Attributes:
        tools: `store`, `callbacks`, `tasks`, and what `build` returned.
        options: The options given at deploy.
        log: Writes to the journal's log.
    """
