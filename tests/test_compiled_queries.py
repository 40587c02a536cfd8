"""A compiled query answers what graphql-core answers, byte for byte; what it cannot answer is left to graphql-core."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import graphene
import msgspec
import orjson
import pytest
import time_machine
from django.utils import timezone
from graphql import ExecutionResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import RoleLevel
from accounts.principals import OPERATOR, Principal, principal_of_api_account, principal_of_user
from common.budget import TooLarge
from common.graphql.documents import Prepared, prepare_document
from common.graphql.fallbacks import fallbacks
from portal.graphql.capig import schema as capig_schema
from portal.graphql.hub import schema as hub_schema
from tests.base import Cast
from tests.factories import ApiAccountFactory, MembershipFactory, PixelFactory
from tests.operations import DOCUMENTS, HUB_DOCUMENTS
from tests.queries import queries
from tests.stage import VARIABLES, Stage, make_stage

pytestmark = pytest.mark.usefixtures("registers")

HUB, CAPIG = hub_schema.graphql_schema, capig_schema.graphql_schema
QUERIES = [name for name, document in DOCUMENTS.items() if "mutation" not in document.split("{")[0]]

VARIABLES_OF_ALL = "$tenant: String!, $pixel: String!, $minutes: Int, $yes: Boolean!"
ARGUMENTS = {
    "tenantId": ["$tenant", "$tenant", '"missing"', '"AAAAAAAA"'],
    "pixelId": ["$pixel", "$pixel", '"0"'],
    "pixelIds": ["[]", "[$pixel]"],
    "id": ['"sg_v1_pl_ffffffff-ffff-8fff-8fff-ff4711471147"', '"sg_v1_pl_3f0cfd4c-8c6f-4f05-9d5b-2c1c1a6f2d10"'],
    "destinationId": [
        '"sg_v1_dd_ffffffff-ffff-8fff-8fff-ff4711471147"',
        '"sg_v1_dd_3f0cfd4c-8c6f-4f05-9d5b-2c1c1a6f2d10"',
    ],
    "dataSourceId": ['"0"', '"1234567890123456789"'],
    "timeWindowMin": ["$minutes", "90", "0"],
    "first": ["1", "2", "0"],
    "search": ['"o"', '""'],
    "status": ["0", "2", "7"],
    "eventName": ['"Purchase"'],
    "outcome": ["PUBLISHED", "WAITING"],
    "road": ["SERVER", "BROWSER"],
    "open": ["$yes", "false"],
    "rule": ["TOKEN", "SILENCE"],
}

quickly = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def stage(cast: Cast) -> Stage:
    """Shoes with something of everything; some of its people are at Other and at the host, too."""
    made = make_stage(cast.shoes)
    PixelFactory.create(tenant=cast.books)
    MembershipFactory.create(user=cast.ada, tenant=cast.other, level=RoleLevel.VIEW)
    MembershipFactory.create(user=cast.max, tenant=None, level=RoleLevel.VIEW)
    MembershipFactory.create(user=cast.vic, tenant=cast.books, level=RoleLevel.MANAGE, accepted_at=None)
    return made


@pytest.fixture
def _unbounded(settings: Any) -> None:
    """Whatever is made up may be asked: the limits have tests of their own."""
    for limit in ("TOKENS", "ALIASES", "FIELDS", "DUPLICATES", "DIRECTIVES", "DOCUMENT_LENGTH"):
        setattr(settings, f"GRAPHQL_MAX_{limit}", 1_000_000)


@pytest.fixture
def principals(cast: Cast, stage: Stage) -> list[Principal]:
    """Callers with all kinds of borders."""
    people = [cast.hanna, cast.vera, cast.ada, cast.max, cast.vic, cast.bea]
    scopes: list[dict[str, Any]] = [{"read_only": True}, {"tenant": cast.shoes}, {"tenant": cast.books}]
    keys = [cast.robot, *(ApiAccountFactory.create(**scope) for scope in scopes)]
    return [OPERATOR, *map(principal_of_api_account, keys), *map(principal_of_user, people)]


def ask(prepared: Prepared, variables: dict[str, Any], principal: Principal) -> tuple[Any, Any]:
    """The answer, and graphql-core's."""
    context = SimpleNamespace(principal=principal)
    return (
        comparable(prepared.execute(None, variables, context)),
        comparable(prepared.execute_as_reference(None, variables, context)),
    )


def comparable(result: ExecutionResult) -> tuple[bytes, list[Any]]:
    """The answer as it is sent, in its order, and its errors."""
    return orjson.dumps(result.data), [error.formatted for error in result.errors or ()]


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_of_the_api_is_compiled(name: str, stage: Stage, principals: list[Principal]) -> None:
    prepared = prepare_document(HUB if name in HUB_DOCUMENTS else CAPIG, DOCUMENTS[name])

    for principal in principals:
        answer, reference = ask(prepared, VARIABLES[name](stage), principal)
        assert answer == reference
    assert prepared.compiled[None] is not None


@pytest.mark.usefixtures("_unbounded")
@pytest.mark.parametrize("schema", [HUB, CAPIG], ids=["hub", "capig"])
@pytest.mark.parametrize("directives", [False, True])
@quickly
@given(data=st.data())
def test_any_query_is_answered_as_by_the_reference(
    schema: Any, directives: bool, cast: Cast, stage: Stage, principals: list[Principal], data: st.DataObject
) -> None:
    source = data.draw(queries(schema, ARGUMENTS, variables=VARIABLES_OF_ALL, directives=directives))
    tenant = data.draw(st.sampled_from([cast.shoes, cast.books, cast.other]))
    variables = {
        "tenant": tenant.pk,
        "pixel": stage.pixel.pixel_id,
        "minutes": data.draw(st.sampled_from([60, 5_000, None, 0])),
        "yes": data.draw(st.booleans()),
    }
    principal = data.draw(st.sampled_from(principals))

    prepared = prepare_document(schema, source)
    with time_machine.travel(timezone.now(), tick=False):  # both count the same minutes
        answer, reference = ask(prepared, variables, principal)

    assert answer == reference
    assert (prepared.compiled[None] is None) == ("@" in source)


def test_a_mutation_is_never_compiled(stage: Stage) -> None:
    prepared = prepare_document(HUB, DOCUMENTS["updateTenant"])
    context = SimpleNamespace(principal=OPERATOR)

    assert not prepared.execute(None, VARIABLES["updateTenant:name"](stage), context).errors
    assert prepared.compiled == {None: None}


@pytest.mark.parametrize(("limit", "fits"), [(8, True), (7, False)])
def test_the_bound_on_objects_is_that_of_the_reference(
    stage: Stage, cast: Cast, settings: Any, limit: int, fits: bool
) -> None:
    # Three people of Books, with a role each, and the roles of one of Ada's accounts.
    settings.GRAPHQL_MAX_OBJECTS = limit
    document = "query($id: String!) { tenant(tenantId: $id) { users { roles { name } } } viewer { kind } }"
    asked = None, {"id": cast.books.pk}, SimpleNamespace(principal=OPERATOR)
    prepared = prepare_document(HUB, document)

    for execute in (prepared.execute_compiled, prepared.execute_as_reference):
        with nullcontext() if fits else pytest.raises(TooLarge, match=f"roles: .* {limit} objects"):
            assert execute(*asked)


def test_a_fallback_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Else nobody would notice a query that takes twice the time, each time."""
    before = fallbacks["Unsupported"]

    prepare_document(CUPS, ALL_OF_IT).execute(None, {}, SimpleNamespace(principal={"name": "not a Cup"}))

    assert fallbacks["Unsupported"] == before + 1
    (line,) = (record for record in caplog.records if "graphql-core answers" in record.getMessage())
    assert (line.levelname, vars(line)["count"]) == ("WARNING", before + 1)


def test_what_is_the_callers_fault_is_no_warning(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    prepared = prepare_document(HUB, "query($id: String!) { tenant(tenantId: $id) { name } }")
    caplog.set_level("INFO")

    for variables in ({"id": "missing0"}, {}):
        prepared.execute(None, variables, SimpleNamespace(principal=principal_of_user(cast.ada)))

    assert [record.levelname for record in caplog.records if "graphql-core answers" in record.getMessage()] == [
        "INFO",
        "INFO",
    ]


class Cup(msgspec.Struct):
    """What stands behind the type ``Cup`` of the schema below."""

    name: str
    broken: bool
    price: float
    owner: str | None
    size: int
    nothing: None = None

    @property
    def label(self) -> str | None:
        """A property's type is known as well."""
        return self.owner and f"{self.owner}'s"


class CupType(graphene.ObjectType):
    """Fields of every kind that a read model may have."""

    class Meta:
        name = "Cup"
        possible_types = (Cup,)

    name = graphene.String(required=True)
    broken = graphene.Boolean(required=True)
    price = graphene.Float(required=True)
    owner = graphene.String()
    owned_by = graphene.String(required=True, source="owner")
    size = graphene.Int(required=True)
    nothing = graphene.String()
    label = graphene.ID()


class Cupboard(graphene.ObjectType):
    """A query that gives its root."""

    cup = graphene.Field(CupType)

    @staticmethod
    def resolve_cup(root: None, info: Any) -> Any:
        return info.context.principal


CUPS = graphene.Schema(query=Cupboard).graphql_schema
WHOLE = Cup("blue", broken=False, price=1.5, owner="Ada", size=3)
ALL_OF_IT = "{ cup { name broken price owner ownedBy size nothing label } }"


@pytest.mark.parametrize(
    "cup",
    [
        WHOLE,
        msgspec.structs.replace(WHOLE, owner=None),  # ownedBy may not be null
        msgspec.structs.replace(WHOLE, size=2**31),  # more than an Int may hold
        msgspec.structs.replace(WHOLE, price=float("nan")),
        msgspec.structs.replace(WHOLE, price=3),
        {"name": "not a Cup"},
    ],
    ids=["whole", "null", "large", "not a number", "whole number", "other"],
)
def test_the_types_of_a_read_model_are_believed_as_far_as_the_schema_goes(cup: Any) -> None:
    prepared = prepare_document(CUPS, ALL_OF_IT)

    answer, reference = ask(prepared, {}, cup)

    assert answer == reference
    assert prepared.compiled[None] is not None
    assert (answer[1] == []) is (cup in (WHOLE, msgspec.structs.replace(WHOLE, price=3)))
