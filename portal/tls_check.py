"""GET /internal/tls-check?domain=…: may a proxy get a certificate for the domain? Caddy asks so (``on_demand_tls``).

It is for proxies beside the portal. To anybody else it is not there: who asks could find out whose domains lead here,
and each answer of yes makes the proxy ask a certificate authority.
"""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network
from urllib.parse import parse_qs

from django.conf import settings

from accounts.own_domains import is_own_domain
from common import refusals
from common.client_address import Network, is_within, parse_address
from common.http import Request, Response

PATH = "/internal/tls-check"
#: Whoever comes through a proxy is not the proxy.
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via")


def answer(request: Request) -> Response:
    """200 for an account's own domain that leads here, 404 for all others."""
    if request.path != PATH or not _is_proxy(request):
        return _refusal(404, "There is nothing at this address.")
    if request.method not in ("GET", "HEAD"):
        status, headers, body = _refusal(405, "This address takes GET, HEAD.")
        return Response(status, [*headers, ("Allow", "GET, HEAD")], body)
    if not is_own_domain(_domain(request.query)):
        return _refusal(404, "No account's own domain of this name leads here.")
    return Response(200, [("Content-Type", "text/plain; charset=utf-8")])


def _domain(query: str) -> str:
    try:
        return parse_qs(query, max_num_fields=10).get("domain", [""])[0]
    except ValueError:
        return ""


def _is_proxy(request: Request) -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    address = parse_address(request.address)
    if address is None:
        return False
    return address.is_loopback or is_within(address, list(_trusted(tuple(settings.TRUSTED_PROXIES))))


@cache
def _trusted(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(network) for network in networks)


def _refusal(status: int, sentence: str) -> Response:
    return Response(status, [("Content-Type", "application/json")], refusals.as_rest(status, sentence))
