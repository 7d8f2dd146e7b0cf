"""The host side of webhooks (SPEC 9): a URL whose token stands for a method and its extra arguments."""

from __future__ import annotations

import re
from typing import Any

from plot_nb.tools.callbacks import check_target
from plot_nb.tools.operation import Context, Operation
from plot_nb.twist import superjson

BASE = "https://webhooks.plot.test"
"""Where webhooks are while they are not served on a port: a name that is reserved for what nobody can reach."""

_TOKEN = re.compile(r"wh_[0-9a-f]{28}")


def token_of(url: str) -> str | None:
    """The token in a webhook's URL, whatever its base; None if there is none."""
    path = re.split(r"[?#]", url, maxsplit=1)[0]
    last = path.rstrip("/").rpartition("/")[2]
    return last if _TOKEN.fullmatch(last) else None


def _create(context: Context, arguments: tuple[str, str, bool]) -> str:
    method = check_target(context, "webhook", arguments[0], arguments[1])
    try:
        superjson.loads(arguments[1])
    except ValueError as error:
        raise ValueError(
            f"the arguments of the webhook for {method!r} are not superjson text: {error}"
        ) from None
    token = context.tasks.new_token("webhook")
    context.backend.add_webhook(
        context.origin,
        token,
        method,
        arguments[1],
        context.version,
        sync=arguments[2],
        derived=context.tasks.derives_tokens,
    )
    return f"{context.tasks.webhook_base}/{token}"


def _own(context: Context, url: str) -> str | None:
    """The method of a webhook of the instance that asks; None for any other URL."""
    token = token_of(url[:2048])
    found = context.backend.webhook(token) if token is not None else None
    return found.method if found is not None and found.instance == context.origin.instance else None


def _delete(context: Context, arguments: tuple[str]) -> None:
    token = token_of(arguments[0][:2048])
    if token is not None:
        context.backend.delete_webhook(context.origin, token)


OPERATIONS: dict[str, Operation[Any]] = {
    "create_webhook": Operation(tuple[str, str, bool], lambda c, a: c.qualified(a[0]), _create),
    "delete_webhook": Operation(tuple[str], lambda c, a: _own(c, a[0]) or "unknown webhook", _delete),
}
