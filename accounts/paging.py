"""Cursor paging over accounts by name: each page continues after a row, so that changes in between skip nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from django.db.models import Q, QuerySet

from accounts.models import Tenant, TenantStatus
from accounts.principals import Principal
from common.cursors import clean_page_size, decode_cursor, encode_cursor
from common.validation import clean_choice, clean_text

SEARCH_MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class TenantPage:
    """The accounts to show, as a query; one row more than ``size`` tells that there is a next page."""

    rows: QuerySet[Tenant]
    size: int
    matching: QuerySet[Tenant]
    #: Those of the matching ones that stand before the page.
    before: QuerySet[Tenant]


def page_of_tenants(
    principal: Principal, *, first: int | None, after: str | None, search: str | None, status: int | None
) -> TenantPage:
    """The visible accounts whose name contains ``search`` (or whose id it is), after the cursor ``after``."""
    size = clean_page_size(first)
    matching = Tenant.objects.visible_to(principal.borders)
    if search:
        text = clean_text("search", search, max_length=SEARCH_MAX_LENGTH, min_length=0)
        matching = matching.filter(Q(name__icontains=text) | Q(pk=text))
    if status is not None:
        matching = matching.filter(status=clean_choice("status", status, TenantStatus.values))
    rows, before = matching, matching.none()
    if after:
        rows, before = matching.filter(_after(after)), matching.exclude(_after(after))
    return TenantPage(rows.order_by("name", "pk")[: size + 1], size, matching, before)


class Listed(Protocol):
    """An account, or a read model of one."""

    @property
    def name(self) -> str: ...
    @property
    def pk(self) -> str: ...


def cursor_of(tenant: Listed) -> str:
    """An opaque name for the tenant's place in the list."""
    return encode_cursor(tenant.name, tenant.pk)


def _after(cursor: str) -> Q:
    name, pk = decode_cursor(cursor, str, str)
    return Q(name__gt=name) | Q(name=name, pk__gt=pk)
