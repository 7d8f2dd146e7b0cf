"""What a webhook's method gets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


class WebhookHeaders(dict[str, str]):
    """Headers by name in lower case, found in any case of letters; the Store keeps them as a dict."""

    __slots__ = ()

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        super().__init__((name.lower(), value) for name, value in dict(headers).items())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header, or `default`."""
        return super().get(name.lower(), default)


class WebhookRequest:
    """A request that somebody sent to a webhook.

    Attributes:
        method: The HTTP method.
        headers: By name, whatever its case.
        params: Those of the URL's query.
        body: Parsed where it is JSON, else the text; None if it is empty.
        raw_body: The text as it came.
    """

    __slots__ = ("body", "headers", "method", "params", "raw_body")

    def __init__(
        self,
        method: str = "POST",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        params: Mapping[str, Any] | None = None,
        raw_body: str = "",
    ) -> None:
        self.method = method
        self.headers = WebhookHeaders(headers)
        self.params = dict(params or {})
        self.raw_body = raw_body
        self.body = _parsed(raw_body)

    def __repr__(self) -> str:
        return f"<WebhookRequest {self.method} of {len(self.raw_body)} characters>"


def _parsed(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _no_json(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
