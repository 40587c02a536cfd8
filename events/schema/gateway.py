"""Gateway sources and destinations: what passed, what a destination refused, and what is done about it (ours)."""

from __future__ import annotations

from typing import Any

import graphene
import orjson
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from accounts.schema.scope import TenantScope
from common.graphql.paging import PageInfo, asks_for_previous
from common.graphql.samples import Sampled
from common.graphql.selection import selected
from events.delivery.masking import masked_event
from events.delivery.reads import cursor_of_letter
from events.figures.metrics import OTHER_NAME
from events.gateway import services
from events.gateway.figures import (
    DestinationFigures,
    NameFigures,
    SourceFigures,
    activity_of,
    destination_figures,
    list_letters,
    source_figures,
)
from events.gateway.lacking import Lack
from events.schema.deliveries import ReplayPayload, connection_of, cursor_field, paging, text_field, time_field
from events.schema.roads import as_int, by_road_field, road_argument, road_field, shown_counts
from pipelines.schema import nobodys
from pixels.validation import DEFAULT_WINDOW, clean_time_window


class DataSourceSummary(graphene.ObjectType):
    """The events of a data source, each counted once, wherever it went."""

    data_source_id = graphene.ID(required=True, description=Sampled("The data source's id.", "$source_id"))
    received_count = graphene.Int(required=True, description="How many events were received.")
    browser_received_count = graphene.Int(required=True, description="How many of them came from browsers.")
    dropped_receiving_off_count = graphene.Int(
        required=True, description="How many of them came while the data source was off, and went nowhere."
    )


class DataSourceActivity(graphene.ObjectType):
    """The events of one name that came from a data source, and what some of them lack, looked at as they came."""

    name = graphene.String(
        required=True,
        description=Sampled(
            "The event's name. Beyond 500 names a day, a source's further ones are counted together as Other.",
            "Purchase",
        ),
    )
    received_count = graphene.Int(required=True, description="How many events were received.")
    browser_received_count = graphene.Int(required=True, description="How many of them came from browsers.")
    dropped_receiving_off_count = graphene.Int(
        required=True, description="How many of them came while the data source was off, and went nowhere."
    )
    lacks_contact_count = graphene.Int(
        required=True, description="How many had neither an e-mail address nor a telephone number."
    )
    lacks_browser_id_count = graphene.Int(
        required=True, description="How many of websites did not have the browser's id, fbp."
    )
    lacks_ip_address_count = graphene.Int(
        required=True, description="How many of websites did not have the visitor's internet address."
    )
    lacks_event_id_count = graphene.Int(
        required=True, description="How many did not have an event id of the sender's own."
    )
    lacks_value_count = graphene.Int(
        required=True, description="How many purchases did not have a value or a currency; 0 for other events."
    )


class DestinationSummary(graphene.ObjectType):
    """What became of the events that have come to a destination, and how it stands with sending."""

    destination_id = graphene.ID(required=True, description=Sampled("The destination's id.", "$destination_id"))
    received_count = graphene.Int(required=True, description="How many events have come to it.")
    published_count = graphene.Int(required=True, description="How many it has taken.")
    failed_count = graphene.Int(
        required=True, description="How many it refused, of which the newest are its dead letters."
    )
    expired_count = graphene.Int(required=True, description="How many were older than 7 days before they were sent.")
    dropped_by_event_filter_count = graphene.Int(required=True, description="How many a filter of names kept back.")
    dropped_by_domain_filter_count = graphene.Int(required=True, description="How many a filter of websites kept back.")
    dropped_publishing_off_count = graphene.Int(
        required=True, description="How many came while the destination or its pipelines were off."
    )
    publish_error_count = graphene.Int(required=True, description="How many attempts to send were in vain.")
    by_road = by_road_field()
    held = graphene.Boolean(
        required=True, description="Does everything wait until somebody resumes it, or its configuration changes?"
    )
    retry_at = time_field("retry_at", "When sending is tried again, after a failure", required=False)
    code = text_field("code", "Code of the last answer that was no success; null where all is well.")
    message = text_field("message", "Text of the last answer that was no success; null where there is none.")
    last_published = time_field("last_published", "When it last took events", required=False)
    has_waiting = graphene.Boolean(
        required=True, description="Do events wait for it? They are among deliveries, with the outcome WAITING."
    )


class DestinationDeadLetter(graphene.ObjectType):
    """An event that a destination refused on its own. Kept for 30 days, or until it is sent again."""

    id = graphene.ID(
        required=True,
        description=Sampled("A number, by which replayDestinationDeadLetter takes it.", "$destination_letter_id"),
    )
    data_source_id = graphene.ID(
        description=Sampled("The data source that it came from; null where that has been deleted.", "$source_id"),
        resolver=lambda root, info: root.source.source_id if root.source else None,
    )
    event_name = graphene.String(required=True, description=Sampled("The event's name.", "AddToCart"))
    event_id = graphene.String(required=True, description=Sampled("The event's id.", "order-1"))
    website = text_field("website", "The website that it happened on; null where it was none.", "shop.example.com")
    road = road_field()
    event = graphene.String(
        required=True,
        description=Sampled(
            "The event as JSON; what it says of the visitor is masked, addresses lack their query.",
            '{"event_name": "AddToCart", "event_id": "order-1", "custom_data": {"currency": "EU"}}',
        ),
        resolver=lambda root, info: orjson.dumps(masked_event(bytes(root.event))).decode(),
    )
    code = graphene.String(required=True, description=Sampled("The answer's code, such as a status of HTTP.", "422"))
    message = graphene.String(required=True, description=Sampled("The destination's answer.", "Unknown currency"))
    trace_id = text_field("trace_id", "Meta's trace id; null where there is none.", "AbCdEfGhIjKlMnOpQrStUvW")
    received_at = time_field("received_at", "When it came")
    failed_at = time_field("failed_at", "When the destination refused it")


class DestinationDeadLetterEdge(graphene.ObjectType):
    """A destination's dead letter in a list."""

    node = graphene.Field(DestinationDeadLetter, required=True, description="The dead letter.")
    cursor = cursor_field()


class DestinationDeadLetterConnection(graphene.ObjectType):
    """A page of a destination's dead letters."""

    edges = graphene.List(NonNull(DestinationDeadLetterEdge), required=True, description="The last failure first.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page starts and ends.")


def _destination_id(sample: str = "$destination_id") -> graphene.ID:
    return graphene.ID(
        required=True, description=Sampled("The id of a destination of the account, but not of a Meta Pixel's.", sample)
    )


def _ids(description: str) -> graphene.List:
    return graphene.List(NonNull(graphene.ID), description=description)


def _window() -> graphene.Int:
    return graphene.Int(
        default_value=DEFAULT_WINDOW, description=Sampled("How many minutes back to count, 1 to 43,200.", 60)
    )


class GatewayQueries:
    """The part of TenantQueries that tells what passed at gateway sources and destinations."""

    data_source_figures = graphene.List(
        NonNull(DataSourceSummary),
        required=True,
        data_source_ids=_ids("Leaves out other data sources; all of them where none is named."),
        time_window_min=_window(),
        description=(
            "The events of data sources over the last timeWindowMin minutes, as these were made; a Meta Pixel's are in "
            "eventMetrics. Codes: 400, 401, 404 no such data source."
        ),
    )
    data_source_activity = graphene.List(
        NonNull(DataSourceActivity),
        required=True,
        data_source_id=graphene.ID(
            required=True,
            description=Sampled("The id of a data source of the account, but not of a Meta Pixel.", "$source_id"),
        ),
        time_window_min=_window(),
        description=(
            "What came from a data source over the last timeWindowMin minutes, by event name, the most frequent first, "
            "and what some of it lacks. Codes: 400, 401, 404 no such data source."
        ),
    )
    destination_figures = graphene.List(
        NonNull(DestinationSummary),
        required=True,
        destination_ids=_ids("Leaves out other destinations; all of them where none is named."),
        time_window_min=_window(),
        description=(
            "What became of events at destinations over the last timeWindowMin minutes, as these were made; at a Meta "
            "Pixel's it is in eventMetrics. Codes: 400, 401, 404 no such destination."
        ),
    )
    destination_dead_letters = graphene.Field(
        DestinationDeadLetterConnection,
        required=True,
        destination_id=_destination_id(),
        road=road_argument("Leaves out events that came by the other road."),
        **paging(),
        description=(
            "The events that a destination refused, with its answers. Codes: 400, 401, 404 no such destination."
        ),
    )

    @staticmethod
    def resolve_data_source_figures(
        root: TenantScope,
        info: ResolveInfo,
        data_source_ids: list[str] | None = None,
        time_window_min: int | None = None,
    ) -> list[dict[str, Any]]:
        found = source_figures(root.tenant, data_source_ids, clean_time_window(time_window_min))
        return list(map(_source, found))

    @staticmethod
    def resolve_data_source_activity(
        root: TenantScope, info: ResolveInfo, data_source_id: str, time_window_min: int | None = None
    ) -> list[dict[str, Any]]:
        return list(map(_activity, activity_of(root.tenant, data_source_id, clean_time_window(time_window_min))))

    @staticmethod
    def resolve_destination_figures(
        root: TenantScope,
        info: ResolveInfo,
        destination_ids: list[str] | None = None,
        time_window_min: int | None = None,
    ) -> list[dict[str, Any]]:
        found = destination_figures(root.tenant, destination_ids, clean_time_window(time_window_min))
        return list(map(_destination, found))

    @staticmethod
    def resolve_destination_dead_letters(
        root: TenantScope, info: ResolveInfo, destination_id: str, **asked: Any
    ) -> dict[str, Any]:
        with_previous = asks_for_previous(selected(info))
        page = list_letters(root.tenant, destination_id, with_previous=with_previous, **asked)
        return connection_of(page, cursor_of_letter)


def _source(figures: SourceFigures) -> dict[str, Any]:
    return {
        "data_source_id": figures.source_id,
        "received_count": as_int(figures.received),
        "browser_received_count": as_int(figures.browser_received),
        "dropped_receiving_off_count": as_int(figures.dropped_receiving_off),
    }


def _activity(figures: NameFigures) -> dict[str, Any]:
    lacks = dict(figures.lacks)
    return {
        "name": figures.name or OTHER_NAME,
        "received_count": as_int(figures.received),
        "browser_received_count": as_int(figures.browser),
        "dropped_receiving_off_count": as_int(figures.dropped),
        **{f"{lack.value}_count": as_int(lacks.get(lack, 0)) for lack in Lack},
    }


def _destination(figures: DestinationFigures) -> dict[str, Any]:
    together = figures.counts.together
    return {
        "destination_id": figures.destination_id,
        **shown_counts(figures.counts),
        "failed_count": as_int(together.failed),
        "expired_count": as_int(together.expired),
        "dropped_by_event_filter_count": as_int(figures.by_event_filter),
        "dropped_by_domain_filter_count": as_int(figures.by_domain_filter),
        "dropped_publishing_off_count": as_int(figures.publishing_off),
        "publish_error_count": as_int(figures.errors),
        "held": figures.queue.held,
        "retry_at": figures.queue.retry_at,
        "code": figures.queue.code,
        "message": figures.queue.message,
        "last_published": figures.queue.last_published,
        "has_waiting": figures.queue.has_waiting,
    }


class HoldPayload(graphene.ObjectType):
    """The outcome of holding or resuming."""

    held = graphene.Boolean(required=True, description=Sampled("Does everything wait now?", False))


class GatewayMutations:
    """The part of TenantMutations that is about what destinations did not take."""

    replay_destination_dead_letter = graphene.Field(
        ReplayPayload,
        id=graphene.ID(required=True, description=Sampled("The dead letter's id.", "$destination_letter_id")),
        description=(
            "Sends a refused event to its destination again. Codes: 400 it is too old, 401, 404 no such dead letter."
        ),
    )
    replay_destination_dead_letters = graphene.Field(
        ReplayPayload,
        destination_id=_destination_id(),
        description=(
            "Sends all the refused events of a destination again, the oldest first and 10,000 in a call. "
            "Codes: 400, 401, 404 no such destination."
        ),
    )
    hold_destination = graphene.Field(
        HoldPayload,
        destination_id=_destination_id(nobodys.DESTINATION),
        description=(
            "Lets a destination's events wait until it is resumed or its configuration changes; a request that is "
            "under way is finished. Events that wait for 7 days expire. Codes: 400, 401, 404 no such destination."
        ),
    )
    resume_destination = graphene.Field(
        HoldPayload,
        destination_id=_destination_id(),
        description=(
            "Sends a destination's waiting events at once, whatever they wait for. "
            "Codes: 400, 401, 404 no such destination."
        ),
    )

    @staticmethod
    def resolve_replay_destination_dead_letter(root: str, info: ResolveInfo, id: str) -> dict[str, int]:
        services.replay_letter(principal=principal_of(info), tenant_id=root, dead_letter_id=id)
        return {"replayed_count": 1}

    @staticmethod
    def resolve_replay_destination_dead_letters(root: str, info: ResolveInfo, destination_id: str) -> dict[str, int]:
        count = services.replay_letters(principal=principal_of(info), tenant_id=root, destination_id=destination_id)
        return {"replayed_count": count}

    @staticmethod
    def resolve_hold_destination(root: str, info: ResolveInfo, destination_id: str) -> dict[str, bool]:
        services.hold_destination(principal=principal_of(info), tenant_id=root, destination_id=destination_id)
        return {"held": True}

    @staticmethod
    def resolve_resume_destination(root: str, info: ResolveInfo, destination_id: str) -> dict[str, bool]:
        services.retry_destination(principal=principal_of(info), tenant_id=root, destination_id=destination_id)
        return {"held": False}
