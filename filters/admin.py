"""Filters in Django admin: to look at, and to switch."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.service_admin import ServiceAdmin
from accounts.web import principal_of_request
from filters import services
from filters.models import DomainFilter, EventFilter, Filter, FilterState


class FilterAdmin(ServiceAdmin):
    """What both kinds of filter share."""

    places: ClassVar[tuple[str, ...]] = ("tenant__id__exact", "tenant__name", "pixel__pixel_id__exact", "pixel__name")
    list_filter = ("state",)
    search_help_text = "An account's or a pixel's id, a part of its name, or the beginning of what the filter is for"
    list_select_related = ("tenant", "pixel")
    actions = ("publish", "drop")

    @admin.action(description="Publish")
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, lambda row: self.update(request, row, FilterState.PUBLISH), "{} filters publish.")

    @admin.action(description="Drop")
    def drop(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, lambda row: self.update(request, row, FilterState.DROP), "{} filters drop.")

    def update(self, request: HttpRequest, row: Filter, state: FilterState) -> None:
        raise NotImplementedError


@admin.register(EventFilter)
class EventFilterAdmin(FilterAdmin):
    """Filters by event name."""

    list_display = ("event_name", "tenant", "pixel", "state", "updated_at")
    search_fields = (*FilterAdmin.places, "event_name__startswith")

    def update(self, request: HttpRequest, row: Any, state: FilterState) -> None:
        services.update_event_filter(
            principal=principal_of_request(request),
            tenant_id=row.tenant_id,
            event_name=row.event_name,
            state=state,
            pixel_ids=[row.pixel.pixel_id] if row.pixel else None,
        )


@admin.register(DomainFilter)
class DomainFilterAdmin(FilterAdmin):
    """Filters by website."""

    list_display = ("domain", "tenant", "pixel", "state", "updated_at")
    search_fields = (*FilterAdmin.places, "domain__startswith")

    def update(self, request: HttpRequest, row: Any, state: FilterState) -> None:
        services.update_domain_filter(
            principal=principal_of_request(request),
            tenant_id=row.tenant_id,
            domain=row.domain,
            state=state,
            pixel_ids=[row.pixel.pixel_id] if row.pixel else None,
        )
