"""Which addresses are the internet's, and which are somebody's own network: what a customer names must not reach it.

Python's ``is_global`` differs between its versions. The lists here are IANA's special-purpose registries, and one
address of a cloud's; what is not known to be public is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers
        "168.63.129.16/32",  # what Azure tells its machines, at an address that looks public
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; where clouds keep credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo's tunnels among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address of whoever's choice within
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]
#: How a network that has IPv6 alone writes the IPv4 internet (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Does the address lead to the internet, whatever it is wrapped into?"""
    address = unwrapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:  # a zone names a network card of this machine's
        return False
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for where it is one (``::ffff:10.0.0.1``, ``64:ff9b::a00:1``)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_within(address: Address, networks: Iterable[str]) -> bool:
    """Is it one of these networks', as it is or unwrapped?"""
    forms = {address, unwrapped(address)}
    return any(form in ip_network(network) for network in networks for form in forms)
