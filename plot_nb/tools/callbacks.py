"""The host side of callbacks (SPEC 6): an opaque token for a method's name and extra arguments."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from plot_nb.engine.model import Callback
from plot_nb.tools.operation import CallbackDeleted, CallbackNotFound, Context, Operation
from plot_nb.tools.store import VALUE_LIMIT

_LISTED = 30
"""Names that a message lists."""


def is_hidden(method: str) -> bool:
    """Whether a method is the runtime's own, such as the one that runs a drain."""
    return method.rpartition(".")[2].startswith("_")


def suggestion(name: str, known: Iterable[str]) -> str:
    """What else there is, for the end of a message about a name that is not there."""
    names = sorted(name for name in known if not is_hidden(name))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"it has {listed(names)}" if names else "it has none that an event can run"


def listed(names: Iterable[str]) -> str:
    """Names with commas between, as many as can be read."""
    shown = list(names)
    more = len(shown) - _LISTED
    return ", ".join(shown[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def find(context: Context, token: str) -> Callback:
    """The callback of a token.

    Raises:
        CallbackDeleted: If it was deleted.
        CallbackNotFound: If this twist never made it.
    """
    found = context.backend.callback(context.origin.instance, token)
    if found is None:
        raise CallbackNotFound(
            f"{token[:60]!r} is not a callback of this twist: make one with self.callback(...)"
        )
    if found.deleted:
        raise CallbackDeleted(f"this callback of {found.method!r} was deleted")
    return found


def method_of(context: Context, arguments: tuple[str, ...]) -> str:
    """What the journal shows for a token: its method, which tells more and gives nothing away."""
    found = context.backend.callback(context.origin.instance, arguments[0])
    return found.method if found else "unknown callback"


def check_target(context: Context, what: str, method: str, args: str) -> str:
    """Check what a callback or a webhook shall stand for.

    Args:
        context: Who asks.
        what: `callback` or `webhook`.
        method: By its name in the scope that asks.
        args: The extra arguments.

    Returns:
        The method, by its name in the whole twist.

    Raises:
        ValueError: If there is no such method, or if the arguments are too large or no list.
    """
    method = context.qualified(method)
    if method not in context.methods:
        raise ValueError(
            f"a {what} needs a method, there is no async method {method[:80]!r}: "
            f"{suggestion(method[:80], context.methods)}"
        )
    size = len(args.encode(errors="replace"))
    if size > VALUE_LIMIT:
        raise ValueError(
            f"the arguments of the {what} for {method!r} are {size} bytes encoded, "
            f"at most {VALUE_LIMIT} fit: put them into the Store and pass the key"
        )
    if not _is_list(args):
        raise ValueError(f"the arguments of the {what} for {method!r} are not superjson text of a list")
    return method


def _create(context: Context, arguments: tuple[str, str]) -> str:
    method, args = check_target(context, "callback", *arguments), arguments[1]
    token = context.tasks.new_token("callback")
    context.backend.add_callback(context.origin, token, method, args, context.version)
    return token


def _is_list(text: str) -> bool:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(decoded, dict) and isinstance(decoded.get("json"), list)


def _resolve(context: Context, arguments: tuple[str]) -> dict[str, str]:
    found = find(context, arguments[0])
    if found.method not in context.methods:
        raise CallbackNotFound(
            f"method {found.method!r} is gone: version {found.version} made this callback, "
            f"version {context.version} runs"
        )
    return {
        "method": found.method,
        "args": found.args,
        "versions": f"version {found.version} made the callback, version {context.version} runs",
    }


OPERATIONS: dict[str, Operation[Any]] = {
    "create": Operation(tuple[str, str], lambda c, a: c.qualified(a[0]), _create),
    "delete": Operation(tuple[str], method_of, lambda c, a: c.backend.delete_callback(c.origin, token=a[0])),
    "delete_all": Operation(
        tuple[()], lambda c, a: "", lambda c, a: c.backend.delete_callbacks(c.origin, c.scope)
    ),
    "resolve": Operation(tuple[str], method_of, _resolve),
}
