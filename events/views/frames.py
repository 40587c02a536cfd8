"""Frames in which code of an advertiser's runs: of an origin of its own, which reaches nothing of the portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from filters.domains import host_of

#: A frame runs what is named, asks what is named, and nobody else; and only the portal may show it.
_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src {scripts}; {asks}base-uri 'none'; form-action 'none';"
    " frame-ancestors {portal}"
)


def in_frame(response: HttpResponse, request: HttpRequest, *scripts: str, asks: str = "") -> HttpResponse:
    """The answer as a frame that loads these scripts, and asks the address, if one is given."""
    portal = f"{request.scheme}://{request.get_host()}"
    connects = f"connect-src {asks}; " if asks else ""
    policy = _POLICY.format(scripts=" ".join(scripts), asks=connects, portal=portal)
    response["Content-Security-Policy"] = policy
    return response


def with_frame(response: HttpResponse, request: HttpRequest, path: str) -> HttpResponse:
    """A page with a frame of that path alone: nor can the code in it lead the frame to another page."""
    response._csp_update = {"frame-src": [request.build_absolute_uri(path)]}  # type: ignore[attr-defined]  # where django-csp looks
    return response


def portal_website(request: HttpRequest) -> str:
    """The website that events from a frame of the portal's tell of."""
    return host_of(request.build_absolute_uri("/")) or ""
