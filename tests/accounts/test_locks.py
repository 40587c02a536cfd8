"""``get_tenant(lock=True)``: checks across an account's rows stay true until the transaction ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import RoleLevel, Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import OPERATOR, Principal, principal_of_user
from tests.base import person, tenant
from tests.factories import PixelFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock, for all writers"),
]


def can_be_locked(account: Tenant) -> bool:
    """Can somebody else have the account's row now?"""

    def lock() -> bool:
        try:
            with transaction.atomic():
                Tenant.objects.select_for_update(nowait=True, no_key=True).get(pk=account.pk)
        except DatabaseError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lock).result(timeout=20)


def can_get_a_pixel(account: Tenant) -> bool:
    """Can somebody else add a row that refers to the account now?"""

    def add() -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                PixelFactory.create(tenant=account)
        except DatabaseError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(add).result(timeout=20)


@pytest.fixture(params=["operator", "admin"])
def whom(request: pytest.FixtureRequest) -> tuple[Principal, Tenant]:
    shoes = tenant("Shoes")
    return (
        OPERATOR if request.param == "operator" else principal_of_user(person("ada", shoes, RoleLevel.ADMIN))
    ), shoes


def test_the_row_is_held_until_the_transaction_ends(whom: tuple[Principal, Tenant]) -> None:
    principal, shoes = whom
    with transaction.atomic():
        get_tenant(principal, shoes.pk, Action.EDIT_DATA, lock=True)
        assert not can_be_locked(shoes)

    assert can_be_locked(shoes)


def test_another_account_is_not_held(whom: tuple[Principal, Tenant]) -> None:
    principal, shoes = whom
    books = tenant("Books")
    with transaction.atomic():
        get_tenant(principal, shoes.pk, Action.EDIT_DATA, lock=True)
        assert can_be_locked(books)


def test_rows_that_refer_to_it_can_be_added_meanwhile(whom: tuple[Principal, Tenant]) -> None:
    """The intake and the workers go on."""
    principal, shoes = whom
    with transaction.atomic():
        get_tenant(principal, shoes.pk, Action.EDIT_DATA, lock=True)
        assert can_get_a_pixel(shoes)


def test_who_only_looks_holds_nothing(whom: tuple[Principal, Tenant]) -> None:
    principal, shoes = whom
    with transaction.atomic():
        get_tenant(principal, shoes.pk, Action.EDIT_DATA)
        assert can_be_locked(shoes)
