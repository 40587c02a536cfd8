"""What became of single events, and what can be done about those that Meta refused (beyond the reference: ours)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import graphene
import orjson
from graphene import NonNull, ResolveInfo

from accounts.schema.context import principal_of
from accounts.schema.scope import TenantScope
from accounts.schema.types import milliseconds
from common.graphql.paging import SAMPLE_CURSOR, Listed, PageInfo, asks_for_previous, connection
from common.graphql.samples import MOMENT, Sampled
from common.graphql.selection import selected
from common.validation import clean_milliseconds
from events.changes import MOST
from events.delivery import services
from events.delivery.entries import Slice, Wanted
from events.delivery.explanations import explain
from events.delivery.masking import masked_event
from events.delivery.reads import cursor_of_letter, list_dead_letters, list_deliveries
from events.models import Delivery as DeliveryModel
from events.schema.roads import road_argument, road_field

_OUTCOMES = {
    "PUBLISHED": "Meta has it.",
    "DROPPED": "A filter or a switch kept it back.",
    "WAITING": "It is still to be published, or tried again.",
    "FAILED": "Meta refused it; it is a dead letter.",
    "EXPIRED": "It was older than 7 days before it could be published.",
}


def _outcome_description(value: Enum | None) -> str:
    return "What became of an event." if value is None else _OUTCOMES[value.name]


DeliveryOutcome = graphene.Enum.from_enum(
    DeliveryModel.Outcome, name="DeliveryOutcome", description=_outcome_description
)


def text_field(attribute: str, description: str, sample: str | None = None) -> graphene.String:
    """A text of an object, or of a dictionary, that is null where there is none."""
    return graphene.String(
        description=Sampled(description, sample), resolver=lambda root, info: _value(root, attribute) or None
    )


def _value(root: Any, attribute: str) -> Any:
    return root[attribute] if isinstance(root, dict) else getattr(root, attribute)


def time_field(attribute: str, description: str, *, required: bool = True) -> graphene.String:
    """A moment of an object, or of a dictionary."""
    return graphene.String(
        required=required,
        description=Sampled(f"{description}: milliseconds since the epoch, as a string.", str(MOMENT)),
        resolver=lambda root, info: milliseconds(_value(root, attribute)),
    )


class EventChange(graphene.ObjectType):
    """A field of an event that the gateway changed. Values are kept nowhere."""

    field = graphene.String(
        required=True,
        description=Sampled("The field; empty where more were changed than are told.", "user_data.ph"),
    )
    code = graphene.String(
        required=True,
        description=Sampled(
            "Why it was left out, in a word that stays, or: filled, remembered, from_address, more.", "no_phone"
        ),
    )
    explanation = graphene.String(
        required=True, description=Sampled("The same in words.", "Left out. It is no telephone number.")
    )


class Delivery(graphene.ObjectType):
    """An event and what became of it, without personal data. Kept for 7 days, or as the host has set."""

    id = graphene.ID(
        required=True,
        description=Sampled(
            "Delivery:<number>:<place>; of one that waits, Delivery:<where>:<number>:<place>",
            "Delivery:1839109570944701446:0",
        ),
    )
    pixel_id = graphene.String(
        required=True,
        description=Sampled(
            "The pixel, or data source, that it is of; empty where that has been deleted.", "$pixel_id"
        ),
    )
    destination_id = text_field(
        "destination_id",
        "Where a data source's event was to go: sg_v1_dd_<uuid>. Null for a pixel's, which go to Meta.",
        "sg_v1_dd_6f1c8a52-2f0e-4d0b-9a53-8c1e6f0a4b7d",
    )
    at = time_field("at", "When it was decided; of a waiting event, when it came")
    outcome = graphene.Field(DeliveryOutcome, required=True, description="What became of it.")
    event_name = graphene.String(required=True, description=Sampled("The event's name.", "AddToCart"))
    event_id = graphene.String(
        required=True, description=Sampled("The event's id, by which Meta tells duplicates.", "order-1")
    )
    event_time = time_field("event_time", "When it happened, as its sender says", required=False)
    received_at = time_field("received_at", "When it came, to the second", required=False)
    changes = graphene.List(
        NonNull(EventChange),
        required=True,
        description=f"What the gateway left out of it, filled in and completed: at most {MOST}, by field.",
    )
    enriched = graphene.Boolean(
        required=True, description="Was it completed with what its visitor had given before (event enrichment)?"
    )
    website = text_field("website", "The website that it happened on; null where it was none.", "shop.example.com")
    road = road_field()
    detail = text_field("detail", "Which filter or switch dropped it, or Meta's answer; null where all is well.")
    code = text_field(
        "code", "The answer's code: why the event failed, or what it waits for; null where there is none."
    )
    explanation = text_field("explanation", "What a code of Meta's means and what to do; null without one.")
    trace_id = text_field("trace_id", "Meta's trace id; null where Meta gave none.", "AbCdEfGhIjKlMnOpQrStUvW")


class DeadLetter(graphene.ObjectType):
    """An event that Meta refused on its own. Kept for 30 days, or until it is replayed."""

    id = graphene.ID(
        required=True, description=Sampled("A number, by which replayDeadLetter takes it.", "$dead_letter_id")
    )
    event_name = graphene.String(required=True, description=Sampled("The event's name.", "AddToCart"))
    event_id = graphene.String(
        required=True, description=Sampled("The event's id, by which Meta tells duplicates.", "order-1")
    )
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
    code = graphene.String(required=True, description=Sampled("Meta's error code, <code>.<subcode>.", "100.2804003"))
    explanation = graphene.String(
        required=True,
        description=Sampled(
            "What the code means and what to do.", "Meta refused the event's content: the message names the field."
        ),
        resolver=lambda root, info: explain(root.code),
    )
    message = graphene.String(required=True, description=Sampled("Meta's answer.", "Invalid parameter: currency"))
    trace_id = text_field("trace_id", "Meta's trace id; null where Meta gave none.", "AbCdEfGhIjKlMnOpQrStUvW")
    received_at = time_field("received_at", "When it came")
    failed_at = time_field("failed_at", "When Meta refused it")


def cursor_field() -> graphene.String:
    """A row's place."""
    return graphene.String(
        required=True, description=Sampled("Where it stands: pass it as after to go on from here.", SAMPLE_CURSOR)
    )


class DeliveryEdge(graphene.ObjectType):
    """An event in the delivery log."""

    node = graphene.Field(Delivery, required=True, description="The event.")
    cursor = cursor_field()


class DeliveryConnection(graphene.ObjectType):
    """A page of the delivery log."""

    edges = graphene.List(
        NonNull(DeliveryEdge),
        required=True,
        description="The newest first; an event that waits, by when it was received.",
    )
    page_info = graphene.Field(PageInfo, required=True, description="Where the page starts and ends.")


class DeadLetterEdge(graphene.ObjectType):
    """A dead letter in a list."""

    node = graphene.Field(DeadLetter, required=True, description="The dead letter.")
    cursor = cursor_field()


class DeadLetterConnection(graphene.ObjectType):
    """A page of dead letters."""

    edges = graphene.List(NonNull(DeadLetterEdge), required=True, description="The last failure first.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page starts and ends.")


def connection_of(page: Slice[Listed], cursor_of: Callable[[Listed], str]) -> dict[str, Any]:
    """A page as the API answers it."""
    made = connection(page.rows, cursor_of, has_next=page.has_next, has_previous=page.has_previous)
    if page.stopped_at:
        made["page_info"]["end_cursor"] = page.stopped_at
    return made


def _pixel_id() -> graphene.String:
    return graphene.String(required=True, description=Sampled("The id of a pixel of the account.", "$pixel_id"))


def paging() -> dict[str, Any]:
    """The arguments of a list."""
    return {
        "first": graphene.Int(default_value=50, description=Sampled("How many rows a page has, 1 to 200.", 10)),
        "after": graphene.String(description="A cursor of an earlier page; the list goes on after it."),
    }


def _moment(description: str) -> graphene.String:
    return graphene.String(
        description=Sampled(f"{description}: milliseconds since the epoch, as a string.", str(MOMENT))
    )


class DeliveryQueries:
    """The part of TenantQueries that tells of single events."""

    deliveries = graphene.Field(
        DeliveryConnection,
        required=True,
        pixel_id=graphene.String(
            description=Sampled(
                "The id of a pixel or data source of the account; without one, of all of them.", "$pixel_id"
            )
        ),
        destination_id=graphene.ID(
            description="Leaves out events that go elsewhere: the id of a destination of the account."
        ),
        outcome=graphene.Argument(DeliveryOutcome, description="Leaves out events with another outcome."),
        road=road_argument("Leaves out events that came by the other road."),
        event_name=graphene.String(description="Leaves out events of other names; 1 to 50 characters."),
        event_id=graphene.String(
            description=Sampled("Leaves out events with another id; 1 to 100 characters.", "order-1")
        ),
        website=graphene.String(description="Leaves out events of other websites; 1 to 253 characters."),
        since=_moment("Leaves out what was decided, or came and waits, before"),
        until=_moment("Leaves out what was decided, or came and waits, then or later"),
        **paging(),
        description=(
            "The delivery log of the account, or of a pixel or data source: what became of events within 7 days, and "
            "the newest 1,000 that wait on each. A data source's event is told once for each destination. A page may "
            "hold few events, or none, and have a next one, which goes on where the search has stopped. "
            "Codes: 400, 401, 404 no such pixel or data source or destination."
        ),
    )
    dead_letters = graphene.Field(
        DeadLetterConnection,
        required=True,
        pixel_id=_pixel_id(),
        road=road_argument("Leaves out events that came by the other road."),
        **paging(),
        description=(
            "The events of a pixel that Meta refused, with Meta's answers. Codes: 400, 401, 404 no such pixel."
        ),
    )

    @staticmethod
    def resolve_deliveries(
        root: TenantScope,
        info: ResolveInfo,
        pixel_id: str | None = None,
        destination_id: str | None = None,
        first: int | None = None,
        after: str | None = None,
        since: str | None = None,
        until: str | None = None,
        **wanted: Any,
    ) -> dict[str, Any]:
        asked = Wanted(since=clean_milliseconds("since", since), until=clean_milliseconds("until", until), **wanted)
        page = list_deliveries(
            root.tenant,
            pixel_id,
            asked,
            destination_id=destination_id,
            first=first,
            after=after,
            with_previous=asks_for_previous(selected(info)),
        )
        return connection_of(page, lambda entry: entry.cursor)

    @staticmethod
    def resolve_dead_letters(root: TenantScope, info: ResolveInfo, pixel_id: str, **asked: Any) -> dict[str, Any]:
        page = list_dead_letters(root.tenant, pixel_id, with_previous=asks_for_previous(selected(info)), **asked)
        return connection_of(page, cursor_of_letter)


class ReplayPayload(graphene.ObjectType):
    """The outcome of a replay."""

    replayed_count = graphene.Int(required=True, description="How many events wait to be published again.")


class DeadLetterMutations:
    """The part of TenantMutations that is about dead letters."""

    replay_dead_letter = graphene.Field(
        ReplayPayload,
        id=graphene.ID(required=True, description=Sampled("The dead letter's id.", "$dead_letter_id")),
        description="Publishes a refused event again. Codes: 401, 404 no such dead letter.",
    )
    replay_dead_letters = graphene.Field(
        ReplayPayload,
        pixel_id=_pixel_id(),
        description=(
            "Publishes all the refused events of a pixel again, the oldest first and 10,000 in a call. "
            "Codes: 401, 404 no such pixel."
        ),
    )

    @staticmethod
    def resolve_replay_dead_letter(root: str, info: ResolveInfo, id: str) -> dict[str, int]:
        services.replay_dead_letter(principal=principal_of(info), tenant_id=root, dead_letter_id=id)
        return {"replayed_count": 1}

    @staticmethod
    def resolve_replay_dead_letters(root: str, info: ResolveInfo, pixel_id: str) -> dict[str, int]:
        count = services.replay_dead_letters(principal=principal_of(info), tenant_id=root, pixel_id=pixel_id)
        return {"replayed_count": count}
