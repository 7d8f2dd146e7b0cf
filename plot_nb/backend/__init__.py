"""Durable state: store, queue and journal in one file that belongs to one runtime at a time."""

from __future__ import annotations

from plot_nb.backend.sqlite import SqliteBackend

__all__ = ["SqliteBackend"]
