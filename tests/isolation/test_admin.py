"""Django admin: only the host's admins get in; to them, an account that is closed to the host is not there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import AccessToken
from tests.addresses import SERVED
from tests.base import Cast, bearer, login, snapshot, undone
from tests.isolation.victim import Victim, make_victim

pytestmark = pytest.mark.usefixtures("registers")

#: The host's own, of no account.
OF_THE_HOST = {"accounts.ApiAccount", "accounts.AccessToken"}
#: What the host sees of every account, for billing; it may delete them, too.
OPEN_TO_HOST = {"accounts.Tenant", "accounts.UsageSnapshot"}
MODELS = {model._meta.label: model_admin for model, model_admin in admin.site._registry.items()}
#: What is posted, if anything is.
Data = dict[str, Any] | None
#: What addresses of admin name.
PARTS = {"object_id", "app_label", "content_type_id", "url"}


def rows_of(cast: Cast, victim: Victim) -> dict[str, Model]:
    """A row of every model that admin shows: the other account's, or the host's."""
    bearer(cast.robot)
    return {**victim.rows, "accounts.ApiAccount": cast.robot, "accounts.AccessToken": AccessToken.objects.get()}


def requests_about(label: str, row: Model) -> list[tuple[str, Data]]:
    """Everything that can be asked of admin about the row: the address, and what is posted, if anything is."""
    base = "admin:" + label.lower().replace(".", "_")
    pages = [reverse(f"{base}_{page}", args=[row.pk]) for page in ("change", "delete", "history")]
    listed, add = reverse(f"{base}_changelist"), reverse(f"{base}_add")
    actions = [getattr(action, "__name__", action) for action in MODELS[label].actions or ()]
    changes = {"post": "yes", "name": "x", "level": "admin", "status": "2"}
    asked: list[tuple[str, Data]] = [(page, None) for page in (*pages, listed, add)]
    asked += [(page, changes) for page in (*pages, add)]
    for action in ("delete_selected", *actions):
        asked.append((listed, {"action": action, "_selected_action": [row.pk], "post": "yes"}))
    return asked


def test_every_model_of_admin_has_a_row_here(cast: Cast) -> None:
    assert set(rows_of(cast, make_victim())) == set(MODELS), f"give {__file__} a row of each, of the account's"


def test_every_part_of_an_address_is_known() -> None:
    patterns = [at.pattern for name, at in SERVED.items() if name.startswith("admin:")]

    assert {part for at in patterns for part in (*at.converters, *at.regex.groupindex)} <= PARTS


@pytest.mark.parametrize("visitor", ["nobody", "ada", "vera"])
def test_admin_is_closed_to_all_but_the_hosts_admins(cast: Cast, visitor: str) -> None:
    victim = make_victim()
    rows = rows_of(cast, victim)
    client = Client() if visitor == "nobody" else login(getattr(cast, visitor))
    before = snapshot()
    for label, row in rows.items():
        for path, data in requests_about(label, row):
            answer = client.get(path) if data is None else client.post(path, data)

            assert answer.status_code == 302, (path, answer.status_code)
            assert answer.headers["Location"].startswith("/admin/login/"), path
    assert snapshot() == before


def test_what_is_closed_to_the_host_is_closed_to_its_admins(cast: Cast) -> None:
    victim = make_victim()
    rows, client = rows_of(cast, victim), login(cast.hanna)
    before = snapshot()
    for label in sorted(set(rows) - OF_THE_HOST - OPEN_TO_HOST):
        for path, data in requests_about(label, rows[label]):
            with undone():
                answer = _ask(client, path, data)

                assert answer.status_code in (200, 403, 404), (path, answer.status_code)
                assert data is None or snapshot() == before, (path, data)
            shown = answer.content.decode()
            assert victim.found_in(shown, str(rows[label].pk), by_host=True) == [], (path, data)


def _ask(client: Client, path: str, data: Data) -> Any:
    return client.get(path, follow=True) if data is None else client.post(path, data, follow=True)
