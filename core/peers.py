"""Who is one peer: an address of IPv4, a network of IPv6, in one form wherever peers are counted."""

import ipaddress
from functools import lru_cache


def plain(address: str) -> str:
    """Return an address in its one form; what is no address stays as it is.

    One of IPv4 is so also where a socket of IPv6 calls it ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2).
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def peer_of(address: str) -> str:
    """Return what counts as one peer: an address of IPv4, a network /64 of IPv6, which is what one customer has."""
    return _peer_of(address)


_PEERS = 4_096
"""Addresses that are kept as they were read: whoever keeps a connection asks more than once."""


@lru_cache(maxsize=_PEERS)
def _peer_of(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(plain(address))
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
