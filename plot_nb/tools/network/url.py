"""URLs in one spelling, so that what is compared with a pattern is what is sent."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urljoin

URL_CHARACTERS = 16_384
DEFAULT_PORTS = {"http": 80, "https": 443}

_ABSOLUTE = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SPACE = re.compile(r"\s")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "/%!$&'()*+,;=:@~"
_QUERY_SAFE = _PATH_SAFE + "?[]\\^`{|}"


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute http or https URL after normalisation; `str()` spells it.

    Attributes:
        scheme: `http` or `https`.
        host: Lower case ASCII (punycode for other scripts), or an address; IPv6 without brackets.
        port: Always given, the scheme's own one included.
        path: Starts with a slash; no dot segments; nothing escaped that need not be.
        query: What follows the question mark; None where there is none.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str | None = None

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme and authority: what an app is mounted at."""
        return f"{self.scheme}://{self.authority}"

    @property
    def target(self) -> str:
        """Path and query: what an HTTP request line carries."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    def __str__(self) -> str:
        return self.origin + self.target


def parse_url(text: str) -> Url:
    """Read a URL the strict way: what two readers might read differently is refused.

    Raises:
        ValueError: With the reason alone; the caller names the URL.
    """
    refuse_characters(text)
    match = _ABSOLUTE.fullmatch(text)
    if match is None or match["scheme"].lower() not in DEFAULT_PORTS:
        raise ValueError("it must start with http:// or https:// and name a host")
    scheme = match["scheme"].lower()
    host, port = parse_authority(scheme, match["authority"])
    before_fragment = match["rest"].partition("#")[0]
    query = _escape(before_fragment[1:], _QUERY_SAFE) if before_fragment else None
    return Url(scheme, host, port, without_dot_segments(normal_escapes(match["path"] or "/")), query)


def join_url(base: Url, location: str) -> str:
    """The absolute form of a redirect's target; still to be parsed, and judged, as any other."""
    # A space inside a Location is common and every browser escapes it.
    return urljoin(str(base), location.strip(" \t").replace(" ", "%20"))


def is_absolute(text: str) -> bool:
    """Whether a text names a scheme at all; what does not is a slip of the author, not an attempt."""
    return _SCHEME.match(text) is not None


def shown(text: str, characters: int = 200) -> str:
    """A text from a twist or an API, cut and escaped so that it can stand in a message."""
    cut = text if len(text) <= characters else text[:characters] + "…"
    return cut if cut.isprintable() else repr(cut)


def refuse_characters(text: str) -> None:
    """Refuse what URL parsers disagree on.

    Raises:
        ValueError: With the reason alone.
    """
    if len(text) > URL_CHARACTERS:
        raise ValueError(f"it is {len(text)} characters long, over {URL_CHARACTERS}")
    if "\\" in text:
        raise ValueError("it holds a backslash")
    if _SPACE.search(text):
        raise ValueError("it holds white space; write a space as %20")
    if _CONTROL.search(text):
        raise ValueError("it holds a control character")


def parse_authority(scheme: str, authority: str) -> tuple[str, int]:
    """Host and port of an authority.

    Raises:
        ValueError: With the reason alone.
    """
    if "@" in authority:
        raise ValueError("it holds a user name or password; send an authorization header")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise ValueError("its host or port cannot be read")
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError(f"port {port} does not exist")
    return _normal_host(match["host"]), port


def normal_escapes(path: str) -> str:
    """A path with each character escaped exactly where it must be."""
    return _ESCAPE.sub(_normal_escape, _escape(path, _PATH_SAFE))


def without_dot_segments(path: str) -> str:
    """A path with `.` and `..` resolved, as every client resolves them before it sends."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _escape(text: str, safe: str) -> str:
    return quote(_BARE_PERCENT.sub("%25", text), safe=safe)


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _normal_host(text: str) -> str:
    if text.startswith("["):
        try:
            address = ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            raise ValueError("its host is no IPv6 address") from None
        if address.scope_id:
            raise ValueError("its host names a zone")
        return str(address)
    host = _ascii_host(text)
    if host.endswith("."):
        raise ValueError("its host ends in a dot")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("its host is no host name")
    if _NUMBER.fullmatch(labels[-1]):
        # 127.1, 0x7f.1 and 2130706433 are all 127.0.0.1 to one resolver or another.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError("its host is a number, but not an IPv4 address in four decimal parts") from None
    return host


def _ascii_host(text: str) -> str:
    lower = unicodedata.normalize("NFC", text.lower())
    if lower.isascii() and "xn--" not in lower:
        return lower
    import idna

    try:
        host = idna.encode(lower).decode("ascii")
        # A name in punycode must be the one spelling of what it stands for.
        if idna.encode(idna.decode(host)).decode("ascii") != host:
            raise ValueError("its host is no valid international name")
    except idna.IDNAError:
        raise ValueError("its host is no valid international name") from None
    return host
