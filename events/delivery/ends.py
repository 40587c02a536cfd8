"""What an account's events come from and go to, and the address that takes them: by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import CharField, Exists, F, Model, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, JSONArray

from accounts.models import Tenant
from accounts.services.routing import address_at, own_domains
from events.delivery.explanations import NO_ANSWER
from events.models import Delivery, DestinationCursor, DestinationRow, Intake, OutboxRow, SourceRow
from pipelines.ids import DESTINATION, id_of
from pipelines.models import DestinationType, Source
from pixels.models import Pixel

_Model = TypeVar("_Model", bound=Model)


class Queue(NamedTuple):
    """What waits for a destination: of sources, behind its place in each; or apart."""

    pk: int
    places: dict[int, int]
    has_apart: bool
    #: What it waits for, as the last answer tells, where the destination did not take events.
    code: str
    detail: str


class End(NamedTuple):
    """A destination of gateway pipelines."""

    pk: int
    id: str
    name: str
    is_metas: bool
    queue: Queue
    #: From which pipelines lead here.
    sources: set[int]


@dataclass(frozen=True, slots=True)
class Ends:
    """An account's, by name; sources and destinations by key. Of pixels and sources is loaded what lists need."""

    pixels: Sequence[Pixel] = ()
    sources: Mapping[int, Source] = field(default_factory=dict)
    destinations: Mapping[int, End] = field(default_factory=dict)
    #: Where the account's events are taken: "https://events.shop.example.com".
    address: str = ""


NO_ENDS = Ends()


class _Kind(IntEnum):
    PIXEL = 0
    SOURCE = 1
    DESTINATION = 2
    DOMAIN = 3


#: What is told of each kind, as JSON, since the columns of a union must be alike.
_OF_PIXEL = ("pk", "require_access_key", "api_error_code", "waits", "has_former")
_OF_SOURCE = ("pk",)
_LANE = ("lane__held", "lane__failures", "lane__silence", "lane__code", "lane__message")
_OF_DESTINATION = ("pk", "type", "has_apart", "cursors__source_id", "cursors__place", "is_behind", *_LANE)


def read_ends(tenant: Tenant, *, with_pixels: bool = True) -> Ends:
    """All of the account's."""
    sources_and_domain = _told(tenant.sources.all(), _Kind.SOURCE, F("source_id"), _OF_SOURCE), _domain(tenant)
    rows = _destinations(tenant).union(*sources_and_domain, *([_pixels(tenant)] if with_pixels else []), all=True)
    pixels: list[Pixel] = []
    sources: dict[int, Source] = {}
    destinations: dict[int, End] = {}
    own_domain = None
    for name, own_id, kind, told in rows.order_by("name", "own_id"):
        if kind == _Kind.PIXEL:
            pixels.append(_pixel(tenant, name, own_id, *told))
        elif kind == _Kind.SOURCE:
            sources[told[0]] = _partly(Source, id=told[0], source_id=own_id, name=name, tenant_id=tenant.pk)
        elif kind == _Kind.DOMAIN:
            own_domain = own_id
        else:
            _add_destination(destinations, name, own_id, *told)
    return Ends(pixels, sources, destinations, address_at(own_domain))


def _told(rows: QuerySet[Any], kind: _Kind, own_id: Combinable, columns: Sequence[str]) -> QuerySet[Any, Any]:
    with_id = rows.order_by().annotate(own_id=own_id, kind=Value(kind.value), told=JSONArray(*columns))
    rows_of_kind: QuerySet[Any, Any] = with_id.values_list("name", "own_id", "kind", "told")
    return rows_of_kind


def _domain(tenant: Tenant) -> QuerySet[Any, Any]:
    return _told(own_domains(tenant).annotate(name=F("ingress")), _Kind.DOMAIN, F("ingress"), ["pk"])


def _pixels(tenant: Tenant) -> QuerySet[Any, Any]:
    waits = Exists(OutboxRow.objects.filter(pixel=OuterRef("pk")))
    has_former = Exists(Delivery.objects.filter(pixel=OuterRef("pk")))
    pixels = Pixel.objects.filter(tenant=tenant).annotate(waits=waits, has_former=has_former)
    return _told(pixels, _Kind.PIXEL, F("pixel_id"), _OF_PIXEL)


def _destinations(tenant: Tenant) -> QuerySet[Any, Any]:
    """Each once for each of its cursors."""
    is_behind = _has_more(OuterRef("cursors__source"), OuterRef("cursors__place"))
    destinations = tenant.destinations.annotate(has_apart=_has_apart(), is_behind=is_behind)
    return _told(destinations, _Kind.DESTINATION, Cast("uuid", CharField()), _OF_DESTINATION)


def _has_more(source: Any, place: Any) -> Any:
    """Has the source requests behind the place, or some that have none yet?"""
    rows = SourceRow.objects.filter(source=source)
    return Exists(rows.filter(place__gt=place)) | Exists(rows.filter(place=None, intake=Intake.RECEIVED))


def _has_apart() -> Exists:
    return Exists(DestinationRow.objects.filter(destination=OuterRef("pk")))


def has_waiting() -> Combinable:
    """Do events wait for the destination? An expression for a query of destinations."""
    behind = DestinationCursor.objects.filter(_has_more(OuterRef("source"), OuterRef("place")))
    return Exists(behind.filter(destination=OuterRef("pk"))) | _has_apart()  # type: ignore[return-value]


def _pixel(
    tenant: Tenant, name: str, pixel_id: str, pk: int, requires_key: bool, code: str | None, waits: bool, former: bool
) -> Pixel:
    values = {"pixel_id": pixel_id, "name": name, "require_access_key": bool(requires_key), "api_error_code": code}
    pixel = _partly(Pixel, id=pk, tenant_id=tenant.pk, **values)
    vars(pixel).update(has_waiting=bool(waits), has_former=bool(former))  # as annotations do
    return pixel


def _add_destination(known: dict[int, End], name: str, uuid: str, pk: int, kind: str, apart: bool, *told: Any) -> None:
    source, place, is_behind, *lane = told
    if pk not in known:
        queue = Queue(pk, {}, bool(apart), *_why(*lane))
        known[pk] = End(
            pk, id_of(DESTINATION, UUID(uuid)), name, kind == DestinationType.META_CONVERSIONS_API, queue, set()
        )
    if source is not None:
        known[pk].sources.add(source)
    if is_behind:
        known[pk].queue.places[source] = place


def _why(
    held: bool | None, failures: int | None, silence: str | None, code: str | None, message: str | None
) -> tuple[str, str]:
    """The last answer's code and message; empty where the destination takes events."""
    if not held and not failures:
        return "", ""
    return ("", str(NO_ANSWER)) if silence else (code or "", message or "")


def _partly(model: type[_Model], **values: Any) -> _Model:
    """An object of which these fields are loaded."""
    names = [each.attname for each in model._meta.concrete_fields if each.attname in values]
    return model.from_db(DEFAULT_DB_ALIAS, names, [values[name] for name in names])
