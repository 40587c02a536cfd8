"""Whatever argument takes an id: that of another account's thing is refused, tells nothing and changes nothing.

The arguments are found in the schemas. A new one must be named here: as an id, or as none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from portal.graphql.reference import Operation, operations
from tests.base import Caller, Cast, client_of, snapshot, undone
from tests.factories import ApiAccountFactory
from tests.hostile.test_wrong_types import changed, places
from tests.isolation.victim import MARK, Victim, make_victim, texts_in
from tests.operations import run
from tests.stage import VARIABLES, Stage, make_stage

pytestmark = pytest.mark.usefixtures("registers")

#: By argument, or by operation and argument: what names a thing of the account's.
IDS: dict[str, Callable[[Victim], str]] = {
    "tenantId": lambda victim: victim.tenant.pk,
    "input.tenantId": lambda victim: victim.tenant.pk,
    "pixelId": lambda victim: victim.pixel.pixel_id,
    "pixelIds": lambda victim: victim.pixel.pixel_id,
    "input.pixelId": lambda victim: victim.pixel.pixel_id,
    "input.pixelIds": lambda victim: victim.pixel.pixel_id,
    "id": lambda victim: victim.pixel.pixel_id,
    "pipeline.id": lambda victim: victim.pipeline_id,
    "deletePipeline.id": lambda victim: victim.pipeline_id,
    "updatePipeline.input.id": lambda victim: victim.pipeline_id,
    "input.pipelineId": lambda victim: victim.pipeline_id,
    "pipelineId": lambda victim: victim.pipeline_id,
    "destinationId": lambda victim: victim.destination_id,
    "input.destinationId": lambda victim: victim.destination_id,
    "dataSourceId": lambda victim: victim.source.source_id,
    "updateGatewayPixelConfig.pixelId": lambda victim: victim.source.source_id,
    "updateDataSource.input.id": lambda victim: victim.source.source_id,
    "dataSourceMutations-deleteDataSource.id": lambda victim: victim.source.source_id,
    "deleteDataDestination.id": lambda victim: victim.destination_id,
    "input.id": lambda victim: victim.destination_id,
    "dataSourceIds": lambda victim: victim.source.source_id,
    "destinationIds": lambda victim: victim.destination_id,
    "replayDestinationDeadLetter.id": lambda victim: str(victim.rows["events.DestinationLetter"].pk),
    "replayDeadLetter.id": lambda victim: str(victim.letter.pk),
    "input.userId": lambda victim: str(victim.member.pk),
    "input.roleName": lambda victim: f"advertiser-view-{victim.tenant.pk}",
    "input.roleToAdd": lambda victim: f"advertiser-admin-{victim.tenant.pk}",
    "input.roleToRevoke": lambda victim: f"advertiser-view-{victim.tenant.pk}",
    "sendInvitation.input.email": lambda victim: victim.invited.email,
}
#: What finds things: of one's own, whatever it says.
SEARCHES: dict[str, Callable[[Victim], str]] = {
    "tenants.after": lambda victim: victim.cursor("tenants"),
    "deliveries.after": lambda victim: victim.cursor("deliveries"),
    "deadLetters.after": lambda victim: victim.cursor("deadLetters"),
    "destinationDeadLetters.after": lambda victim: victim.cursor("destinationDeadLetters"),
    "incidents.after": lambda victim: victim.cursor("incidents"),
    "search": lambda victim: victim.tenant.name,
    "eventName": lambda victim: victim.letter.event_name,
    "eventId": lambda victim: victim.letter.event_id,
    "website": lambda victim: f"{MARK}.example.com",
}
#: Values of one's own choice.
NO_IDS = {
    *("input.readOnly", "input.expiresAt", "input.overlapHours", "input.password", "expireWithinDays"),
    *("first", "status", "outcome", "road", "since", "until", "timeWindowMin", "replaceOthers", "input"),
    *(
        "open",
        "rule",
        "input.timeZone",
        "input.quietFrom",
        "input.quietUntil",
        "input.severeAtOnce",
        "input.digestHour",
    ),
    *("input.name", "input.status", "input.canPartnerManage", "input.eventEnrichment", "input.adminEmail"),
    *("input.businessId", "input.externalId", "input.accessToken", "input.apiVersion", "input.filterState"),
    *("name", "pipelineName", "businessId", "accessToken", "apiVersion", "externalId", "createOB", "dataSourceType"),
    *("input.active", "input.type", "input.dataSourceType", "input.destinationType", "input.filterStatus"),
    *("input.blockedEventTypes", "input.destinationFilterBlockedEventTypes", "input.metaDatasetId", "input.updateOB"),
    *("config", "config.enabledStatus", "config.enableAam", "config.enableFirstPartyCookie", "config.aamFields"),
    *("config.enableAutomaticForkMetaPixelEvent", "config.enableContactDataHash", "config.customIntegrityScript"),
    *("input.endpoint", "input.httpMethod", "input.authType", "input.payloadSchema"),
    *("input.apiKeyAuth", "input.apiKeyAuth.name", "input.apiKeyAuth.value", "input.apiKeyAuth.addTo"),
    *("input.basicAuth", "input.basicAuth.credentials", "input.clientCredentialsAuth"),
    *("input.clientCredentialsAuth.authEndpoint", "input.clientCredentialsAuth.httpMethod"),
    *("input.clientCredentialsAuth.clientId", "input.clientCredentialsAuth.clientSecret", "input.jsonWebTokenAuth"),
    *("input.jsonWebTokenAuth.serviceUserAccount", "input.jsonWebTokenAuth.privateKey"),
    *("input.eventName", "input.domain", "input.ingress", "input.targetDomain", "input.userType"),
    # People may belong to several accounts: whose address one knows, one may invite.
    "addUserWithRole.input.email",
}
OPERATIONS = {operation.name: operation for operation in operations()}
#: What the host may do with every account (the permission table), and what is about none, whatever it names.
OPEN_TO_HOST = {
    *("tenant.tenantId", "tenantUsage.tenantId", "deleteTenant.tenantId"),
    "sendInvitation:host.input.tenantId",
    *("createApiAccount.input.tenantId", "updateApiAccount.input.tenantId"),
}


def named(operation: Operation, path: tuple[str, ...], table: Any) -> str | None:
    """The name under which the table has the argument."""
    argument = ".".join(path)
    return next((name for name in (f"{operation.name}.{argument}", argument) if name in table), None)


def test_every_argument_is_known_as_an_id_or_as_none() -> None:
    used = set()
    for operation in operations():
        for path, _ in places(operation):
            names = [name for table in (IDS, SEARCHES, NO_IDS) if (name := named(operation, path, table))]
            assert names, f"say in {__file__} whether {operation.name}'s {'.'.join(path)} is an id"
            used.update(names)

    assert used == {*IDS, *SEARCHES, *NO_IDS}


def attempts(stage: Stage, victim: Victim, table: dict[str, Callable[[Victim], str]]) -> list[Any]:
    """Every operation of one's own account with one argument that is the other's: name, operation, variables, value."""
    found = []
    for variant, make in VARIABLES.items():
        operation = OPERATIONS[variant.partition(":")[0]]
        for path, type_ in places(operation):
            name = named(operation, path, table)
            if name is None:
                continue
            value: Any = table[name](victim)
            if str(type_).startswith("["):
                value = [value]
            found.append((f"{variant}.{'.'.join(path)}", operation.name, changed(make(stage), path, value)))
    return found


def _caller(cast: Cast, name: str) -> Caller:
    """Somebody of the cast, or a key for Shoes alone."""
    return ApiAccountFactory.create(name="Bound", tenant=cast.shoes) if name == "bound" else getattr(cast, name)


@pytest.mark.parametrize("attacker", ["ada", "milo", "robot", "bound"])
def test_an_id_of_another_account_is_refused_and_tells_and_changes_nothing(cast: Cast, attacker: str) -> None:
    """Ada is the admin of Shoes, to which the key is bound; to the others, the host's, the other account is closed."""
    stage, victim = make_stage(cast.shoes), make_victim()
    client, before = client_of(_caller(cast, attacker)), snapshot()
    by_host = attacker not in ("ada", "bound")
    tried = 0
    for name, operation, variables in attempts(stage, victim, IDS):
        if by_host and name in OPEN_TO_HOST:
            continue
        with undone():
            answer = run(client, operation, **variables)

            assert answer.errors, (name, answer.body)
            assert {error["extensions"]["code"] for error in answer.errors} <= {400, 401, 404}, (name, answer.errors)
            assert answer.data is None, (name, answer.body)
            assert snapshot() == before, name
        assert victim.found_in(json.dumps(answer.body), *texts_in(variables), by_host=by_host) == [], (
            name,
            answer.body,
        )
        tried += 1
    assert tried > 40


@pytest.mark.parametrize("attacker", ["ada", "bound"])
def test_a_search_finds_nothing_of_another_account(cast: Cast, attacker: str) -> None:
    stage, victim = make_stage(cast.shoes), make_victim()
    client, before = client_of(_caller(cast, attacker)), snapshot()
    for name, operation, variables in attempts(stage, victim, SEARCHES):
        answer = run(client, operation, **variables)

        assert answer.errors == [], (name, answer.body)
        assert victim.found_in(json.dumps(answer.body)) == [], (name, answer.body)
    assert snapshot() == before


@pytest.mark.parametrize("attacker", ["olaf", "vic", "bound"])
def test_no_operation_on_ones_own_account_tells_of_another(cast: Cast, attacker: str) -> None:
    stage, victim = make_stage(cast.shoes), make_victim()
    client = client_of(_caller(cast, attacker))
    for variant, make in VARIABLES.items():
        with undone():
            answer = run(client, variant.partition(":")[0], **make(stage))

        assert victim.found_in(json.dumps(answer.body)) == [], (variant, answer.body)
