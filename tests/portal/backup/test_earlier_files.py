"""``manage.py restore`` of a file that an earlier version wrote, and of what has changed since."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.models import AuditEntry, IngressDomain
from events.models import Identity
from tests.base import Cast
from tests.factories import IngressDomainFactory
from tests.portal.backup.conftest import Run, content_of, empty, without_backups

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_earlier_files_memory_of_visitors_does_not_come_back(
    full: Cast, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds some people's data under other people's ids."""
    IngressDomain.objects.all().delete()  # which an earlier file writes otherwise
    with monkeypatch.context() as earlier:
        earlier.setattr("portal.backup.sealed.VERSION", 1)
        run("backup", file)
    before = content_of(file)
    empty()
    run("restore", file)

    assert not Identity.objects.exists()
    AuditEntry.objects.filter(act="restore backup").delete()
    run("backup", file.with_name("again"))
    assert without_backups(content_of(file.with_name("again"))) == without_backups(before | {"events.identity": []})


@pytest.mark.parametrize("version", [1, 2])
def test_an_earlier_files_data_routing_is_turned_round(
    full: Cast, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    IngressDomain.objects.update(ingress="gateway.example.net", target_domain="events.example.com")
    with monkeypatch.context() as earlier:
        earlier.setattr("portal.backup.sealed.VERSION", version)
        run("backup", file)
    empty()
    run("restore", file)

    domain = IngressDomain.objects.get()
    assert (domain.ingress, domain.target_domain) == ("events.example.com", "gateway.example.net")


def test_data_routing_stays_as_it_is_in_a_file_of_today(full: Cast, run: Run, file: Path) -> None:
    before = IngressDomain.objects.values_list("ingress", "target_domain", "checked_at").get()
    run("backup", file)
    empty()
    run("restore", file)

    assert IngressDomain.objects.values_list("ingress", "target_domain", "checked_at").get() == before


def test_a_domain_that_another_account_has_verified_since_comes_unverified(full: Cast, run: Run, file: Path) -> None:
    IngressDomain.objects.update(status=IngressDomain.Status.VERIFIED)
    taken = IngressDomain.objects.get()
    run("backup", file)
    empty()
    IngressDomainFactory.create(ingress=taken.ingress, status=IngressDomain.Status.VERIFIED)
    run("restore", file)

    assert IngressDomain.objects.get(tenant=taken.tenant_id).status == IngressDomain.Status.PENDING
    assert IngressDomain.objects.verified().count() == 1
