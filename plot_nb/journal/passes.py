"""What a drain's pass is called where people look at it."""

from __future__ import annotations

from plot_nb.twist import drains

_LONGEST = 24
"""Characters of a drain's key: a picture has room for little more than that."""


def named(method: str, args: str | None) -> str:
    """`__drain__ inbox → handle`; the method alone where its arguments were cut or masked to no value.

    Args:
        method: The hidden method, with the path of its tool.
        args: Its arguments as the journal has them: the drain's key and its handler come first.
    """
    found = drains.read(args) if args is not None else None
    if found is None:
        return method
    key = found.key if len(found.key) <= _LONGEST else f"{found.key[:_LONGEST]}…"
    return f"{method} {key} → {found.handler}"
