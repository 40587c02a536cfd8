"""What portal and peers are asked, and the proof that they answer alike: nothing is timed before.

Each asks for the same fields of the same rows. Where a peer's schema has another shape by its nature, its document says
so, and ``read`` brings the answer into the portal's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

ROOT = Path(__file__).resolve().parent.parent

#: A: "Get Account", the whole document as it is published; the tests run the same file.
ACCOUNT = (ROOT / "tests" / "contract" / "documents" / "get_account.schema.graphql").read_text()

_STATUS = """connectionStatus {
    id pixelID pixelName targetId accessTokenAvailable connected active eventBridgeActive publishingEnabled accessKey
    apiErrorCode badToken lastReceived totalEventsReceived lastPublished totalEventsPublished
}"""
#: B: every field of ConnectionStatus, in the portal's schema and in a peer's own.
PIXELS = f"""query ($tenantId: ID!) {{
    tenantQueries(tenantId: $tenantId) {{ account {{ signalConfigs {{ id connectionId {_STATUS} }} }} }}
}}"""
PEER_PIXELS = f"query ($tenantId: ID!) {{ signalConfigs(tenantId: $tenantId) {{ id connectionId {_STATUS} }} }}"

#: C: the seeds' mutation, and a peer's.
_UPDATED = "updatedFilter { id eventName pixelId filterState }"
FILTER = f"""mutation ($tenantId: ID!, $input: UpdateEventFilterInput!) {{
    tenantMutations(tenantId: $tenantId) {{ updateEventFilter(input: $input) {{ {_UPDATED} }} }}
}}"""
PEER_FILTER = f"""mutation ($tenantId: ID!, $input: UpdateEventFilterInput!) {{
    updateEventFilter(tenantId: $tenantId, input: $input) {{ {_UPDATED} }}
}}"""

#: PostGraphile makes its schema of views: memberships between accounts and people, roles and usage as columns.
#: Version 5 ends the names of lists with List.
POSTGRAPHILE_ACCOUNT = """query ($tenantId: String!) {
    tenant: tenantById(id: $tenantId) {
        id name status canPartnerManage
        users: memberships@(orderBy: EMAIL_ASC) {
            roleName roleDisplayName canBeDeleted
            user {
                id email isSelf defaultTenantId
                memberships: memberships@ { tenant { id name status canPartnerManage availableRoles } }
            }
        }
        availableRoles
        usage {
            totalActivePixels totalInactivePixels totalPixels
            totalEventsReceived totalPixelsWithTraffic publishError durationInHours lastUpdatedAt
        }
        canEditTenantSettingsInUI: canEditTenantSettingsInUi
        canViewTenantInUI: canViewTenantInUi
    }
}"""
POSTGRAPHILE_PIXELS = """query ($tenantId: String!) {
    tenantById(id: $tenantId) {
        signalConfigs: signalConfigs@(orderBy: ID_ASC) {
            configId id statusId pixelName targetId accessTokenAvailable connected active eventBridgeActive
            publishingEnabled accessKey apiErrorCode badToken lastReceived totalEventsReceived lastPublished
            totalEventsPublished
        }
    }
}"""


LISTS = {4: "", 5: "List"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to post a document, with which token, and how to read the answer's data."""

    url: str
    document: str
    read: Callable[[Any], Any] = lambda data: data
    token: str = ""

    def body(self, **variables: Any) -> bytes:
        """A request, on one line."""
        return orjson.dumps({"query": self.document, "variables": variables})

    def answer(self, **variables: Any) -> Any:
        """What it says, in the portal's shape."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        got = httpx.post(self.url, content=self.body(**variables), headers=headers, timeout=30)
        said = got.json()
        if got.status_code != 200 or "errors" in said:
            raise RuntimeError(f"{self.url}: {got.status_code} {got.text[:2_000]}")
        return self.read(said["data"])


def compare(asked: dict[str, Asked], **variables: Any) -> None:
    """End the benchmark unless all answer as the first one does."""
    (first, one), *others = asked.items()
    expected = one.answer(**variables)
    for name, other in others:
        if (said := other.answer(**variables)) != expected:
            raise RuntimeError(f"{name} answers otherwise than {first}: {difference(expected, said)}")


def difference(expected: Any, said: Any, path: str = "answer") -> str:
    """The first place where two answers differ, in words."""
    if isinstance(expected, dict) and isinstance(said, dict) and expected.keys() == said.keys():
        pairs = [(f"{path}.{key}", expected[key], said[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(said, list) and len(expected) == len(said):
        pairs = [(f"{path}[{number}]", *pair) for number, pair in enumerate(zip(expected, said, strict=True))]
    else:
        return f"{path} is {said!r}, not {expected!r}"
    return next(difference(one, other, place) for place, one, other in pairs if one != other)


def portal_pixels(data: Any) -> Any:
    """B, out of the portal's."""
    return data["tenantQueries"]["account"]


def portal_filter(data: Any) -> Any:
    """C, out of the portal's."""
    return data["tenantMutations"]


def postgraphile_account(url: str, version: int) -> Asked:
    """A, of PostGraphile."""
    return Asked(url, POSTGRAPHILE_ACCOUNT.replace("@", LISTS[version]), _read_account)


def postgraphile_pixels(url: str, version: int) -> Asked:
    """B, of PostGraphile."""
    return Asked(url, POSTGRAPHILE_PIXELS.replace("@", LISTS[version]), _read_pixels)


def _read_account(data: Any) -> Any:
    tenant = data["tenant"]
    usage = tenant.pop("usage")
    pixels = {name: usage.pop(name) for name in ("totalActivePixels", "totalInactivePixels", "totalPixels")}
    tenant["tenantUsage"] = {**pixels, "tenantUsageByTraffic": usage}
    tenant["users"] = [_person(membership) for membership in tenant["users"]]
    return data


def _person(membership: Any) -> Any:
    user = membership["user"]
    tenants = [each["tenant"] for each in user.pop("memberships")]
    role = {"name": membership["roleName"], "displayName": membership["roleDisplayName"]}
    return {**user, "roles": [role], "tenants": tenants, "canBeDeleted": membership["canBeDeleted"]}


def _read_pixels(data: Any) -> Any:
    return {
        "signalConfigs": [
            {
                "id": pixel.pop("configId"),
                "connectionId": pixel["id"],
                "connectionStatus": {"pixelID": pixel.pop("id"), "id": pixel.pop("statusId"), **pixel},
            }
            for pixel in data["tenantById"]["signalConfigs"]
        ]
    }
