"""An answer holds no more objects than GRAPHQL_MAX_OBJECTS, whatever the document's own size."""

from __future__ import annotations

from typing import Any

from tests.base import HUB, Cast, graphql


def test_an_answer_beyond_the_limit_of_objects_is_refused(cast: Cast, settings: Any) -> None:
    """People of accounts of people … multiply, whatever the document's own size."""
    settings.GRAPHQL_MAX_OBJECTS = 10
    document = "query($id: String!) { tenant(tenantId: $id) { users { tenants { users { tenants { id } } } } } }"

    answer = graphql(cast.ada, HUB, document, {"id": cast.shoes.pk})

    assert answer.refused(400)
    assert "10 objects" in answer.message


def test_an_answer_at_the_limit_of_objects_is_given(cast: Cast, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 6
    document = "query($id: String!) { tenant(tenantId: $id) { users { roles { name } } } }"

    assert graphql(cast.ada, HUB, document, {"id": cast.shoes.pk}).status == 200


def test_a_mutation_that_has_happened_is_answered_in_full(cast: Cast, settings: Any) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 2
    document = """mutation($input: UpdateTenantInput!) { tenantMutations {
        updateTenant(input: $input) { tenant { name users { id } } } } }"""

    answer = graphql(cast.ada, HUB, document, {"input": {"tenantId": cast.shoes.pk, "name": "Boots"}})

    assert answer.status == 200
    assert answer.data["tenantMutations"]["updateTenant"]["tenant"]["name"] == "Boots"
