"""The stage for a run of any operation: an account with something of everything, and variables that aim at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Membership, RoleLevel, Tenant, User
from alerts.models import Incident, RuleName
from events.models import DeadLetter, DestinationLetter, Registration
from pipelines import ids
from pipelines.models import Destination, DestinationType, Pipeline, Source
from pixels.models import Pixel
from tests.base import person
from tests.factories import (
    ApiAccountFactory,
    DeadLetterFactory,
    DeliveryFactory,
    DestinationLetterFactory,
    DomainFilterFactory,
    EventFilterFactory,
    IngressDomainFactory,
    InvitationFactory,
    OutboxRowFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    PixelFactory,
)


@dataclass(frozen=True)
class Stage:
    """An account, its pixel, and people who are there to be invited, changed and removed."""

    tenant: Tenant
    pixel: Pixel
    dead_letter: DeadLetter
    member: User
    invited_member: str
    invited_admin: str
    host_member: User
    invited_host_member: str
    pipeline: Pipeline
    source: Source
    #: An HTTP destination, and one at Meta.
    destination: Destination
    data_set: Destination
    api_account: str
    destination_letter: DestinationLetter

    @property
    def pipeline_id(self) -> str:
        """As the API has it."""
        return ids.id_of(ids.PIPELINE, self.pipeline.uuid)

    @property
    def destination_id(self) -> str:
        """As the API has it."""
        return ids.id_of(ids.DESTINATION, self.destination.uuid)

    @property
    def data_set_id(self) -> str:
        """The id of the destination at Meta, as the API has it."""
        return ids.id_of(ids.DESTINATION, self.data_set.uuid)


def make_stage(tenant: Tenant) -> Stage:
    """Fill the account."""
    pixel = PixelFactory.create(tenant=tenant)
    EventFilterFactory.create(tenant=tenant, event_name="Lead")
    EventFilterFactory.create(pixel=pixel, event_name="Purchase")
    DomainFilterFactory.create(tenant=tenant, domain="blocked.example.com")
    DomainFilterFactory.create(pixel=pixel, domain="other.example.com")
    IngressDomainFactory.create(tenant=tenant)
    DeliveryFactory.create(pixel=pixel)
    Incident.objects.create(tenant=tenant, pixel=pixel, rule=RuleName.TOKEN, subject=f"pixel {pixel.pixel_id}")
    OutboxRowFactory.create(pixel=pixel)
    # Made already where the instance registers pixels.
    refused = {"state": Registration.State.REFUSED, "code": "200", "message": "(#200) Permissions error"}
    Registration.objects.update_or_create(pixel=pixel, defaults=refused)
    pipeline = PipelineFactory.create(tenant=tenant, blocked_event_types=["Lead"])
    place = PipelineDestinationFactory.create(pipeline=pipeline)
    data_set = PipelineDestinationFactory.create(
        pipeline=pipeline,
        destination__type=DestinationType.META_CONVERSIONS_API,
        destination__settings={"dataSetId": "18904456377094531"},
    )
    return Stage(
        pipeline=pipeline,
        source=PipelineSourceFactory.create(pipeline=pipeline).source,
        destination=place.destination,
        data_set=data_set.destination,
        api_account=ApiAccountFactory.create().name,
        destination_letter=DestinationLetterFactory.create(destination=place.destination),
        tenant=tenant,
        pixel=pixel,
        dead_letter=DeadLetterFactory.create(pixel=pixel),
        member=person("pam", tenant, RoleLevel.VIEW),
        invited_member=_invited("ines", tenant, RoleLevel.VIEW),
        invited_admin=_invited("ivan", tenant, RoleLevel.ADMIN),
        host_member=person("hugo", None, RoleLevel.VIEW),
        invited_host_member=_invited("irma", None, RoleLevel.VIEW),
    )


def _invited(name: str, tenant: Tenant | None, level: RoleLevel) -> str:
    invitation = InvitationFactory.create(
        membership__user__email=f"{name}@example.com", membership__tenant=tenant, membership__level=level
    )
    membership: Membership = invitation.membership
    return membership.user.email


#: Of the host's admin, where an operation asks for it.
PASSWORD = "correct horse battery staple"

Variables = Callable[[Stage], dict[str, Any]]


def _of_tenant(stage: Stage) -> dict[str, Any]:
    return {"tenantId": stage.tenant.pk}


def _new_tenant(**fields: Any) -> Variables:
    return lambda stage: {"input": {"name": "New", "eventEnrichment": False, **fields}}


def _tenant_update(**fields: Any) -> Variables:
    return lambda stage: {"input": {"tenantId": stage.tenant.pk, **fields}}


def _other_status(stage: Stage) -> dict[str, Any]:
    return {"input": {"tenantId": stage.tenant.pk, "status": 0 if stage.tenant.status else 2}}


def _other_partner_access(stage: Stage) -> dict[str, Any]:
    return {"input": {"tenantId": stage.tenant.pk, "canPartnerManage": not stage.tenant.can_partner_manage}}


def _of_pixel(**fields: Any) -> Variables:
    return lambda stage: {"tenantId": stage.tenant.pk, "id": stage.pixel.pixel_id, **fields}


def _for_pixel(stage: Stage) -> dict[str, Any]:
    return {"tenantId": stage.tenant.pk, "pixelId": stage.pixel.pixel_id}


def _connection(pixel_id: Callable[[Stage], str]) -> Variables:
    return lambda stage: {
        "tenantId": stage.tenant.pk,
        "input": {
            "businessId": "1",
            "pixelId": pixel_id(stage),
            "accessToken": "a-new-token",
            "externalId": "",
            "name": "Checkout",
        },
    }


def _filter(name: str, value: str, *, one_pixel: bool) -> Variables:
    def variables(stage: Stage) -> dict[str, Any]:
        pixel_ids = {"pixelIds": [stage.pixel.pixel_id]} if one_pixel else {}
        return {"tenantId": stage.tenant.pk, "input": {name: value, "filterState": "DROP", **pixel_ids}}

    return variables


def _role(level: str, stage: Stage) -> str:
    return f"advertiser-{level}-{stage.tenant.pk}"


def _invitation(email: Callable[[Stage], str]) -> Variables:
    return lambda stage: {"input": {"email": email(stage), "tenantId": stage.tenant.pk, "userType": "ADVERTISER"}}


def _with(**fields: Any) -> Variables:
    """The account and the fields, of which functions tell what the stage has."""

    def variables(stage: Stage) -> dict[str, Any]:
        made = {name: value(stage) if callable(value) else value for name, value in fields.items()}
        return {"tenantId": stage.tenant.pk, **made}

    return variables


def _with_input(**fields: Any) -> Variables:
    def variables(stage: Stage) -> dict[str, Any]:
        made = _with(**fields)(stage)
        return {"tenantId": made.pop("tenantId"), "input": made}

    return variables


def _pipeline(stage: Stage) -> str:
    return stage.pipeline_id


def _pipeline_of_pixel(stage: Stage) -> str:
    return ids.id_of_pixel(ids.PIPELINE, stage.pixel.pixel_id)


def _pixel_id(stage: Stage) -> str:
    return stage.pixel.pixel_id


def _source(stage: Stage) -> str:
    return stage.source.source_id


def _destination(stage: Stage) -> str:
    return stage.destination_id


_PIXEL = {"businessId": "1", "accessToken": "a-new-token", "externalId": ""}

#: What each variant of each operation is run with; a variant's name follows the operation's after a colon.
VARIABLES: dict[str, Variables] = {
    "tenant": _of_tenant,
    "tenantUsage": _of_tenant,
    "ingressDomain": _of_tenant,
    "tenants": lambda stage: {},
    "viewer": lambda stage: {},
    "incidents": _of_tenant,
    "alertSchedule": _of_tenant,
    "updateAlertSchedule": lambda stage: {
        "input": {"tenantId": stage.tenant.pk, "timeZone": "Asia/Tokyo", "quietFrom": "22:00", "quietUntil": "07:30"}
    },
    "incidents:all": lambda stage: {},
    "apiAccounts": lambda stage: {},
    "createApiAccount": lambda stage: {"input": {"name": "New", "readOnly": True, "password": PASSWORD}},
    "updateApiAccount": lambda stage: {"input": {"name": stage.api_account, "readOnly": True}},
    "rotateApiAccount": lambda stage: {"input": {"name": stage.api_account, "password": PASSWORD}},
    "deleteApiAccount": lambda stage: {"name": stage.api_account},
    "createTenant:managed": _new_tenant(canPartnerManage=True),
    "createTenant:own": _new_tenant(canPartnerManage=False, adminEmail="new@example.com"),
    "updateTenant:name": _tenant_update(name="Renamed"),
    "updateTenant:eventEnrichment": _tenant_update(eventEnrichment=True),
    "updateTenant:status": _other_status,
    "updateTenant:canPartnerManage": _other_partner_access,
    "deleteTenant": _of_tenant,
    "upsertIngressDomain": lambda stage: {
        "tenantId": stage.tenant.pk,
        "input": {"ingress": "new.example.com", "targetDomain": "gateway.example.net"},
    },
    "addUserWithRole:account": lambda stage: {"input": {"email": "new@example.com", "roleName": _role("view", stage)}},
    "addUserWithRole:host": lambda stage: {"input": {"email": "new@example.com", "roleName": "agency-view"}},
    "changeRoleForUser:change": lambda stage: {
        "input": {
            "userId": str(stage.member.pk),
            "roleToRevoke": _role("view", stage),
            "roleToAdd": _role("manage", stage),
        }
    },
    "changeRoleForUser:revoke": lambda stage: {
        "input": {"userId": str(stage.member.pk), "roleToRevoke": _role("view", stage)}
    },
    "changeRoleForUser:make-host": lambda stage: {
        "input": {"userId": str(stage.member.pk), "roleToAdd": "agency-view"}
    },
    "changeRoleForUser:host": lambda stage: {
        "input": {
            "userId": str(stage.host_member.pk),
            "roleToRevoke": "agency-view",
            "roleToAdd": "agency-manage",
        }
    },
    "changeRoleForUser:host-revoke": lambda stage: {
        "input": {"userId": str(stage.host_member.pk), "roleToRevoke": "agency-view"}
    },
    "sendInvitation:admin": _invitation(lambda stage: stage.invited_admin),
    "sendInvitation:member": _invitation(lambda stage: stage.invited_member),
    "sendInvitation:host": lambda stage: {"input": {"email": stage.invited_host_member, "userType": "AGENCY"}},
    "account": _of_tenant,
    "eventMetrics": _of_tenant,
    "deliveries": _for_pixel,
    "deadLetters": _for_pixel,
    "eventDeduplication": _for_pixel,
    "intakeRefusals": _for_pixel,
    "replayDeadLetter": lambda stage: {"tenantId": stage.tenant.pk, "id": str(stage.dead_letter.pk)},
    "replayDeadLetters": _for_pixel,
    "dataSourceFigures": _with(dataSourceIds=lambda stage: [stage.source.source_id]),
    "dataSourceActivity": _with(dataSourceId=lambda stage: stage.source.source_id),
    "destinationFigures": _with(destinationIds=lambda stage: [stage.destination_id]),
    "destinationDeadLetters": _with(destinationId=lambda stage: stage.destination_id),
    "replayDestinationDeadLetter": _with(id=lambda stage: str(stage.destination_letter.pk)),
    "replayDestinationDeadLetters": _with(destinationId=lambda stage: stage.destination_id),
    "holdDestination": _with(destinationId=lambda stage: stage.destination_id),
    "resumeDestination": _with(destinationId=lambda stage: stage.destination_id),
    "registrations": _of_tenant,
    "registerPixels": lambda stage: {"tenantId": stage.tenant.pk, "pixelIds": [stage.pixel.pixel_id]},
    "unregisterPixel": _for_pixel,
    "eventFilters": _of_tenant,
    "domainFilters": _of_tenant,
    "setupPixelSignalConfig:new": _connection(lambda stage: "18904456377094531"),
    "setupPixelSignalConfig:again": _connection(lambda stage: stage.pixel.pixel_id),
    "deleteDataSource": _of_pixel(),
    "updateSignalConfigEventsStatus": _of_pixel(input={"status": 0}),
    "updateSignalConfigCapiPublish": _of_pixel(input={"status": 0}),
    "updateEventFilter:account-wide": _filter("eventName", "AddToCart", one_pixel=False),
    "updateEventFilter:one-pixel": _filter("eventName", "AddToCart", one_pixel=True),
    "updateDomainFilter:account-wide": _filter("domain", "example.com", one_pixel=False),
    "updateDomainFilter:one-pixel": _filter("domain", "example.com", one_pixel=True),
    "pipeline": _with(id=_pipeline),
    "pipeline:pixel": _with(id=_pipeline_of_pixel),
    "pipelines": _of_tenant,
    "dataSourcesQuery": _of_tenant,
    "dataDestinationsQuery": _of_tenant,
    "createPipeline": _with(name="Shop"),
    "createConversionApiGatewayPipeline:new": _with(**_PIXEL, pixelId="18904456377094531", pipelineName="Checkout"),
    "createConversionApiGatewayPipeline:again": _with(**_PIXEL, pixelId=_pixel_id),
    "updatePipeline": _with_input(id=_pipeline, name="Shop", active=False),
    "updatePipeline:pixel": _with_input(id=_pipeline_of_pixel, name="Shop", active=False),
    "deletePipeline": _with(id=_pipeline),
    "deletePipeline:pixel": _with(id=_pipeline_of_pixel),
    "updatePipelineFilter": _with_input(pipelineId=_pipeline, blockedEventTypes=["AddToCart"]),
    "updatePipelineFilter:pixel": _with_input(pipelineId=_pipeline_of_pixel, blockedEventTypes=["AddToCart"]),
    "updatePipelineDestinationFilter": _with_input(
        pipelineId=_pipeline, destinationId=_destination, blockedEventTypes=["AddToCart"]
    ),
    "createDataSourceForPipeline:new": _with(
        name="Website", dataSourceType="ADVERTISER_HOSTED_PIXEL", pipelineId=_pipeline
    ),
    "createDataSourceForPipeline:own-id": _with(
        name="Website", dataSourceType="ADVERTISER_HOSTED_PIXEL", pipelineId=_pipeline, dataSourceId="4711"
    ),
    "updateDataSource": _with_input(id=_source, name="Website", active=False),
    "updateDataSource:pixel": _with_input(id=_pixel_id, name="Website", active=False),
    "dataSourceMutations-deleteDataSource": _with(id=_source),
    "dataSourceMutations-deleteDataSource:pixel": _with(id=_pixel_id),
    "createGatewayPixelHeaderCode": _with(dataSourceId=_source),
    "updateGatewayPixelConfig": _with(pixelId=_source, config={"enableAam": True, "aamFields": ["em"]}),
    "createDataDestination": _with_input(name="Table", type="GOOGLE_BIGQUERY_API", pipelineId=_pipeline),
    "updateDataDestination": _with_input(id=_destination, name="Warehouse", active=False),
    "deleteDataDestination": _with(id=_destination),
    "updateDataDestinationCapiConfig": _with_input(
        id=lambda stage: stage.data_set_id, metaDatasetId="7", accessToken="a-new-token", businessId="1"
    ),
    "updateDataDestinationHttpConfig": _with_input(
        id=_destination,
        endpoint="https://example.com/events",
        httpMethod="POST",
        authType="API_KEY",
        payloadSchema="{{ events }}",
        apiKeyAuth={"name": "X-Api-Key", "value": "a-new-key", "addTo": "HEADER"},
    ),
}
