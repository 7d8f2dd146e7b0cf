"""Which IP addresses are on the public internet.

Written out, because `is_global` differs between Python versions, calls multicast and 6to4 global, and
does not look into the IPv4 address that an IPv6 one carries. After IANA's special-purpose registries.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_SPECIAL_V4 = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_SPECIAL_V6 = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("::1/128", "loopback"),
        ("::/128", "unspecified"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("fc00::/7", "private"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved, Teredo among them"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
    )
)
_CARRIES_V4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
_UNICAST_V6 = IPv6Network("2000::/3")


def special_use(address: str) -> str | None:
    """What an address is reserved for; None where it is an ordinary public one.

    Args:
        address: As a resolver gives it; an IPv6 zone is allowed.

    Returns:
        A word for messages, such as `loopback`.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return _special_v4(parsed)
    return _special_v6(parsed)


def _special_v4(address: IPv4Address) -> str | None:
    for network, what in _SPECIAL_V4:
        if address in network:
            return what
    return None if address.is_global else "reserved"


def _special_v6(address: IPv6Address) -> str | None:
    if any(address in network for network in _CARRIES_V4):
        return _special_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    for network, what in _SPECIAL_V6:
        if address in network:
            return what
    return None if address in _UNICAST_V6 and address.is_global else "reserved"
