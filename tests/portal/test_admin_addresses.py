"""The staff's pages answer whatever an address asks of them: never with an error of ours."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from tests.base import Cast, login
from tests.stage import make_stage

pytestmark = pytest.mark.slow  # every place there is, many times

LISTS = sorted(f"{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry)
HUGE = "99999999999999999999"
#: Pages, orders, searches and filters, as no link of ours would ask for them.
ODD = [
    "p=x",
    f"p={HUGE}",
    "page=x",
    "o=1.-2.x",
    "q=a%00b",
    "q=%FF",
    "all=",
    "id__exact=x",
    "pk__in=x",
    f"pk__in={HUGE}",
    "nothing=x",
    "_to_field=x",
    "user__password__startswith=p",
]
#: By list, values of filters that none of them offers.
NOT_OFFERED = {
    "accounts/tenant/": ["status__exact=x", "status__gte=x", f"status__exact={HUGE}"],
    "accounts/membership/": ["level__exact=a%00b", "accepted_at__isempty=x", "tenant__name__startswith=a"],
    "accounts/auditentry/": ["act=a%00b", "act=%FF"],
    "events/counter/": ["span__exact=x", f"span__exact={HUGE}"],
    "events/delivery/": ["outcome__exact=a%00b"],
    "events/lane/": ["held__exact=x"],
}
OTHERS = [f"{place}?page={page}" for place in ("", "anything/", "accounts/", "autocomplete/") for page in ("x", HUGE)]
SEARCHES = [f"search/?s=a&page={page}" for page in ("", "x", "0", HUGE)] + ["search/?s=a&extended=1&page=x"]
#: How a row may be called in an address.
ROWS = [f"{key}/{page}/" for key in ("x", HUGE, "a%00b", "%FF") for page in ("change", "delete", "history")]


@pytest.fixture
def staff(cast: Cast) -> Client:
    make_stage(cast.shoes)
    client = login(cast.hanna)
    client.raise_request_exception = False
    return client


def faults(staff: Client, addresses: list[str]) -> list[str]:
    """The addresses that are answered with an error of ours."""
    return [address for address in addresses if staff.get(f"/admin/{address}").status_code >= 500]


def test_lists_answer_whatever_is_asked(staff: Client) -> None:
    assert faults(staff, [f"{page}?{query}" for page in LISTS for query in (*ODD, *NOT_OFFERED.get(page, ()))]) == []


def test_rows_are_looked_for_whatever_they_are_called(staff: Client) -> None:
    assert faults(staff, [f"{page}{row}" for page in LISTS for row in ROWS]) == []


def test_other_pages_answer_whatever_is_asked(staff: Client) -> None:
    assert faults(staff, OTHERS + SEARCHES) == []
