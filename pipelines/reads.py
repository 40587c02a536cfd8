"""Reading an account's pipelines: one statement, whatever is asked for and however many there are.

The tables are read beside each other and put together here: joined, the sources of pipelines of sources would multiply.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Any

from accounts.permissions import Action, is_tenant_id, require
from accounts.principals import Principal
from common.budget import SCALARS_PER_OBJECT, load, most_rows
from common.errors import NotAuthorized
from pipelines.ids import DESTINATION, PIPELINE, id_of, read_id
from pipelines.lookups import no_such_destination, no_such_pipeline, no_such_source
from pipelines.models import DestinationType, SourceType
from pipelines.shown import (
    DestinationView,
    PipelineName,
    PipelineType,
    PipelineView,
    PixelParts,
    SourceView,
    filter_of_destination,
    filter_of_pipeline,
)
from pipelines.statements import AccountRows, PixelRow, Scope, rows_of
from pixels.validation import is_pixel_id


def list_pipelines(principal: Principal, tenant_id: str) -> list[PipelineView]:
    """All of the account's: those of pixels by id, then the others in the order in which they were made."""
    return _read(principal, tenant_id, Scope.PIPELINES, "pipelines").pipelines


def list_sources(principal: Principal, tenant_id: str) -> list[SourceView]:
    """All of the account's: pixels first."""
    return _read(principal, tenant_id, Scope.SOURCES, "dataSourcesQuery").sources


def list_destinations(principal: Principal, tenant_id: str) -> list[DestinationView]:
    """All of the account's: those of pixels first."""
    return _read(principal, tenant_id, Scope.DESTINATIONS, "dataDestinationsQuery").destinations


def read_pipeline(principal: Principal, tenant_id: str, id: str, *, field: str = "id") -> PipelineView:
    """One of the account's; NotFound for unknown ones and other accounts' alike."""
    wanted = read_id(PIPELINE, id)
    scope = Scope.ONE_PIXEL if isinstance(wanted, str) else Scope.ONE_PIPELINE
    found = _read(principal, tenant_id, scope, "pipeline", wanted).pipelines
    for each in found:
        if each.id == id:
            return each
    raise no_such_pipeline(field)


def read_source(principal: Principal, tenant_id: str, id: str) -> SourceView:
    """One of the account's, by its id."""
    wanted = id if is_pixel_id(id) else None
    for scope in (Scope.ONE_SOURCE, Scope.ONE_PIXEL):
        if found := _read(principal, tenant_id, scope, "dataSource", wanted).sources:
            return found[0]
    raise no_such_source("id")


def read_destination(principal: Principal, tenant_id: str, id: str) -> DestinationView:
    """One of the account's, by its id."""
    wanted = read_id(DESTINATION, id)
    scope = Scope.ONE_PIXEL if isinstance(wanted, str) else Scope.ONE_DESTINATION
    found = _read(principal, tenant_id, scope, "dataDestination", wanted).destinations
    if not found:
        raise no_such_destination("id")
    return found[0]


def _read(principal: Principal, tenant_id: str, scope: Scope, field: str, wanted: Any = None) -> _Account:
    """What is in scope of an account that the principal may look into; NotAuthorized for hidden and missing ones."""
    values = {scope.parameter: wanted} if scope.parameter else {}
    if scope.parameter and wanted is None:
        scope, values = Scope.NOTHING, {}
    statement = rows_of(principal.borders, scope, most_rows())
    rows = statement.one(principal.guard, id=tenant_id, **values) if is_tenant_id(tenant_id) else None
    if rows is None:
        raise NotAuthorized()
    require(principal, Action.VIEW_DATA, rows)
    load(rows.number, field)
    load(rows.names, field, per_object=SCALARS_PER_OBJECT)
    return _Account(rows)


class _Account:
    """The rows, put together."""

    def __init__(self, rows: AccountRows) -> None:
        self._rows = rows
        self._named = {
            row.pk: PipelineName(id_of(PIPELINE, row.uuid), row.name, PipelineType.GATEWAY_PIPELINE)
            for row in rows.pipelines
        }  # all that links lead to, unless there were more rows than are read

    @cached_property
    def _pixels(self) -> list[PixelParts]:
        blocked: dict[int, list[str]] = defaultdict(list)
        for pixel, name in self._rows.blocked:
            blocked[pixel].append(name)
        return [_parts(row, blocked.get(row.pk, [])) for row in self._rows.pixels]

    @cached_property
    def _sources(self) -> dict[int, SourceView]:
        pipelines: dict[int, list[PipelineName]] = defaultdict(list)
        for pipeline, source in self._rows.source_links:
            if pipeline in self._named:
                pipelines[source].append(self._named[pipeline])
        return {
            row.pk: SourceView(
                row.source_id, row.name, SourceType(row.type), row.active, pipelines.get(row.pk, [])
            )
            for row in self._rows.sources
        }  # fmt: skip

    @cached_property
    def _destinations(self) -> dict[int, DestinationView]:
        pipelines: dict[int, list[PipelineName]] = defaultdict(list)
        for link in self._rows.destination_links:
            if link.pipeline in self._named:
                pipelines[link.destination].append(self._named[link.pipeline])
        return {
            row.pk: DestinationView(
                id_of(DESTINATION, row.uuid), row.name, DestinationType(row.type), row.active,
                pipelines.get(row.pk, []), row.data_set_id, row.endpoint,
            )
            for row in self._rows.destinations
        }  # fmt: skip

    @property
    def sources(self) -> list[SourceView]:
        return [*(pixel.source for pixel in self._pixels), *self._sources.values()]

    @property
    def destinations(self) -> list[DestinationView]:
        return [*(pixel.destination for pixel in self._pixels), *self._destinations.values()]

    @property
    def pipelines(self) -> list[PipelineView]:
        """Of those that a source or destination in scope belongs to, what is in scope."""
        sources: dict[int, list[SourceView]] = defaultdict(list)
        for pipeline, source in self._rows.source_links:
            if source in self._sources:
                sources[pipeline].append(self._sources[source])
        links = defaultdict(list)
        for link in self._rows.destination_links:
            if link.destination in self._destinations:
                links[link.pipeline].append((link, self._destinations[link.destination]))
        gateway = [
            PipelineView(
                self._named[row.pk].id,
                row.name,
                row.active,
                PipelineType.GATEWAY_PIPELINE,
                sources.get(row.pk, []),
                [destination for _, destination in links[row.pk]],
                filter_of_pipeline(row.filter_status, row.blocked or []),
                [
                    filter_of_destination(self._named[row.pk].id, destination.id, link.filter_status, link.blocked)
                    for link, destination in links[row.pk]
                ],
            )
            for row in self._rows.pipelines
        ]
        return [*(pixel.pipeline for pixel in self._pixels), *gateway]


def _parts(row: PixelRow, blocked: list[str]) -> PixelParts:
    return PixelParts(
        row.pixel_id,
        row.name,
        row.event_bridge_active,
        row.publishing_enabled,
        row.pipeline_name or "",
        row.destination_name or "",
        row.filter_status,
        sorted({*(row.set_aside or ()), *blocked}),
    )
