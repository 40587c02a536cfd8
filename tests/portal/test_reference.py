"""The API Reference is made from the served schemas: every operation, and samples that work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from common.graphql.documents import prepare_document
from portal.graphql.reference import SCHEMAS, Operation, find_operation, operations
from portal.graphql.samples import Known, sample_answer, sample_document, sample_variables
from tests.base import Cast, client_of, graphql
from tests.operations import CAPIG_DOCUMENTS, HUB_DOCUMENTS
from tests.stage import make_stage

pytestmark = pytest.mark.usefixtures("registers")

every_operation = pytest.mark.parametrize("operation", operations(), ids=lambda each: f"{each.endpoint}:{each.name}")


def found(endpoint: str, name: str) -> Operation:
    operation = find_operation(endpoint, name)
    assert operation
    return operation


# --- What is described -----------------------------------------------------------------------------------------------


def test_every_operation_of_both_endpoints_is_there() -> None:
    names = {endpoint: {each.name for each in operations() if each.endpoint == endpoint} for endpoint in SCHEMAS}

    assert names == {"hub": set(HUB_DOCUMENTS), "capig": set(CAPIG_DOCUMENTS)}


@every_operation
def test_everything_is_described(operation: Operation) -> None:
    assert operation.description
    assert all(argument.description for argument in operation.described_arguments)
    for type_ in operation.types:
        assert type_.description
        assert all(member.description for member in type_.members)


def test_an_operation_tells_its_arguments_those_of_its_account_included() -> None:
    arguments = found("capig", "updateEventFilter").described_arguments

    assert [(argument.name, argument.type, argument.required) for argument in arguments] == [
        ("tenantId", "ID!", True),
        ("input", "UpdateEventFilterInput!", True),
        ("input.eventName", "String!", True),
        ("input.pixelIds", "[String!]", False),
        ("input.filterState", "EventFilterState!", True),
    ]


def test_an_argument_tells_its_default() -> None:
    defaults = {argument.name: argument.default for argument in found("hub", "tenants").described_arguments}

    assert defaults == {"first": "50", "after": None, "search": None, "status": None}


def test_an_operation_tells_the_types_of_its_answer_once_each() -> None:
    types = [type_.name for type_ in found("hub", "tenant").types]

    assert types == ["Tenant", "User", "Role", "TenantUsage", "TenantUsageByTraffic"]


def test_an_operation_tells_the_values_that_its_arguments_take() -> None:
    types = {type_.name: [member.name for member in type_.members] for type_ in found("hub", "sendInvitation").types}

    assert types == {"UserType": ["AGENCY", "ADVERTISER"]}


def test_an_operation_tells_its_codes_with_their_meaning() -> None:
    operation = found("hub", "addUserWithRole")

    assert "Codes" not in operation.description
    assert [(code.code, code.meaning) for code in operation.codes] == [
        (400, "Invalid input: the message names the field and the rule."),
        (401, "Not signed in, or not allowed."),
        (404, "Unknown role."),
        (409, "Has a role there."),
        (500, "Internal error, logged under the id in the message."),
    ]


def test_what_is_no_operation_is_not_found() -> None:
    assert find_operation("hub", "tenantMutations") is None
    assert find_operation("capig", "tenant") is None
    assert find_operation("x", "tenant") is None


# --- The samples -----------------------------------------------------------------------------------------------------


@every_operation
def test_a_sample_is_within_the_limits_and_valid(operation: Operation) -> None:
    prepare_document(operation.schema, sample_document(operation))


@every_operation
def test_a_sample_asks_for_everything_of_the_answer(operation: Operation) -> None:
    document = sample_document(operation)
    answer = get_named_type(operation.path[-1][1].type)

    if isinstance(answer, GraphQLObjectType):
        assert all(f" {name}" in document for name in answer.fields)


@every_operation
def test_the_variables_hold_what_is_required_and_nothing_unknown(operation: Operation) -> None:
    given = set(_paths(sample_variables(operation, Known())))

    described = {argument.name: argument.required for argument in operation.described_arguments}
    assert {name for name, required in described.items() if required} <= given <= set(described)


def _paths(variables: dict[str, Any], around: str = "") -> Iterator[str]:
    for name, value in variables.items():
        yield f"{around}{name}"
        if isinstance(value, dict):
            yield from _paths(value, f"{around}{name}.")


@every_operation
def test_a_sample_answer_says_something_in_every_field(operation: Operation) -> None:
    """A text without a sample would be null: a new field needs one (common.graphql.samples)."""
    nullable = {"apiAccount", "apiErrorCode", "code", "message", "detail", "explanation", "pixelId", "userExpiry"}
    # An incident is about one thing: a pixel, or a destination.
    nullable |= {"creationSourcePlatform", "creationSourceId", "destinationId"}

    assert set(_nulls(sample_answer(operation, Known())["data"])) <= nullable


def _nulls(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _nulls(item)]
    if not isinstance(value, dict):
        return []
    return [name for name, inner in value.items() if inner is None] + [
        name for inner in value.values() for name in _nulls(inner)
    ]


@pytest.fixture
def known(cast: Cast) -> Known:
    stage = make_stage(cast.shoes)
    return Known(
        tenant_id=stage.tenant.pk,
        tenant_name=stage.tenant.name,
        pixel_id=stage.pixel.pixel_id,
        user_id=str(stage.member.pk),
        invited_email=stage.invited_admin,
        dead_letter_id=str(stage.dead_letter.pk),
        destination_letter_id=str(stage.destination_letter.pk),
        pipeline_id=stage.pipeline_id,
        source_id=stage.source.source_id,
        destination_id=stage.destination_id,
    )


#: Of these the samples name nothing that is there, so that nobody deletes something by trying them out.
HARMLESS = {
    "deleteTenant": 401,
    "deleteDataSource": 404,
    "deletePipeline": 404,
    "updatePipeline": 404,
    "updatePipelineFilter": 404,
    "updatePipelineDestinationFilter": 404,
    "dataSourceMutations-deleteDataSource": 404,
    "updateDataSource": 404,
    "updateGatewayPixelConfig": 404,
    "deleteDataDestination": 404,
    "holdDestination": 404,
    "updateDataDestination": 404,
    "updateDataDestinationCapiConfig": 404,
    "updateDataDestinationHttpConfig": 404,
    # Their samples lack the reader's password.
    "createApiAccount": 400,
    "rotateApiAccount": 400,
    "updateApiAccount": 404,
    "deleteApiAccount": 404,
}


@every_operation
def test_a_sample_works_as_it_is(cast: Cast, known: Known, operation: Operation) -> None:
    answer = graphql(
        client_of(cast.hanna), operation.address, sample_document(operation), sample_variables(operation, known)
    )

    if operation.name in HARMLESS:
        assert answer.refused(HARMLESS[operation.name])
        return
    assert answer.errors == []
    _assert_same_form(sample_answer(operation, known)["data"], answer.data)


def _assert_same_form(sample: Any, got: Any) -> None:
    """The sample has the answer's fields, in their order; where both have a value, it is of the same type."""
    if isinstance(sample, dict) and isinstance(got, dict):
        assert list(sample) == list(got)
        for name, value in got.items():
            _assert_same_form(sample[name], value)
    elif isinstance(sample, list):
        for item in got:
            _assert_same_form(sample[0], item)
    elif None not in (sample, got):
        assert type(sample) is type(got)
