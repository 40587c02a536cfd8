"""What the lists can be narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import activity
from accounts.models import AuditEntry, Tenant, TenantStatus
from accounts.paging import SEARCH_MAX_LENGTH


class CheckFilter(django_filters.Filter):
    """A box that narrows the list where it is ticked; unlike django-filter's own, it knows no third state."""

    field_class = forms.BooleanField


class TenantFilter(django_filters.FilterSet):
    """Accounts by name or id, status, and whether they have issues."""

    search = django_filters.CharFilter(
        label=_("Name or id"),
        method="by_name_or_id",
        max_length=SEARCH_MAX_LENGTH,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    status = django_filters.ChoiceFilter(label=_("Status"), choices=TenantStatus.choices, empty_label=_("Every status"))
    issues = CheckFilter(label=_("With issues only"), method="with_issues")

    class Meta:
        model = Tenant
        fields: list[str] = []

    def by_name_or_id(self, queryset: QuerySet[Tenant], name: str, value: str) -> QuerySet[Tenant]:
        return queryset.filter(Q(name__icontains=value) | Q(pk=value))

    def with_issues(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return queryset.filter(has_issues=True) if value else queryset


class ActivityFilter(django_filters.FilterSet):
    """Entries of the audit log by what was done, and by whom."""

    act = django_filters.ChoiceFilter(label=_("What"), choices=activity.act_choices, empty_label=_("Everything"))
    actor = django_filters.CharFilter(
        label=_("Who"),
        lookup_expr="icontains",
        max_length=SEARCH_MAX_LENGTH,
        widget=forms.TextInput(attrs={"type": "search"}),
    )

    class Meta:
        model = AuditEntry
        fields: list[str] = []
