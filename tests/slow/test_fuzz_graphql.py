"""Documents made at random from both schemas, sent by somebody who may do everything: none of them breaks anything."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
import schemathesis
from graphql import (
    ArgumentNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    build_schema,
    execute_sync,
    introspection_from_schema,
    parse,
    print_ast,
    print_schema,
    visit,
)
from hypothesis import given

from portal.graphql.reference import SCHEMAS
from tests.base import CAPIG, HUB, Cast, bearer, undone
from tests.slow.fuzz import bounded, operations_of, wsgi_client
from tests.stage import Stage, make_stage

#: Of each root field; the hub has eight, capig two.
EXAMPLES = {HUB: 50, CAPIG: 200}
CODES = {400, 401, 404, 409}


class Aimed(Visitor):
    """Puts what is really there into a document, for three of four texts: made-up ids would be refused at the door."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        tenant_id, pixel_id = stage.tenant.pk, stage.pixel.pixel_id
        self.real = {
            "tenantId": [tenant_id],
            "pixelId": [pixel_id],
            "pixelIds": [pixel_id],
            "id": [pixel_id, str(stage.dead_letter.pk)],
            "userId": [str(stage.member.pk), str(stage.host_member.pk)],
            "email": [stage.invited_member, stage.member.email, "new@example.com"],
            "adminEmail": ["new@example.com", stage.member.email],
            "roleName": [f"advertiser-view-{tenant_id}", "agency-view"],
            "roleToAdd": [f"advertiser-admin-{tenant_id}", "agency-admin"],
            "roleToRevoke": [f"advertiser-view-{tenant_id}", "agency-view"],
            "ingress": ["events.example.com"],
            "targetDomain": ["gateway.example.com"],
            "domain": ["example.com"],
            "apiVersion": ["v24.0"],
        }

    def enter_string_value(
        self, node: StringValueNode, _key: Any, parent: Any, _path: Any, ancestors: list[Any]
    ) -> StringValueNode | None:
        named = next(
            each for each in (parent, *reversed(ancestors)) if isinstance(each, ArgumentNode | ObjectFieldNode)
        )
        real = self.real.get(named.name.value)
        if real and self.chance.random() < 0.75:
            return StringValueNode(value=self.chance.choice(real), block=False)
        return None


def assert_as_promised(data: Any, plain: GraphQLSchema, document: str) -> None:
    """The data is what the schema promises of the document: completed once more by another executor, it is the same.

    Fields that a directive has left out are not there to be completed.
    """

    def resolve(source: Any, info: GraphQLResolveInfo, **_arguments: Any) -> Any:
        node = info.field_nodes[0]
        return source[(node.alias or node.name).value]

    # Nulls come from refusals as well, also where the schema has none: above these.
    errors = execute_sync(plain, parse(document), data, field_resolver=resolve).errors or []
    assert all(isinstance(error.original_error, KeyError) for error in errors), errors


def assert_well_formed(response: Any) -> dict[str, Any]:
    """A GraphQL answer: data, errors with documented codes, or both; a status that fits."""
    body: dict[str, Any] = json.loads(response.data)
    assert response.status_code in {200, *CODES}, (response.status_code, body)
    assert body.keys() <= {"data", "errors"}
    assert body
    for error in body.get("errors", []):
        assert error["message"]
        assert error["extensions"]["code"] in CODES, error
    if response.status_code == 200:
        assert body["data"] is not None
    else:
        assert body["errors"][0]["extensions"]["code"] == response.status_code
        assert body.get("data") is None
    return body


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", [HUB, CAPIG])
def test_no_document_breaks_the_portal(cast: Cast, endpoint: str) -> None:
    stage = make_stage(cast.shoes)
    headers = {"Authorization": f"Bearer {bearer(cast.robot)}", "Content-Type": "application/json"}
    schema = SCHEMAS[endpoint.split("/")[1]]
    plain = build_schema(print_schema(schema))
    described = schemathesis.graphql.from_dict(dict(introspection_from_schema(schema)))
    statuses: Counter[int] = Counter()

    for operation in operations_of(described):

        @given(case=operation.as_strategy())
        @bounded(EXAMPLES[endpoint])
        def send(case: Any) -> None:
            document = case.body if isinstance(case.body, str) else case.body["query"]
            chance = random.Random(document)
            aimed = print_ast(visit(parse(document), Aimed(stage, chance)))
            with undone(), wsgi_client() as client:
                response = client.post(endpoint, json={"query": aimed}, headers=headers)
            data = assert_well_formed(response).get("data")
            if data is not None:
                assert_as_promised(data, plain, aimed)
            statuses[response.status_code] += 1

        send()

    print(endpoint, dict(statuses))  # noqa: T201
    assert statuses[200] > statuses.total() / 10, "hardly anything was executed"
