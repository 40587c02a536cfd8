"""Incidents in Django admin: what is wrong where, who was told, and which rules accounts have set."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.service_admin import ServiceAdmin
from accounts.web import principal_of_request
from alerts.models import Digest, Incident, Notice, NoticeDelivery, Posting, Receiver, RuleSetting, Schedule
from alerts.services.receivers import enable_receiver
from alerts.services.rules import set_rule
from alerts.services.schedules import set_schedule
from alerts.words import describe

#: Of a receiver, what no page needs.
_SECRETS = ("url", "secret", "former_secret")


def _set(request: HttpRequest, row: Incident | RuleSetting, *, muted: bool) -> None:
    set_rule(
        principal=principal_of_request(request),
        tenant_id=row.tenant_id,
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

    list_display = ("notice", "incident", "channel", "receiver", "told_at", "due_at", "attempts")
    list_select_related = ("notice__incident", "receiver")
    list_filter = ("channel", ("told_at", admin.EmptyFieldListFilter))
    ordering = ("-pk",)
    fields = list_display

    def incident(self, delivery: NoticeDelivery) -> str:
        return str(delivery.notice.incident)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*(f"receiver__{name}" for name in _SECRETS))


@admin.register(Receiver)
class ReceiverAdmin(ServiceAdmin):
    """Where alerts are posted to; an address and a secret are shown nowhere."""

    list_display = ("name", "tenant", "channel", "host", "failing_since", "disabled_at")
    list_select_related = ("tenant",)
    list_filter = ("channel", ("disabled_at", admin.EmptyFieldListFilter))
    search_fields = ("tenant__exact", "host__icontains")
    search_help_text = "An account's id, or a part of the host's name"
    fields = (*list_display, "created_at", "failures", "waits_until", "former_secret_until")
    actions = ("enable",)

    @admin.action(description="Switch on again")
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def enable(receiver: Receiver) -> None:
            principal = principal_of_request(request)
            enable_receiver(principal=principal, tenant_id=receiver.tenant_id, receiver_id=receiver.pk)

        self.each(request, queryset, enable, "{} channels are on.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*_SECRETS)


@admin.register(Posting)
class PostingAdmin(ServiceAdmin):
    """What receivers answered."""

    list_display = ("at", "receiver", "kind", "taken", "status", "fault", "duration", "said")
    list_select_related = ("receiver",)
    list_filter = ("taken", "kind")
    search_fields = ("receiver__tenant__exact", "receiver__host__icontains")
    search_help_text = "An account's id, or a part of the host's name"
    fields = (*list_display, "notice_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*(f"receiver__{name}" for name in _SECRETS))


@admin.register(Schedule)
class ScheduleAdmin(ServiceAdmin):
    """When accounts are told, where it is not at once."""

    list_display = ("tenant", "quiet_from", "quiet_until", "severe_at_once", "digest_hour")
    list_select_related = ("tenant",)
    list_filter = (("quiet_from", admin.EmptyFieldListFilter), "digest_hour")
    search_fields = ("tenant__exact",)
    search_help_text = "An account's id"
    fields = (*list_display, "digest_since")
    actions = ("reset",)

    @admin.action(description="Tell at once, and no digest")
    def reset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def reset(row: Schedule) -> None:
            set_schedule(
                principal=principal_of_request(request),
                tenant_id=row.tenant_id,
                quiet_from=None,
                quiet_until=None,
                digest_hour=None,
            )

        self.each(request, queryset, reset, "{} schedules are as by default.")


@admin.register(Digest)
class DigestAdmin(ServiceAdmin):
    """The daily digests of the last two weeks."""

    list_display = ("day", "tenant", "due_at", "people")
    list_select_related = ("tenant",)
    list_filter = (("due_at", admin.EmptyFieldListFilter),)
    search_fields = ("tenant__exact",)
    search_help_text = "An account's id"
    fields = (*list_display, "since", "until")
    readonly_fields = ("people",)

    @admin.display(description="sent to")
    def people(self, digest: Digest) -> int:
        return len(digest.reached)


@admin.register(RuleSetting)
class RuleSettingAdmin(ServiceAdmin):
    """What accounts, and the host, want to be told of, where it is not the default."""

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
