"""``manage.py backup`` and ``manage.py restore``."""

from __future__ import annotations

from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib.auth.hashers import check_password
from pytest_django import Settings

from accounts.models import AuditEntry, Membership, RoleLevel, Tenant, User
from accounts.principals import OPERATOR
from accounts.services.passwords import change_password
from common.secrets import Secret
from events.delivery.services import replay_dead_letter
from events.models import Counter, DeadLetter, OutboxRow
from filters.models import EventFilter
from pixels.models import Pixel
from pixels.services import connect_pixel
from portal.backup.tables import TABLES
from tests.base import Cast, snapshot
from tests.factories import EventFilterFactory, OutboxRowFactory, PixelFactory, TenantFactory
from tests.portal.backup.conftest import THEN, Run, content_of, empty, without_backups

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_restored_instance_is_the_same(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    before = content_of(file)
    empty()
    run("restore", file)
    again = file.with_name("again")
    AuditEntry.objects.filter(act="restore backup").delete()
    run("backup", again)

    assert without_backups(content_of(again)) == without_backups(before)
    assert [table.label for table in TABLES if not before[table.label]] == [], "every table has a row here"


def test_other_keys_read_it(full: Cast, run: Run, file: Path, settings: Settings) -> None:
    run("backup", file)
    empty()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    run("restore", file)

    assert Pixel.objects.get(pixel_id="123").access_token.reveal() == "EAAB-secret"
    assert Secret(Authenticator.objects.get().data["secret"]).reveal() == "JBSWY3DPEHPK3PXP"


def test_passwords_go_on_working(full: Cast, run: Run, file: Path) -> None:
    change_password(user=full.ada, password="correct horse battery")
    run("backup", file)
    empty()
    run("restore", file)

    assert check_password("correct horse battery", User.objects.get(email=full.ada.email).password)


def test_new_rows_get_numbers_of_their_own_afterwards(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    run("restore", file)

    PixelFactory.create(tenant=Tenant.objects.get(name="Shoes"), pixel_id="789")
    OutboxRowFactory.create(pixel=Pixel.objects.get(pixel_id="789"))
    assert len({pixel.pk for pixel in Pixel.objects.all()}) == 3


def test_twice_adds_nothing(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    run("restore", file)
    before = snapshot()
    printed = run("restore", file)

    assert snapshot() == before
    assert {line.split()[0] for line in printed.splitlines()[2:]} == {"0"}


def test_on_the_instance_that_made_it_nothing_is_added(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    before = snapshot()
    run("restore", file)

    assert snapshot() == before


def test_what_was_published_since_does_not_come_again(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    OutboxRow.objects.all().delete()
    DeadLetter.objects.all().delete()
    run("restore", file)

    assert not OutboxRow.objects.exists()
    assert not DeadLetter.objects.exists()


def test_what_is_here_stays_as_it_is(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Tenant.objects.filter(pk=full.shoes.pk).update(name="Boots")
    connect_pixel(
        principal=OPERATOR, tenant_id=full.shoes.pk, pixel_id="123", business_id="1", access_token="new", external_id=""
    )
    EventFilter.objects.filter(pixel=None).update(state="PUBLISH")
    run("restore", file)

    assert Tenant.objects.get(pk=full.shoes.pk).name == "Boots"
    assert Pixel.objects.get(pixel_id="123").access_token.reveal() == "new"
    assert EventFilter.objects.get(pixel=None).state == "PUBLISH"


def test_what_was_deleted_comes_back(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    before = content_of(file)
    Tenant.objects.filter(pk=full.shoes.pk).delete()
    full.ada.delete()
    printed = run("restore", file)

    after = file.with_name("after")
    AuditEntry.objects.filter(act__contains=" backup").delete()
    run("backup", after)
    # But for the accounts that people start with, which stayed behind with those who stayed.
    found = without_backups(content_of(after))
    assert {**found, "accounts.user": None} == {**without_backups(before), "accounts.user": None}
    assert "1 added            2 left out  accounts" in printed


def test_a_full_instance_takes_in_another(full: Cast, run: Run, file: Path) -> None:
    """Both have used the same numbers for different rows."""
    run("backup", file)
    empty()
    stranger = TenantFactory.create(name="Stranger")
    theirs = PixelFactory.create(tenant=stranger, pixel_id="999")
    EventFilterFactory.create(pixel=theirs, event_name="Lead")
    OutboxRowFactory.create(pixel=theirs)
    run("restore", file)

    assert {str(pixel.tenant.name): pixel.pixel_id for pixel in Pixel.objects.all()} == {
        "Shoes": "123",
        "Books": "00456",
        "Stranger": "999",
    }
    assert {(row.event_name, row.pixel and row.pixel.pixel_id) for row in EventFilter.objects.all()} == {
        ("Purchase", None),
        ("Purchase", "123"),
        ("Lead", "999"),
    }
    assert OutboxRow.objects.filter(pixel=theirs).count() == 1
    assert bytes(OutboxRow.objects.get(pixel__pixel_id="123").body) == bytes(range(256))


def test_a_pixel_that_is_connected_elsewhere_stays_there_with_what_it_has(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    theirs = PixelFactory.create(pixel_id="123")
    run("restore", file)

    assert Pixel.objects.get(pixel_id="123").tenant == theirs.tenant
    assert not EventFilter.objects.filter(pixel=theirs).exists()
    assert not OutboxRow.objects.filter(pixel=theirs).exists()


def test_somebody_who_is_here_keeps_password_and_second_factors(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Authenticator.objects.all().delete()
    User.objects.filter(pk=full.ada.pk).update(password="kept")
    run("restore", file)

    assert not Authenticator.objects.exists()
    assert User.objects.get(pk=full.ada.pk).password == "kept"


def test_a_role_that_was_accepted_since_gets_no_invitation_again(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    invited = Membership.objects.get(accepted_at=None)
    invited.invitation.delete()
    Membership.objects.update(accepted_at=THEN)
    run("restore", file)

    assert not hasattr(Membership.objects.get(pk=invited.pk), "invitation")


def test_events_that_waited_come_into_an_account_that_is_here_already(full: Cast, run: Run, file: Path) -> None:
    """As after a lost database: the account was set up anew before the backup was found."""
    run("backup", file)
    empty()
    shoes = TenantFactory.create(id=full.shoes.pk, name="Shoes")
    pixel = PixelFactory.create(tenant=shoes, pixel_id="123")
    run("restore", file)

    waiting = OutboxRow.objects.get(pixel=pixel)
    assert (bytes(waiting.body), waiting.counted) == (bytes(range(256)), False)
    assert not Counter.objects.filter(pixel=pixel, start=THEN).exists(), "the account's figures are its own"


def test_a_refused_event_that_comes_alone_is_counted_so_that_it_can_be_replayed(
    full: Cast, run: Run, file: Path
) -> None:
    run("backup", file)
    empty()
    shoes = TenantFactory.create(id=full.shoes.pk, name="Shoes")
    PixelFactory.create(tenant=shoes, pixel_id="123")
    run("restore", file)
    letter = DeadLetter.objects.get()
    replay_dead_letter(principal=OPERATOR, tenant_id=shoes.pk, dead_letter_id=str(letter.pk))

    total = Counter.objects.get(span=Counter.Span.DAY, dimension=Counter.Dimension.TOTAL)
    assert (total.received, total.failed) == (1, 0)


def test_a_dry_run_tells_and_changes_nothing(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    printed = run("restore", file, "--dry-run")

    assert "3 added            0 left out  accounts" in printed
    assert "Nothing was changed." in printed
    assert not Tenant.objects.exists()


def test_the_audit_log_tells_of_both(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    made = AuditEntry.objects.get(act="make backup")
    Tenant.objects.filter(pk=full.shoes.pk).delete()
    run("restore", file)

    assert AuditEntry.objects.get(act="restore backup").subject == made.subject


def test_roles_are_kept(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    empty()
    run("restore", file)

    assert Membership.objects.get(user__email=full.max.email).level == RoleLevel.MANAGE
    assert Membership.objects.get(user__email=full.hanna.email).tenant is None
