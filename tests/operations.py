"""A document for every operation of both schemas, each asking for all that the operation can answer."""

from __future__ import annotations

from typing import Any

from tests.base import CAPIG, HUB, Answer, Caller, graphql

ROLE = "fragment role on Role { name displayName tenantName }"
USAGE = """
fragment usage on TenantUsage {
  totalPixels totalActivePixels totalInactivePixels totalPipelines totalActivePipeline pixelIds
  tenantUsageByTraffic { totalEventsReceived totalPixelsWithTraffic publishError durationInHours lastUpdatedAt }
}"""
USER = (
    """
fragment user on User {
  id email status isSelf canBeDeleted defaultTenantId userExpiry
  roles { ...role }
  tenants { id name status canPartnerManage availableRoles { ...role } }
}"""
    + ROLE
)
TENANT = (
    """
fragment tenant on Tenant {
  id name status canPartnerManage eventEnrichment
  canEditTenantSettingsInUI canViewTenantInUI canEditTenantUsersInUI
  availableRoles { ...role }
  tenantUsage { ...usage }
  users { ...user }
}"""
    + USAGE
    + USER
)
ROUTING = """
fragment routing on IngressDomain {
  id tenantName ingress tenant1pDomain tenant1pDomainStatus cnameResolveSuccess
  enhancementTenantIngressVerifiedResult { id tenantIngressVerified }
}"""
CONNECTION = """
fragment connection on ConnectionStatus {
  id pixelID pixelName targetId accessTokenAvailable connected active eventBridgeActive publishingEnabled accessKey
  apiErrorCode badToken lastReceived totalEventsReceived lastPublished totalEventsPublished
}"""
SIGNAL = (
    """
fragment signal on SignalConfig { id domains connectionId dataSetType connectionStatus { ...connection } }
"""
    + CONNECTION
)
METRICS = """
fragment metrics on EventMetricsSnapshot {
  id
  incoming { id eventNamesCount eventsCount }
  outgoing { id eventNamesCount eventsCount publishSuccessRate }
  activity { id name receivedCount publishedCount lastUpdated }
  domainActivity { id domainName receivedCount publishedCount }
}"""
DELIVERY = """
fragment delivery on Delivery {
  id at outcome eventName eventId eventTime website detail code explanation traceId
}"""
DEAD_LETTER = """
fragment deadLetter on DeadLetter {
  id eventName eventId website event code explanation message traceId receivedAt failedAt
}"""


def _mutation(arguments: str, group: str, operation: str, fragments: str = "") -> str:
    return f"mutation({arguments}) {{ {group} {{ {operation} }} }} {fragments}"


def _capig_query(operation: str, arguments: str = "", fragments: str = "") -> str:
    return f"query($tenantId: ID!{arguments}) {{ tenantQueries(tenantId: $tenantId) {{ {operation} }} }} {fragments}"


def _capig_mutation(arguments: str, operation: str, fragments: str = "") -> str:
    return _mutation(f"$tenantId: ID!, {arguments}", "tenantMutations(tenantId: $tenantId)", operation, fragments)


def _signal_mutation(arguments: str, operation: str, fragments: str = "") -> str:
    return _capig_mutation(arguments, f"signalMutations {{ {operation} }}", fragments)


HUB_DOCUMENTS = {
    "tenant": "query($tenantId: String!) { tenant(tenantId: $tenantId) { ...tenant } }" + TENANT,
    "tenantUsage": "query($tenantId: String!) { tenantUsage(tenantId: $tenantId) { ...usage } }" + USAGE,
    "ingressDomain": "query($tenantId: ID!) { ingressDomain(tenantId: $tenantId) { ...routing } }" + ROUTING,
    "tenants": """
        query($first: Int, $after: String, $search: String, $status: Int) {
          tenants(first: $first, after: $after, search: $search, status: $status) {
            edges { node { ...tenant } cursor }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
          }
        }"""
    + TENANT,
    "viewer": "{ viewer { kind email apiAccount tenantIds } }",
    "createTenant": _mutation(
        "$input: CreateTenantInput!", "tenantMutations", "createTenant(input: $input) { tenant { ...tenant } }", TENANT
    ),
    "updateTenant": _mutation(
        "$input: UpdateTenantInput!", "tenantMutations", "updateTenant(input: $input) { tenant { ...tenant } }", TENANT
    ),
    "deleteTenant": _mutation("$tenantId: String!", "tenantMutations", "deleteTenant(tenantId: $tenantId)"),
    "addUserWithRole": _mutation(
        "$input: AddUserWithRoleInput!",
        "userMutations",
        "addUserWithRole(input: $input) { userAlreadyExist invitationLink user { ...user } }",
        USER,
    ),
    "changeRoleForUser": _mutation(
        "$input: ChangeRoleForUserInput!",
        "userMutations",
        "changeRoleForUser(input: $input) { user { ...user } }",
        USER,
    ),
    "sendInvitation": _mutation("$input: SendInvitationInput!", "userMutations", "sendInvitation(input: $input)"),
    "upsertIngressDomain": """
        mutation($tenantId: ID, $input: IngressDomainInput) {
          upsertIngressDomain(tenantId: $tenantId, input: $input) { ...routing }
        }"""
    + ROUTING,
}
CAPIG_DOCUMENTS = {
    "account": _capig_query(
        "account(timeWindowMin: $timeWindowMin) { name status signalConfigs { ...signal } }",
        ", $timeWindowMin: Int",
        SIGNAL,
    ),
    "eventMetrics": _capig_query(
        "eventMetrics(pixelIds: $pixelIds, timeWindowMin: $timeWindowMin) { ...metrics }",
        ", $pixelIds: [String!], $timeWindowMin: Int",
        METRICS,
    ),
    "deliveries": _capig_query(
        """deliveries(pixelId: $pixelId, outcome: $outcome, eventName: $eventName, first: $first, after: $after) {
          edges { node { ...delivery } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }""",
        ", $pixelId: String!, $outcome: DeliveryOutcome, $eventName: String, $first: Int, $after: String",
        DELIVERY,
    ),
    "deadLetters": _capig_query(
        """deadLetters(pixelId: $pixelId, first: $first, after: $after) {
          edges { node { ...deadLetter } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }""",
        ", $pixelId: String!, $first: Int, $after: String",
        DEAD_LETTER,
    ),
    "eventFilters": _capig_query(
        "eventFilters(pixelIds: $pixelIds) { id eventName pixelId filterState }", ", $pixelIds: [String!]"
    ),
    "domainFilters": _capig_query(
        "domainFilters(pixelIds: $pixelIds) { id domain pixelId filterState }", ", $pixelIds: [String!]"
    ),
    "setupPixelSignalConfig": _signal_mutation(
        "$input: PixelConnectionCreationInput!", "setupPixelSignalConfig(input: $input) { ...signal }", SIGNAL
    ),
    "deleteDataSource": _signal_mutation("$id: ID!", "deleteDataSource(id: $id)"),
    "updateSignalConfigEventsStatus": _signal_mutation(
        "$id: ID!, $input: SignalConfigStatusInput!",
        "updateSignalConfigEventsStatus(id: $id, input: $input) { success connectionStatus { ...connection } }",
        CONNECTION,
    ),
    "updateSignalConfigCapiPublish": _signal_mutation(
        "$id: ID!, $input: SignalConfigStatusInput!",
        "updateSignalConfigCapiPublish(id: $id, input: $input) { success connectionStatus { ...connection } }",
        CONNECTION,
    ),
    "replayDeadLetter": _capig_mutation("$id: ID!", "replayDeadLetter(id: $id) { replayedCount }"),
    "replayDeadLetters": _capig_mutation("$pixelId: String!", "replayDeadLetters(pixelId: $pixelId) { replayedCount }"),
    "updateEventFilter": _capig_mutation(
        "$input: UpdateEventFilterInput!",
        "updateEventFilter(input: $input) { updatedFilter { id eventName pixelId filterState } }",
    ),
    "updateDomainFilter": _capig_mutation(
        "$input: UpdateDomainFilterInput!",
        "updateDomainFilter(input: $input) { updatedFilter { id domain pixelId filterState } }",
    ),
}
DOCUMENTS = HUB_DOCUMENTS | CAPIG_DOCUMENTS


def run(caller: Caller, operation: str, **variables: Any) -> Answer:
    """Run the operation as the caller."""
    endpoint = HUB if operation in HUB_DOCUMENTS else CAPIG
    return graphql(caller, endpoint, DOCUMENTS[operation], variables)
