"""An account is deactivated, and deleted."""

from __future__ import annotations

import pytest

from accounts.models import Tenant, TenantStatus
from tests.accounts.pages import of, words
from tests.base import Cast, login, snapshot


def status_of(account: Tenant) -> int:
    return Tenant.objects.values_list("status", flat=True).get(pk=account.pk)


def test_the_host_deactivates_an_account_and_activates_it_again(cast: Cast) -> None:
    milo = login(cast.milo)

    page = milo.post(of(cast.shoes, "settings/status/"), {"active": "no"}, follow=True)
    assert status_of(cast.shoes) == TenantStatus.DEACTIVATED
    assert "Shoes is deactivated: it receives and publishes no events." in words(page)

    milo.post(of(cast.shoes, "settings/status/"), {"active": "yes"})
    assert status_of(cast.shoes) == TenantStatus.ACTIVE


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("ada", 403), ("vic", 403), ("olaf", 404)])
def test_others_do_not_deactivate_accounts(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(of(cast.shoes, "settings/status/"), {"active": "no"}).status_code == status
    assert snapshot() == before


def test_the_host_does_not_deactivate_an_account_that_manages_itself(cast: Cast) -> None:
    hanna, before = login(cast.hanna), snapshot()

    assert hanna.post(of(cast.books, "settings/status/"), {"active": "no"}).status_code == 403
    assert snapshot() == before


@pytest.mark.parametrize("who", ["hanna", "bea"])
def test_an_account_is_deleted_once_its_name_is_typed(cast: Cast, who: str) -> None:
    page = login(getattr(cast, who)).post(of(cast.books, "settings/delete/"), {"typed": " Books "}, follow=True)

    assert not Tenant.objects.filter(pk=cast.books.pk).exists()
    assert "The account Books is deleted." in words(page)


@pytest.mark.parametrize("typed", ["", "books", "Book"])
def test_another_name_deletes_nothing(cast: Cast, typed: str) -> None:
    hanna, before = login(cast.hanna), snapshot()

    page = hanna.post(of(cast.shoes, "settings/delete/"), {"typed": typed}, follow=True)

    assert "What you typed is not the account's name. Nothing was deleted." in words(page)
    assert snapshot() == before


@pytest.mark.parametrize("who", ["milo", "max", "ada"])
def test_admins_and_standard_people_delete_accounts(cast: Cast, who: str) -> None:
    login(getattr(cast, who)).post(of(cast.shoes, "settings/delete/"), {"typed": "Shoes"})

    assert not Tenant.objects.filter(pk=cast.shoes.pk).exists()


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("vic", 403), ("olaf", 404)])
def test_others_delete_no_account(cast: Cast, who: str, status: int) -> None:
    client, before = login(getattr(cast, who)), snapshot()

    assert client.post(of(cast.shoes, "settings/delete/"), {"typed": "Shoes"}).status_code == status
    assert snapshot() == before
