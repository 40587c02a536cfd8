"""Arguments of the hub's operations, each with values that break its rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from tests.bad_input import (
    CONTROL_CHARACTERS,
    UNPRINTABLE,
    UNSTORABLE,
    arguments_of,
    assert_refused,
    optional_text,
    required_text,
)
from tests.base import Cast
from tests.stage import make_stage

NAME = required_text(100)
EMAIL = {
    **UNPRINTABLE,
    "empty": "",
    "no-at": "person.example.com",
    "no-domain": "person@",
    "two": "a@example.com,b@example.com",
    "header": "a@example.com\r\nBcc: b@example.com",
    "too-long": f"{'x' * 250}@example.com",
}
STATUS = {"negative": -1, "unknown": 3, "beyond-32-bits": 2**31, "text": "active", "fraction": 0.5}
HOST_NAME = {
    **UNPRINTABLE,
    "empty": "",
    "scheme": "https://example.com",
    "path": "example.com/path",
    "port": "example.com:443",
    "space": "exa mple.com",
    "empty-label": "example..com",
    "hyphen": "-.example.com",
    "too-long": f"{'a.' * 127}com",
}
WRONG_TYPE = {"number": 7, "list": ["x"], "object": {"x": 1}, "null": None}
NO_ACCOUNT = {
    **CONTROL_CHARACTERS,
    "unknown": "Unknown8",
    "too-long": "x" * 20_000,
    "other-form": "no-id!!!",
    "other-digits": "١٢٣٤٥٦٧٨",
}
NO_ROLE = {
    **CONTROL_CHARACTERS,
    "unknown-action": "agency-owner",
    "no-account": "advertiser-admin",
    "unknown-account": "advertiser-admin-Unknown8",
    "account-of-other-form": "advertiser-admin-!",
    "too-long": "agency-admin" * 1000,
    "line-end": "agency-admin\n",
    "upper-case": "AGENCY-ADMIN",
}

BAD: dict[str, dict[str, dict[str, Any]]] = {
    "createTenant:managed": {
        "input.name": NAME | WRONG_TYPE,
        "input.canPartnerManage": {"null": None, "text": "true", "number": 1},
        "input.eventEnrichment": {"null": None, "text": "true"},
    },
    "createTenant:own": {"input.adminEmail": EMAIL | {"null": None}},
    "updateTenant:name": {
        "input.name": NAME,
        "input.status": STATUS,
        "input.tenantId": WRONG_TYPE | UNSTORABLE,
        "input.canPartnerManage": {"text": "no"},
    },
    "deleteTenant": {"tenantId": WRONG_TYPE | UNSTORABLE},
    "tenant": {"tenantId": WRONG_TYPE | UNSTORABLE},
    "addUserWithRole:account": {"input.email": EMAIL | WRONG_TYPE, "input.roleName": WRONG_TYPE | UNSTORABLE},
    "changeRoleForUser:change": {
        "input.userId": {**UNPRINTABLE, "empty": "", "no-uuid": "7", "too-long": "x" * 20_000},
        "input.roleToAdd": UNSTORABLE,
        "input.roleToRevoke": UNSTORABLE,
    },
    "sendInvitation:member": {
        "input.email": EMAIL,
        "input.userType": {"unknown": "OWNER", "lower-case": "agency", "null": None},
        "input.tenantId": {"null": None, "empty": ""} | UNSTORABLE,
    },
    "upsertIngressDomain": {
        "input.ingress": HOST_NAME,
        "input.targetDomain": HOST_NAME,
        "input": {"null": None},
        "tenantId": {"null": None, "empty": ""} | UNSTORABLE,
    },
    "tenants": {
        "first": {"negative": -1, "too-many": 100_000, "text": "all"},
        "after": {**UNPRINTABLE, "no-cursor": "!", "other-base64": "AAAA", "too-long": "x" * 20_000},
        "search": optional_text(254),
        "status": STATUS,
    },
}
#: The contract's answer for accounts that are not there is that for hidden ones.
NOT_AUTHORIZED: dict[str, dict[str, dict[str, Any]]] = {
    "tenant": {"tenantId": NO_ACCOUNT | {"empty": ""}},
    "tenantUsage": {"tenantId": NO_ACCOUNT | {"empty": ""}},
    "ingressDomain": {"tenantId": NO_ACCOUNT | {"empty": ""}},
    "updateTenant:name": {"input.tenantId": NO_ACCOUNT},
    "deleteTenant": {"tenantId": NO_ACCOUNT | {"empty": ""}},
    "upsertIngressDomain": {"tenantId": NO_ACCOUNT},
    "sendInvitation:member": {"input.tenantId": NO_ACCOUNT},
}
NOT_FOUND: dict[str, dict[str, dict[str, Any]]] = {
    "addUserWithRole:account": {"input.roleName": NO_ROLE | {"empty": ""}},
    "changeRoleForUser:change": {
        "input.roleToAdd": NO_ROLE,
        "input.roleToRevoke": NO_ROLE | {"not-had": "agency-view"},
        "input.userId": {"unknown": str(uuid4())},
    },
    "sendInvitation:member": {"input.email": {"unknown": "nobody@example.com"}},
    "sendInvitation:host": {"input.email": {"not-of-the-host": "ada@example.com"}},
}


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(BAD))
def test_a_bad_value_is_refused_and_changes_nothing(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, path, values)


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(NOT_AUTHORIZED))
def test_an_account_that_is_not_there_is_one_that_is_hidden(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, path, values, 401)


@pytest.mark.parametrize(("variant", "path", "values"), arguments_of(NOT_FOUND))
def test_a_role_or_person_that_is_not_there_is_not_found(
    cast: Cast, subtests: pytest.Subtests, variant: str, path: str, values: Mapping[str, Any]
) -> None:
    assert_refused(subtests, cast.robot, make_stage(cast.shoes), variant, path, values, 404)
