"""Setting filters. An update replaces what its names and pixels had, so that it takes as many statements for one pixel
as for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record, record_each
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.domains import clean_domain
from common.errors import InvalidInput
from common.validation import refuse_control_characters
from filters.matching import Kind, Rule, covering
from filters.models import EVENT_NAME_MAX_LENGTH, EventFilter, FilterState
from filters.reads import MODELS, FilterView, ShownState, filter_sets, rules_named, state_of
from filters.signals import filters_changed
from pixels.reads import get_pixel, pixel_keys
from pixels.validation import clean_pixel_ids

_STATES = {FilterState.PUBLISH: _("Permitted"), FilterState.DROP: _("Blocked")}
_FIELDS = {"all pixels": _("All pixels")}  # beside the ids of pixels


def _state(field: str, value: str) -> object:
    return _STATES[FilterState(value)]


UPDATES = {
    Kind.EVENT: Act("update event filter", _("changed the filter of the event %(subject)s"), _FIELDS, _state),
    Kind.DOMAIN: Act("update domain filter", _("changed the filter of the website %(subject)s"), _FIELDS, _state),
}


#: Filters of one kind that an account may have, exceptions of single pixels included: what an answer and a worker hold.
MAX_FILTERS = 10_000


def update_event_filter(
    *, principal: Principal, tenant_id: str, event_name: str, state: str, pixel_ids: Sequence[str] | None = None
) -> FilterView:
    """Publish or drop the events of this name: on the pixels that are named, or on all, later ones included.

    Setting it for all clears the exceptions of single pixels.
    """
    return _update(principal, tenant_id, Kind.EVENT, event_name, state, pixel_ids)


def update_domain_filter(
    *, principal: Principal, tenant_id: str, domain: str, state: str, pixel_ids: Sequence[str] | None = None
) -> FilterView:
    """Publish or drop the events of a website and its subdomains; pixels as in ``update_event_filter``."""
    return _update(principal, tenant_id, Kind.DOMAIN, domain, state, pixel_ids)


@transaction.atomic
def _update(
    principal: Principal, tenant_id: str, kind: Kind, name: str, state: str, pixel_ids: Sequence[str] | None
) -> FilterView:
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    name = CLEANERS[kind](name)
    if state not in FilterState.values:
        raise InvalidInput("filterState", "must be PUBLISH or DROP; MIXED only tells where the pixels differ.")
    keys = pixel_keys(tenant) if pixel_ids else {}
    named = clean_pixel_ids(pixel_ids, keys)

    names = [name] if kind is Kind.EVENT else list(covering(name))
    before = rules_named(tenant.pk, kind, names)
    targets: Sequence[str | None] = named or [None]
    new = [Rule(kind, name, pixel_id, drops=state == FilterState.DROP) for pixel_id in targets]
    scope = set(named)
    replaced = {rule for rule in before if rule.name == name and (not scope or rule.pixel_id in scope)}
    _replace(tenant, kind, name, FilterState(state), [keys[pixel_id] for pixel_id in named])
    if len(new) > len(replaced):
        _check_number(tenant, kind)
    filters_changed.send(Tenant, tenant=tenant)
    record(
        principal,
        UPDATES[kind],
        name,
        tenant=tenant,
        changes=_changes(replaced, new),
    )
    if len(new) == 1:
        return FilterView(kind, name, new[0].pixel_id, state_of(new[0]))
    after = [rule for rule in before if rule not in replaced] + new
    states = {state_of(filters.rule_for(kind, name)) for filters in filter_sets(after, keys).values()}
    return FilterView(kind, name, None, states.pop() if len(states) == 1 else ShownState.MIXED)


@transaction.atomic
def replace_blocked_events(*, principal: Principal, tenant_id: str, pixel_id: str, names: Sequence[str]) -> list[str]:
    """Let the pixel drop the events of these names, and publish what it alone dropped; by name.

    Account-wide filters stay, and so do exceptions that publish. Each name that changes is recorded, as when it is set
    by itself.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    pixel = get_pixel(tenant, pixel_id)
    wanted = sorted({clean_event_name(name) for name in names})
    own = EventFilter.objects.filter(tenant=tenant, pixel=pixel)
    before = dict(own.values_list("event_name", "state"))
    added = [name for name in wanted if before.get(name) != FilterState.DROP]
    gone = [name for name, state in before.items() if state == FilterState.DROP and name not in wanted]
    if not added and not gone:
        return wanted
    own.filter(event_name__in=gone).delete()
    EventFilter.objects.bulk_create(
        [EventFilter(tenant=tenant, pixel=pixel, event_name=name, state=FilterState.DROP) for name in added],
        update_conflicts=True,
        update_fields=["state", "updated_at"],
        unique_fields=["tenant", "event_name", "pixel"],
    )
    _check_number(tenant, Kind.EVENT)
    filters_changed.send(Tenant, tenant=tenant)
    states = {name: [before.get(name), FilterState.DROP] for name in added} | {
        name: [FilterState.DROP, None] for name in gone
    }
    record_each(
        principal, UPDATES[Kind.EVENT], {name: {pixel_id: change} for name, change in states.items()}, tenant=tenant
    )
    return wanted


def _replace(tenant: Tenant, kind: Kind, name: str, state: FilterState, keys: Sequence[int]) -> None:
    """Put a filter for each of the pixels, or the account-wide one, where there were others. The account is locked."""
    model = MODELS[kind]
    of_name = {"tenant_id": tenant.pk, model.name_field: name}
    if keys:
        model.objects.bulk_create(
            [model(**of_name, pixel_id=key, state=state) for key in keys],
            update_conflicts=True,
            update_fields=["state", "updated_at"],
            unique_fields=["tenant", model.name_field, "pixel"],
        )
    else:
        model.objects.filter(**of_name).delete()
        model.objects.create(**of_name, state=state)


def _check_number(tenant: Tenant, kind: Kind) -> None:
    model = MODELS[kind]
    if model.objects.filter(tenant=tenant).count() > MAX_FILTERS:
        field = "eventName" if kind is Kind.EVENT else "domain"
        raise InvalidInput(field, "would be one filter too many: an account may have {limit}.", limit=MAX_FILTERS)


def _changes(replaced: Iterable[Rule], new: Iterable[Rule]) -> dict[str, list[str | None]]:
    """The state before and after, by pixel; what stays as it was is left out."""
    before = {rule.pixel_id: str(state_of(rule)) for rule in replaced}
    after = {rule.pixel_id: str(state_of(rule)) for rule in new}
    return {
        pixel_id or "all pixels": [before.get(pixel_id), after.get(pixel_id)]
        for pixel_id in before | after
        if before.get(pixel_id) != after.get(pixel_id)
    }


def clean_event_name(value: str) -> str:
    """An event's name, as it is: names match exactly."""
    refuse_control_characters("eventName", value)
    if not value.strip():
        raise InvalidInput("eventName", "must not be empty.")
    if len(value) > EVENT_NAME_MAX_LENGTH:
        raise InvalidInput("eventName", "must have at most {limit} characters.", limit=EVENT_NAME_MAX_LENGTH)
    return value


CLEANERS: dict[Kind, Callable[[str], str]] = {
    Kind.EVENT: clean_event_name,
    Kind.DOMAIN: lambda value: clean_domain("domain", value),
}
