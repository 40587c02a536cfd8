"""The capig API's types and operations for filters (contract: capig.graphql)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import graphene
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from accounts.schema.scope import TenantScope
from common.graphql.samples import Sampled
from filters import services
from filters.matching import Kind
from filters.reads import FilterView, ShownState, list_filters

_STATES = {
    ShownState.PUBLISH: "Events are published.",
    ShownState.DROP: "Events are dropped.",
    ShownState.MIXED: "The account's pixels differ. Only ever returned; as input it is 400.",
}


def _state_enum(name: str, about: str) -> Any:
    def description(value: Enum | None) -> str:
        return about if value is None else _STATES[ShownState(value.value)]

    return graphene.Enum.from_enum(ShownState, name=name, description=description)


EventFilterState = _state_enum("EventFilterState", "What happens to the events of a name.")
DomainFilterState = _state_enum("DomainFilterState", "What happens to the events of a website.")


class EventFilter(graphene.ObjectType):
    """Publishes or drops the events of one name."""

    class Meta:
        possible_types = (FilterView,)

    id = graphene.ID(
        required=True,
        description=Sampled(
            "EventFilter:<event name>:<pixel id>, or :global for all pixels.", "EventFilter:SampleEvent:global"
        ),
    )
    event_name = graphene.String(
        required=True, source="name", description=Sampled("The event's name, matched exactly.", "SampleEvent")
    )
    pixel_id = graphene.String(description="Null where the filter stands for all pixels of the account.")
    filter_state = graphene.Field(
        EventFilterState, required=True, source="state", description="What happens to the events."
    )


class DomainFilter(graphene.ObjectType):
    """Publishes or drops the events of a website and its subdomains; the longest matching domain decides."""

    class Meta:
        possible_types = (FilterView,)

    id = graphene.ID(
        required=True,
        description=Sampled(
            "DomainFilter:<domain>:<pixel id>, or :global for all pixels.", "DomainFilter:sample.example.com:global"
        ),
    )
    domain = graphene.String(
        required=True,
        source="name",
        description=Sampled("The website's domain, in ASCII (IDNA).", "sample.example.com"),
    )
    pixel_id = graphene.String(description="Null where the filter stands for all pixels of the account.")
    filter_state = graphene.Field(
        DomainFilterState, required=True, source="state", description="What happens to the events."
    )


def _pixel_ids(description: str) -> Any:
    return graphene.List(NonNull(graphene.String), description=description)


_FOR = (
    "Pixels of the account that the filter is for, as exceptions; all pixels, later ones included, where none is named."
)


class UpdateEventFilterInput(graphene.InputObjectType):
    """The filter to set for an event name."""

    event_name = graphene.String(
        required=True, description=Sampled("The event's name, 1 to 50 characters, matched exactly.", "SampleEvent")
    )
    pixel_ids = _pixel_ids(_FOR)
    filter_state = graphene.Field(EventFilterState, required=True, description=Sampled("PUBLISH or DROP.", "PUBLISH"))


class UpdateDomainFilterInput(graphene.InputObjectType):
    """The filter to set for a website."""

    domain = graphene.String(
        required=True,
        description=Sampled(
            "The website's domain, such as example.com: no scheme, port or path.", "sample.example.com"
        ),
    )
    pixel_ids = _pixel_ids(_FOR)
    filter_state = graphene.Field(DomainFilterState, required=True, description=Sampled("PUBLISH or DROP.", "PUBLISH"))


class UpdateEventFilterResult(graphene.ObjectType):
    """The outcome of updateEventFilter."""

    updated_filter = graphene.Field(
        EventFilter, description="The pixel's filter where one is named, else the account-wide view."
    )


class UpdateDomainFilterResult(graphene.ObjectType):
    """The outcome of updateDomainFilter."""

    updated_filter = graphene.Field(
        DomainFilter, description="The pixel's filter where one is named, else the account-wide view."
    )


class FilterQueries:
    """The part of TenantQueries that is about filters."""

    event_filters = graphene.List(
        NonNull(EventFilter),
        required=True,
        pixel_ids=_pixel_ids("Leaves out the exceptions of other pixels."),
        description="The filters as they stand: account-wide ones and the exceptions per pixel. Codes: 400, 401.",
    )
    domain_filters = graphene.List(
        NonNull(DomainFilter),
        required=True,
        pixel_ids=_pixel_ids("Leaves out the exceptions of other pixels."),
        description="The filters as they stand: account-wide ones and the exceptions per pixel. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_event_filters(
        root: TenantScope, info: ResolveInfo, pixel_ids: Sequence[str] | None = None
    ) -> list[FilterView]:
        return list_filters(root.tenant, Kind.EVENT, pixel_ids)

    @staticmethod
    def resolve_domain_filters(
        root: TenantScope, info: ResolveInfo, pixel_ids: Sequence[str] | None = None
    ) -> list[FilterView]:
        return list_filters(root.tenant, Kind.DOMAIN, pixel_ids)


class FilterMutations:
    """The part of TenantMutations that is about filters."""

    update_event_filter = graphene.Field(
        UpdateEventFilterResult,
        input=graphene.Argument(NonNull(UpdateEventFilterInput), description="The filter to set."),
        description="Publishes or drops the events of one name. Codes: 400, 401.",
    )
    update_domain_filter = graphene.Field(
        UpdateDomainFilterResult,
        input=graphene.Argument(NonNull(UpdateDomainFilterInput), description="The filter to set."),
        description="Publishes or drops the events of a website and its subdomains. Codes: 400, 401.",
    )

    @staticmethod
    def resolve_update_event_filter(root: str, info: ResolveInfo, input: dict[str, Any]) -> dict[str, FilterView]:
        updated = services.update_event_filter(
            principal=principal_of(info),
            tenant_id=root,
            event_name=input["event_name"],
            state=input["filter_state"].value,
            pixel_ids=input.get("pixel_ids"),
        )
        return {"updated_filter": updated}

    @staticmethod
    def resolve_update_domain_filter(root: str, info: ResolveInfo, input: dict[str, Any]) -> dict[str, FilterView]:
        updated = services.update_domain_filter(
            principal=principal_of(info),
            tenant_id=root,
            domain=input["domain"],
            state=input["filter_state"].value,
            pixel_ids=input.get("pixel_ids"),
        )
        return {"updated_filter": updated}
