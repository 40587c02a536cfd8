"""The addresses of all pages, found in the URLconf; with something for each to be about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import ApiAccount, Tenant
from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from alerts.channels.webhook import new_secret
from alerts.models import ChannelName, Receiver
from pipelines import ids
from pipelines.models import DestinationType, SourceType
from pipelines.services.destinations import create_destination
from pipelines.services.pipelines import create_pipeline
from pipelines.services.sources import create_source
from pixels.imports import start_import
from pixels.models import Pixel, PixelImport
from tests.factories import WAITING_ID

#: What some pages are asked about besides the account.
QUERIES = {
    "filters:event": {"name": "Purchase"},
    "filters:website": {"name": "example.com"},
    "pixels:test_event": {"event": "order-1"},
    "pipelines:website_events": {"website": "https://shop.example.com/"},
    "events:delivery": {"id": WAITING_ID},
    "pixels:browser_test_result": {"event": "test-1", "page": "https://shop.example.com/"},
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
        "api_account": _api_account() if "api_account" in arguments else None,
        "import_id": _import(pixel.tenant).pk if "import_id" in arguments else None,
    }
    for argument, made in _MADE.items():
        if argument in arguments:
            samples[argument] = made(pixel.tenant)
    if name == "pipelines:configure_meta":
        samples["destination_id"] = _destination(pixel.tenant, DestinationType.META_CONVERSIONS_API)
    if "receiver_id" in arguments:
        samples["receiver_id"] = _receiver(None if name.startswith("host:") else pixel.tenant)
    query = dict(QUERIES.get(name, {}))
    if not name.startswith(_OF_NO_ACCOUNT):
        query["tenant"] = pixel.tenant_id
    return reverse(name, kwargs={argument: samples[argument] for argument in arguments}, query=query)


def _api_account() -> str:
    """One that there is; a new one where there is none."""
    row = ApiAccount.objects.first()
    return row.name if row else create_api_account(principal=OPERATOR, name="Till").api_account.name


def _import(tenant: Tenant) -> PixelImport:
    """A file with a line that would be connected, and one that is refused."""
    content = b"pixel_id,business_id,access_token\n18904456377094530,1,a token\nno number,1,a token\n"
    return start_import(principal=OPERATOR, tenant_id=tenant.pk, content=content)


def _pipeline(tenant: Tenant) -> str:
    """A gateway pipeline of the account; a new one where it has none."""
    row = tenant.pipelines.first()
    if row is not None:
        return ids.id_of(ids.PIPELINE, row.uuid)
    return create_pipeline(principal=OPERATOR, tenant_id=tenant.pk, name="Shop")


def _source(tenant: Tenant) -> str:
    """A website's source in that pipeline."""
    row = tenant.sources.first()
    if row is not None:
        return str(row.source_id)
    return create_source(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pipeline_id=_pipeline(tenant),
        name="Website",
        kind=SourceType.ADVERTISER_HOSTED_PIXEL,
    )


def _destination(tenant: Tenant, kind: DestinationType = DestinationType.CUSTOM_HTTP_API) -> str:
    """A destination of the type, of that pipeline."""
    row = tenant.destinations.filter(type=kind).first()
    if row is not None:
        return ids.id_of(ids.DESTINATION, row.uuid)
    return create_destination(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pipeline_id=_pipeline(tenant),
        name="Warehouse",
        kind=kind,
    )


def _receiver(tenant: Tenant | None) -> UUID:
    """A webhook of the account, or of the host, at an address that nobody may ask: it has failed and is off."""
    row = Receiver.objects.filter(tenant=tenant).first()
    if row is None:
        now = timezone.now()
        row = Receiver(tenant=tenant, channel=ChannelName.WEBHOOK, name="Ops", url="http://10.0.0.1/hook")
        row.host, row.disabled_at = "10.0.0.1", now
        row.secret, row.former_secret, row.former_secret_until = new_secret(), new_secret(), now + timedelta(hours=1)
        row.save()
        for status, said in ((200, "ok"), (None, "The address is not on the public internet."), (500, "x" * 300)):
            row.postings.create(
                notice_id=uuid4(), kind="opened", duration=12, taken=status == 200, status=status, said=said
            )
    found: UUID = row.pk
    return found


#: By the part of an address that names it: something of the account's, made where it is not there.
_MADE: dict[str, Callable[[Tenant], str]] = {
    "pipeline_id": _pipeline,
    "source_id": _source,
    "destination_id": _destination,
}
