"""A question that a form asks is answered with yes or no: silence and anything else change nothing."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from tests.base import Cast, login, snapshot
from tests.factories import PixelFactory
from tests.pages import address

#: The address, the name of its question, and what is posted besides.
QUESTIONS = [
    ("accounts:partner", "managed", {}),
    ("accounts:status", "active", {}),
    ("events:enhance", "on", {}),
    ("filters:set_event", "publish", {"name": "Purchase"}),
    ("filters:set_website", "publish", {"name": "example.com"}),
]


@pytest.mark.parametrize(("page", "question", "besides"), QUESTIONS)
@pytest.mark.parametrize("answer", [None, "", "on", "YES", "0"])
def test_no_answer_is_no_act(cast: Cast, page: str, question: str, besides: dict[str, str], answer: str | None) -> None:
    Tenant.objects.filter(pk=cast.shoes.pk).update(event_enrichment=True)
    PixelFactory.create(tenant=cast.shoes)
    hanna, before = login(cast.hanna), snapshot()

    said = hanna.post(address(page, cast.shoes), besides | ({} if answer is None else {question: answer}), follow=True)

    assert "Must be yes or no. Nothing was changed." in said.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize(("page", "question", "besides"), QUESTIONS)
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_is_taken(cast: Cast, page: str, question: str, besides: dict[str, str], answer: str) -> None:
    said = login(cast.hanna).post(address(page, cast.shoes), {**besides, question: ["no", answer]}, follow=True)

    assert "Must be yes or no" not in said.content.decode()
