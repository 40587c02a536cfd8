"""Incidents in Django admin: what is wrong where, who was told, and which rules accounts have set."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.service_admin import ServiceAdmin
from accounts.web import principal_of_request
from alerts.models import Incident, Notice, NoticeDelivery, RuleSetting
from alerts.services import set_rule
from alerts.words import describe


def _set(request: HttpRequest, row: Incident | RuleSetting, *, muted: bool) -> None:
    set_rule(
        principal=principal_of_request(request),
        tenant_id=row.tenant_id or "",
        rule=row.rule,
        pixel_id=row.pixel.pixel_id if row.pixel else None,
        muted=muted,
        threshold=None,
    )


@admin.register(Incident)
class IncidentAdmin(ServiceAdmin):
    """What is wrong, and what was."""

    list_display = ("opened_at", "tenant", "rule", "subject", "closed_at")
    list_filter = ("rule", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant",)
    search_fields = ("tenant__exact", "subject__icontains")
    search_help_text = "An account's id, or a part of what it is about"
    fields = (*list_display, "updated_at", "what", "remedy")
    readonly_fields = ("what", "remedy")
    actions = ("mute",)

    @admin.action(description="Mute the rule there")
    def mute(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def mute(incident: Incident) -> None:
            _set(request, incident, muted=True)

        self.each(request, queryset.select_related("pixel"), mute, "{} rules muted.")

    def what(self, incident: Incident) -> str:
        return describe(incident).what

    def remedy(self, incident: Incident) -> str:
        return describe(incident).remedy


@admin.register(Notice)
class NoticeAdmin(ServiceAdmin):
    """What is told of incidents."""

    list_display = ("created_at", "incident", "kind", "due_at")
    list_select_related = ("incident",)
    list_filter = ("kind",)
    ordering = ("-created_at",)
    fields = ("id", *list_display)


@admin.register(NoticeDelivery)
class NoticeDeliveryAdmin(ServiceAdmin):
    """Which channel has told what, and which tries."""

    list_display = ("notice", "incident", "channel", "told_at", "due_at", "attempts")
    list_select_related = ("notice__incident",)
    list_filter = ("channel", ("told_at", admin.EmptyFieldListFilter))
    ordering = ("-pk",)
    fields = list_display

    def incident(self, delivery: NoticeDelivery) -> str:
        return str(delivery.notice.incident)


@admin.register(RuleSetting)
class RuleSettingAdmin(ServiceAdmin):
    """What accounts want to be told of, where it is not the default."""

    list_display = ("tenant", "pixel", "rule", "muted", "threshold")
    list_filter = ("rule", "muted")
    list_select_related = ("tenant", "pixel")
    search_fields = ("tenant__exact", "pixel__pixel_id__exact")
    search_help_text = "An account's or a pixel's id"
    fields = list_display
    actions = ("reset",)

    @admin.action(description="As by default")
    def reset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def reset(row: RuleSetting) -> None:
            _set(request, row, muted=False)

        self.each(request, queryset, reset, "{} rules are as by default.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("pixel__access_token")
