"""A data source's page tells what has come from it in the last hour, by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from events import findings
from events.gateway.taking_in import take_in
from events.intake.event_ids import make_event_id
from events.models import Counter, Intake, Road, SourceCounter, SourceRow
from pipelines.models import Source
from tests.base import Cast, login
from tests.events.gateway.stage import pipeline, purchase, put, source_of
from tests.events.refused.stage import written
from tests.events.sending import send
from tests.pages import address, get, see

pytestmark = pytest.mark.django_db

VISITOR = "81.2.69.142"


@pytest.fixture
def source(cast: Cast) -> Source:
    made = source_of(cast.shoes)
    pipeline(made)
    return made


def test_names_are_told_with_their_roads_the_most_frequent_first(cast: Cast, source: Source) -> None:
    put(source, purchase(event_name="Lead"))
    put(source, purchase(), purchase(), road=Road.BROWSER)
    take_in(source.pk)
    other = source_of(cast.shoes)
    pipeline(other)
    put(other, purchase(event_name="Search"))
    take_in(other.pk)

    names = get(cast.vic, "pipelines:source_events", cast.shoes, source.source_id).context["names"]

    assert [(one.name, one.browser, one.server) for one in names] == [("Purchase", 2, 0), ("Lead", 0, 1)]


def test_what_came_before_the_last_hour_is_not_told(cast: Cast, source: Source) -> None:
    start = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=90)
    of = {"span": Counter.Span.MINUTE, "dimension": Counter.Dimension.EVENT_NAME, "label": "Lead"}
    SourceCounter.objects.create(source=source, start=start, received=5, **of)

    assert "No event has come." in see(cast.vic, "pipelines:source_events", cast.shoes, source.source_id)


def test_what_was_refused_is_told_with_field_and_rule(cast: Cast, source: Source) -> None:
    send(source.source_id, purchase(event_time=1))
    written()

    answer = get(cast.vic, "pipelines:source_events", cast.shoes, source.source_id)

    assert [(one.field, one.reason) for one in answer.context["refused"]] == [("event_time", "time_too_old")]
    assert f"of={source.source_id}" in answer.content.decode()  # where the last requests are shown


@pytest.mark.parametrize(
    ("language", "texts"),
    [("en", ["Left out, last 24 hours", "It is neither true nor false"]), ("es", ["Omitido, últimas 24 horas"])],
)
def test_what_was_left_out_is_told_with_field_and_reason(
    cast: Cast, source: Source, language: str, texts: list[str]
) -> None:
    client = login(cast.vic)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = address("pipelines:source_events", cast.shoes, source.source_id)
    assert texts[0] not in client.get(page).content.decode()

    send(source.source_id, purchase(opt_out="maybe"))
    findings._findings.flush()

    shown = client.get(page).content.decode()
    assert [text for text in [*texts, "<code>opt_out</code>"] if text not in shown] == []


def person(**user_data: Any) -> dict[str, Any]:
    """Somebody of whom nothing is lacking, unless it is said."""
    whole = {"client_user_agent": "Mozilla/5.0", "client_ip_address": VISITOR, "fbp": "fb.1.1.1", "em": ["a" * 64]}
    return {key: value for key, value in {**whole, **user_data}.items() if value is not None}


def lacks(cast: Cast, source: Source) -> dict[str, list[tuple[str, int]]]:
    take_in(source.pk)
    names = get(cast.vic, "pipelines:source_events", cast.shoes, source.source_id).context["names"]
    return {one.name: [(lack.name, n) for lack, n in one.lacks] for one in names}


LACKING = {
    "a person whom nobody can find": (purchase(user_data=person(em=None)), ["CONTACT"]),
    "a person with an empty address": (purchase(user_data=person(em=[""])), ["CONTACT"]),
    "a person with a telephone number": (purchase(user_data=person(em=None, ph=["b" * 64])), []),
    "a browser without an id": (purchase(user_data=person(fbp=None)), ["BROWSER_ID"]),
    "a visitor from nowhere": (purchase(user_data=person(client_ip_address="")), ["IP_ADDRESS"]),
    "an order at a till": (purchase(action_source="physical_store", user_data={"em": ["a" * 64]}), []),
    "an id of the gateway's": (purchase(event_id=make_event_id(), user_data=person()), ["EVENT_ID"]),
    "an id of the script's": (purchase(event_id="cbq-19a-5f-c1", user_data=person()), ["EVENT_ID"]),
    "a purchase without a value": (purchase(custom_data={"currency": "EUR"}, user_data=person()), ["VALUE"]),
    "a purchase without a currency": (purchase(custom_data={"value": 0}, user_data=person()), ["VALUE"]),
    "a gift": (purchase(custom_data={"value": 0, "currency": "EUR"}, user_data=person()), []),
    "a lead, which need not have a value": (purchase(event_name="Lead", custom_data=None, user_data=person()), []),
    "data of no form": (purchase(custom_data=None, user_data=person()), ["VALUE"]),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_an_event_lacks_is_told(cast: Cast, source: Source, case: str) -> None:
    event, lacking = LACKING[case]
    put(source, event)

    assert lacks(cast, source) == {event["event_name"]: [(lack, 1) for lack in lacking]}


def test_lacks_are_added_up_by_name_the_most_frequent_first(cast: Cast, source: Source) -> None:
    put(
        source,
        purchase(user_data=person(em=None, fbp=None)),
        purchase(user_data=person(fbp=None)),
        purchase(user_data=person()),
    )
    put(source, purchase(event_name="Lead", user_data=person(em=None)), road=Road.BROWSER)
    put(source, purchase(event_name="Search", user_data=person()))

    assert lacks(cast, source) == {
        "Purchase": [("BROWSER_ID", 2), ("CONTACT", 1)],
        "Lead": [("CONTACT", 1)],
        "Search": [],
    }
    shown = see(cast.vic, "pipelines:source_events", cast.shoes, source.source_id)
    assert "No browser id (fbp): 2 of 3" in shown
    assert "No e-mail address or telephone number: all" in shown


def test_what_came_while_the_source_was_disabled_is_told_in_a_sentence(cast: Cast, source: Source) -> None:
    put(source, purchase())
    put(source, purchase(), intake=Intake.RECEIVING_OFF)
    take_in(source.pk)

    shown = see(cast.vic, "pipelines:source_events", cast.shoes, source.source_id)
    assert "1 came while the data source was disabled, and went nowhere." in shown


def test_a_damaged_request_costs_no_count_of_others(cast: Cast, source: Source) -> None:
    put(source, purchase(user_data=person(em=None)))
    SourceRow.objects.create(source=source, received_at=timezone.now(), event_count=1, body=b"[{]")

    assert lacks(cast, source)["Purchase"] == [("CONTACT", 1)]
