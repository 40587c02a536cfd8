"""Pages that make it hard for the script: their events go all the same, and nothing goes that must not."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from events.gateway.filter_samples import filter_samples
from events.gateway.page_events import PAGE_VISITOR
from pipelines.models import Source
from tests.browser.gateway_pixel.stage import BEGIN, CALL_METHOD, PAGE_VIEW, Show, names, settled, wait_until
from tests.browser.two_origins import Gateway

ADA = sha256(b"ada@example.com").hexdigest()


# --- Consent ---------------------------------------------------------------------------------------------------------


def test_who_has_revoked_before_the_script_is_there_is_sent_nothing(
    show: Show, visitor: BrowserContext, sent: list[dict[str, Any]]
) -> None:
    page = show(CALL_METHOD + BEGIN + PAGE_VIEW + "cbq('consent', 'revoke');")
    settled(page)
    assert (sent, visitor.cookies()) == ([], [])
    page.evaluate("cbq('consent', 'grant')")

    wait_until(page, lambda: names(sent) == ["PageView"])


# --- Values that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["SOURCE", "SOURCEn"])
def test_an_id_may_be_a_number_though_it_has_more_digits_than_numbers_hold(
    show: Show, source: Source, sent: list[dict[str, Any]], number: str
) -> None:
    page = show(CALL_METHOD + f"cbq('init', {number}); cbq('trackSingle', {number}, 'Lead');")
    wait_until(page, lambda: sent)

    assert [(body["event_name"], body["fb.pixel_id"]) for body in sent] == [("Lead", source.source_id)]


@pytest.mark.parametrize("options", ["1n", "'LDU'", "round", "[round]", "undefined", "['LDU'], round, round"])
def test_options_that_are_none_keep_no_event_back(show: Show, sent: list[dict[str, Any]], options: str) -> None:
    page = show(CALL_METHOD + BEGIN + "cbq('dataProcessingOptions', [], 0, 0);")
    page.evaluate(
        f"const round = {{}}; round.round = round; cbq('dataProcessingOptions', {options}); cbq('track', 'Lead')"
    )
    wait_until(page, lambda: names(sent) == ["Lead"])

    assert (sent[0]["data_processing_options_country"], sent[0]["data_processing_options_state"]) == (0, 0)


@pytest.mark.parametrize("given", ["{}", "true", "[]", "NaN", "'  '", "Symbol('x')"])
def test_what_is_no_id_of_an_event_gives_no_two_events_the_same(
    show: Show, sent: list[dict[str, Any]], given: str
) -> None:
    page = show(CALL_METHOD + BEGIN)
    page.evaluate(f"for (const name of ['Lead', 'Contact']) cbq('track', name, {{}}, {{eventID: {given}}})")
    wait_until(page, lambda: len(sent) == 2)

    assert all(body["event_id"].startswith("cbq-") for body in sent)


def test_what_is_frozen_is_taken_as_it_is(show: Show, sent: list[dict[str, Any]]) -> None:
    page = show(
        CALL_METHOD + "cbq('init', 'SOURCE', Object.freeze({em: 'ada@example.com'})); Object.freeze(cbq.queue);"
    )
    page.evaluate("cbq('track', 'Lead', Object.freeze({value: 1}), Object.freeze({eventID: 'lead-1'}))")
    wait_until(page, lambda: len(sent) == 1)

    assert (sent[0]["event_id"], sent[0]["custom_data"]["value"]) == ("lead-1", 1)
    assert sent[0]["fb.advanced_matching"] == {"em": "ada@example.com"}


# --- People ----------------------------------------------------------------------------------------------------------


def test_what_the_page_leaves_empty_the_visitors_form_tells(
    show: Show, source: Source, sent: list[dict[str, Any]]
) -> None:
    Source.objects.update(enable_aam=True, aam_fields=["em"], hash_contact_data=True)
    page = show(CALL_METHOD + "cbq('init', 'SOURCE', {em: ''});", html="<input type=email name=mail>")
    page.locator("[name=mail]").fill("ada@example.com")
    page.locator("[name=mail]").blur()
    page.evaluate("cbq('track', 'Lead')")
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["fb.advanced_matching"] == {"em": ADA}


@pytest.mark.parametrize("field", ["__defineGetter__", "constructor", "toString"])
def test_a_field_that_every_object_has_is_no_datum(show: Show, sent: list[dict[str, Any]], field: str) -> None:
    Source.objects.update(hash_contact_data=True)
    page = show(CALL_METHOD + f"cbq('init', 'SOURCE', {{em: 'ada@example.com', {field}: 'x'}});" + PAGE_VIEW)
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["fb.advanced_matching"] == {"em": ADA}


def test_what_a_filter_adds_of_people_is_hashed_too(show: Show, sent: list[dict[str, Any]]) -> None:
    adds = "() => ({updatedEventObject: {userData: {em: 'Ada@Example.com'}}})"
    Source.objects.update(hash_contact_data=True, custom_integrity_script=adds)
    page = show()
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["fb.advanced_matching"] == {"em": ADA}


@pytest.mark.parametrize("hashes", [False, True])
def test_the_sample_of_the_data_filter_is_what_a_filter_gets(
    show: Show, source: Source, sent: list[dict[str, Any]], hashes: bool
) -> None:
    source.hash_contact_data = hashes
    source.custom_integrity_script = "got => ({updatedEventObject: {customData: {got}}})"
    source.save()
    sample = filter_samples(source)[0].event
    page = show(CALL_METHOD)
    page.evaluate(
        "([id, visitor, name, data]) => { cbq('init', id, visitor); cbq('track', name, data) }",
        [source.source_id, PAGE_VISITOR, sample["eventName"], sample["customData"]],
    )
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["custom_data"]["got"] == {**sample, "domainUrl": page.url}


# --- Pages that change the browser -----------------------------------------------------------------------------------

#: As Prototype.js before 1.7 has them.
PROTOTYPE_JS = """Array.from = (list) => [].slice.call(list);
Array.prototype.toJSON = function () { return '[' + this.join() + ']' };
String.prototype.toJSON = function () { return '"' + this + '"' };"""


def test_an_old_librarys_arrays_and_json_change_no_event(show: Show, sent: list[dict[str, Any]]) -> None:
    Source.objects.update(hash_contact_data=True)
    page = show(PROTOTYPE_JS + CALL_METHOD + "cbq('init', 'SOURCE', {em: 'ada@example.com'});")
    page.evaluate("() => { cbq('track', 'Lead', {content_ids: ['1', '2'], seen: new Date(0)}) }")
    wait_until(page, lambda: len(sent) == 1)

    assert sent[0]["event_name"] == "Lead"
    assert sent[0]["fb.advanced_matching"] == {"em": ADA}
    assert sent[0]["custom_data"] == {"content_ids": ["1", "2"], "seen": "1970-01-01T00:00:00.000Z"}


def test_an_element_of_its_name_does_not_stand_in_its_way(
    show: Show, gateway: Gateway, source: Source, sent: list[dict[str, Any]]
) -> None:
    address = f"{gateway.url}/sdk/{source.source_id}/events.js"
    page = show("", html=f'<form id="cbq"></form><script src="{address}"></script>')
    page.evaluate(f"cbq('init', '{source.source_id}'); cbq('track', 'Lead')")

    wait_until(page, lambda: names(sent) == ["Lead"])


def test_a_page_that_lets_no_script_load_another_loses_no_event(
    show: Show, gateway: Gateway, source: Source, sent: list[dict[str, Any]]
) -> None:
    """Trusted Types: the advertiser's filter cannot come."""
    Source.objects.update(custom_integrity_script="event => event")
    policy = "require-trusted-types-for 'script'"
    address = f"{gateway.url}/sdk/{source.source_id}/events.js"
    html = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><script src="{address}"></script>'
    page = show("", html=html)
    page.evaluate(f"cbq('init', '{source.source_id}'); cbq('track', 'Lead')")

    wait_until(page, lambda: names(sent) == ["Lead"])


@pytest.mark.parametrize(
    "harm", ["window.Proxy = undefined", "Object.defineProperty(window, '_fbq', {get: () => undefined})"]
)
def test_the_meta_pixel_works_though_its_calls_cannot_be_taken(show: Show, harm: str) -> None:
    Source.objects.update(fork_meta_pixel=True)
    page = show(f"{harm};" + CALL_METHOD + BEGIN)
    told = page.evaluate(
        """(() => { 'use strict'; const told = [];
        window.fbq = (...call) => told.push(call); window.fbq('track', 'Lead'); return told.length })()"""
    )

    assert told == 1


@pytest.mark.parametrize(
    "harm",
    [
        "window.fetch = () => Promise.reject(); window.setTimeout = () => { throw new Error('x') }",
        "window.fetch = () => Promise.reject(); Set.prototype.has = Set.prototype.delete = undefined",
        "window.performance.now = () => { throw new Error('x') }",
        "Object.hasOwn = Object.entries = undefined",
        "Array.prototype.filter = Array.prototype.forEach = () => { throw new Error('x') }",
        "Array.prototype.map = Array.prototype.includes = Array.prototype.find = undefined",
        "String.prototype.match = RegExp.prototype.test = RegExp.prototype.exec = undefined",
        "document.addEventListener = Map.prototype.get = undefined",
        "Object.defineProperty(Array.prototype, 'first', {get() { throw new Error('x') }, enumerable: true})",
    ],
)
def test_nothing_that_comes_later_leaves_an_error(show: Show, harm: str) -> None:
    """The visitor's browser tells of an error that leaves the script, and of a promise that nobody has caught."""
    page = show(f"{harm};" + CALL_METHOD + BEGIN + PAGE_VIEW)
    page.evaluate("cbq('set', 'cookies', {get: () => Promise.resolve('x'), set: 1}); cbq('track', 'Lead')")
    settled(page)


# --- Leaving ---------------------------------------------------------------------------------------------------------


def test_who_leaves_without_a_network_and_steps_back_is_heard(
    show: Show, visitor: BrowserContext, sent: list[dict[str, Any]]
) -> None:
    """Chromium keeps the page as it was, and takes beacons that it then cannot send."""
    page = show(CALL_METHOD + BEGIN)
    visitor.set_offline(True)
    page.evaluate("cbq('track', 'Lead', {}, {eventID: 'lead-1'})")
    settled(page)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    settled(page)
    visitor.set_offline(False)
    before = len(sent)
    wait_until(page, lambda: len(sent) > before)

    assert {body["event_id"] for body in sent} == {"lead-1"}
