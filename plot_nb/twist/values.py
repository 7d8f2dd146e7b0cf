"""Values that Python has no type for, and TypeScript has."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self
from urllib.parse import quote

__all__ = ["UNDEFINED", "Error", "Map", "Undefined", "Url"]


class Undefined:
    """The type of `UNDEFINED`, JavaScript's `undefined`. There is one, and it is false."""

    __slots__ = ()
    _one: ClassVar[Any] = None

    def __new__(cls) -> Self:
        """Give the one there is."""
        if cls._one is None:
            cls._one = super().__new__(cls)
        one: Self = cls._one
        return one

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __reduce__(self) -> tuple[type["Undefined"], tuple[()]]:
        return (Undefined, ())


UNDEFINED: Final = Undefined()


class Map(dict[Any, Any]):
    """A dict that is stored as a Map though all its keys are strings, or though it is empty.

    A dict with any other key needs no `Map` to be stored as one.
    """

    __slots__ = ()

    def __init__(self, entries: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        super().__init__(entries)


class Error(Exception):
    """An error that was stored and whose class is not one of Python's own.

    Args:
        message: What `str()` of it gives.
        name: The name of the class it had.
        cause: What caused it, where that is not an exception; an exception is in `__cause__`.
    """

    def __init__(self, message: str = "", name: str = "Error", cause: object = None) -> None:
        super().__init__(message)
        self.name = name
        self.cause = cause

    def __repr__(self) -> str:
        return f"Error({str(self)!r}, name={self.name!r})"


_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
# RFC 3986, appendix B. The scheme is demanded: there is no page for a URL to be relative to.
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_BEFORE_QUERY: Final = re.compile(r"[^?#]*")
_AUTHORITY: Final = re.compile(r"(?:(.*)@)?(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([0-9]*))?", re.DOTALL)
_NOT_IN_HOST: Final = re.compile(r"[\x00-\x20#%/:<>?@\\^|\x7f\[\]]")
_ENDS: Final = "".join(map(chr, range(0x21)))
_IN_PATH: Final = "!$%&'()*+,-./:;=@[\\]^_|~"
_IN_QUERY: Final = "!$%&()*+,-./:;=?@[\\]^_`{|}~"
_IN_FRAGMENT: Final = "!#$%&'()*+,-./:;=?@[\\]^_{|}~"
_IN_USER: Final = "!$%&'()*+,-._~"


def _authority(scheme: str, text: str, whole: str) -> str:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise ValueError(f"not a URL, its host or port cannot be read: {whole!r}")
    user, host, port = found.groups()
    host = host.lower()
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not host.startswith("[") and _NOT_IN_HOST.search(host):
        raise ValueError(f"not a URL, its host has a character no host has: {whole!r}")
    if not host and scheme != "file":
        raise ValueError(f"not a URL, it names no host: {whole!r}")
    if port and int(port[:6]) > 65535:
        raise ValueError(f"not a URL, its port is over 65535: {whole!r}")
    port = str(int(port)) if port else ""
    login = f"{quote(user.removesuffix(':'), safe=_IN_USER + ':')}@" if user else ""
    return f"{login}{host}" + (f":{port}" if port and port != _PORTS.get(scheme) else "")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
    if segments and segments[-1].lower().replace("%2e", ".") in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _normal(text: str) -> str:
    spelled = re.sub(r"[\t\n\r]", "", text.strip(_ENDS))
    if spelled.partition(":")[0].lower() in {*_PORTS, "file"}:
        spelled = _BEFORE_QUERY.sub(lambda start: start[0].replace("\\", "/"), spelled, count=1)
    found = _PARTS.fullmatch(spelled)
    if found is None:
        raise ValueError(f"not a URL, it must begin with its scheme, as in https://: {text!r}")
    scheme, authority, path = found[1].lower(), found[3], found[4]
    query = quote(found[5] or "", safe=_IN_QUERY)
    fragment = quote(found[6] or "", safe=_IN_FRAGMENT)
    if scheme not in _PORTS and scheme != "file":
        start = "" if authority is None else f"//{authority}"
        return f"{scheme}:{start}{quote(path, safe=_IN_PATH + ' ')}{query}{fragment}"
    if authority is None:
        raise ValueError(f"not a URL, // must follow {scheme}: in {text!r}")
    path = quote(_without_dots(path), safe=_IN_PATH)
    return f"{scheme}://{_authority(scheme, authority, text)}{path}{query}{fragment}"


@dataclass(frozen=True, slots=True, repr=False)
class Url:
    """An absolute URL, JavaScript's `URL`. Two are equal when they are spelled the same once normalised.

    Scheme and host are in lower case, a default port is dropped, an empty path is `/`, `..` is resolved,
    and what a URL cannot hold is percent-encoded.

    Args:
        href: The URL, with its scheme.

    Raises:
        ValueError: If `href` is not an absolute URL.
    """

    href: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "href", _normal(str(self.href)))

    def __str__(self) -> str:
        return self.href

    def __repr__(self) -> str:
        return f"Url({self.href!r})"

    def _part(self, number: int) -> str:
        found = _PARTS.fullmatch(self.href)
        return (found[number] if found else None) or ""

    def _of_authority(self, number: int) -> str:
        found = _AUTHORITY.fullmatch(self._part(3))
        return (found[number] if found else None) or ""

    @property
    def protocol(self) -> str:
        """The scheme with its colon: `https:`."""
        return f"{self._part(1)}:"

    @property
    def username(self) -> str:
        """What stands before the host, up to a colon."""
        return self._of_authority(1).partition(":")[0]

    @property
    def password(self) -> str:
        """What stands between that colon and the host."""
        return self._of_authority(1).partition(":")[2]

    @property
    def hostname(self) -> str:
        """The host without its port."""
        return self._of_authority(2)

    @property
    def port(self) -> str:
        """The port, or nothing if it is the scheme's own."""
        return self._of_authority(3)

    @property
    def host(self) -> str:
        """The host, and the port if it is not the scheme's own."""
        return f"{self.hostname}:{self.port}" if self.port else self.hostname

    @property
    def origin(self) -> str:
        """Scheme, host and port; `null` for a scheme without a host."""
        return f"{self.protocol}//{self.host}" if self.host and self.protocol[:-1] in _PORTS else "null"

    @property
    def pathname(self) -> str:
        """The path."""
        return self._part(4)

    @property
    def search(self) -> str:
        """The query with its question mark, or nothing."""
        found = self._part(5)
        return "" if found == "?" else found

    @property
    def hash(self) -> str:
        """The fragment with its number sign, or nothing."""
        found = self._part(6)
        return "" if found == "#" else found
