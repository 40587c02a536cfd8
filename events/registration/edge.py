"""Meta's edge ``openbridge_configurations``: where it keeps to which gateways a pixel's browsers post.

Documented by Meta's Business SDKs alone: the edge of a business takes new configurations, that of a pixel lists its
own, and a configuration is a node. The access token goes into a header and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings

from common.quoting import shown
from events.delivery.graph_api import BadToken, Problem, Refused, RetryLater, ask, judge
from events.delivery.graph_errors import Blame, blame
from events.models.registration import NODE_MAX_LENGTH

NAME = "openbridge_configurations"
ENDPOINT_MAX_LENGTH = 300
#: A pixel has few, of which ours is one.
_LISTED = 100

_is_node = re.compile(rf"[0-9]{{1,{NODE_MAX_LENGTH}}}").fullmatch


@dataclass(eq=False)
class NotDone(Exception):
    """Meta has not done it: what it says, or why there was no answer."""

    reason: str
    problem: Problem | None = None
    retry_after: float | None = None

    @property
    def blamed(self) -> Blame | None:
        """What Meta says is wrong; None where it says nothing."""
        return blame(self.problem.code, self.problem.subcode) if self.problem else None

    @property
    def may_pass(self) -> bool:
        """Is it worth another attempt, though nobody changes anything?"""
        if self.problem is None or self.problem.is_transient:
            return True
        return self.blamed in (Blame.FAULT, Blame.RATE)

    @property
    def is_of_node(self) -> bool:
        """Is the node gone, or not this token's?"""
        return self.blamed in (Blame.UNKNOWN_ID, Blame.ACCESS)

    @property
    def is_gone(self) -> bool:
        """Has Meta no such node?"""
        return self.blamed is Blame.UNKNOWN_ID

    def as_columns(self) -> dict[str, str]:
        """The same, as an ``Attempt`` keeps it."""
        if self.problem is None:
            return {"code": "", "message": "", "silence": self.reason[:40]}
        return {"code": self.problem.name, "message": self.problem.message, "silence": ""}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A gateway that is registered for a pixel."""

    node: str
    instance_id: str
    endpoint: str
    is_active: bool


class _Node(msgspec.Struct):
    id: str
    instance_id: str | None = None
    endpoint: str | None = None
    active: bool | None = None


class _Answer(msgspec.Struct):
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: str | None = None
    success: bool | None = None
    data: list[_Node] | None = None


_decode = msgspec.json.Decoder(_Answer, strict=False).decode


@dataclass(frozen=True, slots=True)
class Edge:
    """The edge, as an access token sees it. Every method raises NotDone."""

    api_version: str
    access_token: str = field(repr=False)

    def of_pixel(self, pixel_id: str) -> list[Configuration]:
        """The gateways that are registered for the pixel."""
        fields = "id,instance_id,endpoint,active"
        answer = self._ask("GET", f"{pixel_id}/{NAME}?fields={fields}&limit={_LISTED}")
        if answer.data is None:
            raise NotDone("no list")
        return [self._configuration(node) for node in answer.data if _is_node(node.id)]

    def create(self, business_id: str, fields: Mapping[str, Any]) -> str:
        """Register a gateway; Meta's id of the configuration."""
        answer = self._ask("POST", f"{quote(business_id, safe='')}/{NAME}", fields)
        if not answer.id or not _is_node(answer.id):
            raise NotDone("no id")
        return answer.id

    def update(self, node: str, fields: Mapping[str, Any]) -> None:
        """Change a configuration."""
        self._do("POST", node, fields)

    def delete(self, node: str) -> None:
        """Take a configuration back."""
        self._do("DELETE", node)

    def _do(self, method: str, node: str, fields: Mapping[str, Any] | None = None) -> None:
        answer = self._ask(method, node, fields)
        if not (answer.success or answer.id):
            raise NotDone("no success")

    def _ask(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> _Answer:
        url = f"{settings.GRAPH_API_URL}/{self.api_version}/{path}"
        headers = {b"Authorization": f"Bearer {self.access_token}".encode()}
        body = None
        if fields is not None:
            headers[b"Content-Type"] = b"application/json"
            body = msgspec.json.encode(fields)
        answered = ask(method, url, headers, body, seconds=settings.PUBLISH_TIMEOUT_SECONDS)
        if isinstance(answered, RetryLater):
            raise NotDone(answered.reason)
        status, _, content = answered
        try:
            answer = _decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = _Answer()
        if 200 <= status < 300 and answer.error is msgspec.UNSET:
            return answer
        match judge(*answered, secret=self.access_token):
            case RetryLater(reason, problem, retry_after):
                raise NotDone(reason, problem, retry_after)
            case Refused(problem) | BadToken(problem):
                raise NotDone(f"code {problem.name}", problem)
            case _:  # events_received, of another edge
                raise NotDone(f"HTTP {status}")

    def _configuration(self, node: _Node) -> Configuration:
        """What Meta tells is shown to people: as it shows itself, and within bounds."""
        endpoint = shown(node.endpoint, ENDPOINT_MAX_LENGTH, self.access_token)
        return Configuration(node.id, node.instance_id or "", endpoint, node.active is not False)
