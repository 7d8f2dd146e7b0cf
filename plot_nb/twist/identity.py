"""Identifiers that a twist makes up."""

from __future__ import annotations

import uuid

from plot_nb.twist.wall import current


class Uuid:
    """Makes random identifiers; they follow the runtime's seed and cost no request."""

    @staticmethod
    def generate() -> str:
        """A new random UUID."""
        current()
        return str(uuid.uuid4())
