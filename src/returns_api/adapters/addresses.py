"""Owns which IP addresses are strangers on the public internet. No I/O: ``http`` resolves names.

``ipaddress.is_global`` alone is not enough: it calls multicast, IPv4-compatible, NAT64, 6to4 and
site-local addresses global, and each of them can lead back to this machine or its network.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_MAPPED = IPv6Network("::ffff:0:0/96")
_DENIED_V4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments: PCP, NAT64 discovery
    IPv4Network("192.88.99.0/24"),  # 6to4 relays: forward to an address of the sender's choice
)
_DENIED_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo and ORCHID among them
    IPv6Network("3fff::/20"),  # documentation (RFC 9637); newer than Python 3.11's tables
)


def is_public_address(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether connecting to ``address`` certainly leaves this machine and every private network.

    IPv4 addresses hidden in mapped, NAT64 and 6to4 forms are unwrapped and judged themselves.
    Text that is not an address is not public.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return _is_public_v4(ip)
    hidden = _hidden_v4(ip)
    if hidden is not None:
        return _is_public_v4(hidden)
    return ip in _GLOBAL_UNICAST and ip.is_global and not any(ip in net for net in _DENIED_V6)


def is_loopback_address(address: str) -> bool:
    """Whether ``address`` is 127.0.0.0/8, ::1, or one of them written as a mapped address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip in _MAPPED:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_loopback


def _is_public_v4(ip: IPv4Address) -> bool:
    if ip.is_multicast or ip.is_reserved or any(ip in net for net in _DENIED_V4):
        return False
    return ip.is_global


def _hidden_v4(ip: IPv6Address) -> IPv4Address | None:
    if ip in _MAPPED or ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return IPv4Address((int(ip) >> 80) & 0xFFFFFFFF)
    return None
