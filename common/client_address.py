"""Where a request comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What one customer gets of a provider: within it, they choose their addresses freely.
IPV6_PREFIX = 64

# An address may come with a port, as some proxies write it.
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](:\d+)?|(?P<four>[\d.]+):\d+")


def parse_address(text: str) -> Address | None:
    """The address, without its port; one of IPv4 within IPv6 as what it is. None where there is none."""
    text = text.strip()
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((match["six"] or match["four"]) if match else text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def caller_behind_proxies(proxy: str, forwarded_for: str, trusted: Sequence[Network]) -> str | None:
    """The caller that a proxy of ``trusted`` has seen; None where the connection is not a trusted proxy's.

    Proxies add to the end of X-Forwarded-For: the caller is the last address there that is not a proxy's. What
    anybody else sends is not believed.
    """
    if not is_within(parse_address(proxy), trusted):
        return None
    return str(_caller(forwarded_for, trusted) or proxy)


def _caller(forwarded_for: str, networks: Sequence[Network]) -> Address | None:
    """None where a proxy has written what is no address; the first, where all are proxies'."""
    address = None
    for text in reversed(forwarded_for.split(",")):
        address = parse_address(text)
        if not is_within(address, networks):
            break
    return address


def is_within(address: Address | None, networks: Sequence[Network]) -> bool:
    """Is the address one of these networks'?"""
    return address is not None and any(address in network for network in networks)


def client_address(request: HttpRequest) -> str:
    """The address of the other end of the connection.

    Behind a proxy of TRUSTED_PROXIES it is the address that the proxy saw (portal/rsgi.py). Forwarded headers of others
    are not believed: anybody can send them.
    """
    return str(request.META.get("REMOTE_ADDR") or "unknown")


def client_network(request: HttpRequest) -> str:
    """Under what requests of one caller are counted: the address, of IPv6 the network of one customer."""
    return network_of(client_address(request))


def shortened(text: str) -> str:
    """The network of an address, as far as it tells of no single person: /24, of IPv6 /48. Empty for what is none."""
    address = parse_address(text)
    if address is None:
        return ""
    return str(ip_network((str(address), 24 if address.version == 4 else 48), strict=False))


@lru_cache(maxsize=4_096)
def network_of(text: str) -> str:
    """The network of a caller's address."""
    address = parse_address(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), IPV6_PREFIX), strict=False))
    return str(address or text)
