"""No operation asks the database more often because there are more people, pixels, filters or accounts.

``budgets.toml`` holds how many queries each may take, the one for the bearer token included.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import RoleLevel
from tests.base import CAPIG, HUB, Answer, Cast, client_of, graphql, tenant, undone
from tests.factories import (
    DomainFilterFactory,
    EventFilterFactory,
    MembershipFactory,
    PipelineDestinationFactory,
    PipelineSourceFactory,
    PixelFactory,
)
from tests.operations import DOCUMENTS, TENANT, run
from tests.stage import VARIABLES, Stage, make_stage

pytestmark = pytest.mark.usefixtures("registers")

BUDGETS: dict[str, dict[str, int]] = tomllib.loads((Path(__file__).parent / "budgets.toml").read_text(encoding="utf-8"))
OPERATIONS = BUDGETS["operations"]
FEW, MANY = 2, 40

SHAPES = {
    "people-of-peoples-accounts": """
        query($tenantId: String!) { tenant(tenantId: $tenantId) { name users { email tenants {
          name tenantUsage { totalPixels pixelIds } users { email canBeDeleted roles { name tenantName } tenants {
            name availableRoles { name }
        } } } } } }""",
    "page-of-accounts": """
        query { tenants(first: 50) { edges { node { ...tenant } cursor } pageInfo { hasNextPage } totalCount } }
    """
    + TENANT,
    "signing-in": "{ viewer { kind email apiAccount } }",
    "aliases": """
        query($tenantId: String!) {
          a: tenant(tenantId: $tenantId) { users { email } } b: tenant(tenantId: $tenantId) { users { email } }
        }""",
    "everything-of-an-account": """
        query($tenantId: ID!) { tenantQueries(tenantId: $tenantId) {
          account { name signalConfigs { id domains connectionStatus { pixelID accessKey totalEventsReceived } } }
          eventMetrics { activity { name } domainActivity { domainName } }
          eventFilters { eventName pixelId filterState }
          domainFilters { domain pixelId filterState }
        } }""",
}


def _crowd(stage: Stage, size: int) -> None:
    """Add people, each with an account and a colleague besides, and pixels, each with filters."""
    for number in range(size):
        side = tenant(f"Side {number:03}")
        here = MembershipFactory.create(tenant=stage.tenant, level=RoleLevel.ADMIN)
        MembershipFactory.create(tenant=side, level=RoleLevel.MANAGE, user=here.user)
        MembershipFactory.create(tenant=side)
        PixelFactory.create(tenant=side)
        pixel = PixelFactory.create(tenant=stage.tenant)
        for factory in (EventFilterFactory, DomainFilterFactory):
            factory.create(tenant=stage.tenant)
            factory.create(pixel=pixel)
        place = PipelineSourceFactory.create(pipeline__tenant=stage.tenant)
        PipelineDestinationFactory.create(pipeline=place.pipeline)
        PipelineSourceFactory.create(pipeline=place.pipeline, source=stage.source)
        EventFilterFactory.create(pixel=pixel, event_name="AddToCart")
        DomainFilterFactory.create(pixel=pixel, domain="example.com")


@dataclass(frozen=True)
class Measured:
    """One run: what it answered, and the statements that it took."""

    answer: Answer
    statements: list[str]


def _run_all(client: Client, stage: Stage) -> dict[str, Measured]:
    asks = {variant: partial(_run_operation, client, stage, variant) for variant in OPERATIONS}
    asks |= {shape: partial(_run_shape, client, stage, shape) for shape in SHAPES}
    return {name: _measure(ask) for name, ask in asks.items()}


def _run_operation(client: Client, stage: Stage, variant: str) -> Answer:
    variables = VARIABLES[variant.replace(":all-pixels", ":one-pixel")](stage)
    if variant.endswith(":all-pixels"):
        variables["input"]["pixelIds"] = [pixel.pixel_id for pixel in stage.tenant.pixels.all()]
    return run(client, variant.partition(":")[0], **variables)


def _run_shape(client: Client, stage: Stage, shape: str) -> Answer:
    document = SHAPES[shape]
    variables = {"tenantId": stage.tenant.pk} if "$tenantId" in document else {}
    return graphql(client, CAPIG if "tenantQueries" in document else HUB, document, variables)


def _measure(ask: Callable[[], Answer]) -> Measured:
    with undone(), CaptureQueriesContext(connection) as captured:
        answer = ask()
    return Measured(answer, [query["sql"] for query in captured.captured_queries])


def test_every_operation_has_a_budget() -> None:
    assert {variant.partition(":")[0] for variant in OPERATIONS} == set(DOCUMENTS)
    assert set(BUDGETS["shapes"]) == set(SHAPES)


def test_the_number_of_queries_is_within_budget_and_does_not_grow(
    cast: Cast, subtests: pytest.Subtests, settings: Any
) -> None:
    settings.GRAPHQL_MAX_OBJECTS = 1_000_000  # what grows here is the answer
    stage = make_stage(cast.shoes)
    client = client_of(cast.robot)
    run(client, "viewer")  # from now on the token is remembered, and made sure of by the first statement
    _crowd(stage, FEW)
    few = _run_all(client, stage)
    _crowd(stage, MANY)
    many = _run_all(client, stage)

    for name, budget in (OPERATIONS | BUDGETS["shapes"]).items():
        with subtests.test(name):
            statements = many[name].statements
            assert (few[name].answer.errors, many[name].answer.errors) == ([], [])
            assert len(statements) == len(few[name].statements), "\n".join(statements)
            assert len(statements) <= budget, "\n".join(statements)
