"""The runtime that the magics of this process's notebook use."""

from __future__ import annotations

from plot_nb.runtime.runtime import Runtime

_current: list[Runtime] = []
"""The runtime of this process's notebook; empty until one is asked for."""


def current() -> Runtime:
    """The runtime that this notebook's magics use; made at the first call."""
    if not _current or _current[0].closed:
        use(Runtime())
    return _current[0]


def opened() -> Runtime | None:
    """The current runtime if there is one already."""
    return _current[0] if _current and not _current[0].closed else None


def use(runtime: Runtime) -> Runtime:
    """Make `runtime` the current one."""
    _current[:] = [runtime]
    return runtime
