"""A data source's page tells what has come from it in the last hour, by name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from events import findings
from events.gateway.taking_in import take_in
from events.models import Counter, Road, SourceCounter
from pipelines.models import Source
from tests.base import Cast, login
from tests.events.gateway.stage import pipeline, purchase, put, source_of
from tests.events.refused.stage import written
from tests.events.sending import send
from tests.pages import address, get, see

pytestmark = pytest.mark.django_db


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
