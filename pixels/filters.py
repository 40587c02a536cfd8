"""What the list of pixels can be narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from pixels.models import NAME_MAX_LENGTH, Pixel
from pixels.states import PixelState


class PixelFilter(django_filters.FilterSet):
    """Pixels by name or id, and state."""

    search = django_filters.CharFilter(
        label=_("Name or id"),
        method="by_name_or_id",
        max_length=NAME_MAX_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "class": "form-control", "placeholder": _("Name or id")}),
    )
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=PixelState.choices,
        empty_label=_("Every state"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    class Meta:
        model = Pixel
        fields: list[str] = []

    def by_name_or_id(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(Q(name__icontains=value) | Q(pixel_id__contains=value))
