"""Templates of Google Tag Manager that load the pixel, run in Chromium by a shim of its sandbox.

TAG_TEMPLATES names files of others' templates (``.tpl``, one or more, with ``:`` between them) that are to be run, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route
from pytest_django import Settings

from events.models import Road, SourceRow
from pipelines.models import Source
from tests.base import Cast
from tests.browser.chromium import PATIENCE_MS
from tests.browser.two_origins import Gateway, serve_folder, serve_gateway
from tests.factories import SourceFactory

FOLDER = Path(__file__).parent / "tags"
OTHERS = [Path(name) for name in os.environ.get("TAG_TEMPLATES", "").split(":") if name]
#: What loads a file, and tells when it is there: one template fetches such a helper from a host of its maker's.
HELPER = """window.metaSGWScriptLoader = (address, loaded, failed) => {
  const script = document.createElement("script");
  Object.assign(script, {async: true, src: address, onload: loaded, onerror: failed});
  document.head.append(script);
};"""

ID = "1234567890123456789"
PEOPLE = [{"name": "em", "value": " Ada@Example.com"}, {"name": "fn", "value": "Ada"}]
HASHED = {"em": sha256(b"ada@example.com").hexdigest(), "fn": sha256(b"ada").hexdigest()}


@pytest.fixture
def gateway(cast: Cast, settings: Settings) -> Iterator[Gateway]:
    SourceFactory.create(tenant=cast.shoes, source_id=ID)
    with serve_gateway() as gateway:
        settings.BASE_URL = gateway.url
        yield gateway


@pytest.fixture
def shop(browser: Browser, gateway: Gateway, tmp_path: Path) -> Iterator[Page]:
    """A page with the shim in it, and no tag yet; it must end without an error."""
    tmp_path.joinpath("sandbox.js").write_text(FOLDER.joinpath("sandbox.js").read_text())
    tmp_path.joinpath("index.html").write_text("<!doctype html><title>Shoes</title><script src=sandbox.js></script>")
    context = browser.new_context()
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.route(re.compile("^https:"), _help)
    with serve_folder(tmp_path) as address:
        page = context.new_page()
        page.goto(address)
        yield page
    context.close()
    assert errors == []


def _help(route: Route) -> None:
    route.fulfill(body=HELPER, content_type="text/javascript")


@pytest.fixture
def sent(shop: Page) -> list[dict[str, Any]]:
    """The bodies that went to the gateway."""
    bodies: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            bodies.append(request.post_data_json or {})

    shop.on("request", note)
    return bodies


def sandboxed(template: Path) -> str:
    """The code of a template, without its other sections."""
    found = re.search(
        r"^___SANDBOXED_JS_FOR_WEB_TEMPLATE___$(.*?)(?=^___\w+___$|\Z)", template.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found, f"{template} is no template of a web tag"
    return found[1]


def fire(page: Page, template: Path, data: dict[str, Any]) -> None:
    page.evaluate("([code, data]) => gtm.run(code, data)", [sandboxed(template), data])


def wait_until(page: Page, condition: Callable[[], object]) -> None:
    for _attempt in range(PATIENCE_MS // 25):
        if condition():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it did not come to pass")


def own(gateway: Gateway, name: str, event_id: str, **more: Any) -> dict[str, Any]:
    properties = [{"name": "currency", "value": "EUR"}]
    script = f"{gateway.url}/{ID}/events.js"
    return {"script": script, "id": ID, "name": name, "eventId": event_id, "properties": properties, **more}


def test_a_template_begins_and_sends_what_is_told_before_and_after_the_script_came(
    shop: Page, gateway: Gateway, sent: list[dict[str, Any]]
) -> None:
    fire(shop, FOLDER / "own.tpl", own(gateway, "Lead", "l-1"))
    wait_until(shop, lambda: len(sent) == 1)
    fire(shop, FOLDER / "own.tpl", own(gateway, "Contact", "c-1"))
    wait_until(shop, lambda: len(sent) == 2)

    assert [(each["event_name"], each["event_id"]) for each in sent] == [("Lead", "l-1"), ("Contact", "c-1")]
    assert sent[0]["custom_data"] == {"currency": "EUR"}
    assert shop.evaluate("gtm.outcomes") == ["success", "success"]


def test_what_a_template_holds_back_goes_with_consent(shop: Page, gateway: Gateway, sent: list[dict[str, Any]]) -> None:
    shop.evaluate("gtm.setConsent('ad_storage', false)")
    fire(shop, FOLDER / "own.tpl", own(gateway, "Lead", "l-1"))
    wait_until(shop, lambda: shop.evaluate("gtm.outcomes.length"))
    shop.wait_for_timeout(300)
    before = list(sent)
    shop.evaluate("gtm.setConsent('ad_storage', true)")
    wait_until(shop, lambda: len(sent) == 1)
    shop.evaluate("gtm.setConsent('ad_storage', false); cbq('track', 'Contact')")
    shop.wait_for_timeout(300)

    assert before == []
    assert [each["event_name"] for each in sent] == ["Lead"]


def test_what_a_template_tells_of_the_visitor_goes_hashed(
    shop: Page, gateway: Gateway, sent: list[dict[str, Any]]
) -> None:
    Source.objects.update(hash_contact_data=True)
    fire(shop, FOLDER / "own.tpl", own(gateway, "Lead", "l-1", people=PEOPLE))
    wait_until(shop, lambda: len(sent) == 1)

    assert sent[0]["fb.advanced_matching"] == HASHED


# --- Templates of others ---------------------------------------------------------------------------------------------

ADDRESSES = ["sdk/{id}/events.js", "{id}/events.js", "sdk/events.js"]


def theirs(gateway: Gateway, address: str, **more: Any) -> dict[str, Any]:
    """What both public templates of the Signals Gateway ask for, each under its own names."""
    script = f"{gateway.url}/{address.format(id=ID)}"
    rows = [{"name": "value", "value": 12}, {"name": "currency", "value": "EUR"}]
    meta = {"sgwPixelId": ID, "sgwHost": f"{gateway.url}/", "sgwScriptUrl": script}
    stape = {"signalsPixelScriptURL": script, "signalsPixelId": ID, "signalsPixelHost": gateway.url}
    event = {"eventName": "standard", "standardEventName": "Purchase", "eventNameStandard": "Purchase"}
    return {**meta, **stape, **event, "objectPropertyList": rows, "objectPropertiesList": rows, **more}


@pytest.mark.skipif(not OTHERS, reason="TAG_TEMPLATES names no template")
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("template", OTHERS, ids=lambda path: path.stem)
def test_another_makers_template_works(
    shop: Page, gateway: Gateway, sent: list[dict[str, Any]], template: Path, address: str
) -> None:
    fire(shop, template, theirs(gateway, address, eventId="order-1", dpoLDU=True, dpoCountry="0", dpoState="0"))
    wait_until(shop, lambda: len(sent) == 1 and shop.evaluate("gtm.outcomes.length") == 1)
    fire(shop, template, theirs(gateway, address, eventId="order-2"))
    wait_until(shop, lambda: len(sent) == 2)
    wait_until(shop, lambda: SourceRow.objects.count() == 2)

    assert [(each["event_name"], each["event_id"]) for each in sent] == [
        ("Purchase", "order-1"),
        ("Purchase", "order-2"),
    ]
    assert sent[0]["custom_data"] == {"value": 12, "currency": "EUR"}
    assert sent[0]["fb.pixel_id"] == ID
    assert set(SourceRow.objects.values_list("road", flat=True)) == {Road.BROWSER}
    wait_until(shop, lambda: shop.evaluate("gtm.outcomes") == ["success", "success"])


@pytest.mark.skipif(not OTHERS, reason="TAG_TEMPLATES names no template")
@pytest.mark.parametrize("template", OTHERS, ids=lambda path: path.stem)
def test_another_makers_template_holds_back_without_consent_and_goes_on_with_it(
    shop: Page, gateway: Gateway, sent: list[dict[str, Any]], template: Path
) -> None:
    fire(shop, template, theirs(gateway, ADDRESSES[0], eventId="order-1", consent=False))
    wait_until(shop, lambda: shop.evaluate("gtm.outcomes.length") == 1)
    shop.wait_for_timeout(500)
    before = list(sent)
    fire(shop, template, theirs(gateway, ADDRESSES[0], eventId="order-2", consent=True))
    wait_until(shop, lambda: len(sent) == 2)

    assert before == []
    assert {each["event_id"] for each in sent} == {"order-1", "order-2"}


def asking(template: Path, *names: str) -> None:
    """Skip a template that knows nothing of these."""
    code = sandboxed(template)
    if missing := [name for name in names if name not in code]:
        pytest.skip(f"{template.name} does not use {', '.join(missing)}")


@pytest.mark.skipif(not OTHERS, reason="TAG_TEMPLATES names no template")
@pytest.mark.parametrize("template", OTHERS, ids=lambda path: path.stem)
def test_another_makers_template_goes_by_consent_mode(
    shop: Page, gateway: Gateway, sent: list[dict[str, Any]], template: Path
) -> None:
    asking(template, "isConsentGranted", "enableConsentMode")
    shop.evaluate("gtm.setConsent('ad_storage', false)")
    for number in (1, 2):
        fire(shop, template, theirs(gateway, ADDRESSES[0], eventId=f"order-{number}", enableConsentMode=True))
    wait_until(shop, lambda: shop.evaluate("gtm.outcomes.length") == 2)
    shop.wait_for_timeout(500)
    before = list(sent), shop.context.cookies()
    shop.evaluate("gtm.setConsent('ad_storage', true)")
    wait_until(shop, lambda: len(sent) == 2)
    shop.evaluate("gtm.setConsent('ad_storage', false)")
    fire(shop, template, theirs(gateway, ADDRESSES[0], eventId="order-3", enableConsentMode=True))
    shop.wait_for_timeout(500)

    assert before == ([], [])
    assert {each["event_id"] for each in sent} == {"order-1", "order-2"}


@pytest.mark.skipif(not OTHERS, reason="TAG_TEMPLATES names no template")
@pytest.mark.parametrize("template", OTHERS, ids=lambda path: path.stem)
def test_another_makers_template_tells_of_the_visitor_now_and_later(
    shop: Page, gateway: Gateway, sent: list[dict[str, Any]], template: Path
) -> None:
    """Later from what the template itself has stored in the browser."""
    asking(template, "enableAdvancedMatching", "userDataList", "enableEventEnhancement")
    Source.objects.update(hash_contact_data=True)
    matching = {"enableAdvancedMatching": True, "enableEventEnhancement": True, "storeUserDataHashed": True}
    fire(shop, template, theirs(gateway, ADDRESSES[0], eventId="order-1", userDataList=PEOPLE, **matching))
    wait_until(shop, lambda: len(sent) == 1)
    shop.reload()
    fire(shop, template, theirs(gateway, ADDRESSES[0], eventId="order-2", **matching))
    wait_until(shop, lambda: len(sent) == 2)

    assert [each["fb.advanced_matching"] for each in sent] == [HASHED, HASHED]
