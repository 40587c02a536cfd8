"""Gateway sources and destinations in Django admin: what came of each, what waits, and what can be done about it."""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.service_admin import ServiceAdmin, all_well
from accounts.web import principal_of_request
from events.delivery.masking import masked_event
from events.findings import explain as explain_left_out
from events.gateway import services
from events.gateway.lacking import Lack
from events.intake.rules import explain
from events.models import (
    DestinationCounter,
    DestinationCursor,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    SourceCounter,
    SourceFinding,
    SourceIdFinding,
    SourceRefusedRequest,
    SourceRow,
)
from events.models.shared import CountOfFindings
from pipelines.ids import DESTINATION, id_of

#: What is counted of event ids.
OF_IDS = (
    "ids_seen", "browser_ids_seen", "ids_on_both", "ids_repeated", "browser_ids_repeated", "ids_of_other_orders",
)  # fmt: skip


class OfSourceAdmin(ServiceAdmin):
    """What the pages of sources' tables share."""

    ordering = ("-pk",)
    list_select_related: ClassVar[tuple[str, ...]] = ("source",)
    search_fields = ("source__source_id__exact", "source__name__icontains", "source__tenant__exact")
    search_help_text = "A source's id or a part of its name, or an account's id"


class OfDestinationAdmin(ServiceAdmin):
    """What the pages of destinations' tables share."""

    ordering = ("-pk",)
    list_select_related: ClassVar[tuple[str, ...]] = ("destination",)
    search_fields = ("destination__name__icontains", "destination__tenant__exact")
    search_help_text = "A part of a destination's name, or an account's id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("destination__secrets")


@admin.register(SourceRow)
class SourceRowAdmin(OfSourceAdmin):
    """Requests that are still to reach a destination; what they say is not shown."""

    list_display = ("received_at", "source", "road", "event_count", "place", "intake")
    list_filter = ("road",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")


@admin.register(SourceCounter)
class SourceCounterAdmin(OfSourceAdmin):
    """How many events came from sources."""

    list_display = (
        "start", "span", "source", "dimension", "label", "received", "dropped_receiving_off", "browser_received",
        "browser_dropped", *Lack.values, *OF_IDS,
    )  # fmt: skip
    list_filter = ("span", "dimension")


class RefusedAdmin(ServiceAdmin):
    """What the pages of refused requests share."""

    told = ("road", "field", "explanation", "event_count")
    told_further = ("reason", "sample")
    list_filter = ("road",)
    readonly_fields = ("explanation",)

    def explanation(self, refused: Any) -> str:
        return explain(refused.reason)


class FindingsAdmin(ServiceAdmin):
    """What the pages of findings share."""

    told = ("kind", "field", "explanation", "count")
    told_further = ("reason", "road", "events")
    list_filter = ("kind",)
    readonly_fields = ("explanation",)

    def explanation(self, finding: CountOfFindings) -> str:
        is_left_out = finding.kind == CountOfFindings.Kind.LEFT_OUT
        return (explain_left_out if is_left_out else explain)(finding.reason)


@admin.register(SourceFinding)
class SourceFindingAdmin(FindingsAdmin, OfSourceAdmin):
    """What was left out of sources' events or refused, and why."""

    list_display = ("hour", "source", *FindingsAdmin.told)
    fields = (*list_display, *FindingsAdmin.told_further)


class IdFindingsAdmin(ServiceAdmin):
    """What the pages of findings about ids share."""

    told = ("event_name", "kind", "count")
    list_filter = ("kind",)


@admin.register(SourceIdFinding)
class SourceIdFindingAdmin(IdFindingsAdmin, OfSourceAdmin):
    """What is wrong with event ids of sources: without the same id on both roads, Meta counts an event twice."""

    list_display = ("last_at", "source", *IdFindingsAdmin.told)
    fields = (*list_display, "examples")


@admin.register(SourceRefusedRequest)
class SourceRefusedRequestAdmin(RefusedAdmin, OfSourceAdmin):
    """The last requests for sources that the intake refused."""

    list_display = ("at", "source", *RefusedAdmin.told)
    fields = (*list_display, *RefusedAdmin.told_further)


@admin.register(DestinationLane)
class DestinationLaneAdmin(OfDestinationAdmin):
    """Destinations' queues: which wait, which are held, and what was answered last."""

    list_display = ("destination", "may_send", "failures", "retry_at", "code", "message", "last_published")
    list_filter = ("held",)
    fields = (*list_display, "silence", "claimed_until")
    readonly_fields = ("may_send",)
    may_send = staticmethod(all_well("held", "may send"))
    actions = ("try_now",)

    @admin.action(description="Send now")
    def try_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def retry(lane: DestinationLane) -> None:
            destination = lane.destination
            services.retry_destination(
                principal=principal_of_request(request),
                tenant_id=destination.tenant_id,
                destination_id=id_of(DESTINATION, destination.uuid),
            )

        self.each(request, queryset, retry, "{} destinations are sent to now.")


@admin.register(DestinationCursor)
class DestinationCursorAdmin(OfDestinationAdmin):
    """How far destinations have come with sources."""

    list_display = ("destination", "source", "place")
    list_select_related = ("destination", "source")


@admin.register(DestinationRow)
class DestinationRowAdmin(OfDestinationAdmin):
    """Requests of which a part waits apart; what they say is not shown."""

    list_display = ("received_at", "destination", "road", "event_count")
    list_filter = ("road",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")


@admin.register(DestinationCounter)
class DestinationCounterAdmin(OfDestinationAdmin):
    """How many events met which fate at destinations."""

    list_display = (
        "start", "span", "destination", "dimension", "label", "received", "published", "failed", "expired",
        "dropped_by_event_filter", "dropped_by_domain_filter", "dropped_publishing_off", "publish_errors",
        "browser_received", "browser_published", "browser_dropped", "browser_failed", "browser_expired",
    )  # fmt: skip
    list_filter = ("span", "dimension")


@admin.register(DestinationLetter)
class DestinationLetterAdmin(OfDestinationAdmin):
    """Events that destinations refused."""

    list_display = ("failed_at", "destination", "road", "event_name", "event_id", "code", "message")
    list_filter = ("road",)
    fields = (
        "destination", "event_name", "event_id", "website", "road", "received_at", "failed_at", "code", "message",
        "trace_id", "content",
    )  # fmt: skip
    readonly_fields = ("content",)
    actions = ("replay", "discard")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("event")

    def content(self, letter: DestinationLetter) -> str:
        """The event, without what it says of the visitor."""
        return orjson.dumps(masked_event(bytes(letter.event)), option=orjson.OPT_INDENT_2).decode()

    @admin.action(description="Send again")
    def replay(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def replay(letter: DestinationLetter) -> None:
            services.replay_letter(**_named(request, letter))

        self.each(request, queryset, replay, "{} events wait to be sent again.")

    @admin.action(description="Discard")
    def discard(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def discard(letter: DestinationLetter) -> None:
            services.discard_letter(**_named(request, letter))

        self.each(request, queryset, discard, "{} events discarded.")


def _named(request: HttpRequest, letter: DestinationLetter) -> dict[str, Any]:
    return {
        "principal": principal_of_request(request),
        "tenant_id": letter.destination.tenant_id,
        "dead_letter_id": str(letter.pk),
    }
