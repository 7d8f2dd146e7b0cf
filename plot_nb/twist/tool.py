"""The class that a tool extends."""

from __future__ import annotations

from plot_nb.twist.scoped import Scoped


class Tool(Scoped):
    """The base of a tool that twists and other tools can build: `build(Calendar, **options)`.

    It can do what a twist can, in a Store of its own, with callbacks and tasks of its own. Around the twist's
    `activate`, `upgrade` and `deactivate` its methods `pre_activate`, `post_activate` and so on are run.

    Attributes:
        tools: `store`, `callbacks`, `tasks`, and what its own `build` returned.
        options: Those given where it is built.
        log: Writes to the journal's log.
    """
