"""A document for every operation of both schemas, each asking for all that the operation can answer."""

from __future__ import annotations

from typing import Any

from tests import signals
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
  activity { id name receivedCount publishedCount lastUpdated byRoad { ...roads } }
  domainActivity { id domainName receivedCount publishedCount byRoad { ...roads } }
  byRoad(road: $road) { ...roads }
}
fragment roads on RoadActivity { road receivedCount publishedCount publishSuccessRate }"""
DELIVERY = """
fragment delivery on Delivery {
  id pixelId destinationId at outcome eventName eventId eventTime receivedAt enriched website road detail code
  changes { field code explanation }
  explanation traceId
}"""
DEAD_LETTER = """
fragment deadLetter on DeadLetter {
  id eventName eventId website road event code explanation message traceId receivedAt failedAt
}"""


REGISTRATION = """
fragment registration on PixelRegistration {
  id pixelId state endpoint toldAt nextAttemptAt code message explanation
}"""


def _mutation(arguments: str, group: str, operation: str, fragments: str = "") -> str:
    return f"mutation({arguments}) {{ {group} {{ {operation} }} }} {fragments}"


def _capig_query(operation: str, arguments: str = "", fragments: str = "") -> str:
    return f"query($tenantId: ID!{arguments}) {{ tenantQueries(tenantId: $tenantId) {{ {operation} }} }} {fragments}"


def _capig_mutation(arguments: str, operation: str, fragments: str = "") -> str:
    return _mutation(f"$tenantId: ID!, {arguments}", "tenantMutations(tenantId: $tenantId)", operation, fragments)


def _of_destination(operation: str, answer: str) -> str:
    return _capig_mutation("$destinationId: ID!", f"{operation}(destinationId: $destinationId) {{ {answer} }}")


def _signal_mutation(arguments: str, operation: str, fragments: str = "") -> str:
    return _capig_mutation(arguments, f"signalMutations {{ {operation} }}", fragments)


API_ACCOUNT = """
fragment key on ApiAccount {
  name readOnly tenantId expiresAt createdAt formerSecretUntil lastUsedAt lastUsedFrom
}"""


SCHEDULE = """
fragment schedule on AlertSchedule { tenantId timeZone quietFrom quietUntil severeAtOnce digestHour }"""


INCIDENT = """
fragment incident on Incident {
  id rule tenantId pixelId destinationId title what remedy link openedAt updatedAt closedAt
}"""


def _api_account_mutation(declared: str, call: str, fragment: str = API_ACCOUNT) -> str:
    return f"mutation({declared}) {{ apiAccountMutations {{ {call} }} }}{fragment}"


HUB_DOCUMENTS = {
    "apiAccounts": "query($expireWithinDays: Int) { apiAccounts(expireWithinDays: $expireWithinDays) { ...key } }"
    + API_ACCOUNT,
    "createApiAccount": _api_account_mutation(
        "$input: CreateApiAccountInput!", "createApiAccount(input: $input) { apiAccount { ...key } clientSecret }"
    ),
    "updateApiAccount": _api_account_mutation(
        "$input: UpdateApiAccountInput!", "updateApiAccount(input: $input) { apiAccount { ...key } }"
    ),
    "rotateApiAccount": _api_account_mutation(
        "$input: RotateApiAccountInput!", "rotateApiAccount(input: $input) { apiAccount { ...key } clientSecret }"
    ),
    "deleteApiAccount": _api_account_mutation("$name: String!", "deleteApiAccount(name: $name)", ""),
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
    "incidents": """
        query($tenantId: ID, $open: Boolean, $rule: IncidentRule, $first: Int, $after: String) {
          incidents(tenantId: $tenantId, open: $open, rule: $rule, first: $first, after: $after) {
            edges { node { ...incident } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          }
        }"""
    + INCIDENT,
    "alertSchedule": "query($tenantId: ID!) { alertSchedule(tenantId: $tenantId) { ...schedule } }" + SCHEDULE,
    "updateAlertSchedule": """
        mutation($input: UpdateAlertScheduleInput!) { updateAlertSchedule(input: $input) { ...schedule } }"""
    + SCHEDULE,
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
        ", $pixelIds: [String!], $timeWindowMin: Int, $road: Road",
        METRICS,
    ),
    "deliveries": _capig_query(
        """deliveries(
          pixelId: $pixelId, destinationId: $destinationId, outcome: $outcome, road: $road, eventName: $eventName,
          eventId: $eventId, website: $website, since: $since, until: $until, first: $first, after: $after
        ) {
          edges { node { ...delivery } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }""",
        ", $pixelId: String, $destinationId: ID, $outcome: DeliveryOutcome, $road: Road, $eventName: String"
        ", $eventId: String, $website: String, $since: String, $until: String, $first: Int, $after: String",
        DELIVERY,
    ),
    "deadLetters": _capig_query(
        """deadLetters(pixelId: $pixelId, road: $road, first: $first, after: $after) {
          edges { node { ...deadLetter } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }""",
        ", $pixelId: String!, $road: Road, $first: Int, $after: String",
        DEAD_LETTER,
    ),
    "eventDeduplication": _capig_query(
        """eventDeduplication(pixelId: $pixelId) {
          id eventName browserCount serverCount idsOnBothCount share margin
          findings { kind count lastAt examples { eventId road } explanation remedy }
        }""",
        ", $pixelId: String!",
    ),
    "intakeRefusals": _capig_query(
        """intakeRefusals(pixelId: $pixelId) {
          counts { field reason explanation letIn requestCount browserRequestCount eventCount lastHour }
          lastRequests { id at road field reason explanation eventCount sample }
        }""",
        ", $pixelId: String!",
    ),
    "registrations": _capig_query(
        "registrations(pixelIds: $pixelIds) { ...registration }", ", $pixelIds: [String!]", REGISTRATION
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
    "dataSourceFigures": _capig_query(
        """dataSourceFigures(dataSourceIds: $dataSourceIds, timeWindowMin: $timeWindowMin) {
          dataSourceId receivedCount browserReceivedCount droppedReceivingOffCount
        }""",
        ", $dataSourceIds: [ID!], $timeWindowMin: Int",
    ),
    "dataSourceActivity": _capig_query(
        """dataSourceActivity(dataSourceId: $dataSourceId, timeWindowMin: $timeWindowMin) {
          name receivedCount browserReceivedCount droppedReceivingOffCount
          lacksContactCount lacksBrowserIdCount lacksIpAddressCount lacksEventIdCount lacksValueCount
        }""",
        ", $dataSourceId: ID!, $timeWindowMin: Int",
    ),
    "destinationFigures": _capig_query(
        """destinationFigures(destinationIds: $destinationIds, timeWindowMin: $timeWindowMin) {
          destinationId receivedCount publishedCount failedCount expiredCount droppedByEventFilterCount
          droppedByDomainFilterCount droppedPublishingOffCount publishErrorCount
          byRoad { road receivedCount publishedCount publishSuccessRate }
          held retryAt code message lastPublished hasWaiting
        }""",
        ", $destinationIds: [ID!], $timeWindowMin: Int",
    ),
    "destinationDeadLetters": _capig_query(
        """destinationDeadLetters(destinationId: $destinationId, road: $road, first: $first, after: $after) {
          edges { node {
            id dataSourceId eventName eventId website road event code message traceId receivedAt failedAt
          } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }""",
        ", $destinationId: ID!, $road: Road, $first: Int, $after: String",
    ),
    "replayDestinationDeadLetter": _capig_mutation(
        "$id: ID!", "replayDestinationDeadLetter(id: $id) { replayedCount }"
    ),
    "replayDestinationDeadLetters": _of_destination("replayDestinationDeadLetters", "replayedCount"),
    "holdDestination": _of_destination("holdDestination", "held"),
    "resumeDestination": _of_destination("resumeDestination", "held"),
    "registerPixels": _capig_mutation(
        "$pixelIds: [String!], $replaceOthers: Boolean",
        "registerPixels(pixelIds: $pixelIds, replaceOthers: $replaceOthers) { registeredCount }",
    ),
    "unregisterPixel": _capig_mutation("$pixelId: String!", "unregisterPixel(pixelId: $pixelId) { success }"),
    "updateEventFilter": _capig_mutation(
        "$input: UpdateEventFilterInput!",
        "updateEventFilter(input: $input) { updatedFilter { id eventName pixelId filterState } }",
    ),
    "updateDomainFilter": _capig_mutation(
        "$input: UpdateDomainFilterInput!",
        "updateDomainFilter(input: $input) { updatedFilter { id domain pixelId filterState } }",
    ),
}
CAPIG_DOCUMENTS |= signals.DOCUMENTS
DOCUMENTS = HUB_DOCUMENTS | CAPIG_DOCUMENTS


def run(caller: Caller, operation: str, **variables: Any) -> Answer:
    """Run the operation as the caller."""
    endpoint = HUB if operation in HUB_DOCUMENTS else CAPIG
    return graphql(caller, endpoint, DOCUMENTS[operation], variables)
