"""The pages that show registration, and their buttons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.principals import OPERATOR
from events.models import Registration, Removal
from events.registration.registrar import hold_restored, instance_id
from events.sandbox import Sandbox
from filters.services import update_domain_filter
from pixels.models import Pixel
from tests.base import Cast, login
from tests.events.registration.conftest import Sweep, row_of
from tests.factories import EventFilterFactory, PixelFactory
from tests.pages import address, get, post, see, text_of

State = Registration.State


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    """One of Shoes', of an instance that Meta's own Graph API is asked by."""
    pixel: Pixel = PixelFactory.create(tenant=cast.shoes, name="Web shop")
    Registration.objects.all().delete()
    return pixel


def _registration(pixel: Pixel, **values: Any) -> None:
    Registration.objects.update_or_create(pixel=pixel, defaults=values)


def _seen(who: User, pixel: Pixel) -> str:
    """What the card on the pixel's page says."""
    page = see(who, "pixels:detail", pixel.tenant, pixel.pixel_id)
    return page[page.index("Registration with Meta") : page.index("Switches")]


def test_a_pixel_of_before_can_be_registered(cast: Cast, pixel: Pixel) -> None:
    assert "Not registered" in _seen(cast.ada, pixel)

    answer = post(cast.ada, "pixels:register", cast.shoes, pixel.pixel_id)

    assert answer.headers["Location"].endswith("#registration")
    assert row_of(pixel).state == State.WAITING
    assert "Waiting Meta is being told where the pixel's browsers are to post." in _seen(cast.ada, pixel)


def test_of_a_registered_one_meta_can_be_told_again(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, state=State.REGISTERED, node="7", told="digest", told_at=timezone.now())
    assert "Tell Meta again" in see(cast.ada, "pixels:registration", cast.shoes, pixel.pixel_id)
    assert "Tell Meta again" not in see(cast.vic, "pixels:registration", cast.shoes, pixel.pixel_id)

    post(cast.ada, "pixels:register", cast.shoes, pixel.pixel_id)

    assert (row_of(pixel).state, row_of(pixel).told) == (State.WAITING, "")


def test_a_registered_one_names_its_address(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, state=State.REGISTERED, endpoint="https://gateway.example.com", told_at=timezone.now())

    said = _seen(cast.vic, pixel)

    assert "Registered Meta knows the gateway" in said
    assert "https://gateway.example.com" in said
    assert "Last told: now." in said
    assert "Unregister" not in said, "who may look only, has no buttons"


def test_a_change_that_is_on_its_way_is_told_as_such(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, state=State.REGISTERED, told_at=timezone.now(), due_at=timezone.now())

    assert "A change is on its way to Meta." in _seen(cast.ada, pixel)


def test_one_that_waits_says_what_for(cast: Cast, pixel: Pixel) -> None:
    _registration(
        pixel,
        failures=3,
        code="2",
        message="Please retry <later>.",
        due_at=timezone.now() + timedelta(hours=2, minutes=1),
        told_at=timezone.now() - timedelta(days=2),
        endpoint="https://gateway.example.com",
    )

    said = _seen(cast.ada, pixel)

    assert "Meta could not be told yet. Next attempt: 2 hours from now." in said
    assert "Meta says: Please retry <later>. (2)" in said
    assert "Meta has a passing fault; the gateway tries again." in said
    assert "Meta still knows what it was told 2 days ago" in said
    assert "Try again" in said


def test_one_that_does_not_get_an_answer_says_so(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, failures=1, silence="ReadTimeout", due_at=timezone.now() + timedelta(minutes=1))

    said = _seen(cast.ada, pixel)

    assert "Meta does not answer; the gateway tries again." in said
    assert "Meta says" not in said


def test_a_refusal_is_told_in_metas_words_and_what_to_do(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, state=State.REFUSED, code="200", message="(#200) Requires business_management")

    said = _seen(cast.ada, pixel)

    assert "Refused by Meta" in said
    assert "Meta says: (#200) Requires business_management (200)" in said
    assert "The token may not register a gateway" in said
    assert "Everything else works" in said
    assert "What to do by hand" in said
    post(cast.ada, "pixels:register", cast.shoes, pixel.pixel_id)
    assert row_of(pixel).state == State.WAITING


def test_another_gateway_is_named_and_can_be_replaced(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, state=State.REFUSED, code="taken", message="https://other.example.net")

    said = _seen(cast.ada, pixel)
    assert "Another gateway is registered" in said
    assert "Its address: https://other.example.net" in said
    assert "Register in its place" in said

    post(cast.ada, "pixels:register", cast.shoes, pixel.pixel_id, replace="yes")
    assert (row_of(pixel).state, row_of(pixel).may_replace) == (State.WAITING, True)


def test_it_can_be_taken_back(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel, state=State.REGISTERED, node="7", told_at=timezone.now())

    post(cast.ada, "pixels:unregister", cast.shoes, pixel.pixel_id)

    assert "Not registered" in _seen(cast.ada, pixel)
    assert Removal.objects.get().node == "7"
    again = _post(cast.ada, address("pixels:unregister", cast.shoes, pixel.pixel_id))
    assert "This pixel is not registered." in again


def test_an_instance_that_browsers_cannot_reach_says_why(cast: Cast, pixel: Pixel, settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"

    said = _seen(cast.ada, pixel)

    assert "Not possible The gateway is at http://localhost:8000" in said
    assert "The operator can set BASE_URL" in said
    assert "Register" not in said.replace("Registration", "")


@pytest.mark.parametrize("moved", [False, True])
def test_a_copy_says_whom_it_waits_for(cast: Cast, pixel: Pixel, settings: Settings, moved: bool) -> None:
    _registration(pixel, state=State.REGISTERED, endpoint="https://gateway.example.com", told_at=timezone.now())
    if moved:
        instance_id()
        settings.BASE_URL = "https://staging.example.com"
    else:
        hold_restored()

    said = _seen(cast.ada, pixel)
    assert "Waits for the host" in said
    assert ("https://staging.example.com now, and was another one" if moved else "restored from a backup") in said
    assert "Host settings" not in said
    assert "Host settings: registration with Meta" in _seen(cast.hanna, pixel)


def test_while_meta_is_told_the_page_asks_again_and_then_no_more(cast: Cast, pixel: Pixel) -> None:
    _registration(pixel)
    polling = f'hx-get="/hub/capig/pixels/{pixel.pixel_id}/registration/'
    assert polling in get(cast.ada, "pixels:detail", cast.shoes, pixel.pixel_id).content.decode()

    _registration(pixel, state=State.REGISTERED, told_at=timezone.now())
    path = address("pixels:registration", cast.shoes, pixel.pixel_id, help="yes")
    fragment: Any = login(cast.ada).get(path, headers={"HX-Request": "true"})

    assert polling not in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "What Meta is told" in text_of(fragment)


def test_a_page_tells_what_meta_is_told_and_how_to_do_it_by_hand(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create(tenant=cast.shoes, event_name='It\'s "mine"')
    for domain, state in (("a.com", "DROP"), ("shop.a.com", "PUBLISH"), ("b.com", "DROP")):
        update_domain_filter(principal=OPERATOR, tenant_id=cast.shoes.pk, domain=domain, state=state)
    Pixel.objects.update(browser_websites=["example.com"], publishing_enabled=False)
    see_page = ("pixels:registration", cast.shoes, pixel.pixel_id)
    assert "curl" not in see(cast.ada, *see_page), "nothing tells the instance's registrations from others' yet"
    name = instance_id()

    said = see(cast.vic, *see_page)

    assert "Address for browsers https://gateway.example.com" in said
    assert "Publishes events No" in said
    assert 'Events that stay in the browser It\'s "mine"' in said
    assert "Websites whose events stay in the browser b.com" in said
    assert "since some of their subdomains are permitted: a.com" in said
    assert "Meta cannot be told of a list of websites" in said
    assert f"curl -X POST https://graph.facebook.com/v24.0/{pixel.business_id}/openbridge_configurations" in said
    assert f'"instance_id": "{name}"' in said
    assert "Authorization: Bearer ACCESS_TOKEN" in said
    assert "the token of a test's pixel" not in said


def test_what_is_registered_is_changed_by_hand(cast: Cast, pixel: Pixel) -> None:
    instance_id()
    _registration(pixel, state=State.REFUSED, code="200", node="77")

    said = see(cast.ada, "pixels:registration", cast.shoes, pixel.pixel_id)

    assert "curl -X POST https://graph.facebook.com/v24.0/77 " in said


def test_names_beyond_the_first_are_counted(cast: Cast, pixel: Pixel) -> None:
    EventFilterFactory.create_batch(25, tenant=cast.shoes)

    assert "… of 25" in see(cast.ada, "pixels:registration", cast.shoes, pixel.pixel_id)


# --- All at once -----------------------------------------------------------------------------------------------------


def test_the_list_tells_how_many_are_registered_and_registers_the_others(cast: Cast, pixel: Pixel) -> None:
    refused, registered = PixelFactory.create_batch(2, tenant=cast.shoes)
    _registration(refused, state=State.REFUSED)
    _registration(registered, state=State.REGISTERED)
    said = see(cast.ada, "pixels:list", cast.shoes)
    assert "Registered with Meta: 1 · refused: 1 · not registered: 1" in said
    assert "Register 2 pixels" in said
    assert "Register 2 pixels" not in see(cast.vic, "pixels:list", cast.shoes)

    said = _post(cast.ada, address("pixels:register_all", cast.shoes))

    assert "Meta is being told of 2 pixels." in said
    assert "Registered with Meta: 1 · waiting: 2" in said


def test_a_list_that_cannot_be_registered_does_not_speak_of_it(cast: Cast, pixel: Pixel, settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"

    assert "Registered with Meta" not in see(cast.ada, "pixels:list", cast.shoes)
    assert "no public https address" in _post(cast.ada, address("pixels:register_all", cast.shoes))


# --- The host --------------------------------------------------------------------------------------------------------


def _post(who: User, path: str, **data: Any) -> str:
    """What is seen after a POST."""
    answer: Any = login(who).post(path, data, follow=True)
    return text_of(answer)


def _host(who: User, name: str = "host:registration", **data: Any) -> str:
    if data:
        return _post(who, reverse(name), **data)
    answer: Any = login(who).get(reverse(name))
    return text_of(answer)


def test_the_host_sees_how_all_pixels_stand(cast: Cast, pixel: Pixel) -> None:
    others = PixelFactory.create_batch(3, tenant=cast.books)
    _registration(others[0], state=State.REGISTERED)
    _registration(others[1], state=State.REFUSED)
    Removal.objects.create(pixel_id="1", tenant_id=cast.books.pk, api_version="v24.0", access_token="x")

    said = _host(cast.vera)

    assert "It registers the pixels that are connected" in said
    assert "Registered 1 Waiting 1 Refused 1 Not registered 1 Removed pixels that Meta has not confirmed yet 1" in said
    assert "Register the pixels of" not in said


def test_a_host_admin_registers_the_pixels_of_managed_accounts(cast: Cast, pixel: Pixel) -> None:
    own = PixelFactory.create(tenant=cast.books)
    Registration.objects.all().delete()
    assert "Register the pixels of 1 account" in _host(cast.hanna)

    said = _host(cast.hanna, "host:register_everywhere", go="yes")

    assert "Meta is being told of 1 pixel." in said
    assert row_of(pixel).state == State.WAITING
    assert not Registration.objects.filter(pixel=own).exists()


def test_a_host_admin_gives_the_word(cast: Cast, pixel: Pixel, sandbox: Sandbox, sweep: Sweep) -> None:
    hold_restored()
    post(cast.ada, "pixels:register", cast.shoes, pixel.pixel_id)
    assert "It was restored from a backup, and waits for your word." in _host(cast.hanna)
    assert "Allow registration" not in _host(cast.milo)
    sweep()
    assert row_of(pixel).state == State.WAITING

    said = _host(cast.hanna, "host:allow_registration", go="yes")
    sweep()

    assert "This portal registers pixels with Meta again." in said
    assert row_of(pixel).state == State.REGISTERED


def test_an_instance_at_home_says_what_its_operator_can_do(cast: Cast, settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"

    said = _host(cast.hanna)

    assert "It registers nothing" in said
    assert "BASE_URL" in said
