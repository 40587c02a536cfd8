"""How pixels stand with Meta, and what can be done about it (beyond the reference: ours)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from accounts.schema.scope import TenantScope
from accounts.schema.types import milliseconds
from common.graphql.samples import MOMENT, Sampled
from events.registration import services
from events.registration.reads import RegistrationView, Standing, list_registrations

_STANDINGS = {
    "NOT_PUBLIC": "The gateway's address is no public https address, so Meta is told of no pixel.",
    "HELD": "The instance was restored from a backup, or has another address, and waits for an admin of the host.",
    "NOT_REGISTERED": "Nobody has asked for it.",
    "WAITING": "Meta is being told, or will be tried again.",
    "REGISTERED": "Meta knows where the pixel's browsers are to post.",
    "REFUSED": "Meta has refused; nothing is tried again until somebody asks for it or gives a new token.",
}


def _standing_description(value: Enum | None) -> str:
    return "How a pixel stands with Meta." if value is None else _STANDINGS[value.name]


RegistrationState = graphene.Enum.from_enum(Standing, name="RegistrationState", description=_standing_description)


def _text(attribute: str, description: str, sample: str | None = None) -> graphene.String:
    """A text that is null where there is none."""
    return graphene.String(
        description=Sampled(description, sample), resolver=lambda root, info: getattr(root, attribute) or None
    )


def _time(attribute: str, description: str) -> graphene.String:
    return graphene.String(
        description=Sampled(f"{description}: milliseconds since the epoch, as a string.", str(MOMENT)),
        resolver=lambda root, info: milliseconds(getattr(root, attribute)),
    )


class PixelRegistration(graphene.ObjectType):
    """A pixel's registration with Meta, by which the Meta Pixel posts to the gateway."""

    class Meta:
        possible_types = (RegistrationView,)

    id = graphene.ID(required=True, description=Sampled("PixelRegistration:<pixel id>", "PixelRegistration:$pixel_id"))
    pixel_id = graphene.String(required=True, description=Sampled("The pixel's id.", "$pixel_id"))
    state = graphene.Field(
        RegistrationState, required=True, source="standing", description=Sampled("How it stands.", "REFUSED")
    )
    endpoint = _text(
        "endpoint", "The address that Meta knows; null where it knows none.", "https://gateway.example.com"
    )
    told_at = _time("told_at", "When Meta was told last; null for never")
    next_attempt_at = _time("next_attempt_at", "When Meta is asked again; null where nothing waits")
    code = _text(
        "code",
        'Meta\'s error code, <code>.<subcode>; "taken" where another gateway is registered. Null where all is well.',
        "200",
    )
    message = _text("message", "Meta's words; of another gateway, its address.", "(#200) Permissions error")
    explanation = _text("explanation", "What the code means and what to do; null without a code.")

    @staticmethod
    def resolve_id(root: RegistrationView, info: ResolveInfo) -> str:
        return f"PixelRegistration:{root.pixel_id}"


def _pixel_ids(description: str) -> graphene.List:
    return graphene.List(NonNull(graphene.String), description=Sampled(description, "$pixel_id"))


class RegistrationQueries:
    """The part of TenantQueries that tells of registration."""

    registrations = graphene.List(
        NonNull(PixelRegistration),
        required=True,
        pixel_ids=_pixel_ids("Leaves out other pixels; all of the account's where none is named."),
        description="How the account's pixels stand with Meta, by pixel id. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_registrations(
        root: TenantScope, info: ResolveInfo, pixel_ids: list[str] | None = None
    ) -> list[RegistrationView]:
        return list_registrations(root.tenant, pixel_ids)


class RegisterPayload(graphene.ObjectType):
    """The outcome of registering."""

    registered_count = graphene.Int(required=True, description="How many pixels Meta is being told of.")


class UnregisterPayload(graphene.ObjectType):
    """The outcome of taking a registration back."""

    success = graphene.Boolean(required=True, description="Is Meta asked to forget the pixel?")


class RegistrationMutations:
    """The part of TenantMutations that is about registration."""

    register_pixels = graphene.Field(
        RegisterPayload,
        pixel_ids=_pixel_ids("Pixels of the account; all where none is named."),
        replace_others=graphene.Boolean(
            default_value=False,
            description=Sampled("Takes the place of other gateways that Meta knows; else pixels with one stay.", False),
        ),
        description=(
            "Has those of the pixels registered with Meta that are not, or were refused; Meta is told soon after. "
            "Codes: 400, 401, 409 the gateway's address is no public https address."
        ),
    )
    unregister_pixel = graphene.Field(
        UnregisterPayload,
        pixel_id=graphene.String(required=True, description=Sampled("The id of a pixel of the account.", "$pixel_id")),
        description=(
            "Has Meta forget the pixel's registration. Codes: 401, 404 no such pixel, 409 the pixel is not registered."
        ),
    )

    @staticmethod
    def resolve_register_pixels(
        root: str, info: ResolveInfo, pixel_ids: list[str] | None = None, replace_others: bool | None = None
    ) -> dict[str, int]:
        count = services.register_pixels(
            principal=principal_of(info), tenant_id=root, pixel_ids=pixel_ids, replace=bool(replace_others)
        )
        return {"registered_count": count}

    @staticmethod
    def resolve_unregister_pixel(root: str, info: ResolveInfo, pixel_id: str) -> dict[str, Any]:
        services.unregister_pixel(principal=principal_of(info), tenant_id=root, pixel_id=pixel_id)
        return {"success": True}
