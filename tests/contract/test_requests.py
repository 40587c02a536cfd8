"""How documents may be written and sent: the liberties that clients of the reference take."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.base import CAPIG, HUB, Cast, bearer, graphql
from tests.factories import PixelFactory
from tests.operations import CAPIG_DOCUMENTS, HUB_DOCUMENTS
from tests.stage import VARIABLES, make_stage

pytestmark = pytest.mark.usefixtures("registers")

DOCUMENTS = [(HUB, name, text) for name, text in HUB_DOCUMENTS.items() if "$" in text]
DOCUMENTS += [(CAPIG, name, text) for name, text in CAPIG_DOCUMENTS.items()]


def _swapped(document: str) -> str:
    """The document with every variable of type ID declared as String, and the reverse."""
    return document.replace("ID", "\0").replace("String", "ID").replace("\0", "String")


@pytest.mark.parametrize(("endpoint", "name", "document"), DOCUMENTS, ids=[name for _, name, _ in DOCUMENTS])
def test_a_variable_may_be_string_where_id_is_expected_and_the_reverse(
    cast: Cast, endpoint: str, name: str, document: str
) -> None:
    stage = make_stage(cast.shoes)
    variant = next(variant for variant in VARIABLES if variant.partition(":")[0] == name)

    head, brace, rest = document.partition("{")
    answer = graphql(cast.robot, endpoint, _swapped(head) + brace + rest, VARIABLES[variant](stage))

    assert (answer.status, answer.errors) == (200, [])


@pytest.mark.parametrize("declared", ["Int", "Boolean", "[ID]", "Float"])
def test_other_types_are_still_refused(cast: Cast, declared: str) -> None:
    document = f"query($id: {declared}!) {{ tenant(tenantId: $id) {{ id }} }}"

    assert graphql(cast.robot, HUB, document, {"id": cast.shoes.pk}).refused(400)


def test_a_nullable_variable_is_refused_where_a_value_is_required(cast: Cast) -> None:
    document = "query($id: ID) { tenant(tenantId: $id) { id } }"

    assert graphql(cast.robot, HUB, document, {"id": cast.shoes.pk}).refused(400)


@pytest.mark.parametrize("pixel_id", ["18904456377094531", 18904456377094531])
def test_an_id_may_be_a_number(cast: Cast, pixel_id: str | int) -> None:
    PixelFactory.create(tenant=cast.shoes, pixel_id="18904456377094531")

    answer = graphql(
        cast.robot, CAPIG, CAPIG_DOCUMENTS["deleteDataSource"], {"tenantId": cast.shoes.pk, "id": pixel_id}
    )

    assert answer.data == {"tenantMutations": {"signalMutations": {"deleteDataSource": True}}}


def test_fragments_aliases_commas_and_repeated_fields_are_understood(cast: Cast) -> None:
    document = """
        # A comment.
        query Named($id: String!, $more: Boolean = false) {
          shoes: tenant(tenantId: $id) { id, name, id, ...figures, ... on Tenant { status @include(if: $more) } }
          again: tenant(tenantId: $id) { name, name },
        }
        fragment figures on Tenant { tenantUsage { totalPixels, tenantUsageByTraffic { durationInHours, } } }
    """

    answer = graphql(cast.robot, HUB, document, {"id": cast.shoes.pk})

    assert answer.errors == []
    usage = {"totalPixels": 0, "tenantUsageByTraffic": {"durationInHours": 24}}
    assert answer.data == {
        "shoes": {"id": cast.shoes.pk, "name": "Shoes", "tenantUsage": usage},
        "again": {"name": "Shoes"},
    }


@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("*/*", "application/"),
    ],
)
def test_both_media_types_are_spoken(cast: Cast, endpoint: str, accept: str, content_type: str) -> None:
    answer = graphql(cast.robot, endpoint, "{ __typename }", accept=accept)

    assert (answer.status, answer.data) == (200, {"__typename": "Query"})
    assert answer.content_type.startswith(content_type)


@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
def test_a_query_may_come_by_get(cast: Cast, endpoint: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {bearer(cast.robot)}"})

    response = client.get(endpoint, {"query": "{ __typename }"})

    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": 7},
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": "{ __typename }", "variables": "x"},
        {"query": "query A { __typename } query B { __typename }"},
        {"query": "{ __typename }", "operationName": "Missing"},
        [],
        "text",
        None,
    ],
    ids=repr,
)
@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
def test_a_malformed_request_gets_a_well_formed_error(cast: Cast, endpoint: str, body: Any) -> None:
    client = Client(headers={"Authorization": f"Bearer {bearer(cast.robot)}"})

    response = client.post(endpoint, body, content_type="application/json")

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == 400
    assert error["message"]


def test_what_can_be_answered_is_answered_beside_what_is_refused(cast: Cast) -> None:
    document = """
        query($mine: String!, $foreign: String!) {
          mine: tenant(tenantId: $mine) { name } foreign: tenant(tenantId: $foreign) { name }
        }
    """

    answer = graphql(cast.ada, HUB, document, {"mine": cast.shoes.pk, "foreign": cast.books.pk})

    assert answer.status == 200
    assert answer.data == {"mine": {"name": "Shoes"}, "foreign": None}
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [(["foreign"], 401)]
