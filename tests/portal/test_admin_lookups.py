"""Lists of Django admin can be asked for what their filters offer, and for nothing else that the tables hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.db.models import Field, Model
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.service_admin import ServiceAdmin
from tests.base import Cast, login
from tests.stage import make_stage

ADMINS: list[ModelAdmin[Any]] = list(admin.site._registry.values())
LOOKUPS = (
    "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "regex", "iregex", "in",
    "gt", "gte", "lt", "lte", "range", "isnull", "isempty", "date", "year", "month__gte", "length", "unknown",
)  # fmt: skip
VALUES = ("a", "", "1", "true", "-1", "99999999999999999999", "[", "(a+)+$", "a\0b", "2026-01-01", "1,2", "é" * 99)
HIDDEN = (
    ("accounts/user", "password__regex", "^pbkdf2"),
    ("accounts/user", "password", "!"),
    ("accounts/apiaccount", "secret_hash__startswith", "a"),
    ("accounts/accesstoken", "token_hash__gte", "a"),
    ("accounts/invitation", "token_hash__contains", "a"),
    ("accounts/membership", "user__password__startswith", "p"),
    ("pixels/pixel", "access_token__startswith", "gAAAA"),
    ("pixels/pixel", "access_key__regex", "a"),
    ("events/deadletter", "event__regex", "ada"),
    ("events/deadletter", "event__gte", "a"),
    ("events/deadletter", "pixel__access_token__contains", "a"),
    ("events/outboxrow", "body__contains", "ada"),
    ("pipelines/destination", "secrets__startswith", "gAAAA"),
    ("pipelines/destination", "settings__endpoint", "https://example.com"),
    ("filters/eventfilter", "pixel__access_key__startswith", "a"),
)


def address(model_admin: ModelAdmin[Any]) -> str:
    return f"/admin/{model_admin.opts.app_label}/{model_admin.opts.model_name}/"


def paths(model: type[Model], depth: int = 2) -> Iterator[str]:
    """Every field that a lookup may name, those of related tables included."""
    for field in model._meta.get_fields():
        if isinstance(field, Field):
            yield field.name
            yield field.attname
        related = field.related_model
        if depth and isinstance(related, type):
            yield from (f"{field.name}__{path}" for path in paths(related, depth - 1))


@pytest.fixture
def staff(cast: Cast) -> Client:
    make_stage(cast.shoes)
    return login(cast.hanna)


def test_every_list_of_admin_is_one_of_ours() -> None:
    assert all(isinstance(one, ServiceAdmin) for one in ADMINS)


@pytest.mark.parametrize(("where", "lookup", "value"), HIDDEN)
def test_what_no_list_shows_cannot_be_asked_for(where: str, lookup: str, value: str, staff: Client) -> None:
    assert staff.get(f"/admin/{where}/", {lookup: value}).status_code == 400


def test_no_lookup_but_those_of_filters_is_allowed() -> None:
    request = RequestFactory().get("/")
    for model_admin in ADMINS:
        allowed = {
            lookup
            for path in paths(model_admin.model)
            for lookup in (path, *(f"{path}__{name}" for name in LOOKUPS))
            if model_admin.lookup_allowed(lookup, "a", request)
        }
        fields = {one[0] if isinstance(one, tuple) else one for one in model_admin.list_filter}

        assert {lookup.partition("__")[0] for lookup in allowed} == fields, model_admin
        assert not any(lookup.count("__") > 1 for lookup in allowed), model_admin


def test_every_filter_that_a_list_offers_works(staff: Client) -> None:
    for model_admin in ADMINS:
        page = staff.get(address(model_admin)).content.decode()
        assert page.count('href="?') >= 2 * len(model_admin.list_filter), model_admin
        for one in model_admin.list_filter:
            field = one[0] if isinstance(one, tuple) else one
            ending = "isempty" if isinstance(one, tuple) else "exact"
            assert staff.get(f"{address(model_admin)}?{field}__{ending}=1").status_code in (200, 302), (
                one,
                model_admin,
            )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_lookup_is_a_fault_of_ours(staff: Client, data: st.DataObject) -> None:
    staff.raise_request_exception = False
    model_admin = data.draw(st.sampled_from(ADMINS))
    filters = [one[0] if isinstance(one, tuple) else one for one in model_admin.list_filter]
    path = data.draw(st.sampled_from(filters * 20 + list(paths(model_admin.model))))
    lookup = data.draw(st.sampled_from([path, *(f"{path}__{name}" for name in LOOKUPS)]))
    query = {
        lookup: data.draw(st.sampled_from(VALUES) | st.text(max_size=8)),
        data.draw(st.sampled_from(["q", "o", "p", "_to_field", "_popup", "e", "all"])): data.draw(
            st.sampled_from(VALUES) | st.text(max_size=8)
        ),
    }
    query = {name: value.encode(errors="replace").decode() for name, value in query.items()}

    assert staff.get(address(model_admin), query).status_code < 500, query
