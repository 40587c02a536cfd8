"""Events in Django admin: what became of them, what waits, and what can be done about it.

These tables may hold millions of rows. Lists begin with the newest, are searched by pixel, and are never counted whole.
"""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from accounts.models import Tenant
from accounts.service_admin import ServiceAdmin, all_well, text_of
from accounts.web import principal_of_request
from events.delivery import services
from events.delivery.explanations import explain
from events.delivery.log.packing import read_kinds
from events.delivery.log.reading import batches_with, lines_of
from events.delivery.masking import masked_event
from events.gateway.admin import OF_IDS, FindingsAdmin, IdFindingsAdmin, RefusedAdmin  # which registers its tables
from events.models import (
    Counter,
    DeadLetter,
    DeliveryBatch,
    Finding,
    IdFinding,
    Lane,
    OutboxRow,
    RefusedRequest,
    Registration,
    Removal,
)
from events.registration import services as registrations
from events.registration.explanations import explain_attempt
from pixels.models import Pixel

#: A search finds the rows of so many pixels.
PIXELS_SEARCHED = 500
#: And an event's id is looked for in the logs of so many accounts.
TENANTS_SEARCHED = 500
#: A batch shows so many events.
LINES_SHOWN = 1_000


def pixels_found(request: HttpRequest, term: str) -> list[int]:
    """The pixels that somebody sees whose id, name or account is like that."""
    named = Q(pixel_id=term) | Q(name__icontains=term) | Q(tenant__name__icontains=term) | Q(tenant=term)
    pixels = Pixel.objects.visible_to(principal_of_request(request).borders).filter(named)
    return list(pixels.values_list("pk", flat=True)[:PIXELS_SEARCHED])


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
        wanted = Q(pixel__in=pixels_found(request, term))
        for column in self.searched:
            wanted |= Q(**{column: term})
        return queryset.filter(wanted), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("pixel__access_token")


def _open_tenants(request: HttpRequest) -> QuerySet[Tenant]:
    return Tenant.objects.open_to(principal_of_request(request).borders)


@admin.register(DeliveryBatch)
class DeliveryBatchAdmin(ServiceAdmin):
    """The delivery log: a row holds the events that were settled together."""

    ordering = ("-pk",)
    list_display = ("at", "account", "pixel_id", "event_count", "first_kind")
    search_fields = ("tenant_id",)  # which shows the field: see get_search_results
    search_help_text = "An event's or a pixel's id, or a part of the name of a pixel or its account"
    fields = ("at", "account", "pixel_id", "event_count", "lines")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pixel = Pixel.objects.filter(pk=OuterRef("pixel"))
        queryset = super().get_queryset(request).defer("body")
        found: QuerySet[Any] = queryset.annotate(
            of_pixel=Subquery(pixel.values("pixel_id")), of_account=Subquery(pixel.values("tenant__name"))
        )
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = text_of(search_term)
        if not term:
            return queryset, False
        pixels = pixels_found(request, term)
        tenants = list(_open_tenants(request).values_list("pk", flat=True)[:TENANTS_SEARCHED])
        return queryset.filter(Q(pixel__in=pixels) | Q(pk__in=batches_with(tenants, term))), False

    @admin.display(description="pixel")
    def pixel_id(self, batch: Any) -> str:
        return batch.of_pixel or "-"

    @admin.display(description="account")
    def account(self, batch: Any) -> str:
        return batch.of_account or "-"

    @admin.display(description="of which the first kind is")
    def first_kind(self, batch: DeliveryBatch) -> str:
        kind = read_kinds(batch.kinds)[0]
        return " · ".join(filter(None, (kind.outcome, kind.name, kind.website, kind.detail)))

    @admin.display(description="events")
    def lines(self, batch: DeliveryBatch) -> str:
        """The last events, a line each."""
        lines = lines_of(batch)[:LINES_SHOWN]
        return format_html_join(
            mark_safe("<br>"),  # nosec B308  # a constant
            "{} {} {} {} {} {}",
            ((line.outcome, line.event_name, line.event_id, line.website, line.detail, line.code) for line in lines),
        )


@admin.register(DeadLetter)
class DeadLetterAdmin(EventsAdmin):
    """Events that Meta refused: replay or discard."""

    list_display = ("failed_at", "pixel", "road", "event_name", "event_id", "code", "message")
    list_filter = ("road",)
    searched = ("event_id",)
    search_help_text = DeliveryBatchAdmin.search_help_text
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
        return orjson.dumps(masked_event(bytes(letter.event)), option=orjson.OPT_INDENT_2).decode()

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
        "browser_expired", *OF_IDS,
    )  # fmt: skip
    list_filter = ("span", "dimension")


@admin.register(Finding)
class FindingAdmin(FindingsAdmin, EventsAdmin):
    """What was left out of events or refused, and why."""

    list_display = ("hour", "pixel", *FindingsAdmin.told)
    fields = (*list_display, *FindingsAdmin.told_further)


@admin.register(RefusedRequest)
class RefusedRequestAdmin(RefusedAdmin, EventsAdmin):
    """The last requests for pixels that the intake refused."""

    list_display = ("at", "pixel", *RefusedAdmin.told)
    fields = (*list_display, *RefusedAdmin.told_further)


@admin.register(IdFinding)
class IdFindingAdmin(IdFindingsAdmin, EventsAdmin):
    """What is wrong with event ids: without the same id on both roads, Meta counts an event twice."""

    list_display = ("last_at", "pixel", *IdFindingsAdmin.told)
    fields = (*list_display, "examples")


@admin.register(Registration)
class RegistrationAdmin(EventsAdmin):
    """How pixels stand with Meta: those that were refused or wait can be tried again, others taken back."""

    list_display = ("pixel", "state", "told_at", "endpoint", "failures", "due_at", "code", "message")
    list_filter = ("state",)
    fields = (*list_display, "silence", "explanation", "node")
    readonly_fields = ("explanation",)
    actions = ("try_again", "take_back")

    @admin.display(empty_value="-")
    def explanation(self, registration: Registration) -> str:
        return explain_attempt(registration)

    @admin.action(description="Tell Meta now")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def tell(registration: Registration) -> None:
            registrations.register_pixel(**_pixel_of(request, registration))

        self.each(request, queryset, tell, "Meta is being told of {} pixels.")

    @admin.action(description="Unregister")
    def take_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def take_back(registration: Registration) -> None:
            registrations.unregister_pixel(**_pixel_of(request, registration))

        self.each(request, queryset, take_back, "The registrations of {} pixels are taken back.")


def _pixel_of(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    pixel = registration.pixel
    return {
        "principal": principal_of_request(request), "tenant_id": pixel.tenant_id, "pixel_id": pixel.pixel_id,
    }  # fmt: skip


@admin.register(Removal)
class RemovalAdmin(ServiceAdmin):
    """Registrations of pixels that are gone, until Meta has confirmed that it has forgotten them."""

    list_display = ("pixel_id", "tenant_id", "created_at", "failures", "due_at", "code", "message")
    search_fields = ("pixel_id__startswith", "tenant_id__exact")
    search_help_text = "The beginning of a pixel's id, or an account's id"
    ordering = ("-created_at",)
    fields = (*list_display, "silence", "explanation", "node")
    readonly_fields = ("explanation",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("access_token")

    @admin.display(empty_value="-")
    def explanation(self, removal: Removal) -> str:
        return explain_attempt(removal)
