"""Where a request comes from."""

from __future__ import annotations

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the other end of the connection.

    Behind a proxy of TRUSTED_PROXIES it is the address that the proxy saw (portal/wsgi.py). Forwarded headers of others
    are not believed: anybody can send them.
    """
    return str(request.META.get("REMOTE_ADDR") or "unknown")
