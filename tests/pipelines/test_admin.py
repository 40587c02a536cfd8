"""Staff see and switch pipelines, sources and destinations; no page has a secret."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from pipelines.models import Destination, Owned, Pipeline, Source
from tests.base import Cast, login
from tests.stage import Stage, make_stage


@pytest.fixture
def stage(cast: Cast) -> Stage:
    made = make_stage(cast.shoes)
    made.destination.settings = {"endpoint": "https://example.com/events"}
    made.destination.secrets = '{"apiKey": "canary"}'
    made.destination.save()
    return made


@pytest.fixture
def staff(cast: Cast) -> Client:
    return login(cast.hanna)


def address(row: Owned, page: str = "change") -> str:
    return reverse(f"admin:pipelines_{row._meta.model_name}_{page}", args=[row.pk])


def rows(stage: Stage) -> list[Owned]:
    return [stage.pipeline, stage.source, stage.destination]


def test_they_are_shown_with_what_is_in_them_and_without_secrets(stage: Stage, staff: Client) -> None:
    pages = {type(row): staff.get(address(row)).content.decode() for row in rows(stage)}

    assert stage.pipeline_id in pages[Pipeline]
    assert str(stage.source) in pages[Pipeline]
    assert stage.destination.name in pages[Pipeline]
    assert "https://example.com/events" in pages[Destination]
    assert stage.source.source_id in pages[Source]
    for page in pages.values():
        assert "canary" not in page
        assert "gAAAA" not in page


def test_they_are_named_and_switched_by_the_services(stage: Stage, staff: Client) -> None:
    for row in rows(stage):
        answer = staff.post(address(row), {"name": "New", "active": ""})

        assert answer.status_code == 302, answer.content.decode()
        row.refresh_from_db()
        assert (row.name, row.active) == ("New", False)
    acts = AuditEntry.objects.filter(actor="hanna@example.com").values_list("act", flat=True)
    assert sorted(acts) == ["update data source", "update destination", "update pipeline"]


def test_a_refusal_is_shown_with_the_form(stage: Stage, staff: Client) -> None:
    answer = staff.post(address(stage.pipeline), {"name": "\u202eNew", "active": "on"})

    assert "must not contain control characters" in answer.content.decode()
    stage.pipeline.refresh_from_db()
    assert stage.pipeline.name != "\u202eNew"


def test_they_are_deleted_by_the_services(stage: Stage, staff: Client) -> None:
    for row in rows(stage):
        assert staff.post(address(row, "delete"), {"post": "yes"}).status_code == 302
    listed = reverse("admin:pipelines_destination_changelist")
    staff.post(listed, {"action": "delete_selected", "_selected_action": [stage.data_set.pk], "post": "yes"})

    assert [model.objects.count() for model in (Pipeline, Source, Destination)] == [0, 0, 0]
    assert AuditEntry.objects.filter(act__startswith="delete ").count() == 4
