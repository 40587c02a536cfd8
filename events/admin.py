"""Events in Django admin: what became of them, what waits, and what can be done about it.

These tables may hold millions of rows. Lists begin with the newest, are searched by pixel, and are never counted whole.
"""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.service_admin import ServiceAdmin, all_well, text_of
from accounts.web import principal_of_request
from events.delivery import services
from events.delivery.explanations import explain
from events.delivery.reads import masked_event
from events.findings import explain as explain_finding
from events.models import Counter, DeadLetter, Delivery, Finding, IdFinding, Lane, OutboxRow
from pixels.models import Pixel

#: A search finds the rows of so many pixels.
PIXELS_SEARCHED = 500


class EventsAdmin(ServiceAdmin):
    """What the pages of large tables share."""

    ordering = ("-pk",)
    list_select_related = ("pixel",)
    search_fields = ("pixel",)  # which shows the field: see get_search_results
    search_help_text = "A pixel's id, or a part of its name or its account's"
    #: Columns that are searched for what is typed, to the letter.
    searched: ClassVar[tuple[str, ...]] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows of pixels that are found first: a condition over both tables would look at every row here."""
        term = text_of(search_term)
        if not term:
            return queryset, False
        named = Q(pixel_id=term) | Q(name__icontains=term) | Q(tenant__name__icontains=term) | Q(tenant=term)
        pixels = Pixel.objects.visible_to(principal_of_request(request).borders).filter(named)
        wanted = Q(pixel__in=list(pixels.values_list("pk", flat=True)[:PIXELS_SEARCHED]))
        for column in self.searched:
            wanted |= Q(**{column: term})
        return queryset.filter(wanted), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("pixel__access_token")


@admin.register(Delivery)
class DeliveryAdmin(EventsAdmin):
    """The delivery log."""

    list_display = ("at", "pixel", "road", "outcome", "event_name", "event_id", "website", "detail")
    list_filter = ("outcome", "road")
    searched = ("event_id",)
    search_help_text = "An event's or a pixel's id, or a part of the name of a pixel or its account"
    fields = (
        "pixel", "at", "road", "outcome", "event_name", "event_id", "event_time", "website", "detail", "code",
        "explanation", "trace_id",
    )  # fmt: skip
    readonly_fields = ("explanation",)

    @admin.display(empty_value="-")
    def explanation(self, delivery: Delivery) -> str:
        return explain(delivery.code)


@admin.register(DeadLetter)
class DeadLetterAdmin(EventsAdmin):
    """Events that Meta refused: replay or discard."""

    list_display = ("failed_at", "pixel", "event_name", "event_id", "code", "message")
    searched = ("event_id",)
    search_help_text = DeliveryAdmin.search_help_text
    fields = (
        "pixel", "event_name", "event_id", "website", "road", "received_at", "failed_at", "code", "message",
        "explanation", "trace_id", "content",
    )  # fmt: skip
    readonly_fields = ("explanation", "content")
    actions = ("replay", "discard")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("event")

    def explanation(self, letter: DeadLetter) -> str:
        return explain(letter.code)

    def content(self, letter: DeadLetter) -> str:
        """The event, without what it says of the visitor."""
        return orjson.dumps(masked_event(letter), option=orjson.OPT_INDENT_2).decode()

    @admin.action(description="Publish again")
    def replay(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def replay(letter: DeadLetter) -> None:
            services.replay_dead_letter(**_named(request, letter))

        self.each(request, queryset, replay, "{} events wait to be published again.")

    @admin.action(description="Discard")
    def discard(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def discard(letter: DeadLetter) -> None:
            services.discard_dead_letter(**_named(request, letter))

        self.each(request, queryset, discard, "{} events discarded.")


def _named(request: HttpRequest, letter: DeadLetter) -> dict[str, Any]:
    return {
        "principal": principal_of_request(request),
        "tenant_id": letter.pixel.tenant_id,
        "dead_letter_id": str(letter.pk),
    }


@admin.register(OutboxRow)
class OutboxRowAdmin(EventsAdmin):
    """Requests whose events wait; what they say is not shown."""

    list_display = ("received_at", "pixel", "road", "event_count", "counted", "intake")
    list_filter = ("counted", "road")
    fields = ("pixel", "received_at", "road", "event_count", "counted", "intake")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")


@admin.register(Lane)
class LaneAdmin(EventsAdmin):
    """Pixels' queues: those that are held or wait for another attempt can be let go."""

    list_display = ("pixel", "may_publish", "failures", "retry_at", "claimed_until")
    list_filter = ("held",)
    fields = list_display
    readonly_fields = ("may_publish",)
    may_publish = staticmethod(all_well("held", "may publish"))
    actions = ("try_now",)

    @admin.action(description="Publish now")
    def try_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def retry(lane: Lane) -> None:
            services.retry_publishing(
                principal=principal_of_request(request),
                tenant_id=lane.pixel.tenant_id,
                pixel_id=lane.pixel.pixel_id,
            )

        self.each(request, queryset, retry, "{} pixels publish now.")


@admin.register(Counter)
class CounterAdmin(EventsAdmin):
    """How many events met which fate."""

    list_display = (
        "start", "span", "pixel", "dimension", "label", "received", "published", "failed", "expired",
        "dropped_by_event_filter", "dropped_by_domain_filter", "dropped_receiving_off", "dropped_publishing_off",
        "publish_errors", "browser_received", "browser_published", "browser_dropped", "browser_failed",
        "browser_expired", "ids_on_both", "ids_repeated", "browser_ids_repeated",
    )  # fmt: skip
    list_filter = ("span", "dimension")


@admin.register(Finding)
class FindingAdmin(EventsAdmin):
    """What was left out of events, and why."""

    list_display = ("hour", "pixel", "kind", "field", "explanation", "count")
    list_filter = ("kind",)
    fields = (*list_display, "reason", "road")
    readonly_fields = ("explanation",)

    def explanation(self, finding: Finding) -> str:
        return explain_finding(finding.reason)


@admin.register(IdFinding)
class IdFindingAdmin(EventsAdmin):
    """What is wrong with event ids: without the same id on both roads, Meta counts an event twice."""

    list_display = ("last_at", "pixel", "event_name", "kind", "count")
    list_filter = ("kind",)
    fields = (*list_display, "examples")
