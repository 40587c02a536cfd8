"""A request that is refused is counted for its pixel or source, by field and rule, and the last ones are kept."""

from __future__ import annotations

import ast
import gzip
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from limits import parse

from common.errors import InvalidInput
from events.intake import rules
from events.intake.rules import Rule, field_of, rule_of
from events.models import Finding, RefusedRequest, SourceFinding, SourceRefusedRequest
from events.refused import counting
from pixels.models import Pixel
from tests.events.browser_posting import page_view
from tests.events.browser_posting import post as post_as_browser
from tests.events.gateway.stage import source_of
from tests.events.refused.stage import NOT_LET_IN, REFUSED, last, written
from tests.events.sending import post, purchase, send
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

KEY = "k" * 32


@pytest.fixture
def pixel() -> Pixel:
    return PixelFactory.create()


@pytest.fixture
def locked() -> Pixel:
    return PixelFactory.create(require_access_key=True, access_key=KEY)


def test_it_is_counted_with_its_events_and_kept_with_a_sample(pixel: Pixel) -> None:
    for _ in range(2):
        assert send(pixel, purchase(), purchase(event_time=1)).status == 400

    assert written() == [(REFUSED, "", "event_time", "time_too_old", 2, 4)]
    newest, _ = last()
    assert (newest.pixel, newest.field, newest.reason, newest.event_count) == (pixel, "event_time", "time_too_old", 2)
    assert '"event_name": "Purchase"' in newest.sample


def test_what_is_accepted_leaves_no_trace(pixel: Pixel) -> None:
    assert send(pixel, purchase()).status == 202
    assert not counting._refused._held
    assert written() == []


@pytest.mark.parametrize(
    ("body", "headers", "told"),
    [
        (b'{"data": [', {}, ("body", "body_no_json")),
        (b'{"data": [{"custom_data": {"ada": "\\ud800"}}]}', {}, ("custom_data", "body_half_character")),
        (b'{"data": {}}', {}, ("data", "no_list")),
        (b"[]", {}, ("body", "body_no_object")),
        (b"{}", {"Content-Encoding": "br"}, ("body", "encoding")),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, ("body", "body_cut_off")),
    ],
)
def test_so_is_what_nobody_can_read(pixel: Pixel, body: bytes, headers: dict[str, str], told: tuple[str, str]) -> None:
    assert post(pixel, body, **headers).status in (400, 415)

    assert written() == [(REFUSED, "", *told, 1, 1)]
    assert len(last()) == 1


def test_a_source_is_told_of_as_a_pixel_is() -> None:
    source = source_of()
    send(source.source_id, purchase(event_name=None))
    post_as_browser(page_view(source.source_id, event_name=""))

    assert written(SourceFinding) == [
        (REFUSED, "", "event_name", "length", 1, 1),
        (REFUSED, "browser", "event_name", "length", 1, 1),
    ]
    assert {request.source for request in last(SourceRefusedRequest)} == {source}
    assert not Finding.objects.exists()


def test_a_browser_is_told_apart(pixel: Pixel) -> None:
    assert post_as_browser(page_view(pixel, event_name="")).status == 400
    assert written() == [(REFUSED, "browser", "event_name", "length", 1, 1)]


def test_whoever_lacks_the_key_is_counted_apart_and_nothing_of_it_is_kept(locked: Pixel) -> None:
    send(locked, purchase())
    send(locked, purchase(), accessKey="another")
    post(locked, b"junk{")
    post_as_browser(page_view(locked, event_name=""))

    assert written() == [
        (NOT_LET_IN, "", "accessKey", "key_missing", 1, 1),
        (NOT_LET_IN, "", "accessKey", "key_wrong", 1, 1),
        (NOT_LET_IN, "", "data", "no_list", 1, 1),
        (NOT_LET_IN, "browser", "event_name", "length", 1, 1),
    ]
    assert last() == []


def test_whoever_has_the_key_is_told_the_mistake(locked: Pixel) -> None:
    send(locked, purchase(event_time=1), accessKey=KEY)
    post(locked, b"{", Authorization=f"Bearer {KEY}")

    assert [row[:4] for row in written()] == [
        (REFUSED, "", "body", "body_no_json"),
        (REFUSED, "", "event_time", "time_too_old"),
    ]


def test_nobody_is_told_of_pixels_that_are_not_there() -> None:
    send("4711", purchase(event_time=1))
    post_as_browser(page_view("4711", event_name=""))

    assert not counting._refused._held


def test_the_limit_of_requests_is_told(pixel: Pixel, settings: Any) -> None:
    settings.PIXEL_RATE_LIMIT = parse("1/minute")
    assert [send(pixel, purchase()).status for _ in range(2)] == [202, 429]
    assert written() == [(REFUSED, "", "request", "rate_limit", 1, 1)]
    assert last() == []


def test_all_that_waits_is_written_in_a_few_statements(pixel: Pixel) -> None:
    for name in (None, "", "x" * 51):
        send(pixel, purchase(event_name=name))
        send(pixel, purchase(event_time=name))
    with CaptureQueriesContext(connection) as captured:
        counting._refused.flush()

    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 4
    assert RefusedRequest.objects.count() == 5


def test_while_the_database_is_away_it_waits(pixel: Pixel) -> None:
    refused = counting._refused
    send(pixel, purchase(event_time=1))
    with patch.object(refused, "_write", side_effect=OperationalError):
        assert not refused.flush()
    send(pixel, purchase(event_time=1))

    assert written() == [(REFUSED, "", "event_time", "time_too_old", 2, 2)]
    assert len(last()) == 2


def test_what_is_of_a_pixel_that_has_gone_is_dropped(pixel: Pixel) -> None:
    other: Pixel = PixelFactory.create()
    send(pixel, purchase(event_time=1))
    send(other, purchase(event_time=1))
    pixel.delete()

    assert written() == [(REFUSED, "", "event_time", "time_too_old", 1, 1)]
    assert [request.pixel for request in last()] == [other]


def test_every_refusal_has_a_rule() -> None:
    """The intake's files are read for what they raise."""
    said = set()
    for path in [*(Path(settings.ROOT) / "events" / "intake").glob("*.py"), settings.ROOT / "events" / "unreadable.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("InvalidInput", "TooLarge"):
                rule = node.args[1]
                said |= {rule.value} if isinstance(rule, ast.Constant) else set()
    unknown = {rule for rule in said if rule_of(InvalidInput("data[0]", str(rule))) is Rule.OTHER}

    assert len(said) > 25
    assert unknown == {"must be an http or https address."}  # of a person's test, which no sender is told


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("data[3].event_time", "event_time"),
        ("data[3]", "event"),
        ("data[0].custom_data.ada@example.com[2]", "custom_data"),
        ("data[0].ada@example.com", "event"),
        ("ada", "body"),
        ("data", "data"),
        ("test_event_code", "test_event_code"),
    ],
)
def test_no_field_is_named_that_a_sender_made_up(path: str, field: str) -> None:
    error = InvalidInput(path, "must not contain NUL characters.")
    assert field_of(error, rule_of(error)) == field


def test_each_rule_has_its_words() -> None:
    assert {rules.explain(rule) for rule in Rule} == {str(rule.label) for rule in Rule}
    assert rules.explain("of a later version") == "of a later version"
