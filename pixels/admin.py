"""Pixels in Django admin. Tokens and keys are on no page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.models import Tenant
from accounts.service_admin import ServiceAdmin, all_well
from accounts.web import principal_of_request
from pixels import services
from pixels.models import Pixel, PixelImport, PixelImportRow


@admin.register(Pixel)
class PixelAdmin(ServiceAdmin):
    """Pixel connections: name, switches, and disconnecting."""

    can_change = can_delete = True
    list_display = ("pixel_id", "name", "tenant", "event_bridge_active", "publishing_enabled", "token_is_good")
    list_filter = ("event_bridge_active", "publishing_enabled", "bad_token")
    list_select_related = ("tenant",)
    search_fields = ("pixel_id__startswith", "name", "tenant__id__exact", "tenant__name")
    search_help_text = "The beginning of a pixel's id, or an account's id; a part of the name of either"
    switches: ClassVar[tuple[str, ...]] = (
        "event_bridge_active",
        "publishing_enabled",
        "require_access_key",
        "browsers_need_no_key",
    )
    facts: ClassVar[tuple[str, ...]] = (
        "pixel_id", "tenant", "business_id", "external_id", "api_version",
        "browser_websites", "api_error_code", "token_is_good", "last_received", "last_published", "created_at",
    )  # fmt: skip
    fields = ("name", *facts, *switches)
    readonly_fields = facts
    token_is_good = staticmethod(all_well("bad_token", "access token accepted"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("access_token")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        where: dict[str, Any] = {
            "principal": principal_of_request(request), "tenant_id": obj.tenant_id, "pixel_id": obj.pixel_id,
        }  # fmt: skip
        if "name" in form.changed_data:
            services.rename_pixel(**where, name=obj.name or "")
        if "event_bridge_active" in form.changed_data:
            services.set_receiving(**where, status=int(obj.event_bridge_active))
        if "publishing_enabled" in form.changed_data:
            services.set_publishing(**where, status=int(obj.publishing_enabled))
        if "require_access_key" in form.changed_data:
            services.set_access_key_required(**where, required=obj.require_access_key)
        if "browsers_need_no_key" in form.changed_data:
            services.set_browsers_need_no_key(**where, allowed=obj.browsers_need_no_key)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.disconnect_pixel(
            principal=principal_of_request(request), tenant_id=obj.tenant_id, pixel_id=obj.pixel_id
        )

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, lambda pixel: self.delete_model(request, pixel), "{} pixels disconnected.")


@admin.register(PixelImport)
class PixelImportAdmin(ServiceAdmin):
    """Files of pixels, as long as they are kept; their lines, which hold access tokens, are not shown."""

    list_display = ("created_at", "tenant", "started", "fates")
    list_filter = ("started",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__id__exact", "tenant__name")
    search_help_text = "An account's id, or a part of its name"
    ordering = ("-pk",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        open_tenants = Tenant.objects.open_to(principal_of_request(request).borders)
        return super().get_queryset(request).filter(tenant__in=open_tenants)

    @admin.display(description="lines")
    def fates(self, batch: PixelImport) -> str:
        """How many lines will meet, or have met, which fate."""
        counts = batch.rows.order_by("fate").values_list("fate").annotate(Count("pk"))
        return ", ".join(f"{PixelImportRow.Fate(fate).label}: {count}" for fate, count in counts)
