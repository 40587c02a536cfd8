"""Who was forgotten stays forgotten, whatever file is restored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership, RoleLevel, User
from accounts.principals import OPERATOR
from accounts.services.forgetting import forget_person, prune
from accounts.services.people import add_user_with_role, change_role_for_user
from tests.base import Cast
from tests.portal.backup.conftest import Run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_backup_does_not_bring_back_who_was_forgotten(full: Cast, run: Run, file: Path) -> None:
    """Nor, with them, the role that was taken away."""
    run("backup", file)
    Membership.objects.filter(user=full.max).delete()
    forget_person(principal=OPERATOR, user_id=str(full.max.pk))
    printed = run("restore", file)

    assert not User.objects.filter(email=full.max.email).exists()
    assert not Membership.objects.filter(user__email=full.max.email).exists()
    assert "1 people who were forgotten here" in printed


def test_nor_after_the_rest_of_the_log_is_gone(
    full: Cast,
    run: Run,
    file: Path,
    settings: Settings,
) -> None:
    run("backup", file)
    Membership.objects.filter(user=full.max).delete()
    forget_person(principal=OPERATOR, user_id=str(full.max.pk))
    settings.AUDIT_RETENTION = 1
    prune(timezone.now() + timedelta(days=2))
    run("restore", file)

    assert not User.objects.filter(email=full.max.email).exists()


def test_an_offer_that_was_withdrawn_does_not_come_back_either(full: Cast, run: Run, file: Path) -> None:
    """Whoever never accepted is forgotten with the last offer."""
    added = add_user_with_role(
        principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-admin-{full.shoes.pk}"
    )
    run("backup", file)
    change_role_for_user(
        principal=OPERATOR, user_id=str(added.user.pk), role_to_revoke=f"advertiser-admin-{full.shoes.pk}"
    )
    run("restore", file)

    assert not User.objects.filter(email="nora@example.com").exists()


def test_who_was_invited_anew_stays(full: Cast, run: Run, file: Path) -> None:
    run("backup", file)
    Membership.objects.filter(user=full.max).delete()
    forget_person(principal=OPERATOR, user_id=str(full.max.pk))
    add_user_with_role(principal=OPERATOR, email=full.max.email, role_name=f"advertiser-view-{full.other.pk}")
    run("restore", file)

    assert [role.level for role in Membership.objects.filter(user__email=full.max.email)] == [RoleLevel.VIEW]
