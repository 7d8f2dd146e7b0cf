"""What a drain's pass is called where people look at it."""

from __future__ import annotations

from plot_nb.twist import superjson

_LONGEST = 24
"""Characters of a drain's key: a picture has room for little more than that."""


def named(method: str, args: str | None) -> str:
    """`__drain__ inbox → handle`; the method alone where its arguments were cut or masked to no value.

    Args:
        method: The hidden method, with the path of its tool.
        args: Its arguments as the journal has them: the drain's key and its handler come first.
    """
    try:
        given = superjson.loads(args) if args is not None else None
    except ValueError:
        return method
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given[:2]) or len(given) < 2:
        return method
    key, handler = given[0], given[1]
    return f"{method} {key if len(key) <= _LONGEST else f'{key[:_LONGEST]}…'} → {handler}"
