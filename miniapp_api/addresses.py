"""Whose request it is: the address a limit is counted for."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Networks = Sequence[IPv4Network | IPv6Network]


def client_of(request: web.Request, proxies: Networks) -> str:
    """The nearest address that is none of our own proxies; of IPv6 its network, in which one customer has all.

    `X-Forwarded-For` is read from the right, as our proxies wrote it: what a client claims stands further left.
    """
    nearest = request.remote or ""
    claimed = [part.strip() for line in request.headers.getall("X-Forwarded-For", []) for part in line.split(",")]
    while claimed and _is_of(nearest, proxies):
        nearest = claimed.pop()
    address = _address(nearest)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address or "unknown")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _is_of(text: str, proxies: Networks) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)
