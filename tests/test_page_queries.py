"""No page of a large account asks the database more than twelve times: 500 pixels, a year of counters, 60 names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Counter
from tests.addresses import address
from tests.base import Cast, login
from tests.large_account import PIXELS, SMALL, fill
from tests.permissions.test_pages import PAGES

BUDGET = 12

SHOWN = [page.name for page in PAGES if page.rights["GET"]]


@pytest.fixture
def host(cast: Cast) -> Client:
    return login(cast.hanna)


def test_every_page_keeps_to_its_budget(cast: Cast, host: Client, subtests: pytest.Subtests) -> None:
    pixel = fill(cast.shoes, SMALL)
    people = (cast.vic.pk, cast.vera.pk)
    for name in SHOWN:
        with subtests.test(name):
            path = address(name, pixel, *people)
            with CaptureQueriesContext(connection) as captured:
                answer = host.get(path)
            assert answer.status_code in (200, 302)  # the latter where a form is part of another page
            assert len(captured) <= BUDGET, "\n".join(query["sql"][:300] for query in captured.captured_queries)

    with subtests.test("the account was as large as it should be"):
        days = Counter.objects.filter(span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
        long_ago = days.filter(start__lte=timezone.now() - timedelta(days=364))
        assert long_ago.values("pixel").distinct().count() == PIXELS
