"""Who is locked out is helped: an address is vouched for, lost second factors are taken off."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, RoleLevel
from accounts.principals import principal_of_user
from accounts.services.rescue import remove_second_factors, vouch_for_address
from common.errors import Conflict, NotAuthorized, NotFound
from tests.accounts.conftest import Commits
from tests.accounts.proving import has_second_factor, unproven
from tests.base import Cast, login, snapshot
from tests.factories import MembershipFactory


def test_a_hosts_admin_vouches_on_record_and_the_person_is_told(cast: Cast, commits: Commits) -> None:
    vic = unproven(cast.vic)
    with commits(execute=True):
        page = login(cast.hanna).post(f"/hub/settings/people/{vic.pk}/vouch/", follow=True)

    vic.refresh_from_db()
    assert vic.proven_at
    assert "You have confirmed the address vic@example.com" in page.content.decode()
    entry = AuditEntry.objects.get(act="vouch for address")
    assert (entry.actor, entry.subject, entry.tenant_id) == (cast.hanna.email, vic.email, cast.shoes.pk)
    assert [message.to for message in mail.outbox] == [[vic.email]]


def test_a_mail_names_the_operator_who_confirmed_an_address_by_a_command(cast: Cast, commits: Commits) -> None:
    unproven(cast.vic)
    with commits(execute=True):
        call_command("prove_address", cast.vic.email, stdout=StringIO())

    [message] = mail.outbox
    assert "the gateway's operator has confirmed that this address is yours." in str(message.body)


def test_a_lost_phone_is_taken_off_on_record_and_the_person_is_told(cast: Cast, commits: Commits) -> None:
    TOTP.activate(cast.vic, "JBSWY3DPEHPK3PXP")
    with commits(execute=True):
        login(cast.hanna).post(f"/hub/settings/people/{cast.vic.pk}/second-factors/")

    assert not has_second_factor(cast.vic.email)
    entry = AuditEntry.objects.get(act="remove second factors")
    assert (entry.actor, entry.subject, entry.tenant_id) == (cast.hanna.email, cast.vic.email, cast.shoes.pk)
    [message] = mail.outbox
    assert message.to == [cast.vic.email]
    assert "were taken off, by hanna@" in str(message.body)


@pytest.mark.parametrize("service", [vouch_for_address, remove_second_factors])
@pytest.mark.parametrize(
    ("who", "whom", "refusal"),
    [
        ("milo", "vic", NotAuthorized),  # no admin of the host
        ("ada", "vic", NotAuthorized),
        ("hanna", "bea", NotFound),  # whose account is closed to the host
        ("hanna", "hanna", Conflict),  # nobody does it for themselves
    ],
)
def test_nobody_else_may(cast: Cast, service: Any, who: str, whom: str, refusal: type[Exception]) -> None:
    target = unproven(getattr(cast, whom))
    TOTP.activate(target, "JBSWY3DPEHPK3PXP")
    before = snapshot()

    with pytest.raises(refusal):
        service(principal=principal_of_user(getattr(cast, who)), user_id=str(target.pk))

    assert snapshot() == before
    assert has_second_factor(target.email)


def test_not_for_somebody_who_has_a_closed_account_too(cast: Cast) -> None:
    MembershipFactory.create(user=cast.vic, tenant=cast.books, level=RoleLevel.VIEW)

    with pytest.raises(NotAuthorized):
        vouch_for_address(principal=principal_of_user(cast.hanna), user_id=str(unproven(cast.vic).pk))


def test_an_offer_of_a_closed_account_keeps_nobody_from_helping(cast: Cast) -> None:
    """Else the admin of any account could keep the host from its own people."""
    MembershipFactory.create(user=cast.vera, tenant=cast.books, level=RoleLevel.VIEW, accepted_at=None)

    vouch_for_address(principal=principal_of_user(cast.hanna), user_id=str(unproven(cast.vera).pk))

    cast.vera.refresh_from_db()
    assert cast.vera.proven_at


def test_the_persons_page_offers_what_helps(cast: Cast) -> None:
    hanna, page = login(cast.hanna), f"/hub/capig/users/{cast.vic.pk}/?tenant={cast.shoes.pk}"
    assert "They have set up none." in hanna.get(page).content.decode()

    TOTP.activate(cast.vic, "JBSWY3DPEHPK3PXP")
    assert "Take second factors off" in hanna.get(page).content.decode()
    Authenticator.objects.all().delete()
    unproven(cast.vic)
    assert "Confirm the address" in hanna.get(page).content.decode()
    assert "Confirm the address" not in login(cast.ada).get(page).content.decode()


@pytest.mark.parametrize("action", ["vouch", "remove_second_factors"])
def test_admin_has_both(cast: Cast, action: str) -> None:
    TOTP.activate(unproven(cast.vic), "JBSWY3DPEHPK3PXP")

    login(cast.hanna).post("/admin/accounts/user/", {"action": action, "_selected_action": [str(cast.vic.pk)]})

    cast.vic.refresh_from_db()
    assert bool(cast.vic.proven_at) is (action == "vouch")
    assert has_second_factor(cast.vic.email) is (action == "vouch")


@pytest.mark.parametrize("command", ["prove_address", "remove_second_factors"])
def test_the_operator_has_both_for_everybody(cast: Cast, command: str) -> None:
    TOTP.activate(unproven(cast.bea), "JBSWY3DPEHPK3PXP")
    out = StringIO()

    call_command(command, "Bea@Example.com", stdout=out)

    cast.bea.refresh_from_db()
    assert "bea@example.com" in out.getvalue()
    assert bool(cast.bea.proven_at) is (command == "prove_address")
    assert has_second_factor(cast.bea.email) is (command == "prove_address")
    with pytest.raises(CommandError, match="Nobody has this address"):
        call_command(command, "nobody@example.com", stdout=out)
