"""The statement behind ``pipelines/reads.py``: an account with the rows of each table that are in scope."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from django.db.models import JSONField, Q, QuerySet, UUIDField, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT

from accounts.borders import Borders
from accounts.models import Tenant
from common.statements import NOTHING, Param, Rows, Statement, columns_of
from filters.models import EventFilter, FilterState
from pipelines.models import Destination, Pipeline, PipelineDestination, PipelineSource, Source
from pixels.models import Pixel

#: A table of which nothing is in scope.
_EMPTY = Value([], JSONField())


class Scope(Enum):
    """What is read. One thing is read together with all that the API shows about it."""

    PIPELINES = "pipelines", ""
    SOURCES = "sources", ""
    DESTINATIONS = "destinations", ""
    ONE_PIPELINE = "one pipeline", "uuid"
    ONE_SOURCE = "one source", "source_id"
    ONE_DESTINATION = "one destination", "uuid"
    ONE_PIXEL = "one pixel", "pixel_id"
    NOTHING = "nothing", ""

    @property
    def parameter(self) -> str:
        """The name of the ``Param`` that tells which one it is."""
        return self.value[1]


class PipelineRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """``blocked`` is None where filters are not asked for."""

    pk: int
    uuid: str
    name: str
    active: bool
    filter_status: bool | None
    blocked: list[str] | None


class SourceRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A source."""

    pk: int
    source_id: str
    name: str
    type: str
    active: bool


class DestinationRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A destination; what it is called with stays in the database, but for where its events go."""

    pk: int
    uuid: str
    name: str
    type: str
    active: bool
    data_set_id: str | None
    endpoint: str | None


class DestinationLink(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A destination's place in a pipeline, with its filter."""

    pipeline: int
    destination: int
    filter_status: bool | None
    blocked: list[str]


class PixelRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A Meta Pixel with its ``PixelPipeline``, of which each column is None where there is no row."""

    pk: int
    pixel_id: str
    name: str | None
    event_bridge_active: bool
    publishing_enabled: bool
    pipeline_name: str | None
    destination_name: str | None
    filter_status: bool | None
    set_aside: list[str] | None


class AccountRows(msgspec.Struct, array_like=True, frozen=True):
    """An account, as permissions ask for it, and the rows in scope."""

    pk: str
    status: int
    can_partner_manage: bool
    pipelines: list[PipelineRow]
    sources: list[SourceRow]
    source_links: list[tuple[int, int]]
    destinations: list[DestinationRow]
    destination_links: list[DestinationLink]
    pixels: list[PixelRow]
    #: Pixel and event name.
    blocked: list[tuple[int, str]]

    @property
    def number(self) -> int:
        """How many rows there are, but for names of events."""
        links = len(self.source_links) + len(self.destination_links)
        return len(self.pipelines) + len(self.sources) + len(self.destinations) + len(self.pixels) + links

    @property
    def names(self) -> int:
        """How many names of events there are."""
        in_pipelines = sum(len(row.blocked or ()) for row in self.pipelines)
        in_places = sum(len(link.blocked) for link in self.destination_links)
        set_aside = sum(len(row.set_aside or ()) for row in self.pixels)
        return len(self.blocked) + in_pipelines + in_places + set_aside


class _Parts(NamedTuple):
    """What of each table is in scope; None where nothing is."""

    pipelines: QuerySet[Any] | None
    sources: QuerySet[Any] | None
    source_links: QuerySet[Any] | None
    destinations: QuerySet[Any] | None
    destination_links: QuerySet[Any] | None
    pixels: QuerySet[Any] | None


_ALL = (Scope.PIPELINES, Scope.SOURCES, Scope.DESTINATIONS)
_WITH_SOURCES = (Scope.PIPELINES, Scope.SOURCES, Scope.ONE_PIPELINE, Scope.ONE_SOURCE)
_WITH_DESTINATIONS = (Scope.PIPELINES, Scope.DESTINATIONS, Scope.ONE_PIPELINE, Scope.ONE_DESTINATION)
_WITH_FILTERS = (Scope.PIPELINES, Scope.ONE_PIPELINE, Scope.ONE_PIXEL)


@lru_cache(maxsize=64)
def rows_of(borders: Borders, scope: Scope, most: int) -> Statement[AccountRows]:
    """The account ``id``, if it is within the borders, with ``most`` rows of each table."""

    def rows(found: QuerySet[Any] | None, *columns: str | Combinable) -> Combinable:
        return _EMPTY if found is None else Rows(found[:most], *columns)

    parts = _parts(scope)
    names = "blocked_event_types" if scope in _WITH_FILTERS else NOTHING
    columns: dict[str, Any] = {
        "pipelines": rows(parts.pipelines, *columns_of(PipelineRow, blocked=names)),
        "sources": rows(parts.sources, *columns_of(SourceRow)),
        "source_links": rows(parts.source_links, "pipeline_id", "source_id"),
        "destinations": rows(
            parts.destinations,
            *columns_of(
                DestinationRow, data_set_id=KT("settings__dataSetId"), endpoint=KT("settings__endpoint")
            ),
        ),
        "destination_links": rows(
            parts.destination_links, "pipeline_id", "destination_id", "filter_status", "blocked_event_types"
        ),
        "pixels": rows(
            parts.pixels,
            *columns_of(
                PixelRow, pipeline_name="pipeline__name", destination_name="pipeline__destination_name",
                filter_status="pipeline__filter_status", set_aside="pipeline__set_aside",
            ),
        ),
        "blocked": rows(_blocked(parts.pixels) if scope in _WITH_FILTERS else None, "pixel_id", "event_name"),
    }  # fmt: skip
    tenants = Tenant.objects.open_to(borders).filter(pk=Param("id")).order_by()
    return Statement(tenants, *columns_of(AccountRows, **columns), row=AccountRows)


def _parts(scope: Scope) -> _Parts:
    """Beside what is asked for, the pipelines that it is in, by name."""
    sources = _sources(scope) if scope in _WITH_SOURCES else None
    destinations = _destinations(scope) if scope in _WITH_DESTINATIONS else None
    source_links = destination_links = pixels = None
    around = Q(uuid=_uuid()) if scope is Scope.ONE_PIPELINE else Q()
    if sources is not None:
        source_links = PipelineSource.objects.filter(source__in=sources.order_by().values("pk"))
        around |= Q(pk__in=source_links.order_by().values("pipeline"))
    if destinations is not None:
        destination_links = PipelineDestination.objects.filter(destination__in=destinations.order_by().values("pk"))
        around |= Q(pk__in=destination_links.order_by().values("pipeline"))
    if scope in _ALL:
        pixels = Pixel.objects.filter(tenant=Param("id"))
    elif scope is Scope.ONE_PIXEL:
        pixels = Pixel.objects.filter(tenant=Param("id"), pixel_id=Param("pixel_id"))
    pipelines = Pipeline.objects.filter(tenant=Param("id"))
    if scope is not Scope.PIPELINES:
        pipelines = pipelines.filter(around)
    return _Parts(pipelines if around else None, sources, source_links, destinations, destination_links, pixels)


def _sources(scope: Scope) -> QuerySet[Any]:
    sources = Source.objects.filter(tenant=Param("id"))
    if scope is Scope.ONE_PIPELINE:
        return sources.filter(pipeline_links__pipeline__uuid=_uuid())
    return sources.filter(source_id=Param("source_id")) if scope is Scope.ONE_SOURCE else sources


def _destinations(scope: Scope) -> QuerySet[Any]:
    destinations = Destination.objects.filter(tenant=Param("id"))
    if scope is Scope.ONE_PIPELINE:
        return destinations.filter(pipeline_links__pipeline__uuid=_uuid())
    return destinations.filter(uuid=_uuid()) if scope is Scope.ONE_DESTINATION else destinations


def _blocked(pixels: QuerySet[Any] | None) -> QuerySet[Any] | None:
    if pixels is None:
        return None
    drops = EventFilter.objects.filter(tenant=Param("id"), state=FilterState.DROP)
    return drops.filter(pixel__in=pixels.order_by().values("pk")).order_by("event_name")


def _uuid() -> Param:
    return Param("uuid", UUIDField())
