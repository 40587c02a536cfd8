"""An account's settings."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from dns.exception import Timeout
from dns.resolver import NXDOMAIN, NoAnswer
from pytest_django import Settings

from accounts.models import IngressDomain, Tenant, TenantStatus
from tests.accounts.pages import of, words
from tests.base import Cast, login, snapshot
from tests.factories import IngressDomainFactory

#: What changes settings, each with what it posts.
ACTS = {
    "name/": {"name": "Boots"},
    "time-zone/": {"time_zone": "Europe/Madrid"},
    "partner/": {"managed": "no"},
    "routing/": {"ingress": "events.example.com"},
    "routing/check/": {},
}


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.BASE_URL = "https://gateway.example.net"


def answers(monkeypatch: pytest.MonkeyPatch, answer: type[Exception] | str) -> None:
    """Let DNS answer with that CNAME, or fail like that."""

    def resolve(*args: object, **kwargs: object) -> list[SimpleNamespace]:
        if isinstance(answer, str):
            return [SimpleNamespace(target=f"{answer}.")]
        raise answer.__new__(answer)

    monkeypatch.setattr("dns.resolver.resolve", resolve)


def fresh(account: Tenant) -> Tenant:
    return Tenant.objects.get(pk=account.pk)


# --- Who sees what ---------------------------------------------------------------------------------------------------


def test_whoever_may_only_look_finds_nothing_to_press(cast: Cast) -> None:
    IngressDomainFactory.create(tenant=cast.shoes)

    page = login(cast.vic).get(of(cast.shoes, "settings/"))

    assert "Partner management On" in words(page)
    assert "events.example.com" in words(page)
    main = page.content.decode().partition('class="page-header')[2]
    assert 'method="post"' not in main
    copy_button = '<button type="button" class="btn btn-sm btn-icon d-inline-flex" data-copy'
    assert "<button" not in main.replace(copy_button, "")


def test_the_host_sees_the_little_that_an_account_of_its_own_shows(cast: Cast) -> None:
    IngressDomainFactory.create(tenant=cast.books)

    page = words(login(cast.hanna).get(of(cast.books, "settings/")))

    assert "This account manages itself" in page
    assert "Delete account" in page
    assert "events.example.com" not in page
    assert "Enhance events" not in page


def test_settings_are_open_to_those_of_the_account_and_the_host(cast: Cast) -> None:
    assert login(cast.olaf).get(of(cast.shoes, "settings/")).status_code == 404
    for who in (cast.vera, cast.vic, cast.max):
        assert login(who).get(of(cast.shoes, "settings/")).status_code == 200


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("who", "status"), [("vic", 403), ("vera", 403), ("olaf", 404)])
def test_others_change_nothing(cast: Cast, who: str, status: int, act: str) -> None:
    IngressDomainFactory.create(tenant=cast.shoes)
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(of(cast.shoes, f"settings/{act}"), ACTS[act]).status_code == status
    assert snapshot() == before


def test_the_host_is_told_why_an_account_is_closed_and_what_is_open(cast: Cast) -> None:
    answer = login(cast.hanna).get(of(cast.books, "users/"))

    assert answer.status_code == 403
    assert "This account manages itself" in words(answer)
    assert "Partner management is off in Books" in words(answer)
    assert of(cast.books, "settings/") in answer.content.decode()


def test_whoever_lacks_the_role_is_told_so(cast: Cast) -> None:
    answer = login(cast.vic).get(of(cast.shoes, "pixels/connect/"))

    assert answer.status_code == 403
    assert "Your role does not allow it." in words(answer)


def test_the_people_of_a_deactivated_account_are_told_that_it_is(cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.shoes.pk).update(status=TenantStatus.DEACTIVATED)

    answer = login(cast.ada).get(of(cast.shoes, "pixels/connect/"))

    assert answer.status_code == 403
    assert "This account is deactivated" in words(answer)


@pytest.mark.parametrize("act", ACTS)
def test_the_host_sets_nothing_in_an_account_that_manages_itself(cast: Cast, act: str) -> None:
    hanna, before = login(cast.hanna), snapshot()

    assert hanna.post(of(cast.books, f"settings/{act}"), ACTS[act]).status_code == 403
    assert snapshot() == before


def test_the_people_of_a_deactivated_account_look_and_change_nothing(cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.shoes.pk).update(status=TenantStatus.DEACTIVATED)
    ada, before = login(cast.ada), snapshot()

    assert "Deactivated" in words(ada.get(of(cast.shoes, "settings/")))
    assert ada.post(of(cast.shoes, "settings/name/"), ACTS["name/"]).status_code == 403
    assert snapshot() == before


def test_the_page_takes_few_queries(cast: Cast, django_assert_max_num_queries: Callable[[int], Any]) -> None:
    IngressDomainFactory.create(tenant=cast.shoes)
    ada = login(cast.ada)
    with django_assert_max_num_queries(12):
        ada.get(of(cast.shoes, "settings/"))


# --- Name, enhancing -------------------------------------------------------------------------------------------------


def test_an_account_is_renamed(cast: Cast) -> None:
    page = login(cast.max).post(of(cast.shoes, "settings/name/"), {"name": " Boots "}, follow=True)

    assert fresh(cast.shoes).name == "Boots"
    assert "The account is called Boots now." in words(page)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\x1fb", "a\0b"])
def test_a_name_that_is_refused_stays_typed(cast: Cast, name: str) -> None:
    ada, before = login(cast.ada), snapshot()

    page = ada.post(of(cast.shoes, "settings/name/"), {"name": name})

    assert page.status_code == 400
    assert page.context["name_form"].errors
    assert page.context["name_form"]["name"].value() == name
    assert snapshot() == before


# --- Who manages the account -----------------------------------------------------------------------------------------


def test_an_admin_takes_the_account_over_and_gives_it_back(cast: Cast) -> None:
    ada = login(cast.ada)
    assert "lose sight of this account's pixels, filters and users" in words(ada.get(of(cast.shoes, "settings/")))

    page = ada.post(of(cast.shoes, "settings/partner/"), {"managed": "no"}, follow=True)
    assert "The account manages itself now." in words(page)
    assert login(cast.hanna).get(of(cast.shoes, "users/")).status_code == 403

    ada.post(of(cast.shoes, "settings/partner/"), {"managed": "yes"})
    assert login(cast.hanna).get(of(cast.shoes, "users/")).status_code == 200


def test_the_host_hands_an_account_over(cast: Cast) -> None:
    page = login(cast.hanna).post(of(cast.shoes, "settings/partner/"), {"managed": "no"}, follow=True)

    assert page.status_code == 200
    assert "This account manages itself" in words(page)


def test_an_account_without_an_admin_cannot_be_handed_over(cast: Cast) -> None:
    cast.ada.memberships.all().delete()
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post(
        of(cast.shoes, "settings/partner/"),
        {"managed": "no"},
        follow=True,
        headers={"Referer": f"http://testserver{of(cast.shoes, 'settings/')}"},
    )

    assert "Can be false only once the account has an admin of its own." in words(page)
    assert snapshot() == before


@pytest.mark.parametrize("who", ["max", "milo"])
def test_only_admins_decide_who_manages_the_account(cast: Cast, who: str) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert "Turn off" not in words(client.get(of(cast.shoes, "settings/")))
    assert client.post(of(cast.shoes, "settings/partner/"), {"managed": "no"}).status_code == 403
    assert snapshot() == before


# --- Data routing ----------------------------------------------------------------------------------------------------


def test_an_account_starts_without_a_domain(cast: Cast) -> None:
    page = words(login(cast.ada).get(of(cast.shoes, "settings/")))

    assert "Data routing Not chosen" in page
    assert "Optimize" in page


def test_a_chosen_domain_shows_the_record_to_add(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, NoAnswer)

    page = login(cast.max).post(of(cast.shoes, "settings/routing/"), {"ingress": "Events.Example.com"}, follow=True)

    assert "Data routing Pending" in words(page)
    assert "CNAME events.example.com gateway.example.net" in words(page)
    assert "DNS answers: events.example.com has no CNAME record. Add the record shown below." in words(page)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("gateway.example.net", "events.example.com leads to gateway.example.net. Data routing is optimized."),
        ("old.example.org", "events.example.com leads to old.example.org, not to gateway.example.net."),
        (NXDOMAIN, "there is no events.example.com"),
        (Timeout, "DNS gave no answer about events.example.com. Check again in a few minutes."),
    ],
)
def test_a_check_says_what_dns_answered(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, answer: type[Exception] | str, said: str
) -> None:
    IngressDomainFactory.create(tenant=cast.shoes, target_domain="gateway.example.net")
    answers(monkeypatch, answer)

    page = login(cast.ada).post(of(cast.shoes, "settings/routing/check/"), follow=True)

    assert said in words(page)
    optimized = answer == "gateway.example.net"
    assert ("Data routing Optimized" in words(page)) is optimized
    assert (IngressDomain.objects.get().status == IngressDomain.Status.VERIFIED) is optimized


def test_a_domain_that_is_chosen_can_be_changed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    IngressDomainFactory.create(tenant=cast.shoes)
    answers(monkeypatch, NXDOMAIN)
    ada = login(cast.ada)
    assert 'value="events.example.com"' in ada.get(of(cast.shoes, "settings/", change="domain")).content.decode()

    ada.post(of(cast.shoes, "settings/routing/"), {"ingress": "data.example.com"})

    assert IngressDomain.objects.get().ingress == "data.example.com"


@pytest.mark.parametrize("domain", ["", "localhost", "https://events.example.com", "a b.com", "x" * 300, "a\0.com"])
def test_what_is_no_domain_stays_typed(cast: Cast, domain: str) -> None:
    ada, before = login(cast.ada), snapshot()

    page = ada.post(of(cast.shoes, "settings/routing/"), {"ingress": domain})

    assert page.status_code == 400
    assert page.context["routing_form"].errors["ingress"]
    assert page.context["routing_form"]["ingress"].value() == domain
    assert snapshot() == before


def test_a_gateway_without_a_public_address_offers_no_routing(cast: Cast, settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"

    page = words(login(cast.ada).get(of(cast.shoes, "settings/")))

    assert "The gateway is at localhost, to which no domain can lead." in page
    assert "Optimize" not in page


def test_there_is_nothing_to_check_before_a_domain_is_chosen(cast: Cast) -> None:
    ada, before = login(cast.ada), snapshot()

    assert ada.post(of(cast.shoes, "settings/routing/check/")).status_code == 302
    assert snapshot() == before
