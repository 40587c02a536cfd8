"""Puts the demo's accounts in place, through the services, as the operator."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Tenant
from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from accounts.services.people import create_user
from accounts.services.tenants import create_tenant, update_tenant
from events.demo.registrations import token_of
from events.demo.scenery import DemoAccount, DemoFilter, DemoPixel, Story
from filters.models import FilterState
from filters.services import update_domain_filter, update_event_filter
from pixels.models import Pixel
from pixels.services import connect_pixel, set_publishing, set_receiving


def make_account(account: DemoAccount, password: str) -> Tenant:
    """The account with its people, who can sign in with ``password``, and its filters; no pixels yet."""
    tenant = create_tenant(
        principal=OPERATOR, name=account.name, can_partner_manage=True, event_enrichment=account.enrichment
    ).tenant
    for email, action in account.people.items():
        create_user(principal=OPERATOR, email=email, role_name=f"advertiser-{action}-{tenant.pk}", password=password)
    if not account.managed:
        tenant = update_tenant(principal=OPERATOR, tenant_id=tenant.pk, can_partner_manage=False)
    return tenant


def make_api_accounts(tenant: Tenant, now: datetime) -> None:
    """One that reads all, and one for this account until a day. Nobody knows their secrets: rotate to use them."""
    create_api_account(principal=OPERATOR, name="demoReports", read_only=True)
    create_api_account(principal=OPERATOR, name="demoAgency", tenant_id=tenant.pk, expires_at=now + timedelta(days=90))


def make_pixel(tenant: Tenant, pixel: DemoPixel) -> Pixel:
    """The pixel, with a token to which the sandbox answers as its story has it."""
    made = connect_pixel(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pixel_id=pixel.pixel_id,
        business_id="2840127409433732",
        external_id=f"demo-{pixel.pixel_id}",
        access_token=token_of(pixel),
        name=pixel.name,
    )
    if pixel.story is Story.PUBLISHING_OFF:
        made = set_publishing(principal=OPERATOR, tenant_id=tenant.pk, pixel_id=pixel.pixel_id, status=0)
    if pixel.story is Story.RECEIVING_OFF:
        made = set_receiving(principal=OPERATOR, tenant_id=tenant.pk, pixel_id=pixel.pixel_id, status=0)
    return made


def make_filter(tenant: Tenant, wanted: DemoFilter) -> None:
    """The filter."""
    pixel_ids = [wanted.pixel_id] if wanted.pixel_id else None
    if wanted.event_name:
        update_event_filter(
            principal=OPERATOR,
            tenant_id=tenant.pk,
            event_name=wanted.event_name,
            state=FilterState.DROP,
            pixel_ids=pixel_ids,
        )
    if wanted.domain:
        update_domain_filter(
            principal=OPERATOR,
            tenant_id=tenant.pk,
            domain=wanted.domain,
            state=FilterState.DROP,
            pixel_ids=pixel_ids,
        )
