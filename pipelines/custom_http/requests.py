"""The request that carries events: by POST and PUT as its body, by GET in its address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlsplit, urlunsplit

from common.secrets import MASK
from pipelines.custom_http.configuration import Shown
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.template import read_template

#: Of an address with events in it; many servers take no longer one.
URL_MAX_LENGTH = 8_000
#: Of events in one request.
BATCH_MAX_EVENTS = 100
USER_AGENT = "gateway-portal"


@dataclass(frozen=True, slots=True)
class CredentialPlace:
    """Where in a request the sender's credential stands."""

    name: str
    prefix: str = ""
    is_parameter: bool = False


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is sent. Its address and headers may hold a secret, so that its ``repr`` has neither."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)

    def signed(self, place: CredentialPlace, credential: str) -> HttpRequest:
        """The request with the credential in its place; where that is the mask, it can be read there."""
        if place.is_parameter:
            shown = credential if credential == MASK else quote(credential, safe="")
            return replace(self, url=with_query(self.url, f"{quote(place.name, safe='')}={shown}"))
        return replace(self, headers={**self.headers, place.name: place.prefix + credential})

    @property
    def text(self) -> str:
        """As it goes over the line."""
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join([*head, "", (self.body or b"").decode()]).rstrip()


def batch_size(shown: Shown) -> int:
    """How many events one request takes: one, unless the template goes through the events.

    A template that cannot be read takes none, however many are tried at a time.
    """
    try:
        return BATCH_MAX_EVENTS if read_template(shown.payload_schema).takes_batches else 1
    except TemplateError:
        return BATCH_MAX_EVENTS


def make_request(shown: Shown, payload: str) -> HttpRequest:
    """Without the sender's credential; TemplateError where none can be made of this payload."""
    url = with_query(shown.endpoint, "")
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    if shown.http_method == "GET":
        url = with_query(url, parameters(members_of(payload)))
        if len(url) > URL_MAX_LENGTH:
            raise TemplateError(f"makes an address of more than {URL_MAX_LENGTH} characters.")
        return HttpRequest("GET", url, headers, None)
    headers["Content-Type"] = "application/json"
    return HttpRequest(shown.http_method, url, headers, payload.encode())


def members_of(payload: str) -> dict[str, str]:
    """The members of a payload as parameters: texts as they are, other values as JSON, nulls not at all."""
    members = json.loads(payload)
    if not isinstance(members, dict):
        raise TemplateError("makes no JSON object: by GET, its members are the parameters of the address.")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in members.items()
        if value is not None
    }


def parameters(values: Mapping[str, str]) -> str:
    """As a query holds them; what is no text in UTF-8 becomes a question mark."""
    return "&".join(
        f"{quote(name, '', errors='replace')}={quote(text, '', errors='replace')}" for name, text in values.items()
    )


def with_query(url: str, query: str) -> str:
    """The address with further parameters, and without the fragment, which is nobody's but a browser's."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query))), fragment=""))
