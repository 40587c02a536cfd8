"""What destinations are configured with."""

from __future__ import annotations

from typing import Any

import graphene

from common.graphql.samples import Sampled
from pipelines.custom_http.given import AddTo, AuthType, HttpConfig, HttpMethod
from pipelines.schema import enums, nobodys

_TEMPLATE = """\
[{% for event in events %}
  {"name": {{ event_name }}, "at": {{ event_time }}, "value": {{ value }}}
{% endfor %}]"""


class UpdateDataDestinationCapiConfigInput(graphene.InputObjectType):
    """The data set at Meta that a destination publishes to."""

    id = graphene.ID(required=True, description=Sampled("The destination's id.", nobodys.DESTINATION))
    meta_dataset_id = graphene.String(
        required=True,
        description=Sampled(
            "Meta's id of the data set, 1 to 20 digits; of a Meta Pixel's its own.", "18904456377094531"
        ),
    )
    access_token = graphene.String(
        required=True, description=Sampled("1 to 2,048 characters. Encrypted at rest, never returned.", "<accessToken>")
    )
    api_version = graphene.String(
        description=Sampled(
            "A Graph API version: v24.0, 24.0 or 24.0.1. Left out, it stays; at first it is the newest known one.",
            "$api_version",
        )
    )
    business_id = graphene.String(
        required=True, description=Sampled("The id of the business at Meta, 1 to 64 characters.", "2840127409433732")
    )
    update_ob = graphene.Boolean(
        name="updateOB",
        description=(
            "Of a Meta Pixel: is Meta told to have browsers post to the gateway? Elsewhere it is kept without effect."
        ),
    )


class ApiKeyAuth(graphene.InputObjectType):
    """A key that stands in a header or in the address."""

    name = graphene.String(description=Sampled("The header's or parameter's name.", "X-Api-Key"))
    value = graphene.String(
        description=Sampled("The key. Encrypted, never returned. Empty, it stays as it was.", "<apiKey>")
    )
    add_to = graphene.Field(enums.AddAuthTo, description=Sampled("Where it stands.", "HEADER"))


class BasicAuth(graphene.InputObjectType):
    """HTTP Basic."""

    credentials = graphene.String(
        description=Sampled("<user>:<password>. Encrypted, never returned. Empty, they stay as they were.", "")
    )


class ClientCredentialsAuth(graphene.InputObjectType):
    """A token that is fetched by OAuth 2, and renewed."""

    auth_endpoint = graphene.String(description=Sampled("The address that gives tokens.", ""))
    http_method = graphene.Field(enums.HttpMethodType, description=Sampled("How it is called.", "POST"))
    client_id = graphene.String(description=Sampled("Who asks.", ""))
    client_secret = graphene.String(description=Sampled("Encrypted, never returned. Empty, it stays as it was.", ""))


class JsonWebTokenAuth(graphene.InputObjectType):
    """A token that is signed with a private key."""

    service_user_account = graphene.String(description=Sampled("Who signs.", ""))
    private_key = graphene.String(
        description=Sampled("RSA or EC, in PEM form. Encrypted, never returned. Empty, it stays as it was.", "")
    )


class UpdateDataDestinationHttpConfigInput(graphene.InputObjectType):
    """An address, what is sent there, and how the sender is told.

    Of the ways to tell it, that of authType is looked at. A secret that is left empty stays as it was where the request
    goes to the same host.
    """

    id = graphene.ID(required=True, description=Sampled("The destination's id.", nobodys.DESTINATION))
    endpoint = graphene.String(
        required=True,
        description=Sampled("An address on the public web, at most 2,048 characters.", "https://example.com/events"),
    )
    http_method = graphene.Field(enums.HttpMethodType, required=True, description=Sampled("How it is called.", "POST"))
    auth_type = graphene.Field(enums.AuthType, required=True, description=Sampled("How the sender is told.", "API_KEY"))
    payload_schema = graphene.String(
        required=True,
        description=Sampled("A template of the request's body, at most 20,000 characters.", _TEMPLATE),
    )
    api_key_auth = graphene.Field(ApiKeyAuth, description="For authType API_KEY.")
    basic_auth = graphene.Field(BasicAuth, description="For authType BASIC.")
    client_credentials_auth = graphene.Field(ClientCredentialsAuth, description="For authType CLIENT_CREDENTIALS.")
    json_web_token_auth = graphene.Field(JsonWebTokenAuth, description="For authType JSON_WEB_TOKEN.")


def http_config(given: dict[str, Any]) -> HttpConfig:
    """The input as the service takes it."""
    return HttpConfig(
        endpoint=given["endpoint"],
        http_method=HttpMethod(given["http_method"].value),
        auth_type=AuthType(given["auth_type"].value),
        payload_schema=given["payload_schema"],
        api_key_auth=_way(given.get("api_key_auth"), add_to=AddTo),
        basic_auth=_way(given.get("basic_auth")),
        client_credentials_auth=_way(given.get("client_credentials_auth"), http_method=HttpMethod),
        json_web_token_auth=_way(given.get("json_web_token_auth")),
    )


def _way(given: dict[str, Any] | None, **enums: Any) -> dict[str, Any]:
    """A way to tell the sender, with our enums for those of the schema."""
    return {
        name: enums[name](value.value) if name in enums and value is not None else value
        for name, value in (given or {}).items()
    }
