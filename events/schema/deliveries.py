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
from events.delivery import services
from events.delivery.explanations import explain
from events.delivery.reads import Page, cursor_of_letter, list_dead_letters, list_deliveries, masked_event
from events.models import Delivery as DeliveryModel

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


def _text(attribute: str, description: str, sample: str | None = None) -> graphene.String:
    """A text that is null where there is none."""
    return graphene.String(
        description=Sampled(description, sample), resolver=lambda root, info: getattr(root, attribute) or None
    )


def _time(attribute: str, description: str, *, required: bool = True) -> graphene.String:
    return graphene.String(
        required=required,
        description=Sampled(f"{description}: milliseconds since the epoch, as a string.", str(MOMENT)),
        resolver=lambda root, info: milliseconds(getattr(root, attribute)),
    )


class Delivery(graphene.ObjectType):
    """An event and what became of it, without personal data. Kept for 7 days, and at most 1,000 for a pixel."""

    id = graphene.ID(
        required=True, description=Sampled("Delivery:<number>, or Delivery:waiting:<number>:<place>", "Delivery:42")
    )
    at = _time("at", "When it was decided; of a waiting event, when it came")
    outcome = graphene.Field(DeliveryOutcome, required=True, description="What became of it.")
    event_name = graphene.String(required=True, description=Sampled("The event's name.", "AddToCart"))
    event_id = graphene.String(
        required=True, description=Sampled("The event's id, by which Meta tells duplicates.", "order-1")
    )
    event_time = _time("event_time", "When it happened, as its sender says", required=False)
    website = _text("website", "The website that it happened on; null where it was none.", "shop.example.com")
    detail = _text("detail", "Which filter or switch dropped it, or Meta's answer; null where all is well.")
    code = _text("code", "Meta's error code: why the event failed, or what it waits for; null where there is none.")
    explanation = _text("explanation", "What the code means and what to do; null without a code.")
    trace_id = _text("trace_id", "Meta's trace id; null where Meta gave none.", "AbCdEfGhIjKlMnOpQrStUvW")


class DeadLetter(graphene.ObjectType):
    """An event that Meta refused on its own. Kept for 30 days, or until it is replayed."""

    id = graphene.ID(
        required=True, description=Sampled("A number, by which replayDeadLetter takes it.", "$dead_letter_id")
    )
    event_name = graphene.String(required=True, description=Sampled("The event's name.", "AddToCart"))
    event_id = graphene.String(
        required=True, description=Sampled("The event's id, by which Meta tells duplicates.", "order-1")
    )
    website = _text("website", "The website that it happened on; null where it was none.", "shop.example.com")
    event = graphene.String(
        required=True,
        description=Sampled(
            "The event as JSON; what it says of the visitor is masked, addresses lack their query.",
            '{"event_name": "AddToCart", "event_id": "order-1", "custom_data": {"currency": "EU"}}',
        ),
        resolver=lambda root, info: orjson.dumps(masked_event(root)).decode(),
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
    trace_id = _text("trace_id", "Meta's trace id; null where Meta gave none.", "AbCdEfGhIjKlMnOpQrStUvW")
    received_at = _time("received_at", "When it came")
    failed_at = _time("failed_at", "When Meta refused it")


def _cursor() -> graphene.String:
    return graphene.String(
        required=True, description=Sampled("Where it stands: pass it as after to go on from here.", SAMPLE_CURSOR)
    )


class DeliveryEdge(graphene.ObjectType):
    """An event in the delivery log."""

    node = graphene.Field(Delivery, required=True, description="The event.")
    cursor = _cursor()


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
    cursor = _cursor()


class DeadLetterConnection(graphene.ObjectType):
    """A page of dead letters."""

    edges = graphene.List(NonNull(DeadLetterEdge), required=True, description="The last failure first.")
    page_info = graphene.Field(PageInfo, required=True, description="Where the page starts and ends.")


def _connection(page: Page[Listed], cursor_of: Callable[[Listed], str]) -> dict[str, Any]:
    return connection(page.rows, cursor_of, has_next=page.has_next, has_previous=page.has_previous)


def _pixel_id() -> graphene.String:
    return graphene.String(required=True, description=Sampled("The id of a pixel of the account.", "$pixel_id"))


def _paging() -> dict[str, Any]:
    return {
        "first": graphene.Int(default_value=50, description=Sampled("How many rows a page has, 1 to 200.", 10)),
        "after": graphene.String(description="A cursor of an earlier page; the list goes on after it."),
    }


class DeliveryQueries:
    """The part of TenantQueries that tells of single events."""

    deliveries = graphene.Field(
        DeliveryConnection,
        required=True,
        pixel_id=_pixel_id(),
        outcome=graphene.Argument(DeliveryOutcome, description="Leaves out events with another outcome."),
        event_name=graphene.String(description="Leaves out events of other names; 1 to 50 characters."),
        **_paging(),
        description=(
            "The delivery log of a pixel: what became of its last 1,000 events or so, and the newest 1,000 that "
            "wait. Codes: 400, 401, 404 no such pixel."
        ),
    )
    dead_letters = graphene.Field(
        DeadLetterConnection,
        required=True,
        pixel_id=_pixel_id(),
        **_paging(),
        description=(
            "The events of a pixel that Meta refused, with Meta's answers. Codes: 400, 401, 404 no such pixel."
        ),
    )

    @staticmethod
    def resolve_deliveries(
        root: TenantScope, info: ResolveInfo, pixel_id: str, outcome: DeliveryModel.Outcome | None = None, **paging: Any
    ) -> dict[str, Any]:
        with_previous = asks_for_previous(selected(info))
        page = list_deliveries(root.tenant, pixel_id, outcome=outcome, with_previous=with_previous, **paging)
        return _connection(page, lambda entry: entry.cursor)

    @staticmethod
    def resolve_dead_letters(root: TenantScope, info: ResolveInfo, pixel_id: str, **paging: Any) -> dict[str, Any]:
        page = list_dead_letters(root.tenant, pixel_id, with_previous=asks_for_previous(selected(info)), **paging)
        return _connection(page, cursor_of_letter)


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
