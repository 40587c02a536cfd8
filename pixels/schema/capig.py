"""What the capig API does with pixels. The account's id, or the account, comes from the field above."""

from __future__ import annotations

from typing import Any

import graphene
from graphene import NonNull, ResolveInfo
from msgspec.structs import replace

from accounts.schema.context import principal_of
from accounts.schema.scope import TenantScope
from common.budget import current_budget
from common.graphql.samples import Sampled
from common.graphql.selection import Selection, selected
from pixels import services
from pixels.models import Pixel
from pixels.reads import AccountView, PixelView, may_see_keys, read_account, view_of
from pixels.schema.types import (
    Account,
    ConnectionStatus,
    SignalConfig,
    wants_totals,
    with_websites,
)
from pixels.traffic import read_totals
from pixels.validation import DEFAULT_WINDOW, clean_time_window

#: A sample that is no pixel of anybody's: nobody may lose one by trying it out, nor its token.
_NO_PIXEL = "18904456377094531"


class PixelConnectionCreationInput(graphene.InputObjectType):
    """The pixel to connect."""

    business_id = graphene.String(
        required=True, description=Sampled("The id of the business at Meta, 1 to 64 characters.", "2840127409433732")
    )
    pixel_id = graphene.String(required=True, description=Sampled("The pixel's id, 1 to 20 digits.", _NO_PIXEL))
    access_token = graphene.String(
        required=True, description=Sampled("1 to 2,048 characters. Encrypted at rest, never returned.", "<accessToken>")
    )
    api_version = graphene.String(
        description=Sampled(
            "A Graph API version such as v24.0; the newest that the portal knows where left out.", "$api_version"
        )
    )
    external_id = graphene.String(
        required=True,
        description=Sampled(
            "The external business id, at most 255 characters. "
            "May be empty: clients that connect with a manually generated token have none.",
            "633612748410ba6e902",
        ),
    )
    name = graphene.String(description=Sampled("The pixel's name, at most 100 characters.", "Web shop"))


class SignalConfigStatusInput(graphene.InputObjectType):
    """The position of a switch."""

    status = graphene.Int(required=True, description=Sampled("0 deactivates, 1 activates; anything else is 400.", 1))


class UpdateSignalConfigStatusPayload(graphene.ObjectType):
    """The outcome of a switch."""

    success = graphene.Boolean(required=True, description="Was the switch set?")
    connection_status = graphene.Field(ConnectionStatus, description="How the connection stands now.")


class PixelQueries:
    """The part of TenantQueries that is about pixels."""

    account = graphene.Field(
        Account,
        time_window_min=graphene.Int(
            default_value=DEFAULT_WINDOW,
            description=Sampled("How many minutes back the totals count, 1 to 43,200.", 60),
        ),
        description="The account with its pixels; the totals count the last timeWindowMin minutes.",
    )

    @staticmethod
    def resolve_account(root: TenantScope, info: ResolveInfo, time_window_min: int | None = None) -> AccountView:
        minutes = clean_time_window(time_window_min)
        below = selected(info)
        pixels = below["signalConfigs"]
        account = read_account(
            root.principal,
            root.tenant_id,
            with_pixels="signalConfigs" in below,
            minutes=minutes if wants_totals(pixels) else None,
        )
        return replace(account, pixels=account.pixels and with_websites(account.pixels, pixels))


def _pixel_id(sample: str = "$pixel_id") -> graphene.ID:
    return graphene.ID(required=True, description=Sampled("The pixel's id.", sample))


def _switch() -> graphene.Argument:
    return graphene.Argument(NonNull(SignalConfigStatusInput), description="The position of the switch.")


class SignalMutations(graphene.ObjectType):
    """Connects and disconnects pixels and sets their switches."""

    setup_pixel_signal_config = graphene.Field(
        SignalConfig,
        input=graphene.Argument(NonNull(PixelConnectionCreationInput), description="The pixel to connect."),
        description=(
            "Connects a pixel. A pixel that this account has already is updated: its new token replaces the old one. "
            "Codes: 400, 401."
        ),
    )
    delete_data_source = graphene.Boolean(
        id=_pixel_id(_NO_PIXEL), description="Disconnects a pixel. Codes: 401, 404 no such pixel."
    )
    update_signal_config_events_status = graphene.Field(
        UpdateSignalConfigStatusPayload,
        id=_pixel_id(),
        input=_switch(),
        description="Switches receiving. Codes: 400, 401, 404 no such pixel.",
    )
    update_signal_config_capi_publish = graphene.Field(
        UpdateSignalConfigStatusPayload,
        id=_pixel_id(),
        input=_switch(),
        description="Switches publishing. Codes: 400, 401, 404 no such pixel.",
    )

    @staticmethod
    def resolve_setup_pixel_signal_config(root: str, info: ResolveInfo, input: dict[str, Any]) -> PixelView:
        pixel = services.connect_pixel(principal=principal_of(info), tenant_id=root, **input)
        return _shown(info, pixel, selected(info))

    @staticmethod
    def resolve_delete_data_source(root: str, info: ResolveInfo, id: str) -> bool:
        services.disconnect_pixel(principal=principal_of(info), tenant_id=root, pixel_id=id)
        return True

    @staticmethod
    def resolve_update_signal_config_events_status(
        root: str, info: ResolveInfo, id: str, input: dict[str, Any]
    ) -> dict[str, Any]:
        pixel = services.set_receiving(principal=principal_of(info), tenant_id=root, pixel_id=id, **input)
        return _switched(info, pixel)

    @staticmethod
    def resolve_update_signal_config_capi_publish(
        root: str, info: ResolveInfo, id: str, input: dict[str, Any]
    ) -> dict[str, Any]:
        pixel = services.set_publishing(principal=principal_of(info), tenant_id=root, pixel_id=id, **input)
        return _switched(info, pixel)


def _shown(info: ResolveInfo, pixel: Pixel, selection: Selection) -> PixelView:
    view = view_of(pixel, with_key=may_see_keys(principal_of(info), pixel.tenant))
    with current_budget().reading(info.field_name):
        if wants_totals(selection):
            view = replace(view, totals=read_totals([pixel.pk], DEFAULT_WINDOW).get(pixel.pk))
        return with_websites([view], selection)[0]


def _switched(info: ResolveInfo, pixel: Pixel) -> dict[str, Any]:
    return {"success": True, "connection_status": _shown(info, pixel, selected(info))}
