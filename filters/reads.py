"""Reading an account's filters. The account comes from ``accounts.permissions.get_tenant``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Q

from accounts.models import Tenant
from common.budget import load, most_rows
from common.statements import Among, Param, Statement
from filters.matching import FilterSet, Kind, Rule, filter_id
from filters.models import DomainFilter, EventFilter, Filter, FilterState
from pixels.models import Pixel
from pixels.reads import pixel_keys
from pixels.validation import clean_pixel_ids

MODELS: dict[Kind, type[Filter]] = {Kind.EVENT: EventFilter, Kind.DOMAIN: DomainFilter}
#: Where the API lists them.
_FIELDS = {Kind.EVENT: "eventFilters", Kind.DOMAIN: "domainFilters"}


class ShownState(StrEnum):
    """A filter's state as the API shows it."""

    PUBLISH = "PUBLISH"
    DROP = "DROP"
    MIXED = "MIXED"


class FilterView(NamedTuple):
    """A filter as the API shows it; ``pixel_id`` is None where it stands for all the account's pixels."""

    kind: Kind
    name: str
    pixel_id: str | None
    state: ShownState

    @property
    def id(self) -> str:
        """How the API names the filter."""
        return filter_id(self.kind, self.name, self.pixel_id)


def list_filters(tenant: Tenant, kind: Kind, pixel_ids: Sequence[str] | None = None) -> list[FilterView]:
    """The filters as they are stored, by name, the account-wide one before its exceptions.

    With ``pixel_ids`` the exceptions of other pixels are left out.
    """
    wanted = Q()
    if pixel_ids:
        wanted = Q(pixel=None) | Q(pixel__pixel_id__in=clean_pixel_ids(pixel_ids, pixel_keys(tenant)))
    found = rules_of(tenant.pk, kind, wanted, most=most_rows())
    load(len(found), _FIELDS[kind])
    rules = sorted(found, key=lambda rule: (rule.name, rule.pixel_id or ""))
    return [FilterView(kind, rule.name, rule.pixel_id, state_of(rule)) for rule in rules]


def load_filter_set(pixel: Pixel) -> FilterSet:
    """What decides about the pixel's events: two queries."""
    rules = [
        rule for kind in Kind for rule in _rules(kind, _of_pixel(kind).all(tenant=pixel.tenant_id, pixel=pixel.pk))
    ]
    return filter_sets(rules, [pixel.pixel_id])[pixel.pixel_id]


@lru_cache
def _of_pixel(kind: Kind) -> Statement[list[Any]]:
    """The filters of the account ``tenant`` that are account-wide or for the ``pixel``, in no order."""
    wanted = Q(pixel=None) | Q(pixel=Param("pixel", Pixel._meta.pk))
    return Statement(MODELS[kind].objects.filter(wanted, tenant=Param("tenant")).order_by(), *_columns(kind))


def rules_of(tenant_id: str, kind: Kind, wanted: Q, *, most: int | None = None) -> list[Rule]:
    """The account's filters of one kind, in no order; ``most`` of them where it is given."""
    rows = MODELS[kind].objects.filter(wanted, tenant=tenant_id).order_by()
    return _rules(kind, rows.values_list(*_columns(kind))[:most])


def rules_named(tenant_id: str, kind: Kind, names: Collection[str]) -> list[Rule]:
    """Those with one of these names."""
    return _rules(kind, _named(kind).all(tenant=tenant_id, names=names))


@lru_cache
def _named(kind: Kind) -> Statement[list[Any]]:
    """The filters of the account ``tenant`` with one of the ``names``."""
    model = MODELS[kind]
    rows = model.objects.filter(Among(model.name_field, "names"), tenant=Param("tenant")).order_by()
    return Statement(rows, *_columns(kind))


def _columns(kind: Kind) -> tuple[str, ...]:
    return MODELS[kind].name_field, "pixel__pixel_id", "state"


def _rules(kind: Kind, rows: Iterable[Sequence[Any]]) -> list[Rule]:
    return [Rule(kind, name, pixel_id, drops=state == FilterState.DROP) for name, pixel_id, state in rows]


def filter_sets(rules: Iterable[Rule], pixel_ids: Collection[str]) -> dict[str, FilterSet]:
    """The rules of an account, for each of its pixels."""
    account_wide: list[Rule] = []
    own: dict[str, list[Rule]] = {}
    for rule in rules:
        (account_wide if rule.pixel_id is None else own.setdefault(rule.pixel_id, [])).append(rule)
    return {pixel_id: FilterSet.of(account_wide, own.get(pixel_id, ())) for pixel_id in pixel_ids}


def state_of(rule: Rule | None) -> ShownState:
    """What a rule says; without one, events are published."""
    return ShownState.DROP if rule is not None and rule.drops else ShownState.PUBLISH
