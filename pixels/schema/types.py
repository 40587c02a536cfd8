"""Accounts, pixels and connections as the capig API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import graphene
from graphene import NonNull, ResolveInfo

from accounts.models import Tenant
from accounts.permissions import Action, is_allowed
from accounts.principals import Principal
from pixels.models import Pixel
from pixels.reads import list_pixels
from pixels.traffic import Totals, read_totals, read_websites
from portal.graphql.context import principal_of
from portal.graphql.selection import Selection, selected


class ConnectionStatus(graphene.ObjectType):
    """How a pixel's connection stands."""

    id = graphene.ID(required=True, description="ConnectionStatus:<pixel id>")
    pixel_id = graphene.String(name="pixelID", required=True, description="The pixel's id.")
    pixel_name = graphene.String(description="The pixel's name; null where it has none.")
    target_id = graphene.String(description="Always null: a pixel is its own target.")
    access_token_available = graphene.Boolean(required=True, description="Is an access token stored?")
    connected = graphene.Boolean(required=True, description="Pixel id and access token are both there.")
    active = graphene.Boolean(
        required=True, description="Events are received (eventBridgeActive) and published (publishingEnabled)."
    )
    event_bridge_active = graphene.Boolean(required=True, description="Does the gateway receive the pixel's events?")
    publishing_enabled = graphene.Boolean(required=True, description="Does the gateway publish the pixel's events?")
    access_key = graphene.String(
        description="The key that a sender can be asked for; null for callers who may only view."
    )
    api_error_code = graphene.String(
        description="<code>.<subcode> of the last failed publish; null once a publish succeeds."
    )
    bad_token = graphene.Boolean(required=True, description="Meta has rejected the access token (error 190).")
    last_received = graphene.Float(required=True, description="Milliseconds since the epoch; 0.0 for never.")
    total_events_received = graphene.Float(required=True, description="Events received in the time window.")
    last_published = graphene.Float(required=True, description="Milliseconds since the epoch; 0.0 for never.")
    total_events_published = graphene.Float(required=True, description="Events published in the time window.")


class SignalConfig(graphene.ObjectType):
    """A data source of the account: a connected pixel."""

    id = graphene.ID(required=True, description="SignalConfig:<pixel id>")
    domains = graphene.List(
        NonNull(graphene.String), required=True, description="The websites seen on the pixel's events."
    )
    connection_id = graphene.String(required=True, description="The pixel's id.")
    data_set_type = graphene.String(required=True, description="PIXEL")
    connection_status = graphene.Field(ConnectionStatus, required=True, description="How the connection stands.")


class Account(graphene.ObjectType):
    """An account with its pixels."""

    name = graphene.String(required=True, description="Name of the account.")
    status = graphene.Int(required=True, description="0 active, 1 pending configuration, 2 deactivated.")
    signal_configs = graphene.List(
        NonNull(SignalConfig), required=True, description="The account's pixels, by pixel id."
    )

    @staticmethod
    def resolve_signal_configs(root: AccountView, info: ResolveInfo) -> list[SignalConfig]:
        return show_pixels(principal_of(info), root.tenant, list_pixels(root.tenant), root.minutes, selected(info))


class AccountView(NamedTuple):
    """What an Account is read from."""

    name: str
    status: int
    tenant: Tenant
    minutes: int


def show_pixels(
    principal: Principal, tenant: Tenant, pixels: Sequence[Pixel], minutes: int, selection: Selection
) -> list[SignalConfig]:
    """The account's pixels as the principal may see them; ``selection`` is what the document asks for of each.

    Their totals are those of the last ``minutes``.
    """
    may_edit = is_allowed(principal, Action.EDIT_DATA, tenant)
    keys = [pixel.pk for pixel in pixels]
    wants_totals = not selection["connectionStatus"].keys().isdisjoint(("totalEventsReceived", "totalEventsPublished"))
    totals = read_totals(keys, minutes) if wants_totals else {}
    websites = read_websites(keys) if "domains" in selection else {}
    return [
        show_pixel(pixel, totals.get(pixel.pk, Totals()), websites.get(pixel.pk, ()), may_edit=may_edit)
        for pixel in pixels
    ]


def show_pixel(pixel: Pixel, totals: Totals, websites: Sequence[str], *, may_edit: bool) -> SignalConfig:
    """One pixel; its access key for those only who may change it."""
    return SignalConfig(
        id=f"SignalConfig:{pixel.pixel_id}",
        domains=websites,
        connection_id=pixel.pixel_id,
        data_set_type="PIXEL",
        connection_status=ConnectionStatus(
            id=f"ConnectionStatus:{pixel.pixel_id}",
            pixel_id=pixel.pixel_id,
            pixel_name=pixel.name,
            target_id=None,
            # The database refuses a pixel without a token, and a token is never read to be shown.
            access_token_available=True,
            connected=True,
            active=pixel.active,
            event_bridge_active=pixel.event_bridge_active,
            publishing_enabled=pixel.publishing_enabled,
            access_key=pixel.access_key if may_edit else None,
            api_error_code=pixel.api_error_code,
            bad_token=pixel.bad_token,
            last_received=_milliseconds(pixel.last_received),
            total_events_received=totals.received,
            last_published=_milliseconds(pixel.last_published),
            total_events_published=totals.published,
        ),
    )


def _milliseconds(moment: datetime | None) -> float:
    """Whole milliseconds since the epoch; 0.0 for never."""
    return float(int(moment.timestamp() * 1000)) if moment else 0.0
