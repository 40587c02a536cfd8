"""The addresses of all pages, found in the URLconf; with something for each to be about."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Tenant
from accounts.principals import OPERATOR
from pixels.imports import start_import
from pixels.models import Pixel, PixelImport

#: What some pages are asked about besides the account.
QUERIES = {
    "filters:event": {"name": "Purchase"},
    "filters:website": {"name": "example.com"},
    "pixels:test_event": {"event": "order-1"},
}
#: Of no single account.
_OF_NO_ACCOUNT = ("accounts:list", "accounts:choose", "accounts:add", "host:")


def _patterns(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _patterns(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{namespace}{pattern.name}", pattern


#: Every pattern that has a name.
SERVED = dict(_patterns(get_resolver().url_patterns))


def address(name: str, pixel: Pixel, member: UUID, host_member: UUID) -> str:
    """The page's address, about the pixel, its account, and these people."""
    arguments = SERVED[name].pattern.converters
    samples: dict[str, object] = {
        "user_id": host_member if name.startswith("host:") else member,
        "pixel_id": pixel.pixel_id,
        "endpoint": "hub",
        "name": "tenants",
        "import_id": _import(pixel.tenant).pk if "import_id" in arguments else None,
    }
    query = dict(QUERIES.get(name, {}))
    if not name.startswith(_OF_NO_ACCOUNT):
        query["tenant"] = pixel.tenant_id
    return reverse(name, kwargs={argument: samples[argument] for argument in arguments}, query=query)


def _import(tenant: Tenant) -> PixelImport:
    """A file with a line that would be connected, and one that is refused."""
    content = b"pixel_id,business_id,access_token\n18904456377094530,1,a token\nno number,1,a token\n"
    return start_import(principal=OPERATOR, tenant_id=tenant.pk, content=content)
