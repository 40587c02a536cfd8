"""Statements: a queryset compiled once, answered as JSON, alike on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Value
from django.db.transaction import TransactionManagementError, atomic, set_rollback
from msgspec import Struct

from accounts.models import Membership, RoleLevel, Tenant, UsageSnapshot, User
from common.statements import (
    NOTHING,
    Among,
    Guard,
    Milliseconds,
    Moment,
    One,
    Param,
    Row,
    Rows,
    Statement,
    Sums,
    columns_of,
)
from tests.base import Cast
from tests.factories import PixelFactory

BY_ID = Tenant.objects.filter(pk=Param("id"))


def test_it_runs_with_the_values_that_it_is_given(cast: Cast, django_assert_num_queries: Any) -> None:
    name = Statement(BY_ID, "name")

    with django_assert_num_queries(3):
        assert name.one(id=cast.shoes.pk) == ["Shoes"]
        assert name.one(id=cast.books.pk) == ["Books"]
        assert name.one(id="missing") is None


class Account(Struct, array_like=True):
    name: str
    status: int
    people: int | None = None
    note: str = "none"


class Login(Struct, array_like=True):
    level: str
    accepted_at: Moment


def test_a_struct_brings_its_columns(cast: Cast) -> None:
    plain = Statement(BY_ID, *columns_of(Account), row=Account)
    counted = Statement(BY_ID, *columns_of(Account, status=Value(7), people=Value(3)), row=Account)

    assert plain.one(id=cast.shoes.pk) == Account("Shoes", 0, None)
    assert counted.one(id=cast.shoes.pk) == Account("Shoes", 7, 3)


def test_a_struct_finds_its_columns_behind_a_relation(cast: Cast) -> None:
    of_ada = Membership.objects.filter(user=cast.ada)

    assert Statement(of_ada, *columns_of(Account, "tenant__"), row=Account).one() == Account("Shoes", 0)


def test_a_moment_is_told_in_milliseconds(cast: Cast) -> None:
    of_ada = Membership.objects.filter(user=cast.ada)
    of_ada.update(accepted_at=datetime(2026, 5, 1, tzinfo=UTC))

    assert Statement(of_ada, *columns_of(Login), row=Login).one() == Login("admin", 1_777_593_600_000.0)


def test_no_column_takes_the_place_of_another_field() -> None:
    with pytest.raises(TypeError, match=r"Account\.people needs a column, since note has one"):
        columns_of(Account, note=Value(""))
    with pytest.raises(TypeError, match="Account has no field persons"):
        columns_of(Account, persons=Value(1))


def test_a_value_is_never_read_as_sql(cast: Cast) -> None:
    text = "'; DROP TABLE x; -- %s %% $1 \\"

    assert Statement(BY_ID.filter(name=text), "name").all(id=text) == []
    assert Statement(BY_ID, Value(text)).one(id=cast.shoes.pk) == [text]


def test_types_are_those_of_json(cast: Cast) -> None:
    moment = datetime(2026, 5, 1, 12, 30, 0, 250_000, tzinfo=UTC)
    Membership.objects.filter(user=cast.ada).update(accepted_at=moment)
    columns = ("user_id", "tenant__can_partner_manage", "user__status", "user__expires_on", "accepted_at")

    ada, manages, status, expires, accepted = Statement(Membership.objects.filter(user=cast.ada), *columns).all()[0]

    assert (ada, manages, status, expires) == (str(cast.ada.pk), True, 1, None)
    assert datetime.fromisoformat(accepted) == moment


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 5, 1, 12, 30, 0, tzinfo=UTC),
        datetime(2026, 5, 1, 12, 30, 59, 999_999, tzinfo=UTC),
        datetime(2026, 5, 1, 12, 30, 0, 1_000, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
    ],
)
def test_milliseconds_are_those_of_python(cast: Cast, moment: datetime) -> None:
    Membership.objects.filter(user=cast.ada).update(accepted_at=moment)

    told = Statement(Membership.objects.filter(user=cast.ada), Milliseconds("accepted_at")).one()

    assert told == [int(moment.timestamp() * 1000)]
    assert type(told[0]) is int


def test_never_is_no_milliseconds(cast: Cast) -> None:
    Membership.objects.filter(user=cast.ada).update(accepted_at=None)

    assert Statement(Membership.objects.filter(user=cast.ada), Milliseconds("accepted_at")).one() == [0]


def test_it_is_told_of_to_whoever_listens_to_queries(cast: Cast) -> None:
    told: list[str] = []

    def listen(execute: Any, sql: str, *args: Any) -> Any:
        told.append(sql)
        return execute(sql, *args)

    with connection.execute_wrapper(listen):
        assert Statement(BY_ID, "name").one(id=cast.shoes.pk) == ["Shoes"]

    assert len(told) == 1


def test_after_an_error_it_waits_for_the_end_of_the_transaction(cast: Cast) -> None:
    name = Statement(BY_ID, "name")

    with atomic():
        set_rollback(True)
        with pytest.raises(TransactionManagementError):
            name.one(id=cast.shoes.pk)

    assert name.one(id=cast.shoes.pk) == ["Shoes"]


def test_other_tables_are_nested_in_their_order(cast: Cast) -> None:
    people = Rows(Membership.objects.filter(tenant=OuterRef("pk")).order_by("-user__email"), "user__email", "level")
    nobody = Rows(Membership.objects.filter(tenant="missing"), "level")
    nowhere = One(Tenant.objects.filter(pk="missing"), "name")

    found = Statement(BY_ID, people, nobody, nowhere, Row("name", NOTHING)).one(id=cast.shoes.pk)

    members = [["vic@example.com", "view"], ["max@example.com", "manage"], ["ada@example.com", "admin"]]
    assert found == [members, [], None, ["Shoes", None]]


def test_conditions_that_nothing_meets_find_nothing(cast: Cast) -> None:
    nobody = Membership.objects.filter(user__in=[])

    assert Statement(Tenant.objects.filter(pk__in=[]), "name").all() == []
    assert Statement(BY_ID, "name", Rows(nobody, "level")).one(id=cast.shoes.pk) in (["Shoes", []], ["Shoes", None])


def test_rows_are_found_by_a_list_of_numbers(cast: Cast) -> None:
    pixels = [PixelFactory.create(tenant=cast.shoes) for _ in range(3)]
    model = type(pixels[0])
    counted = Statement(model.objects.filter(Among("pk", "keys")).order_by().values("tenant"), "tenant_id", Count("pk"))

    assert counted.all(keys=[pixels[0].pk, pixels[2].pk, 0]) == [[cast.shoes.pk, 2]]
    assert counted.all(keys=[]) == []


def test_a_parameter_takes_the_form_of_its_column(cast: Cast) -> None:
    level = Statement(Membership.objects.filter(user=Param("user", User._meta.pk)), "level")

    assert level.one(user=cast.max.pk) == [RoleLevel.MANAGE]


def person_exists() -> Exists:
    return Exists(User.objects.filter(email=Param("email")))


def there_is(email: str) -> Guard:
    return Guard(person_exists, {"email": email})


def test_a_guarded_statement_finds_rows_where_the_condition_holds(cast: Cast) -> None:
    name = Statement(BY_ID, "name")
    guard = there_is(cast.ada.email)

    assert name.one(guard, id=cast.shoes.pk) == ["Shoes"]
    assert guard.holds


def test_a_guarded_statement_finds_nothing_where_the_condition_does_not_hold(cast: Cast) -> None:
    name = Statement(BY_ID, "name")
    guard = there_is("nobody@example.com")

    assert name.one(guard, id=cast.shoes.pk) is None
    assert name.one(guard, id=cast.books.pk) is None
    assert not guard.holds
    assert name.one(id=cast.shoes.pk) == ["Shoes"]


def test_a_statement_that_finds_nothing_does_not_make_sure_of_the_condition(cast: Cast) -> None:
    guard = there_is(cast.ada.email)

    assert Statement(BY_ID, "name").one(guard, id="missing") is None
    assert not guard.holds


def test_a_condition_is_made_sure_of_once(cast: Cast, django_assert_num_queries: Any) -> None:
    name = Statement(BY_ID, "name")
    guard = there_is(cast.ada.email)
    with django_assert_num_queries(2) as captured:
        name.one(guard, id=cast.shoes.pk)
        name.one(guard, id=cast.shoes.pk)

    assert ["EXISTS" in query["sql"] for query in captured.captured_queries] == [True, False]


def test_slices_and_sums_can_be_guarded(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes)
    page = Statement(Tenant.objects.order_by("-name")[:1], "name")
    sums = Statement(cast.shoes.pixels.order_by().values("tenant"), Count("pk"))

    for email, pages, counts in ((cast.ada.email, [["Shoes"]], [[1]]), ("nobody@example.com", [], [])):
        assert page.all(there_is(email)) == pages
        assert sums.all(there_is(email)) == counts


def test_sums_that_are_there_whatever_holds_cannot_be_guarded(cast: Cast) -> None:
    all_together = Statement(Tenant.objects.order_by().values(one=Value(1)), Count("pk"))
    assert all_together.all() == [[Tenant.objects.count()]]

    with pytest.raises(ValueError, match="say nothing"):
        all_together.all(there_is("nobody@example.com"))


def test_sums_are_those_of_all_parts_and_null_without_rows(cast: Cast) -> None:
    active, closed = Tenant.objects.filter(pk=OuterRef("pk"), status=0), Tenant.objects.filter(pk="missing")
    Tenant.objects.filter(pk=cast.books.pk).update(status=2)
    sums = Statement(BY_ID, Sums([active, active, closed], "status"))

    assert sums.one(id=cast.shoes.pk) == [[0]]
    assert sums.one(id=cast.books.pk) == [None]


def test_sums_of_columns_stand_in_their_order(cast: Cast) -> None:
    for tenant, events, pixels in ((cast.shoes, 2**40, 2), (cast.books, 5, 1)):
        counted = {"total_events_received": events, "total_pixels_with_traffic": pixels}
        UsageSnapshot.objects.update_or_create(tenant=tenant, defaults=counted)
    usages = [UsageSnapshot.objects.filter(tenant=tenant) for tenant in (cast.shoes, cast.books)]

    sums = Statement(BY_ID, Sums(usages, "total_pixels_with_traffic", "total_events_received"))

    assert sums.one(id=cast.shoes.pk) == [[3, 2**40 + 5]]
