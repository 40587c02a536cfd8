"""Nobody's data goes out on somebody else's event."""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from events.delivery.enrichment import IDENTIFIERS, enrich
from events.delivery.publishing import drain
from events.models import Identity
from events.sandbox import Sandbox
from pixels.models import Pixel
from tests.base import Cast
from tests.events.sending import purchase, send
from tests.events.test_enrichment import EMAIL, FBP, NAME, PHONE, batch, enriched, sent
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db

OTHER_EMAIL, OTHER_PHONE = "d" * 64, "e" * 64
ADA = {"external_id": "ada", "em": EMAIL, "ph": PHONE}


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    cast.shoes.event_enrichment = True
    cast.shoes.save()
    return PixelFactory.create(tenant=cast.shoes)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- What is no identifier -------------------------------------------------------------------------------------------

NOBODY = [
    "undefined",
    "Undefined",
    "null",
    "NULL",
    "none",
    "None ",
    "N/A",
    "n/a",
    "guest",
    "Guest",
    "anonymous",
    "false",
    "true",
    "[object Object]",
    " ",
    "\t\n",
    "\u200b",
    "0",
    0,
    "00",
    "0.0",
    "-1",
    -1,
    "nan",
    "NaN",
    "unknown",
    "{{user_id}}",
    "${user.id}",
    "%%USER_ID%%",
    "{user_id}",
    "00000000-0000-0000-0000-000000000000",
    sha256(""),
    sha256("0"),
    sha256("undefined"),
    sha256("null").upper(),
    sha256("Guest"),
    sha256("0") + ".AQ",
]


@pytest.mark.parametrize("nobody", NOBODY)
@pytest.mark.parametrize("kind", ["external_id", "fbp"])
def test_what_is_no_identifier_is_no_visitor(pixel: Pixel, kind: str, nobody: Any) -> None:
    for value in (nobody, [nobody], [nobody, None]):
        enriched(pixel, {kind: value, "em": EMAIL})

        assert enriched(pixel, {kind: value}) == [{kind: value}]
    assert not Identity.objects.exists()


def test_a_real_id_beside_a_placeholder_counts(pixel: Pixel) -> None:
    enriched(pixel, {"external_id": ["undefined", "ada"], "em": EMAIL})

    assert enriched(pixel, {"external_id": "ada"}) == [{"external_id": "ada", "em": [EMAIL]}]
    assert enriched(pixel, {"external_id": ["undefined", "bo"]}) == [{"external_id": ["undefined", "bo"]}]


@pytest.mark.parametrize(
    "fbp",
    ["X", "1116446470", "fb.1.1116446470", "fb.1.undefined.1116446470", "fb.1.1596403881668.", "fb.1.1.2.3.4", "fb"],
)
def test_an_fbp_of_another_form_is_no_visitor(pixel: Pixel, fbp: str) -> None:
    enriched(pixel, {"fbp": fbp, "em": EMAIL})

    assert enriched(pixel, {"fbp": fbp}) == [{"fbp": fbp}]
    assert not Identity.objects.exists()


@pytest.mark.parametrize("other", [f"{FBP}.AQ", f"{FBP}.AQYBAQAB", [FBP]])
def test_a_browser_is_the_same_with_and_without_an_appendix(pixel: Pixel, other: Any) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})

    assert enriched(pixel, {"fbp": other}) == [{"fbp": other, "em": [EMAIL]}]


@pytest.mark.parametrize("same", [" ada", sha256("ada"), sha256("ada").upper(), [sha256("ada") + ".AQ"]])
def test_an_external_id_is_the_same_hashed_or_not(pixel: Pixel, same: Any) -> None:
    enriched(pixel, {"external_id": "ada", "em": EMAIL})

    assert enriched(pixel, {"external_id": same}) == [{"external_id": same, "em": [EMAIL]}]


def test_ids_that_differ_in_case_are_two_people(pixel: Pixel) -> None:
    enriched(pixel, {"external_id": "aB3x", "em": EMAIL})

    assert enriched(pixel, {"external_id": "Ab3X"}) == [{"external_id": "Ab3X"}]


# --- A hash of nothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", "none", "null", "n/a", "undefined"])
def test_a_hash_of_nothing_replaces_no_real_one_and_is_kept_nowhere(pixel: Pixel, word: str) -> None:
    enriched(pixel, {"fbp": FBP, "em": EMAIL})

    for nothing in (sha256(word), sha256(word).upper(), [sha256(word)]):
        assert enriched(pixel, {"fbp": FBP, "em": nothing}) == [{"fbp": FBP, "em": [EMAIL]}]
    assert sha256(word) not in json.dumps(list(Identity.objects.values_list("identifiers", flat=True)))


@pytest.mark.parametrize("value", ["ada@example.com", "098f6bcd4621d373cade4e832627b4f6", 4711, sha256("")])
def test_only_a_sha256_of_something_is_remembered(pixel: Pixel, value: Any) -> None:
    enriched(pixel, {"fbp": FBP, "em": value})

    assert not Identity.objects.exists()


# --- Two people at one browser ---------------------------------------------------------------------------------------


def test_another_customer_at_the_same_browser_gets_nothing_of_the_first(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, **ADA})

    assert enriched(pixel, {"fbp": FBP, "external_id": "bo"}) == [{"fbp": FBP, "external_id": "bo"}]


def test_nor_does_the_browser_later(pixel: Pixel) -> None:
    """Bo said nothing of himself, and yet Ada's memory has ended."""
    enriched(pixel, {"fbp": FBP, **ADA}, {"fbp": FBP, "external_id": "bo"})

    assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP}]


@pytest.mark.parametrize(
    "bo",
    [
        {"external_id": "bo"},
        {"external_id": ["bo", "bo2"]},
        {"em": OTHER_EMAIL},
        {"em": [OTHER_EMAIL, "f" * 64]},
        {"ph": OTHER_PHONE},
        {"external_id": "ada", "em": OTHER_EMAIL},
        {"em": EMAIL, "ph": OTHER_PHONE},
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_differing_id_address_or_number_ends_the_memory_of_the_browser(
    pixel: Pixel, bo: dict[str, Any], at_once: bool
) -> None:
    first, second, third = {"fbp": FBP, "fn": NAME, **ADA}, {"fbp": FBP, **bo}, {"fbp": FBP}
    if at_once:
        _, of_bo, of_browser = enriched(pixel, first, second, third)
    else:
        enriched(pixel, first)
        (of_bo,) = enriched(pixel, second)
        (of_browser,) = enriched(pixel, third)

    assert of_bo == second
    assert "fn" not in of_browser
    assert of_browser.get("em") in (None, [bo.get("em")], bo.get("em"))
    assert of_browser.get("ph") in (None, [bo.get("ph")])


@pytest.mark.parametrize(
    "same",
    [
        {"external_id": "ada"},
        {"external_id": ["new", "ada"]},
        {"external_id": sha256("ada").upper()},
        {"em": [OTHER_EMAIL, EMAIL]},
        {"em": EMAIL.upper()},
        {"em": EMAIL + ".AQ"},
        {"ph": PHONE},
        {"ct": "f" * 64},
        {},
    ],
)
def test_whoever_has_something_in_common_is_the_same_person(pixel: Pixel, same: dict[str, Any]) -> None:
    enriched(pixel, {"fbp": FBP, "fn": NAME, **ADA})

    (user_data,) = enriched(pixel, {"fbp": FBP, **same})

    assert user_data["fn"] == [NAME]


def test_a_customer_who_is_known_by_their_id_gets_nothing_of_whoever_used_the_browser(pixel: Pixel) -> None:
    """Bo's event says neither his address nor hers; his memory does."""
    enriched(pixel, {"fbp": "fb.1.1.1", "external_id": "bo", "em": OTHER_EMAIL})
    enriched(pixel, {"fbp": FBP, "em": EMAIL, "ph": PHONE})

    (of_bo,) = enriched(pixel, {"fbp": FBP, "external_id": "bo"})

    assert of_bo == {"fbp": FBP, "external_id": "bo", "em": [OTHER_EMAIL]}
    assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP}]


def test_a_customer_goes_on_being_known_when_the_browsers_memory_ends(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, **ADA}, {"fbp": FBP, "external_id": "bo"})

    (user_data,) = enriched(pixel, {"fbp": FBP, "external_id": "ada"})

    assert user_data == {"fbp": FBP, "external_id": "ada", "em": [EMAIL], "ph": [PHONE]}


def test_two_ids_of_two_people_are_not_mixed(pixel: Pixel) -> None:
    enriched(pixel, {"external_id": "ada", "em": EMAIL}, {"external_id": "bo", "em": OTHER_EMAIL, "ph": OTHER_PHONE})

    assert enriched(pixel, {"external_id": ["ada", "bo"]}) == [{"external_id": ["ada", "bo"], "em": [EMAIL]}]


def test_an_id_that_many_share_gives_one_nothing_of_another(pixel: Pixel) -> None:
    """A shop may send its own name as everybody's id."""
    enriched(pixel, {"external_id": "web", "em": EMAIL, "ph": PHONE})

    shared = {"external_id": "web", "em": OTHER_EMAIL}
    assert enriched(pixel, shared) == [shared]


def test_who_logged_in_is_remembered_though_they_said_nothing_else(pixel: Pixel) -> None:
    """Bo logs in, and orders as a guest: then Ada logs in."""
    enriched(pixel, {"fbp": FBP, "external_id": "bo"}, {"fbp": FBP, "em": OTHER_EMAIL})

    assert enriched(pixel, {"fbp": FBP, "external_id": "ada"}) == [{"fbp": FBP, "external_id": "ada"}]


def test_ids_are_never_added_to_an_event(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, **ADA})

    (user_data,) = enriched(pixel, {"fbp": FBP})

    assert set(user_data) == {"fbp", "em", "ph"}


def test_neither_ids_nor_plain_hashes_of_ids_are_kept(pixel: Pixel) -> None:
    enriched(pixel, {"fbp": FBP, **ADA})

    kept = json.dumps(list(Identity.objects.values("key", "identifiers")))
    assert not any(text in kept for text in (FBP, "ada", sha256("ada"), sha256(FBP)))


def test_a_second_attempt_gives_nobody_what_is_anothers(pixel: Pixel) -> None:

    people = [{"fbp": FBP, **ADA}, {"fbp": FBP, "external_id": "bo"}, {"fbp": FBP, "em": OTHER_EMAIL}]
    events = [purchase(user_data=person) for person in people]
    for _ in range(2):
        attempt = batch(*events)
        enrich(pixel, attempt)
        assert [event["user_data"] for event in sent(attempt)] == people


# --- Where nothing is in common --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ada", "bo"),
    [
        ({"em": EMAIL}, {"external_id": "bo"}),
        ({"ph": PHONE}, {"external_id": "bo"}),
        ({"ph": PHONE}, {"em": OTHER_EMAIL}),
        ({"em": EMAIL}, {"ph": OTHER_PHONE}),
        ({"external_id": "ada", "fn": NAME}, {"em": OTHER_EMAIL}),
        ({"fn": NAME, "ct": NAME}, {"em": OTHER_EMAIL}),
    ],
)
def test_a_browser_gives_nothing_to_an_event_that_shares_nothing_with_its_memory(
    pixel: Pixel, ada: dict[str, Any], bo: dict[str, Any]
) -> None:
    """They do not differ: each says what the other does not."""
    _, of_bo, of_browser = enriched(pixel, {"fbp": FBP, **ada}, {"fbp": FBP, **bo}, {"fbp": FBP})

    assert of_bo == {"fbp": FBP, **bo}
    assert not ada.keys() & of_browser.keys()


def test_a_guests_order_between_two_of_a_customer_gives_the_customer_nothing(pixel: Pixel) -> None:
    customer = {"fbp": FBP, "external_id": "bo"}

    assert enriched(pixel, customer, {"fbp": FBP, "em": EMAIL}, customer)[2] == customer


def test_an_event_that_does_not_say_who_it_is_changes_nothing_of_who_is_known(pixel: Pixel) -> None:
    """Else Bo's name would go out on Ada's next event."""
    enriched(pixel, {"fbp": FBP, **ADA}, {"fbp": FBP, "fn": NAME})

    assert enriched(pixel, {"fbp": FBP, "em": EMAIL}) == [{"fbp": FBP, "em": EMAIL, "ph": [PHONE]}]


# --- What was remembered before --------------------------------------------------------------------------------------


def of_the_previous_release(pixel: Pixel) -> Identity:
    """A memory as it was kept, and as its processes go on keeping it for a while."""
    key = sha256(f"fbp:{FBP}")
    return Identity.objects.create(pixel=pixel, key=key, identifiers={"em": [EMAIL]}, seen_at=timezone.now())


def test_a_memory_of_the_previous_release_is_never_used(pixel: Pixel) -> None:
    """A process of it may still write one after the migration."""
    of_the_previous_release(pixel)

    assert enriched(pixel, {"fbp": FBP}) == [{"fbp": FBP}]


@pytest.mark.django_db(transaction=True)
def test_the_migration_forgets_all_visitors() -> None:
    of_the_previous_release(PixelFactory.create())
    migration = import_module("events.migrations.0006_forget_visitors")

    with connection.schema_editor() as editor:
        migration.forget(None, editor)

    assert not Identity.objects.exists()


# --- The whole way ----------------------------------------------------------------------------------------------------


def test_from_the_shop_to_meta_everybody_keeps_their_own(pixel: Pixel, sandbox: Sandbox) -> None:
    """Plain values and hashes, as shops send them, through the real intake."""

    def arrived(**who: Any) -> dict[str, Any]:
        agent = {"client_user_agent": "Mozilla/5.0"}
        assert send(pixel, purchase(event_id=None, user_data=agent | who)).status == 202
        drain(pixel.pk)
        user_data: dict[str, Any] = sandbox.received[-1]["user_data"]
        return {name: value for name, value in user_data.items() if name in IDENTIFIERS}

    ada, bo = sha256("ada@example.com"), sha256("bo@example.com")
    assert arrived(fbp=FBP, external_id="ada", em="ada@example.com") == {"em": ada}
    assert arrived(fbp=FBP, em=sha256("")) == {"em": [ada]}
    assert arrived(fbp=FBP, external_id="bo") == {}
    assert arrived(fbp=FBP) == {}
    assert arrived(fbp=FBP, external_id=["bo"], em="Bo@example.com ") == {"em": bo}
    assert arrived(fbp=FBP) == {"em": [bo]}
    assert arrived(external_id="undefined", em="cy@example.com") == {"em": sha256("cy@example.com")}
    assert arrived(external_id="undefined", fbp="fb.1.1.7") == {}
    assert arrived(external_id=sha256("ada").upper()) == {"em": [ada]}
