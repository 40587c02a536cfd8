"""Pipelines, data sources and destinations in Django admin: to look at, to name, to switch, to delete. No secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.service_admin import ServiceAdmin
from accounts.web import principal_of_request
from pipelines.ids import DESTINATION, PIPELINE, id_of
from pipelines.models import Destination, Pipeline, Source
from pipelines.services.destinations import delete_destination, update_destination
from pipelines.services.pipelines import delete_pipeline, update_pipeline
from pipelines.services.places import remove_destination, remove_source
from pipelines.services.sources import delete_source, update_source


class OwnedAdmin(ServiceAdmin):
    """What has a name, a switch and an account."""

    can_change = can_delete = True
    list_filter: ClassVar[tuple[str, ...]] = ("active",)
    list_select_related = ("tenant",)
    search_fields: ClassVar[tuple[str, ...]] = ("name", "tenant__id__exact", "tenant__name")
    search_help_text = "A part of its name or its account's, or the account's id"
    ordering = ("-pk",)
    facts: ClassVar[tuple[str, ...]] = ()
    #: The services.
    update: ClassVar[Callable[..., object]]
    delete: ClassVar[Callable[..., object]]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["name", "active", *self.facts]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.facts

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        type(self).update(**self._which(request, obj), **changed)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        type(self).delete(**self._which(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        done = "{} " + str(self.opts.verbose_name_plural) + " deleted."
        self.each(request, queryset, lambda row: self.delete_model(request, row), done)

    @admin.display(description="id")
    def public_id(self, row: Any) -> str:
        """What the services and the API call it."""
        raise NotImplementedError

    def _which(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        principal = principal_of_request(request)
        return {"principal": principal, "tenant_id": obj.tenant_id, "id": self.public_id(obj)}


class PlacedAdmin(OwnedAdmin):
    """What stands in pipelines, and can be taken out of them."""

    actions = ("disconnect",)
    remove: ClassVar[Callable[..., object]]

    @admin.action(description="Disconnect from its pipelines")
    def disconnect(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def disconnect(row: Any) -> None:
            for place in row.pipeline_links.select_related("pipeline"):
                type(self).remove(**self._which(request, row), pipeline_id=id_of(PIPELINE, place.pipeline.uuid))

        self.each(request, queryset, disconnect, "{} " + str(self.opts.verbose_name_plural) + " disconnected.")


@admin.register(Pipeline)
class PipelineAdmin(OwnedAdmin):
    """Pipelines of the gateway; a Meta Pixel's is the pixel."""

    list_display = ("name", "tenant", "active", "created_at")
    facts = ("tenant", "public_id", "sources", "destinations", "blocked_event_types", "filter_status", "created_at")
    update = staticmethod(update_pipeline)
    delete = staticmethod(delete_pipeline)

    @admin.display(description="id")
    def public_id(self, row: Pipeline) -> str:
        return id_of(PIPELINE, row.uuid)

    @admin.display(description="data sources")
    def sources(self, row: Pipeline) -> str:
        return ", ".join(str(place.source) for place in row.source_links.select_related("source"))

    @admin.display(description="destinations")
    def destinations(self, row: Pipeline) -> str:
        places = row.destination_links.select_related("destination").defer("destination__secrets")
        return ", ".join(str(place.destination) for place in places)


@admin.register(Source)
class SourceAdmin(PlacedAdmin):
    """What events come from, beside Meta Pixels."""

    list_display = ("name", "source_id", "type", "tenant", "active")
    list_filter = ("active", "type")
    search_fields = ("source_id__startswith", *OwnedAdmin.search_fields)
    search_help_text = "The beginning of its id; a part of its name or its account's, or the account's id"
    facts = (
        "tenant", "source_id", "type", "enabled", "first_party_cookie", "enable_aam", "aam_fields", "hash_contact_data",
        "fork_meta_pixel", "custom_integrity_script", "created_at",
    )  # fmt: skip
    update = staticmethod(update_source)
    delete = staticmethod(delete_source)
    remove = staticmethod(remove_source)

    def public_id(self, row: Source) -> str:
        return row.source_id


@admin.register(Destination)
class DestinationAdmin(PlacedAdmin):
    """Where events go, beside Meta Pixels."""

    list_display = ("name", "type", "tenant", "active")
    list_filter = ("active", "type")
    facts = ("tenant", "public_id", "type", "settings", "created_at")
    update = staticmethod(update_destination)
    delete = staticmethod(delete_destination)
    remove = staticmethod(remove_destination)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("secrets")

    @admin.display(description="id")
    def public_id(self, row: Destination) -> str:
        return id_of(DESTINATION, row.uuid)
