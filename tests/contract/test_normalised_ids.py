"""Normalising caches keep an object once, under its type and id: does the id tell its content apart?

Both schemas are walked, so that a new type with an id is tried as well. Types whose ids are the reference's and say too
little are named in docs/graphql-clients.md.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from graphql import FieldNode, GraphQLObjectType, NameNode, SelectionSetNode, Visitor, parse, print_ast, visit

from accounts.models import RoleLevel, Tenant
from alerts.models import Incident
from events.figures.counting import Tally
from events.models import RefusedRequest
from pipelines.ids import DESTINATION, PIPELINE, id_of
from tests.base import CAPIG, HUB, Cast, graphql, tenant
from tests.contract.test_schemas import SCHEMAS
from tests.factories import (
    DeadLetterFactory,
    DeliveryFactory,
    DestinationLetterFactory,
    DomainFilterFactory,
    EventFilterFactory,
    IngressDomainFactory,
    MembershipFactory,
    OutboxRowFactory,
    PipelineDestinationFactory,
    PipelineSourceFactory,
    PixelFactory,
)
from tests.operations import CAPIG_DOCUMENTS, HUB_DOCUMENTS

#: What mutations alone answer with, about the one thing that they change.
CHANGED_ALONE = {"GatewayPixelConfig", "PixelESTRuleGroupConfig", "PixelIWLParametersConfig"}
#: Windows of time, in minutes, in which different events are counted.
WINDOWS = (2, 60)


def embedded() -> set[str]:
    """The types that the page says to leave where they were found."""
    page = (settings.ROOT / "docs" / "graphql-clients.md").read_text(encoding="utf-8")
    return set(re.findall(r"(\w+): \{keyFields: false\}", page))


def with_ids() -> set[str]:
    """The types of both schemas that have an id."""
    types = [type_ for schema in SCHEMAS.values() for type_ in schema.type_map.values()]
    return {type_.name for type_ in types if isinstance(type_, GraphQLObjectType) and "id" in type_.fields}


def test_ids_tell_content_apart_but_for_the_types_that_the_page_names(cast: Cast) -> None:
    seen, ambiguous = answers_by_id(cast)

    assert seen == with_ids() - CHANGED_ALONE
    # What holds something ambiguous must not be kept by its id either: a pixel's data, whose totals differ.
    assert ambiguous | {"SignalConfig"} == embedded()


def answers_by_id(cast: Cast) -> tuple[set[str], set[str]]:
    """The types that all queries answer with, and those of one id under which a field has several values."""
    values: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for account in two_accounts(cast):
        pixel_ids = [pixel.pixel_id for pixel in account.pixels.all()]
        for endpoint, documents in ((HUB, HUB_DOCUMENTS), (CAPIG, CAPIG_DOCUMENTS)):
            for document in documents.values():
                if "mutation" in document:
                    continue
                for minutes, named in ((minutes, named) for minutes in WINDOWS for named in (None, pixel_ids[:1])):
                    variables = {"tenantId": account.pk, "pixelId": pixel_ids[0], "pixelIds": named}
                    variables["id"] = id_of(PIPELINE, account.pipelines.get().uuid)
                    if "$dataSourceId: ID!" in document:
                        variables["dataSourceId"] = account.sources.get().source_id
                    if "$destinationId: ID!" in document:
                        variables["destinationId"] = id_of(DESTINATION, account.destinations.get().uuid)
                    answer = graphql(cast.hanna, endpoint, _typed(document), variables | {"timeWindowMin": minutes})
                    assert answer.errors == []
                    for found in _with_id(answer.data):
                        for field, value in found.items():
                            values[found["__typename"], found["id"]][field].add(_content(value))
    ambiguous = {typename for (typename, _), fields in values.items() if any(len(each) > 1 for each in fields.values())}
    return {typename for typename, _ in values}, ambiguous


def two_accounts(cast: Cast) -> list[Tenant]:
    """As alike as can be: the same person, names and websites, and yet other data."""
    hats = tenant("Hats")
    MembershipFactory.create(user=cast.ada, tenant=hats, level=RoleLevel.VIEW)
    for events, account in enumerate((cast.shoes, hats), start=1):
        for pixel in PixelFactory.create_batch(2, tenant=account):
            tally = Tally()
            for minutes in (0, 30):
                for column in ("received", "published"):
                    tally.add(timezone.now() - timedelta(minutes=minutes), "Purchase", "example.com", column, events)
            tally.write(pixel.pk)
            DeliveryFactory.create(pixel=pixel)
            OutboxRowFactory.create(pixel=pixel)
            DeadLetterFactory.create(pixel=pixel)
            Incident.objects.create(tenant=account, pixel=pixel, rule="token", subject=f"pixel {pixel.pixel_id}")
            RefusedRequest.objects.create(
                pixel=pixel, at=timezone.now(), field="event_time", reason="too_old", event_count=events, origin=1
            )
        place = PipelineSourceFactory.create(pipeline__tenant=account, source__name="Website")
        reached = PipelineDestinationFactory.create(pipeline=place.pipeline, destination__name="Warehouse")
        DestinationLetterFactory.create(destination=reached.destination)
        state = "DROP" if account is hats else "PUBLISH"
        EventFilterFactory.create(tenant=account, event_name="Purchase", state=state)
        DomainFilterFactory.create(tenant=account, domain="example.com", state=state)
        IngressDomainFactory.create(tenant=account, checked_at=timezone.now())
    return [cast.shoes, hats]


class _Typed(Visitor):
    """Asks for ``__typename`` everywhere, as such a client does."""

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        return SelectionSetNode(selections=(*node.selections, FieldNode(name=NameNode(value="__typename"))))


def _typed(document: str) -> str:
    return print_ast(visit(parse(document), _Typed()))


def _with_id(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of an answer that have an id."""
    if isinstance(value, list):
        for item in value:
            yield from _with_id(item)
    elif isinstance(value, dict):
        if "id" in value:
            yield value
        for inner in value.values():
            yield from _with_id(inner)


def _content(value: Any) -> str:
    """A field's value as a cache keeps it: of an object with an id, the id alone."""

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(item) for item in value]
        if isinstance(value, dict):
            return value["id"] if "id" in value else {name: kept(inner) for name, inner in value.items()}
        return value

    return json.dumps(kept(value), sort_keys=True)
