"""What the tools of a twist have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plot_nb.twist.twist import Twist


class Tool:
    """A capability that `build` gives to a twist, reached as `self.tools.<name>`."""

    def __init__(self, twist: Twist) -> None:
        self._twist = twist
