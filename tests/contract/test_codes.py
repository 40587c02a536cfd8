"""The error codes that the reference documents for each operation, both as HTTP status and in the error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection

from tests import signals
from tests.base import Cast, client_of, snapshot
from tests.operations import run
from tests.stage import VARIABLES, Stage, make_stage

#: The variant that each documented operation is run with, and the codes beside success that it documents.
DOCUMENTED = {
    "createTenant:managed": {400, 401, 500},
    "tenant": {401, 500},
    "updateTenant:name": {400, 401, 500},
    "deleteTenant": {400, 401, 500},
    "tenantUsage": {401, 500},
    "setupPixelSignalConfig:new": {400, 401, 500},
    "deleteDataSource": {401, 404, 500},
    "updateSignalConfigEventsStatus": {401, 500},
    "updateSignalConfigCapiPublish": {401, 500},
    "updateEventFilter:one-pixel": {401, 500},
    "updateDomainFilter:one-pixel": {401, 500},
    **{variant: {401, 500} for variant in VARIABLES if variant.partition(":")[0] in signals.DOCUMENTS},
}


def _with_input(variant: str, **fields: Any) -> Callable[[Stage], dict[str, Any]]:
    def variables(stage: Stage) -> dict[str, Any]:
        good = VARIABLES[variant](stage)
        return {**good, "input": {**good["input"], **fields}}

    return variables


def _with(argument: str, value: str) -> Callable[[Stage], dict[str, Any]]:
    return lambda stage: {"tenantId": stage.tenant.pk, argument: value}


BAD_INPUT: dict[str, Callable[[Stage], dict[str, Any]]] = {
    "createTenant:managed": _with_input("createTenant:managed", canPartnerManage=False),
    "updateTenant:name": _with_input("updateTenant:name", status=7),
    "deleteTenant": lambda stage: {"tenantId": None},
    "setupPixelSignalConfig:new": _with_input("setupPixelSignalConfig:new", pixelId="no digits"),
}
MISSING: dict[str, Callable[[Stage], dict[str, Any]]] = {
    "deleteDataSource": lambda stage: {"tenantId": stage.tenant.pk, "id": "404"},
    # Ours: the reference names none, and another account's pixel must not be told from one that is not there.
    "updateSignalConfigEventsStatus": lambda stage: {**VARIABLES["updateSignalConfigEventsStatus"](stage), "id": "404"},
    "updateSignalConfigCapiPublish": lambda stage: {**VARIABLES["updateSignalConfigCapiPublish"](stage), "id": "404"},
    # Of pipelines 404 is documented "as everywhere".
    **{name: _with("id", "sg_v1_pl_404") for name in ("pipeline", "deletePipeline")},
    **{name: _with("id", "404") for name in ("dataSourceMutations-deleteDataSource", "deleteDataDestination")},
    **{name: _with_input(name, id="404") for name in ("updatePipeline", "updateDataSource", "updateDataDestination")},
    "updateDataDestinationCapiConfig": _with_input("updateDataDestinationCapiConfig", id="404"),
    "updateDataDestinationHttpConfig": _with_input("updateDataDestinationHttpConfig", id="404"),
    "updatePipelineFilter": _with_input("updatePipelineFilter", pipelineId="404"),
    "updatePipelineDestinationFilter": _with_input("updatePipelineDestinationFilter", destinationId="404"),
    "createDataDestination": _with_input("createDataDestination", pipelineId="404"),
    "createGatewayPixelHeaderCode": _with("dataSourceId", "404"),
    "updateGatewayPixelConfig": _with("pixelId", "404"),
}


def test_the_tables_below_cover_what_is_documented() -> None:
    assert {name for name, codes in DOCUMENTED.items() if 400 in codes} == set(BAD_INPUT)
    assert {name for name, codes in DOCUMENTED.items() if 404 in codes} <= set(MISSING)


@pytest.mark.parametrize("variant", BAD_INPUT)
def test_bad_input_is_400(cast: Cast, variant: str) -> None:
    _assert_refused(cast, variant, BAD_INPUT[variant], 400)


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_not_allowed_is_401(cast: Cast, variant: str) -> None:
    stage = make_stage(cast.shoes)

    answer = run(cast.olaf, variant.partition(":")[0], **VARIABLES[variant](stage))

    assert answer.refused(401)


@pytest.mark.parametrize("variant", MISSING)
def test_not_there_is_404(cast: Cast, variant: str) -> None:
    _assert_refused(cast, variant, MISSING[variant], 404)


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_our_fault_is_500_with_an_id_and_nothing_internal(
    cast: Cast, variant: str, caplog: pytest.LogCaptureFixture
) -> None:
    variables = VARIABLES[variant](make_stage(cast.shoes))
    client = client_of(cast.robot)
    before = snapshot()

    with _broken_database():
        answer = run(client, variant.partition(":")[0], **variables)

    assert answer.refused(500)
    assert "disk" not in str(answer.body)
    (error_id,) = re.findall(r"[0-9a-f]{16}", answer.message)
    assert error_id in caplog.text
    assert snapshot() == before


@contextmanager
def _broken_database() -> Iterator[None]:
    """Accounts can be neither read nor written; signing in still works."""

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "accounts_tenant" in sql:
            raise DatabaseError("the disk of db7.internal is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


def _assert_refused(cast: Cast, variant: str, variables: Callable[[Stage], dict[str, Any]], code: int) -> None:
    stage = make_stage(cast.shoes)
    client = client_of(cast.robot)
    before = snapshot()

    answer = run(client, variant.partition(":")[0], **variables(stage))

    assert answer.refused(code), (answer.status, answer.body)
    assert snapshot() == before
