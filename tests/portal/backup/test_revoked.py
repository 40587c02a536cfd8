"""What was revoked stays revoked, and what was published is not published again, whatever file is restored."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError

from accounts.models import ApiAccount, AuditEntry, Invitation, Membership, RoleLevel, Tenant, User
from events.models import DeadLetter, OutboxRow
from portal.backup import load
from portal.backup.tables import TABLES, Table
from tests.base import Cast
from tests.factories import DeadLetterFactory, OutboxRowFactory, PixelFactory, TenantFactory
from tests.portal.backup.conftest import THEN, Run, content_of, empty

pytestmark = pytest.mark.django_db(transaction=True)


# --- Roles, invitations, API accounts ---------------------------------------------------------------------------------


def test_a_role_that_was_revoked_does_not_come_back(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Membership.objects.filter(user__in=[full.max, full.hanna]).delete()
    printed = run("restore", file)

    assert not Membership.objects.filter(user__in=[full.max, full.hanna]).exists()
    assert "Left out: 2 memberships of people and accounts that are here already" in printed


def test_a_role_that_was_lowered_stays_low(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Membership.objects.filter(user=full.hanna).update(level=RoleLevel.VIEW)
    run("restore", file)

    assert Membership.objects.get(user=full.hanna).level == RoleLevel.VIEW


def test_an_invitation_that_was_withdrawn_does_not_come_back(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Membership.objects.filter(invitation__isnull=False).delete()
    run("restore", file)

    assert not Invitation.objects.exists()


def test_with_an_account_that_was_lost_its_roles_come_back(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Tenant.objects.filter(pk=full.shoes.pk).delete()
    Membership.objects.filter(user=full.hanna).delete()
    run("restore", file)

    assert Membership.objects.filter(user=full.max, tenant=full.shoes).exists()
    assert not Membership.objects.filter(user=full.hanna).exists()


def test_with_a_person_who_is_new_here_their_roles_come(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    User.objects.filter(pk=full.hanna.pk).delete()
    run("restore", file)

    assert Membership.objects.get(user__email=full.hanna.email).tenant is None


def test_an_api_account_that_was_deleted_comes_back_on_demand_only(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    ApiAccount.objects.all().delete()
    printed = run("restore", file)
    assert not ApiAccount.objects.exists()
    assert "Left out: 1 API accounts that may have been revoked here: --with-api-accounts" in printed

    run("restore", file, "--with-api-accounts")
    assert ApiAccount.objects.exists()


def test_an_instance_with_api_accounts_of_its_own_gets_no_others(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    ApiAccount.objects.create(name="Ours", secret_hash="0" * 64)
    run("restore", file)

    assert [account.name for account in ApiAccount.objects.all()] == ["Ours"]


def test_an_api_account_comes_with_its_scope_and_without_the_network_it_was_used_from(
    full: Cast, run: Run, file: Path
) -> None:
    scope = {"read_only": True, "tenant_id": full.shoes.pk, "expires_at": THEN}
    ApiAccount.objects.update(**scope, last_used_from="192.0.2.0/24")
    run("backup", file)
    empty()
    run("restore", file)

    (restored,) = ApiAccount.objects.values(*scope, "last_used_from")
    assert restored == {**scope, "last_used_from": ""}


def test_an_api_account_whose_account_is_not_here_any_more_does_not_come_without_its_border(
    full: Cast, run: Run, file: Path
) -> None:
    gone = TenantFactory.create()
    ApiAccount.objects.update(tenant=gone)
    Tenant.objects.filter(pk=gone.pk)._raw_delete("default")
    run("backup", file)
    empty()
    run("restore", file)

    assert not ApiAccount.objects.exists()


def test_api_accounts_of_a_file_of_before_scopes_have_none(full: Cast, run: Run, file: Path) -> None:
    table = next(table for table in TABLES if table.model is ApiAccount)
    old = Table(ApiAccount, key=("name",), left_out=("read_only", "tenant", "expires_at", *table.left_out))
    with mock.patch("portal.backup.dump.TABLES", [old if each is table else each for each in TABLES]):
        run("backup", file)
    empty()
    run("restore", file)

    assert ApiAccount.objects.filter(read_only=False, tenant=None, expires_at=None).exists()


# --- Events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newest_first", [True, False])
def test_two_backups_of_one_origin_bring_what_waits_once(full: Cast, run: Run, file: Path, newest_first: bool) -> None:
    files = [file, file.with_name("later")]
    for each in files:
        run("backup", each)
    first, second = reversed(files) if newest_first else files
    empty()
    run("restore", first)
    assert OutboxRow.objects.count() == 2
    OutboxRow.objects.all().delete()  # published
    DeadLetter.objects.all().delete()
    printed = run("restore", second)

    assert not OutboxRow.objects.exists()
    assert not DeadLetter.objects.exists()
    assert "that this portal has dealt with" in printed


def test_a_backup_of_a_copy_brings_nothing_back_to_the_origin(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    copy = file.with_name("copy")
    run("backup", copy)
    OutboxRow.objects.all().delete()
    AuditEntry.objects.filter(act="make backup").order_by("-pk")[0].delete()  # as the origin knows it not
    run("restore", copy)

    assert not OutboxRow.objects.exists()


def test_an_account_that_was_deleted_gets_back_what_waited(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    run("backup", file.with_name("later"))
    Tenant.objects.filter(pk=full.shoes.pk).delete()
    run("restore", file)

    assert OutboxRow.objects.filter(pixel__pixel_id="123").exists()


@pytest.mark.parametrize("batch", [1, 500])
def test_events_that_are_alike_all_come_however_many_are_read_at_once(
    full: Cast, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    OutboxRow.objects.all().delete()
    DeadLetter.objects.all().delete()
    pixel = full.shoes.pixels.get()
    OutboxRowFactory.create_batch(2, pixel=pixel, received_at=THEN, body=b"same")
    DeadLetterFactory.create_batch(2, pixel=pixel, event_id="", received_at=THEN, failed_at=THEN)
    run("backup", file)
    empty()
    PixelFactory.create(tenant=TenantFactory.create(id=full.shoes.pk), pixel_id="123")
    monkeypatch.setattr(load, "_BATCH_ROWS", batch)
    run("restore", file)

    assert (OutboxRow.objects.count(), DeadLetter.objects.count()) == (2, 2)


# --- The file ---------------------------------------------------------------------------------------------------------


def test_a_file_tells_of_itself_so_that_no_file_is_unknown(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)

    made = AuditEntry.objects.get(act="make backup")
    assert [entry for entry in content_of(file)["accounts.auditentry"] if made.subject.encode() in entry]


def refuse_links(*_: Any, **__: Any) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_file_system_without_links_will_do(full: Cast, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refuse_links)
    run("backup", file)

    assert content_of(file)
    assert list(file.parent.iterdir()) == [file]


def test_there_too_no_file_is_overwritten_that_came_in_the_meantime(
    full: Cast, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_meanwhile(*_: Any) -> None:
        file.write_text("precious")
        refuse_links()

    monkeypatch.setattr(os, "link", taken_meanwhile)
    with pytest.raises(CommandError, match="exists already"):
        run("backup", file)

    assert file.read_text() == "precious"
