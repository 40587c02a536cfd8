"""A request for every operation that can be sent as it is, and the answer to expect: both made from the schema.

The document asks for everything that the operation can answer. Values that a sample shows are here, by name; a new
argument or field of the schemas needs one (a test says so).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    print_ast,
    print_schema,
)

from portal.graphql.reference import Operation

TENANT_ID = "hU2koC34"
PIXEL_ID = "18904456377094531"
USER_ID = "992bc489-a799-4374-8933-0109eed60e3d"

#: Nobody who tries these out may lose something: they name things that are not there, or that are new.
_NEVER_REAL = ("deleteTenant", "deleteDataSource", "setupPixelSignalConfig")


@dataclass(frozen=True, slots=True)
class Known:
    """What the samples are about: things of the signed-in person's where there are such, else made up."""

    tenant_id: str = TENANT_ID
    tenant_name: str = "Shoes"
    pixel_id: str = PIXEL_ID
    user_id: str = USER_ID
    user_level: str = "view"
    invited_email: str = "ada@example.com"
    dead_letter_id: str = "42"
    ingress: str = "events.example.com"
    target_domain: str = "gateway.example.com"
    api_version: str = "v24.0"


def sample_document(operation: Operation) -> str:
    """The operation with every argument as a variable, asking for every field; a type is not repeated inside itself."""
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in operation.arguments.items())
    selection = _selection(operation.path[-1][1].type)
    for name, field in reversed(operation.path):
        passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
        selection = f"{{ {name}{_in_brackets(passed)} {selection} }}"
    title = operation.name[:1].upper() + operation.name[1:]
    return print_ast(parse(f"{operation.kind} {title}{_in_brackets(declared)} {selection}"))


def _in_brackets(text: str) -> str:
    return f"({text})" if text else ""


def _selection(type_: GraphQLOutputType, around: tuple[str, ...] = ()) -> str:
    """Every field of the type, but for those of a type that it stands in; nothing for a plain value."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return ""
    around = (*around, named.name)
    fields = {name: field for name, field in named.fields.items() if get_named_type(field.type).name not in around}
    return f"{{ {' '.join(f'{name} {_selection(field.type, around)}' for name, field in fields.items())} }}"


def sample_variables(operation: Operation, known: Known) -> dict[str, Any]:
    """Values for the required arguments, and for those optional ones that say something."""
    if operation.name in _NEVER_REAL:
        tenant_id = TENANT_ID if operation.name == "deleteTenant" else known.tenant_id
        known = Known(tenant_id=tenant_id, api_version=known.api_version)
    values = _arguments(known)
    variables: dict[str, Any] = {}
    for name, argument in operation.arguments.items():
        type_ = get_named_type(argument.type)
        if isinstance(type_, GraphQLInputObjectType):
            own = {f: values.get(f"{type_.name}.{f}", values.get(f)) for f in type_.fields}
            variables[name] = {field: value for field, value in own.items() if value is not None}
        elif (value := values.get(f"{operation.name}.{name}", values.get(name))) is not None:
            variables[name] = value
    return variables


def _arguments(known: Known) -> dict[str, Any]:
    """By the argument's name, or by that of its input type (or operation) and its own. None leaves it out."""
    return {
        "AddUserWithRoleInput.email": "new.colleague@example.com",
        "SignalConfigStatusInput.status": 1,
        "UpdateTenantInput.canPartnerManage": None,
        "UpdateTenantInput.eventEnrichment": None,
        "UpdateTenantInput.name": known.tenant_name,
        "PixelConnectionCreationInput.name": "Web shop",
        "accessToken": "<accessToken>",
        "adminEmail": None,
        "after": None,
        "apiVersion": known.api_version,
        "businessId": "2840127409433732",
        "canPartnerManage": True,
        "deliveries.eventName": None,
        "domain": "sample.example.com",
        "email": known.invited_email,
        "eventEnrichment": True,
        "eventName": "SampleEvent",
        "externalId": "633612748410ba6e902",
        "filterState": "PUBLISH",
        "first": 10,
        "id": known.pixel_id,
        "ingress": known.ingress,
        "input": None,
        "name": "Shoes",
        "outcome": None,
        "pixelId": known.pixel_id,
        "pixelIds": None,
        "replayDeadLetter.id": known.dead_letter_id,
        "roleName": f"advertiser-view-{known.tenant_id}",
        "roleToAdd": f"advertiser-{known.user_level}-{known.tenant_id}",
        "roleToRevoke": None,
        "search": None,
        "status": None,
        "targetDomain": known.target_domain,
        "tenantId": known.tenant_id,
        "timeWindowMin": 60,
        "userId": known.user_id,
        "userType": "ADVERTISER",
    }


def sample_answer(operation: Operation, known: Known) -> dict[str, Any]:
    """What the sample is answered, in the form that the schema promises: it is executed over made-up values."""
    result = execute_sync(
        _without_resolvers(operation.schema),
        parse(sample_document(operation)),
        variable_values=sample_variables(operation, known),
        context_value=_answers(known),
        field_resolver=_made_up,
    )
    if result.errors:
        raise result.errors[0]
    return {"data": result.data}


@cache
def _without_resolvers(schema: GraphQLSchema) -> GraphQLSchema:
    return build_schema(print_schema(schema))


def _made_up(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    named = get_named_type(info.return_type)
    value: Any = {}
    if not isinstance(named, GraphQLObjectType):
        values, name = info.context, info.field_name
        value = values.get(f"{info.parent_type.name}.{name}", values.get(name, _plain(named)))
    type_ = info.return_type.of_type if isinstance(info.return_type, GraphQLNonNull) else info.return_type
    return [value] if isinstance(type_, GraphQLList) else value


def _plain(type_: Any) -> Any:
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values.values())).value
    return {"Boolean": True, "Int": 3, "Float": 0.0, "Long": 1234}.get(type_.name)


def _answers(known: Known) -> dict[str, Any]:
    """By the field's name, or by that of its type and its own; numbers, yes and no need none."""
    now = 1_800_000_000_000
    return {
        "ConnectionStatus.id": f"ConnectionStatus:{known.pixel_id}",
        "ConversionsApiPublishSummary.id": "ConversionsApiPublishSummary:global",
        "DeadLetter.code": "100.2804003",
        "DeadLetter.explanation": "Meta refused the event's content: the message names the field.",
        "DeadLetter.id": known.dead_letter_id,
        "Delivery.code": None,
        "Delivery.detail": None,
        "Delivery.explanation": None,
        "Delivery.id": "Delivery:42",
        "DomainActivity.id": "DomainActivity:shop.example.com",
        "DomainFilter.id": "DomainFilter:sample.example.com:global",
        "DomainFilter.pixelId": None,
        "EnhancementTenantIngressVerifiedResult.id": f"{known.tenant_id}:tenantIngressVerified",
        "EventActivity.id": "EventActivity:Purchase",
        "EventActivity.name": "Purchase",
        "EventFilter.id": "EventFilter:SampleEvent:global",
        "EventFilter.eventName": "SampleEvent",
        "EventFilter.pixelId": None,
        "EventMetricsSnapshot.id": f"EventMetricsSnapshot:{known.tenant_id}:60",
        "EventTrafficSummary.id": "EventTrafficSummary:incoming",
        "IngressDomain.id": f"{known.tenant_id}:ingress",
        "Role.name": f"advertiser-manage-{known.tenant_id}",
        "SignalConfig.id": f"SignalConfig:{known.pixel_id}",
        "Tenant.id": known.tenant_id,
        "User.id": known.user_id,
        "User.status": 1,
        "accessKey": "<accessKey>",
        "apiAccount": None,
        "apiErrorCode": None,
        "at": str(now),
        "badToken": False,
        "connectionId": known.pixel_id,
        "cursor": "WyJTaG9lcyIsICJoVTJrb0MzNCJd",
        "dataSetType": "PIXEL",
        "defaultTenantId": known.tenant_id,
        "displayName": "manage",
        "domain": "sample.example.com",
        "domainName": "shop.example.com",
        "domains": "shop.example.com",
        "email": "ada@example.com",
        "endCursor": "WyJTaG9lcyIsICJoVTJrb0MzNCJd",
        "event": '{"event_name": "AddToCart", "event_id": "order-1", "custom_data": {"currency": "EU"}}',
        "eventId": "order-1",
        "eventName": "AddToCart",
        "eventTime": str(now),
        "failedAt": str(now),
        "hasNextPage": False,
        "hasPreviousPage": False,
        "ingress": known.ingress,
        "invitationLink": "https://gateway.example.com/auth/verify/?token=…&et=inv&email=ada@example.com",
        "isSelf": False,
        "lastPublished": float(now),
        "lastReceived": float(now),
        "lastUpdated": str(now),
        "lastUpdatedAt": str(now),
        "message": "Invalid parameter: currency",
        "name": known.tenant_name,
        "pixelID": known.pixel_id,
        "pixelIds": known.pixel_id,
        "pixelName": "Web shop",
        "publishError": False,
        "publishSuccessRate": 1.0,
        "receivedAt": str(now),
        "sendInvitation": "https://gateway.example.com/auth/verify/?token=…&et=inv&email=ada@example.com",
        "startCursor": "WyJTaG9lcyIsICJoVTJrb0MzNCJd",
        "status": 0,
        "targetId": "",
        "tenant1pDomain": known.ingress,
        "tenant1pDomainStatus": "VERIFIED",
        "tenantIds": known.tenant_id,
        "tenantName": known.tenant_name,
        "totalEventsPublished": 1200.0,
        "totalEventsReceived": 1234,
        "totalInactivePixels": 0,
        "traceId": "AbCdEfGhIjKlMnOpQrStUvW",
        "userAlreadyExist": False,
        "userExpiry": None,
        "website": "shop.example.com",
    }


def as_json(value: Any) -> str:
    """Indented, with characters as they are."""
    return json.dumps(value, indent=2, ensure_ascii=False)
