"""Which addresses are the public Internet's (IANA's registries of special-purpose addresses, RFC 6890 and its successors).

Written out, because what `ipaddress` calls global differs between Python's versions.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Ip = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CLOUD: Final = "the metadata service of a cloud"

# The first that holds an address says what it is. Those of clouds stand first: they lie within others, or are public.
_SPECIAL_4: Final = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("169.254.169.254/32", _CLOUD),
        ("169.254.170.2/32", _CLOUD),
        ("168.63.129.16/32", _CLOUD),  # Azure, a public address
        ("100.100.100.200/32", _CLOUD),
        ("192.0.0.192/32", _CLOUD),
        ("0.0.0.0/8", "unspecified"),
        ("127.0.0.0/8", "loopback"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("100.64.0.0/10", "private (shared by a carrier)"),
        ("169.254.0.0/16", "link-local"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("192.88.99.0/24", "reserved"),
        ("198.18.0.0/15", "for measurements"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_SPECIAL_6: Final = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("fd00:ec2::/32", _CLOUD),
        ("fd20:ce::254/128", _CLOUD),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),  # Teredo, ORCHID, benchmarking
        ("2001:db8::/32", "for documentation"),
        ("3fff::/20", "for documentation"),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")


def special(ip: Ip) -> str:
    """What keeps an address from being a public one, such as "loopback"; "" where nothing does.

    An IPv6 address that stands for an IPv4 one (mapped, NAT64 of RFC 6052, 6to4) is what that one is.
    """
    if isinstance(ip, IPv4Address):
        return next((what for network, what in _SPECIAL_4 if ip in network), "")
    inner = within(ip)
    if inner is not None:
        return special(inner)
    what = next((what for network, what in _SPECIAL_6 if ip in network), "")
    return what or ("" if ip in _GLOBAL_6 else "reserved")


def within(ip: Ip) -> IPv4Address | None:
    """The IPv4 address for which an IPv6 one stands."""
    if isinstance(ip, IPv4Address):
        return None
    if ip in _MAPPED or ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    return None
