"""Accounts, pixels and connections as the capig API shows them."""

from __future__ import annotations

import graphene
from graphene import NonNull, ResolveInfo
from msgspec.structs import replace

from common.graphql.samples import MOMENT, Sampled
from common.graphql.selection import Selection
from pixels.reads import AccountView, PixelView
from pixels.traffic import read_websites


class ConnectionStatus(graphene.ObjectType):
    """How a pixel's connection stands."""

    class Meta:
        possible_types = (PixelView,)

    id = graphene.ID(required=True, description=Sampled("ConnectionStatus:<pixel id>", "ConnectionStatus:$pixel_id"))
    pixel_id = graphene.String(name="pixelID", required=True, description=Sampled("The pixel's id.", "$pixel_id"))
    pixel_name = graphene.String(
        source="name",
        description=Sampled('The pixel\'s name; where it has none, "" in lists and null elsewhere.', "Web shop"),
    )
    target_id = graphene.String(description=Sampled('Always "": a pixel is its own target.', ""))
    access_token_available = graphene.Boolean(required=True, description="Is an access token stored?")
    connected = graphene.Boolean(required=True, description="Pixel id and access token are both there.")
    active = graphene.Boolean(
        required=True, description="Events are received (eventBridgeActive) and published (publishingEnabled)."
    )
    event_bridge_active = graphene.Boolean(required=True, description="Does the gateway receive the pixel's events?")
    publishing_enabled = graphene.Boolean(required=True, description="Does the gateway publish the pixel's events?")
    access_key = graphene.String(
        description=Sampled(
            "The key that a sender can be asked for; null for callers who may only view.", "<accessKey>"
        )
    )
    api_error_code = graphene.String(
        description="<code>.<subcode> of the last failed publish; null once a publish succeeds."
    )
    bad_token = graphene.Boolean(
        required=True, description=Sampled("Meta has rejected the access token (error 190).", False)
    )
    last_received = graphene.Float(
        required=True, description=Sampled("Milliseconds since the epoch; 0.0 for never.", float(MOMENT))
    )
    total_events_received = graphene.Float(
        required=True, description=Sampled("Events received in the time window.", 1234.0)
    )
    last_published = graphene.Float(
        required=True, description=Sampled("Milliseconds since the epoch; 0.0 for never.", float(MOMENT))
    )
    total_events_published = graphene.Float(
        required=True, description=Sampled("Events published in the time window.", 1200.0)
    )

    @staticmethod
    def resolve_id(root: PixelView, info: ResolveInfo) -> str:
        return f"ConnectionStatus:{root.pixel_id}"


class SignalConfig(graphene.ObjectType):
    """A data source of the account: a connected pixel."""

    class Meta:
        possible_types = (PixelView,)

    id = graphene.ID(required=True, description=Sampled("SignalConfig:<pixel id>", "SignalConfig:$pixel_id"))
    domains = graphene.List(
        NonNull(graphene.String),
        required=True,
        description=Sampled("The websites seen on the pixel's events.", "shop.example.com"),
    )
    connection_id = graphene.String(
        required=True, source="pixel_id", description=Sampled("The pixel's id.", "$pixel_id")
    )
    data_set_type = graphene.String(required=True, description=Sampled("PIXEL", "PIXEL"))
    connection_status = graphene.Field(ConnectionStatus, required=True, description="How the connection stands.")

    @staticmethod
    def resolve_id(root: PixelView, info: ResolveInfo) -> str:
        return f"SignalConfig:{root.pixel_id}"

    @staticmethod
    def resolve_data_set_type(root: PixelView, info: ResolveInfo) -> str:
        return "PIXEL"

    @staticmethod
    def resolve_connection_status(root: PixelView, info: ResolveInfo) -> PixelView:
        return root


class Account(graphene.ObjectType):
    """An account with its pixels."""

    class Meta:
        possible_types = (AccountView,)

    name = graphene.String(required=True, description=Sampled("Name of the account.", "$tenant_name"))
    status = graphene.Int(required=True, description=Sampled("0 active, 1 pending configuration, 2 deactivated.", 0))
    signal_configs = graphene.List(
        NonNull(SignalConfig), required=True, source="pixels", description="The account's pixels, by pixel id."
    )


def wants_totals(selection: Selection) -> bool:
    """Are a pixel's totals asked for?"""
    return not selection["connectionStatus"].keys().isdisjoint(("totalEventsReceived", "totalEventsPublished"))


def with_websites(pixels: list[PixelView], selection: Selection) -> list[PixelView]:
    """The pixels with their websites, where these are asked for."""
    if "domains" not in selection:
        return pixels
    websites = read_websites([pixel.pk for pixel in pixels])
    return [replace(pixel, domains=list(websites.get(pixel.pk, ()))) for pixel in pixels]
