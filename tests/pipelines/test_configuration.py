"""What destinations are configured with: bounded, and its secrets shown to nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from accounts.models import AuditEntry
from pipelines.models import Destination
from pipelines.services.configuration import secrets_of
from tests.base import snapshot
from tests.pipelines.conftest import Api

KEY = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
EMPTY = {
    "apiKeyAuth": {"name": "", "value": "", "addTo": "HEADER"},
    "basicAuth": {"credentials": ""},
    "clientCredentialsAuth": {"authEndpoint": "", "httpMethod": "POST", "clientId": "", "clientSecret": ""},
    "jsonWebTokenAuth": {"serviceUserAccount": "", "privateKey": ""},
}
PLAIN = {
    "endpoint": "http://example.com/events?shop=1",
    "httpMethod": "POST",
    "authType": "NONE",
    "payloadSchema": "[{% for event in events %}{{event_name}}{% endfor %}]",
}
API_KEY = {"name": "X-Api-Key", "value": "canary-key", "addTo": "HEADER"}
NO_KEY = {"name": "X-Api-Key", "addTo": "HEADER"}
CLIENT = {"authEndpoint": "https://auth.example.com/token", "clientId": "shop", "clientSecret": "canary-secret"}
WAYS: dict[str, dict[str, Any]] = {
    "API_KEY": {"apiKeyAuth": API_KEY},
    "BASIC": {"basicAuth": {"credentials": "shop:canary"}},
    "CLIENT_CREDENTIALS": {"clientCredentialsAuth": CLIENT},
    "JSON_WEB_TOKEN": {"jsonWebTokenAuth": {"serviceUserAccount": "shop@example.com", "privateKey": KEY}},
}


@pytest.fixture
def destination(api: Api) -> str:
    """The id of an HTTP destination."""
    return api.destination(api.pipeline())


def stored() -> tuple[dict[str, Any], dict[str, str]]:
    row = Destination.objects.get()
    return row.settings, secrets_of(row)


def test_an_address_without_authentication_comes_with_empty_texts(api: Api, destination: str) -> None:
    assert api.get("updateDataDestinationHttpConfig", input={"id": destination, **PLAIN, **EMPTY}) is True

    assert stored() == (PLAIN, {})


@pytest.mark.parametrize(
    ("way", "shown", "secret"),
    [
        ("API_KEY", {"apiKeyAuth": {"name": "X-Api-Key", "addTo": "HEADER"}}, {"apiKey": "canary-key"}),
        ("BASIC", {}, {"credentials": "shop:canary"}),
        (
            "CLIENT_CREDENTIALS",
            {
                "clientCredentialsAuth": {
                    "authEndpoint": "https://auth.example.com/token",
                    "httpMethod": "POST",
                    "clientId": "shop",
                }
            },
            {"clientSecret": "canary-secret"},
        ),
        ("JSON_WEB_TOKEN", {"jsonWebTokenAuth": {"serviceUserAccount": "shop@example.com"}}, {"privateKey": KEY}),
    ],
)
def test_a_way_to_sign_in_is_kept_and_its_secret_is_shown_to_nobody(
    api: Api, destination: str, way: str, shown: dict[str, Any], secret: dict[str, str]
) -> None:
    given = {"id": destination, **PLAIN, **EMPTY, **WAYS[way], "authType": way}

    assert api.get("updateDataDestinationHttpConfig", input=given) is True

    assert stored() == (PLAIN | {"authType": way} | shown, secret)
    (value,) = secret.values()
    told = json.dumps([api.get("pipelines"), list(AuditEntry.objects.values_list("changes", flat=True))])
    assert json.dumps(value)[1:-1] not in told
    assert value not in json.dumps(snapshot(), default=str)
    assert AuditEntry.objects.get(act="configure destination").changes["secrets"] == [None, "•••"]


def test_a_key_as_it_stands_in_a_json_file_is_read(api: Api, destination: str) -> None:
    way = {"serviceUserAccount": "shop@example.com", "privateKey": KEY.replace("\n", "\\n")}
    given = {"id": destination, **PLAIN, "authType": "JSON_WEB_TOKEN", "jsonWebTokenAuth": way}

    api.get("updateDataDestinationHttpConfig", input=given)

    assert stored()[1] == {"privateKey": KEY}


def test_a_secret_that_is_left_empty_stays(api: Api, destination: str) -> None:
    given = {"id": destination, **PLAIN, "authType": "API_KEY", "apiKeyAuth": API_KEY}
    api.get("updateDataDestinationHttpConfig", input=given)

    changed = {**given, "endpoint": "http://example.com/other", "apiKeyAuth": {**API_KEY, "value": "", "name": "X-Key"}}
    api.get("updateDataDestinationHttpConfig", input=changed)

    assert stored()[0]["apiKeyAuth"]["name"] == "X-Key"
    assert stored()[1] == {"apiKey": "canary-key"}


@pytest.mark.parametrize(
    ("way", "change", "argument"),
    [
        (
            "API_KEY",
            {"endpoint": "http://evil.example.com/", "apiKeyAuth": {**API_KEY, "value": ""}},
            "apiKeyAuth.value",
        ),
        (
            "API_KEY",
            {"endpoint": "http://example.com:8081/", "apiKeyAuth": {**API_KEY, "value": None}},
            "apiKeyAuth.value",
        ),
        (
            "CLIENT_CREDENTIALS",
            {"clientCredentialsAuth": {**CLIENT, "authEndpoint": "https://evil.example.com/", "clientSecret": ""}},
            "clientCredentialsAuth.clientSecret",
        ),
        ("BASIC", {"authType": "API_KEY", "apiKeyAuth": {**API_KEY, "value": ""}}, "apiKeyAuth.value"),
    ],
)
def test_a_stored_secret_is_sent_to_nobody_else(
    api: Api, destination: str, way: str, change: dict[str, Any], argument: str
) -> None:
    given = {"id": destination, **PLAIN, **WAYS[way], "authType": way}
    api.get("updateDataDestinationHttpConfig", input=given)
    before = snapshot()

    assert api.refusal("updateDataDestinationHttpConfig", input={**given, **change}) == (
        400,
        f"{argument}: must be given: none is stored for this address.",
    )
    assert snapshot() == before


def with_key(**change: Any) -> dict[str, Any]:
    return {"authType": "API_KEY", "apiKeyAuth": API_KEY | change}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *[
            ({"endpoint": value}, "endpoint")
            for value in (
                "", " ", "example.com", "ftp://example.com", "https://", "https://user:pass@example.com/",
                "https://example.com:0/", "https://example.com:99999/", "https://[::1/", "https://a b.example.com/",
                "https://example.com/\n", "https:\\\\example.com", "https://example.com/" + "x" * 2_048, "javascript:x",
            )
        ],
        ({"httpMethod": "UNKNOWN"}, "httpMethod"),
        ({"authType": "UNKNOWN"}, "authType"),
        ({"payloadSchema": " \n"}, "payloadSchema"),
        ({"payloadSchema": "x\x00"}, "payloadSchema"),
        ({"payloadSchema": "x" * 20_001}, "payloadSchema"),
        ({"authType": "API_KEY"}, "apiKeyAuth.name"),
        (with_key(name="X Key"), "apiKeyAuth.name"),
        (with_key(name="X-Key\r\nHost"), "apiKeyAuth.name"),
        (with_key(name="host"), "apiKeyAuth.name"),
        (with_key(name="Accept-Encoding"), "apiKeyAuth.name"),
        (with_key(name="x" * 256), "apiKeyAuth.name"),
        (with_key(addTo=None), "apiKeyAuth.addTo"),
        (with_key(addTo="UNKNOWN"), "apiKeyAuth.addTo"),
        (with_key(value="a\r\nHost: b"), "apiKeyAuth.value"),
        (with_key(value="ñ"), "apiKeyAuth.value"),
        (with_key(value=" key"), "apiKeyAuth.value"),
        (with_key(value="x" * 4_097), "apiKeyAuth.value"),
        ({"authType": "BASIC"}, "basicAuth.credentials"),
        ({"authType": "BASIC", "basicAuth": {"credentials": "a\x01:b"}}, "basicAuth.credentials"),
        ({"authType": "CLIENT_CREDENTIALS"}, "clientCredentialsAuth.authEndpoint"),
        (
            {"authType": "CLIENT_CREDENTIALS", "clientCredentialsAuth": CLIENT | {"clientId": ""}},
            "clientCredentialsAuth.clientId",
        ),
        (
            {"authType": "CLIENT_CREDENTIALS", "clientCredentialsAuth": CLIENT | {"httpMethod": "UNKNOWN"}},
            "clientCredentialsAuth.httpMethod",
        ),
        ({"authType": "JSON_WEB_TOKEN"}, "jsonWebTokenAuth.serviceUserAccount"),
        (
            {"authType": "JSON_WEB_TOKEN", "jsonWebTokenAuth": {"serviceUserAccount": "a", "privateKey": "no key"}},
            "jsonWebTokenAuth.privateKey",
        ),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_named_and_changes_nothing(
    api: Api, destination: str, change: dict[str, Any], field: str
) -> None:
    before = snapshot()

    code, words = api.refusal("updateDataDestinationHttpConfig", input={"id": destination, **PLAIN, **change})

    assert (code, words.partition(": ")[0]) == (400, field)
    assert snapshot() == before


def test_a_template_that_cannot_be_used_is_told_with_its_line(api: Api, destination: str) -> None:
    template = "[{% for event in events %}\n{{ event_name | nothing }}\n{% endfor %}]"
    before = snapshot()

    code, words = api.refusal(
        "updateDataDestinationHttpConfig", input={"id": destination, **PLAIN, "payloadSchema": template}
    )

    assert (code, words.partition(" ")[0]) == (400, "payloadSchema:")
    assert "line 2" in words
    assert snapshot() == before


def test_a_data_set_at_meta_is_configured(api: Api) -> None:
    pipeline = api.pipeline()
    destination = api.destination(pipeline, "META_CONVERSIONS_API")
    given = {"id": destination, "metaDatasetId": "4711", "accessToken": "canary", "businessId": "7"}

    assert api.get("updateDataDestinationCapiConfig", input={**given, "apiVersion": "20.0.1", "updateOB": True}) is True

    settings = {"dataSetId": "4711", "businessId": "7", "apiVersion": "v20.0", "updateOB": True}
    assert stored() == (settings, {"accessToken": "canary"})
    (shown,) = api.get("pipeline", id=pipeline)["dataDestinations"]
    assert shown["metaCAPIConfig"] == {"dataSetId": "4711"}
    api.get("updateDataDestinationCapiConfig", input=given)
    assert stored()[0] == settings | {"updateOB": False}
    assert "canary" not in json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metaDatasetId": ""}, "metaDatasetId"),
        ({"metaDatasetId": "1" * 21}, "metaDatasetId"),
        ({"accessToken": ""}, "accessToken"),
        ({"accessToken": "a b"}, "accessToken"),
        ({"accessToken": "x" * 2_049}, "accessToken"),
        ({"businessId": ""}, "businessId"),
        ({"businessId": "x" * 65}, "businessId"),
        ({"apiVersion": "twenty"}, "apiVersion"),
        ({"apiVersion": "20.0.1.2"}, "apiVersion"),
    ],
)
def test_what_is_wrong_with_a_data_set_is_named(api: Api, change: dict[str, str], field: str) -> None:
    destination = api.destination(api.pipeline(), "META_CONVERSIONS_API")
    given = {"id": destination, "metaDatasetId": "4711", "accessToken": "secret", "businessId": "7"}
    before = snapshot()

    code, words = api.refusal("updateDataDestinationCapiConfig", input=given | change)

    assert (code, words.partition(": ")[0]) == (400, field)
    assert snapshot() == before


def test_a_destination_is_configured_as_what_it_is(api: Api, destination: str) -> None:
    given = {"id": destination, "metaDatasetId": "4711", "accessToken": "secret", "businessId": "7"}
    other = api.destination(api.pipeline(), "AUDIENCE_STORAGE")

    assert api.refusal("updateDataDestinationCapiConfig", input=given) == (
        400,
        "id: must be a destination of the type META_CONVERSIONS_API.",
    )
    assert api.refusal("updateDataDestinationHttpConfig", input={"id": other, **PLAIN}) == (
        400,
        "id: must be a destination of the type CUSTOM_HTTP_API.",
    )
