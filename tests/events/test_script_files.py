"""The script for visitors' browsers, as it is served: with what the gateway knows of the pixel, cached, and small."""

from __future__ import annotations

import gzip
import json
import subprocess
from unittest.mock import Mock

import brotli
import pytest
from cachetools import TTLCache
from django.db import OperationalError
from limits import parse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import IngressDomain, TenantStatus
from accounts.principals import OPERATOR
from accounts.services.tenants import update_tenant
from events.models import Registration
from events.script import files
from events.script.configuration import MAX_NAMES
from filters.models import FilterState
from pipelines.models import SourceType
from pixels.models import Pixel
from tests.base import Cast
from tests.events.test_hashing_in_browsers import NODE
from tests.factories import (
    DomainFilterFactory,
    EventFilterFactory,
    IngressDomainFactory,
    PixelFactory,
    SourceFactory,
)
from tests.told import Told

pytestmark = pytest.mark.django_db

OWN = "events.shoes.example.com"
ADDRESSES = ("/sdk/17/events.js", "/17/events.js")
MAX_PACKED = 10 * 1024


@pytest.fixture(autouse=True)
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, pixel_id="17")


def ask(path: str = ADDRESSES[0], **headers: str) -> Told:
    return Told("GET", path, **headers)


def configuration(told: Told | None = None) -> dict[str, object]:
    """What stands behind the script."""
    text = (told or ask()).body.decode()
    found: dict[str, object] = json.loads(text[text.rindex("})(") + 3 : text.rindex(");")])["configuration"]
    return found


# --- What is served --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*ADDRESSES, "/sdk/events.js", "//sdk//17/events.js"])
def test_pages_of_every_website_may_load_it(path: str) -> None:
    told = ask(path)

    assert told.status == 200
    assert told.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert told.headers["Cache-Control"] == "public, max-age=1800"
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert told.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert told.headers["X-Content-Type-Options"] == "nosniff"


def test_it_knows_its_pixel(cast: Cast, settings: Settings) -> None:
    assert configuration() == {
        "id": "17",
        "kind": "mirror",
        "endpoint": settings.BASE_URL,
        "active": True,
        "blockedEvents": [],
        "websites": {},
        "listed": [],
        "cookies": True,
        "formFields": [],
        "hashes": True,
        "forks": True,
        "filter": "",
        "registered": False,
    }


def test_without_an_id_it_knows_none() -> None:
    assert ask("/sdk/events.js").body.decode().endswith("})({});\n")


def test_it_is_small() -> None:
    """The goal of 10 KiB holds for the script, and for the line that pages have beside it."""
    assert len(gzip.compress(files.built("cbq.js").encode())) < MAX_PACKED
    assert len(files.built("cbq-line.js")) < 1_500


def test_no_error_leaves_it_where_it_cannot_even_begin() -> None:
    """As in a page that has taken ``addEventListener`` away; here there is no window at all."""
    done = subprocess.run(
        [str(NODE), "-e", ask().body.decode()], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_it_holds_no_secret(pixel: Pixel) -> None:
    body = ask().body.decode()

    assert pixel.access_key not in body
    assert pixel.access_token.reveal() not in body


def test_what_shall_not_leave_the_browser_is_told(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    EventFilterFactory.create(tenant=cast.shoes, event_name="Purchase", state=FilterState.PUBLISH)
    DomainFilterFactory.create(tenant=cast.shoes, domain="example.com")
    DomainFilterFactory.create(tenant=cast.shoes, pixel=pixel, domain="shop.example.com", state=FilterState.PUBLISH)
    Pixel.objects.update(browser_websites=["example.com"])

    told = configuration()
    assert told["blockedEvents"] == ["Lead"]
    assert told["websites"] == {"example.com": True, "shop.example.com": False}
    assert told["listed"] == ["example.com"]


@pytest.mark.parametrize(
    "change", [{"event_bridge_active": False}, {"publishing_enabled": False}, {"require_access_key": True}]
)
def test_a_switch_that_is_off_is_off_in_the_browser(change: dict[str, bool]) -> None:
    Pixel.objects.update(**change)

    assert configuration()["active"] is False


def test_thousands_of_filters_are_left_to_the_gateway(cast: Cast) -> None:
    for number in range(MAX_NAMES + 1):
        EventFilterFactory.create(tenant=cast.shoes, event_name=f"Event{number}")
        DomainFilterFactory.create(tenant=cast.shoes, domain=f"shop{number}.example.com")

    told = configuration()
    assert len(told["blockedEvents"]) == MAX_NAMES  # type: ignore[arg-type]  # a list
    assert told["websites"] == {}


def test_a_gateway_source_has_its_own(cast: Cast, settings: Settings) -> None:
    SourceFactory.create(
        tenant=cast.shoes,
        source_id="0019",
        enable_aam=True,
        aam_fields=["em", "ph"],
        first_party_cookie=False,
        fork_meta_pixel=True,
        hash_contact_data=True,
    )
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")

    assert configuration(ask("/sdk/0019/events.js")) == {
        "id": "0019",
        "kind": "source",
        "endpoint": settings.BASE_URL,
        "active": True,
        "blockedEvents": ["Lead"],
        "websites": {},
        "listed": [],
        "cookies": False,
        "formFields": ["em", "ph"],
        "hashes": True,
        "forks": True,
        "filter": "",
        "registered": False,
    }


def test_of_forms_it_reads_nothing_unless_that_is_on(cast: Cast) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="0019", enable_aam=False, aam_fields=["em"])

    assert configuration(ask("/sdk/0019/events.js"))["formFields"] == []


@pytest.mark.parametrize("change", [{"enabled": False}, {"active": False}])
def test_a_source_that_is_off_is_off_in_the_browser(cast: Cast, change: dict[str, bool]) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="0019", **change)

    assert configuration(ask("/sdk/0019/events.js"))["active"] is False


def test_an_advertisers_filter_is_a_file_of_its_own(cast: Cast) -> None:
    script = "event => event // all\n"
    source = SourceFactory.create(tenant=cast.shoes, source_id="0019", custom_integrity_script=script)
    told = ask("/sdk/0019/filter.js")
    before = configuration(ask("/sdk/0019/events.js"))["filter"]

    assert told.body.decode() == 'cbq.filter("0019",(\nevent => event // all\n));\n'
    assert b"event => event" not in ask("/sdk/0019/events.js").body
    source.custom_integrity_script = "event => ({shouldDrop: true})"
    source.save()
    assert configuration(ask("/sdk/0019/events.js"))["filter"] not in (before, "")


@pytest.mark.parametrize("script", ["", " ;\n"])
def test_where_there_is_none_there_is_no_file(cast: Cast, script: str) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="0019", custom_integrity_script=script)

    assert configuration(ask("/sdk/0019/events.js"))["filter"] == ""
    assert ask("/sdk/0019/filter.js").status == 404
    assert ask("/sdk/17/filter.js").status == 404


def test_files_are_no_part_of_a_page(cast: Cast) -> None:
    SourceFactory.create(tenant=cast.shoes, source_id="0019", type=SourceType.FILE_UPLOAD)

    assert ask("/sdk/0019/events.js").status == 404


def test_a_pixel_that_meta_has_registered_is_told_so(pixel: Pixel) -> None:
    Registration.objects.create(pixel=pixel, state=Registration.State.REGISTERED)

    assert configuration()["registered"] is True


def test_no_name_ends_the_script(cast: Cast) -> None:
    name = "</script>\u2028<!--"
    EventFilterFactory.create(tenant=cast.shoes, event_name=name)
    told = ask()

    assert configuration(told)["blockedEvents"] == [name]
    assert b"</script>" not in told.body
    assert "\u2028" not in told.body.decode()


# --- Whose it is -----------------------------------------------------------------------------------------------------


@pytest.fixture
def own(cast: Cast) -> IngressDomain:
    return IngressDomainFactory.create(tenant=cast.shoes, ingress=OWN, status=IngressDomain.Status.VERIFIED)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("path", [*ADDRESSES, "/sdk/events.js"])
def test_an_accounts_own_domain_serves_its_own_pixels(path: str) -> None:
    assert ask(path, Host=OWN).status == 200


@pytest.mark.usefixtures("own")
def test_events_then_go_to_the_own_domain() -> None:
    assert configuration()["endpoint"] == f"https://{OWN}"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("path", ["/sdk/18/events.js", "/18/events.js", "/sdk/0019/events.js", "/sdk/0019/filter.js"])
def test_no_other_accounts_pixel_is_there(cast: Cast, path: str) -> None:
    PixelFactory.create(tenant=cast.other, pixel_id="18")
    SourceFactory.create(tenant=cast.other, source_id="0019", custom_integrity_script="event => event")

    assert ask(path).status == 200
    assert ask(path, Host=OWN).status == 404


@pytest.mark.parametrize("path", ["/sdk/404/events.js", "/404/events.js", "/sdk/x/events.js", "/sdk", "/sdk/17"])
def test_there_is_none_for_an_unknown_id(path: str) -> None:
    assert ask(path).status == 404


def test_there_is_none_for_a_deactivated_account(cast: Cast) -> None:
    assert ask().status == 200
    update_tenant(principal=OPERATOR, tenant_id=cast.shoes.pk, status=TenantStatus.DEACTIVATED)

    assert ask().status == 404


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE"])
def test_it_is_only_read(method: str) -> None:
    told = Told(method, ADDRESSES[0])

    assert told.status == 405
    assert told.headers["Allow"] == "GET, HEAD"


# --- How it is kept --------------------------------------------------------------------------------------------------


def test_who_has_it_is_told_so(cast: Cast) -> None:
    etag = ask().headers["ETag"]
    again = ask(**{"If-None-Match": etag})

    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert "Content-Length" not in again.headers  # it would be that of the whole file
    assert again.headers["Cache-Control"] == "public, max-age=1800"
    EventFilterFactory.create(tenant=cast.shoes, event_name="Lead")
    files.forget_files()
    assert ask(**{"If-None-Match": etag}).status == 200


UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.mark.parametrize("accepted", ["gzip, deflate, br", "gzip", "identity"])
@pytest.mark.parametrize("path", [*ADDRESSES, "/sdk/events.js"])
def test_it_is_packed_for_who_takes_it_so(path: str, accepted: str) -> None:
    told = ask(path, **{"Accept-Encoding": accepted})
    encoding = told.headers.get("Content-Encoding", "")

    assert encoding == {"gzip, deflate, br": "br", "gzip": "gzip", "identity": ""}[accepted]
    assert UNPACK.get(encoding, bytes)(told.body) == ask(path).body
    assert told.headers["Vary"] == "Accept-Encoding"


def test_each_encoding_has_an_etag_of_its_own() -> None:
    tags = {accepted: ask(**{"Accept-Encoding": accepted}).headers["ETag"] for accepted in ("br", "gzip", "identity")}

    assert len(set(tags.values())) == 3
    for accepted, tag in tags.items():
        asked = {"Accept-Encoding": accepted, "If-None-Match": f"W/{tag}"}
        assert ask(**asked).status == 304
        assert ask(**{**asked, "Accept-Encoding": "gzip" if accepted == "br" else "br"}).status == 200


def test_a_file_that_is_as_it_was_is_not_packed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ask(**{"Accept-Encoding": "br"}).body
    files.forget_files()
    monkeypatch.setattr(brotli, "compress", Mock(side_effect=AssertionError))

    assert ask(**{"Accept-Encoding": "br"}).body == before


def test_a_request_asks_the_database_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ask()
    with django_assert_num_queries(0):
        ask()


def test_an_unknown_id_is_asked_for_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ask("/sdk/404/events.js")
    with django_assert_num_queries(0):
        ask("/sdk/404/events.js")


def test_so_many_files_are_kept_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files._cache, "_files", TTLCache(2, 60))
    for number in range(100, 104):
        PixelFactory.create(tenant=cast.shoes, pixel_id=str(number))
    for number in range(100, 104):
        assert ask(f"/sdk/{number}/events.js").status == 200

    assert len(files._cache._files) == 2


def test_nobody_asks_for_made_up_ids_without_end(settings: Settings) -> None:
    settings.BROWSER_ADDRESS_RATE_LIMIT = parse("2/minute")
    told = [ask(f"/sdk/{number}/events.js") for number in range(900, 903)]

    assert [each.status for each in told] == [404, 404, 429]
    assert "Retry-After" in told[-1].headers


def test_a_database_that_does_not_answer_is_no_missing_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.script.door.files_of", Mock(side_effect=OperationalError))

    assert ask().status == 503
