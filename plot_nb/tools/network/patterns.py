"""Which URLs a twist may fetch: the `urls` that it declared, compared strictly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from plot_nb.tools.network.url import (
    DEFAULT_PORTS,
    Url,
    normal_escapes,
    parse_authority,
    parse_url,
    refuse_characters,
    shown,
    without_dot_segments,
)

_PATTERN = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<wild>\*\.)?(?P<authority>[^/]*)(?P<path>/.*)?")
_DEEPEST_ESCAPE = 8

# What some server takes for a dot, a slash or a backslash: UTF-8 longer than it need be, IIS's own escape, full width.
_LOOSE_SPELLINGS = {
    spelling: strict
    for strict, spellings in (
        (b".", (b"\xc0\xae", b"\xe0\x80\xae", b"%u002e", b"\xef\xbc\x8e", b"%uff0e")),
        (b"/", (b"\xc0\xaf", b"\xe0\x80\xaf", b"%u002f", b"\xef\xbc\x8f", b"%uff0f")),
        (b"\\", (b"\xc1\x9c", b"\xe0\x81\x9c", b"%u005c", b"\xef\xbc\xbc", b"%uff3c")),
    )
    for spelling in spellings
}
_LOOSE = re.compile(b"|".join(re.escape(spelling) for spelling in _LOOSE_SPELLINGS), re.IGNORECASE)


class _Undecodable(Exception):
    """A path escaped deeper than anybody has a use for."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    scheme: str
    host: str
    any_subdomain: bool
    port: int
    path: str
    any_suffix: bool

    def allows(self, url: Url) -> bool:
        return (
            (url.scheme, url.port) == (self.scheme, self.port)
            and self._has_host(url)
            and self._has_path(url.path)
        )

    def _has_host(self, url: Url) -> bool:
        if not self.any_subdomain:
            return url.host == self.host
        return url.host.endswith("." + self.host)

    def _has_path(self, path: str) -> bool:
        if not self.any_suffix:
            return path == self.path
        return path.startswith(self.path) and not _leaves(path, self.path)


@dataclass(frozen=True, slots=True)
class Patterns:
    """The URL patterns of one `Network` tool, checked when they are made.

    `*` is every URL. `https://*.example.com` is every subdomain, at any depth, and not the bare
    domain. A path may end in `*`; no path is every path. The query is not compared.

    Attributes:
        texts: The patterns as they were declared.

    Raises:
        ValueError: If one cannot be read; the message names it.
    """

    texts: tuple[str, ...]
    _everything: bool = field(init=False, repr=False, compare=False)
    _compiled: tuple[_Pattern, ...] = field(init=False, repr=False, compare=False)

    def __init__(self, texts: Iterable[str]) -> None:
        if isinstance(texts, str):
            raise ValueError(f"urls takes a list of patterns: [{texts!r}]")  # noqa: TRY004
        patterns = tuple(texts)
        compiled = tuple(_parse(text) for text in patterns if text != "*")
        object.__setattr__(self, "texts", patterns)
        object.__setattr__(self, "_everything", "*" in patterns)
        object.__setattr__(self, "_compiled", compiled)

    def allows(self, url: str) -> bool:
        """Whether a twist with these patterns may fetch a URL."""
        try:
            self.check(url)
        except PermissionError:
            return False
        return True

    def check(self, url: str) -> Url:
        """Read a URL and judge it.

        Returns:
            The URL in its one spelling: send this one, not the text.

        Raises:
            PermissionError: If no pattern allows it, or if it is written so that two readers could take it
                for different URLs. The message names the URL and the patterns.
        """
        try:
            parsed = parse_url(url)
        except ValueError as error:
            raise PermissionError(f"{self._refusal(url)}: {error}") from None
        if self._everything or any(pattern.allows(parsed) for pattern in self._compiled):
            return parsed
        raise PermissionError(f"{self._refusal(url)}; declare it: build(Network, urls=[...])")

    def _refusal(self, url: str) -> str:
        declared = ", ".join(self.texts) if self.texts else "none"
        return f"fetch of {shown(url)} is not allowed; this twist declares {shown(declared, 1000)}"


def _parse(text: str) -> _Pattern:
    try:
        return _parse_pattern(text)
    except ValueError as error:
        raise ValueError(f"URL pattern {text!r} cannot be used: {error}") from None


def _parse_pattern(text: str) -> _Pattern:
    if not isinstance(text, str):
        raise ValueError("a pattern is a str")  # noqa: TRY004
    refuse_characters(text)
    match = _PATTERN.fullmatch(text)
    if match is None or match["scheme"].lower() not in DEFAULT_PORTS:
        raise ValueError("write *, https://host, https://*.host or https://host/path/*")
    if "?" in text or "#" in text:
        raise ValueError("only scheme, host, port and path are compared; leave out what follows them")
    if "*" in match["authority"]:
        raise ValueError(
            "in a host, * stands only at the beginning: https://*.example.com; for every URL write *"
        )
    scheme = match["scheme"].lower()
    host, port = parse_authority(scheme, match["authority"])
    if match["wild"] and (":" in host or host.replace(".", "").isdigit()):
        raise ValueError("an address has no subdomains")
    path, any_suffix = _parse_path(match["path"])
    return _Pattern(scheme, host, match["wild"] is not None, port, path, any_suffix)


def _parse_path(text: str | None) -> tuple[str, bool]:
    if text is None:
        return "/", True
    any_suffix = text.endswith("*")
    path = normal_escapes(text.removesuffix("*"))
    if "*" in path:
        raise ValueError("in a path, * stands only at the end")
    if without_dot_segments(path) != path:
        raise ValueError("its path holds dot segments")
    try:
        _decoded(path)
    except _Undecodable:
        raise ValueError("its path is escaped too deep") from None
    return path, any_suffix


def _leaves(path: str, prefix: str) -> bool:
    """Whether a server that decodes escaped slashes and dots could find itself outside a prefix.

    Walks the path the most hostile way: decoded as often as it can be, backslashes as slashes, empty
    segments merged, `..;x` as `..`. One step outside is enough, wherever the path ends up.
    """
    try:
        segments = _segments(_decoded(path))
    except _Undecodable:
        return True
    if not any(_is_dots(segment) for segment in segments):
        return False
    inside = b"/".join(_segments(_decoded(prefix)))
    walked: list[bytes] = [b""]
    for segment in segments[1:]:
        if segment.partition(b";")[0] == b"..":
            walked = walked[:-1] or [b""]
            if not b"/".join([*walked, b""]).startswith(inside):
                return True
        elif not _is_dots(segment):
            walked.append(segment)
    return False


def _is_dots(segment: bytes) -> bool:
    return segment.partition(b";")[0] in {b".", b".."}


def _segments(path: bytes) -> list[bytes]:
    """The parts between slashes, empty ones merged but for the first and the last."""
    parts = path.replace(b"\\", b"/").split(b"/")
    return [b"", *(part for part in parts[1:-1] if part), parts[-1]]


def _decoded(path: str) -> bytes:
    current = path.encode("ascii")
    for _ in range(_DEEPEST_ESCAPE):
        following = _LOOSE.sub(lambda found: _LOOSE_SPELLINGS[found[0].lower()], unquote_to_bytes(current))
        if following == current:
            return current
        current = following
    raise _Undecodable
