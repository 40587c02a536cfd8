"""What a request that a visitor's browser sends shows of the browser."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from common.http import Request

USER_AGENT_MAX_LENGTH = 500
_WEB = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Browser:
    """What a visitor's browser shows of itself in the request that brings its events."""

    user_agent: str
    #: None where it is no address of the internet.
    address: str | None = None
    #: The address of the page that it shows, or of its website; None where it tells neither.
    page: str | None = None


def read_browser(request: Request) -> Browser:
    """What the request shows."""
    user_agent = request.headers.get("user-agent", "")[:USER_AGENT_MAX_LENGTH]
    pages = (request.headers.get(name, "") for name in ("referer", "origin"))
    page = next((page for page in pages if page.startswith(_WEB) and page.isprintable()), None)
    return Browser(user_agent if user_agent.isprintable() else "", _public_address(request.address), page)


def _public_address(text: str) -> str | None:
    """An address that says something of a visitor: not a proxy's, within a network."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address) if address.is_global else None
