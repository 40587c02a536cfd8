"""The pages of a source and of a destination: how they are set up, what is sent, and no secret anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from common.secrets import MASK
from pipelines.ids import DESTINATION, id_of
from pipelines.models import Destination, DestinationType, Source, SourceType
from pipelines.services.configuration import secrets_of
from tests.base import Cast, login, snapshot
from tests.factories import DestinationFactory, SourceFactory
from tests.pages import address, get, post, see, text_of

SECRET = "canary-key"
TEMPLATE = '[{% for event in events %}\r\n{"name": {{ event_name }}}\r\n{% endfor %}]'
HTTP = {
    "endpoint": "https://example.com/events",
    "http_method": "POST",
    "auth_type": "API_KEY",
    "api_key_auth_name": "X-Api-Key",
    "api_key_auth_add_to": "HEADER",
    "api_key_auth_value": SECRET,
    "payload_schema": TEMPLATE,
}


@pytest.fixture
def website(cast: Cast) -> Source:
    return SourceFactory.create(tenant=cast.shoes, source_id="4711")


@pytest.fixture
def http(cast: Cast) -> str:
    """The id of an HTTP destination."""
    return id_of(DESTINATION, DestinationFactory.create(tenant=cast.shoes).uuid)


@pytest.fixture
def data_set(cast: Cast) -> str:
    """The id of a destination at Meta."""
    made = DestinationFactory.create(tenant=cast.shoes, type=DestinationType.META_CONVERSIONS_API)
    return id_of(DESTINATION, made.uuid)


# --- Sources ----------------------------------------------------------------------------------------------------------


def test_the_setup_guide_has_the_code_for_a_page_and_the_address_for_a_server(cast: Cast, website: Source) -> None:
    page = see(cast.vic, "pipelines:source", cast.shoes, "4711")

    assert "cbq('init', '4711');" in get(cast.vic, "pipelines:source", cast.shoes, "4711").context["code"]
    assert "<!-- Signals Gateway Pixel Code -->" in page
    assert "/capi/4711/events" in get(cast.vic, "pipelines:source", cast.shoes, "4711").content.decode()


def test_the_setup_guide_has_each_way_to_pages(cast: Cast, website: Source) -> None:
    page = see(cast.vic, "pipelines:source", cast.shoes, "4711")
    custom_pixel = get(cast.vic, "pipelines:source", cast.shoes, "4711").context["shopify_code"]

    for words in ("In a website's pages", "Custom HTML", "With Shopify", "From a server"):
        assert words in page
    assert "cbq('init', '4711');" in custom_pixel
    assert "analytics.subscribe(" in custom_pixel
    assert "<script" not in custom_pixel  # Shopify takes JavaScript alone


def test_the_setup_guide_asks_for_a_meta_pixel_and_the_answer_switches(cast: Cast, website: Source) -> None:
    manager = login(cast.max)
    assert "If it does, let its event code" in see(cast.vic, "pipelines:source", cast.shoes, "4711")

    post(manager, "pipelines:answer_meta_pixel", cast.shoes, "4711", has_one="yes")
    assert Source.objects.get().fork_meta_pixel
    assert "Yes: the script uses its event code" in see(cast.vic, "pipelines:source", cast.shoes, "4711")

    post(manager, "pipelines:answer_meta_pixel", cast.shoes, "4711", has_one="no")
    assert not Source.objects.get().fork_meta_pixel


def test_an_answer_that_is_none_changes_nothing(cast: Cast, website: Source) -> None:
    manager = login(cast.max)
    before = snapshot()
    for given in ({}, {"has_one": "perhaps"}):
        post(manager, "pipelines:answer_meta_pixel", cast.shoes, "4711", **given)
    assert snapshot() == before


def test_files_have_no_setup_guide(cast: Cast, website: Source) -> None:
    Source.objects.update(type=SourceType.FILE_UPLOAD)
    assert "Setup guide" not in see(cast.vic, "pipelines:source", cast.shoes, "4711")
    assert login(cast.max).post(address("pipelines:configure_source", cast.shoes, "4711")).status_code == 302
    assert Source.objects.get().enabled


def test_the_scripts_configuration_is_changed_as_a_whole(cast: Cast, website: Source) -> None:
    given = {"enabled": "on", "fork_meta_pixel": "on", "enable_aam": "on", "aam_fields": ["ph", "em"]}

    post(cast.max, "pipelines:configure_source", cast.shoes, "4711", **given)

    row = Source.objects.get()
    assert (row.enabled, row.fork_meta_pixel, row.enable_aam, row.first_party_cookie) == (True, True, True, False)
    assert row.aam_fields == ["em", "ph"]
    page = see(cast.vic, "pipelines:source", cast.shoes, "4711")
    assert "On: Automatic advanced matching: em, ph" in page


def test_the_data_filter_is_changed_alone(cast: Cast, website: Source) -> None:
    script = "function (event) {\r\n  return {shouldDrop: false};\r\n}"

    post(cast.max, "pipelines:data_filter", cast.shoes, "4711", custom_integrity_script=script)

    row = Source.objects.get()
    assert row.custom_integrity_script == script.replace("\r\n", "\n")
    assert row.enabled
    assert "return {shouldDrop: false};" in see(cast.vic, "pipelines:source", cast.shoes, "4711")


def test_files_have_no_data_filter(cast: Cast, website: Source) -> None:
    Source.objects.update(type=SourceType.FILE_UPLOAD)
    assert login(cast.max).get(address("pipelines:data_filter", cast.shoes, "4711")).status_code == 302


@pytest.mark.parametrize(
    ("page", "given", "words"),
    [
        ("data_filter", {"custom_integrity_script": "x" * 20_001}, "Must have at most 20,000 characters."),
        ("data_filter", {"custom_integrity_script": "a\x1bb"}, "ontrol characters"),
        ("configure_source", {"aam_fields": ["shoe_size"]}, "not one of the available choices"),
        ("configure_source", {"enable_aam": "on"}, "Choose at least one field"),
    ],
)
def test_a_script_that_is_refused_changes_nothing(
    cast: Cast, website: Source, page: str, given: dict[str, Any], words: str
) -> None:
    manager = login(cast.max)
    before = snapshot()
    answer = post(manager, f"pipelines:{page}", cast.shoes, "4711", **given)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert snapshot() == before


# --- HTTP destinations ------------------------------------------------------------------------------------------------


def test_a_destination_is_configured_and_shows_what_is_sent_without_the_secret(cast: Cast, http: str) -> None:
    answer = post(cast.max, "pipelines:configure_http", cast.shoes, http, **HTTP)
    assert answer.headers["Location"] == address("pipelines:destination", cast.shoes, http)

    row = Destination.objects.get()
    assert row.settings["payloadSchema"] == TEMPLATE.replace("\r\n", "\n")
    assert secrets_of(row) == {"apiKey": SECRET}
    page = see(cast.vic, "pipelines:destination", cast.shoes, http)
    assert "POST https://example.com/events" in page
    assert f"X-Api-Key: {MASK}" in page
    assert '{"name": "Purchase"}' in page
    for name in ("pipelines:destination", "pipelines:configure_http"):
        assert SECRET not in get(cast.max, name, cast.shoes, http).content.decode()


def test_a_preview_keeps_nothing_and_writes_no_secret_into_the_page(cast: Cast, http: str) -> None:
    manager = login(cast.max)
    before = snapshot()

    answer = post(manager, "pipelines:configure_http", cast.shoes, http, **HTTP, preview="yes")

    assert answer.status_code == 200
    assert "POST https://example.com/events" in text_of(answer)
    assert SECRET not in answer.content.decode()
    assert snapshot() == before


def test_a_secret_that_is_left_empty_stays_as_it_was(cast: Cast, http: str) -> None:
    post(cast.max, "pipelines:configure_http", cast.shoes, http, **HTTP)
    post(cast.max, "pipelines:configure_http", cast.shoes, http, **HTTP | {"api_key_auth_value": ""})
    assert secrets_of(Destination.objects.get()) == {"apiKey": SECRET}


def test_client_credentials_and_keys_are_read_and_never_shown_again(cast: Cast, http: str) -> None:
    given = HTTP | {
        "auth_type": "CLIENT_CREDENTIALS",
        "client_credentials_auth_auth_endpoint": "https://auth.example.com/token",
        "client_credentials_auth_http_method": "PUT",
        "client_credentials_auth_client_id": "shop",
        "client_credentials_auth_client_secret": SECRET,
    }
    post(cast.max, "pipelines:configure_http", cast.shoes, http, **given)

    own = Destination.objects.get().settings["clientCredentialsAuth"]
    assert own == {"authEndpoint": "https://auth.example.com/token", "httpMethod": "PUT", "clientId": "shop"}
    page = get(cast.max, "pipelines:configure_http", cast.shoes, http).content.decode()
    assert 'value="https://auth.example.com/token"' in page
    assert SECRET not in page


@pytest.mark.parametrize("preview", [{}, {"preview": "yes"}])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"payload_schema": "[\n{{ event_nam }}\n]"}, "Line 2: event_nam is no parameter of events."),
        ({"payload_schema": "[{% for"}, "Line 1: {% is not closed by %}."),
        ({"payload_schema": "x" * 20_001}, "Must have at most 20,000 characters."),
        ({"endpoint": "http://127.0.0.1/"}, "Must be on the public internet."),
        ({"endpoint": ""}, "This field is required."),
        ({"http_method": "DELETE"}, "not one of the available choices"),
        ({"auth_type": "BASIC"}, "Must be given: none is stored for this address."),
        ({"api_key_auth_name": "Host"}, "Must not be a header that tells how to read the request."),
        ({"auth_type": "JSON_WEB_TOKEN", "json_web_token_auth_private_key": SECRET}, "Must not be empty."),
        (
            {
                "auth_type": "JSON_WEB_TOKEN",
                "json_web_token_auth_service_user_account": "shop",
                "json_web_token_auth_private_key": SECRET,
            },
            "Must be a private key in PEM form",
        ),
    ],
)
def test_what_is_refused_is_told_at_its_field_and_changes_nothing(
    cast: Cast, http: str, given: dict[str, str], words: str, preview: dict[str, str]
) -> None:
    manager = login(cast.max)
    before = snapshot()

    answer = post(manager, "pipelines:configure_http", cast.shoes, http, **HTTP | given | preview)

    assert answer.status_code == 400
    assert words in text_of(answer)
    assert answer.context["form"].non_field_errors() == []
    assert SECRET not in answer.content.decode()
    assert snapshot() == before


def test_an_address_that_a_preview_makes_too_long_is_refused_at_the_template(cast: Cast, http: str) -> None:
    long = '{"a": {{ event_name }}, "b": "' + "x" * 8_000 + '"}'
    answer = post(
        cast.max, "pipelines:configure_http", cast.shoes, http,
        **HTTP | {"http_method": "GET", "payload_schema": long, "preview": "yes"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert "akes an address of more than 8000 characters." in text_of(answer)


# --- Destinations at Meta ---------------------------------------------------------------------------------------------


def test_a_data_set_is_configured_and_its_token_not_shown(cast: Cast, data_set: str) -> None:
    given = {"meta_dataset_id": "18904456377094531", "access_token": SECRET, "business_id": "2840127409433732"}

    post(cast.max, "pipelines:configure_meta", cast.shoes, data_set, **given, api_version="")

    row = Destination.objects.get()
    assert (row.settings["dataSetId"], secrets_of(row)) == ("18904456377094531", {"accessToken": SECRET})
    page = see(cast.vic, "pipelines:destination", cast.shoes, data_set)
    assert "Data set id 18904456377094531 Access token Stored, and not shown again" in page
    for name in ("pipelines:destination", "pipelines:configure_meta"):
        assert SECRET not in get(cast.max, name, cast.shoes, data_set).content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"meta_dataset_id": "x"}, "Must be 1 to 20 digits."),
        ({"api_version": "newest"}, "Must be"),
        ({"business_id": "x" * 65}, "Must"),
    ],
)
def test_a_bad_data_set_changes_nothing(cast: Cast, data_set: str, given: dict[str, str], words: str) -> None:
    manager = login(cast.max)
    before = snapshot()
    usual = {"meta_dataset_id": "1", "access_token": SECRET, "business_id": "1", "api_version": ""}
    answer = post(manager, "pipelines:configure_meta", cast.shoes, data_set, **usual | given)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert SECRET not in answer.content.decode()
    assert snapshot() == before


def test_a_destination_has_the_configuration_of_its_type_alone(cast: Cast, http: str, data_set: str) -> None:
    client = login(cast.max)
    assert client.get(address("pipelines:configure_meta", cast.shoes, http)).status_code == 404
    assert client.get(address("pipelines:configure_http", cast.shoes, data_set)).status_code == 404


def test_audience_storage_says_that_it_keeps_nothing(cast: Cast, http: str) -> None:
    Destination.objects.update(type=DestinationType.AUDIENCE_STORAGE)
    assert "Audience storage keeps nothing here." in see(cast.vic, "pipelines:destination", cast.shoes, http)
