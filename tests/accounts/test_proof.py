"""Whose address is it? Until that is shown, no second factor keeps the owner out."""

from __future__ import annotations

from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEntry, Membership, RoleLevel
from accounts.principals import OPERATOR, Principal, principal_of_user
from accounts.services.passwords import send_password_reset
from accounts.services.people import add_user_with_role, create_user
from accounts.services.rescue import vouch_for_address
from tests.accounts.conftest import Commits
from tests.accounts.proving import (
    NEW,
    NORA,
    PASSWORD,
    accept,
    add_authenticator,
    choose,
    has_second_factor,
    invite,
    mailed_link,
    nora,
    view,
)
from tests.addresses import SERVED
from tests.base import Cast, login

# --- Locking a person out ---------------------------------------------------------------------------------------------


def test_who_accepts_in_somebody_elses_name_cannot_lock_the_owner_out(cast: Cast, commits: Commits) -> None:
    """Ada opens the invitation that she has made herself; Nora forgets a password that she never chose."""
    thief = accept(invite(cast.ada, view(cast.shoes)))
    add_authenticator(thief)
    assert not has_second_factor(NORA)

    with commits(execute=True):
        Client().post("/auth/password/reset/", {"email": NORA})
    owner = choose(mailed_link())

    assert owner.get("/hub/", follow=True).context["user"].email == NORA
    assert not thief.get("/hub/", follow=True).context["user"].is_authenticated
    add_authenticator(owner, NEW)
    assert has_second_factor(NORA)


def test_no_page_adds_a_second_factor_before_the_address_is_proven(cast: Cast) -> None:
    """Whatever allauth has, and whatever is posted to it."""
    client = accept(invite(cast.ada, view(cast.shoes)))
    client.post("/auth/reauthenticate/", {"password": PASSWORD})
    arguments: dict[str, Any] = {"mfa_remove_webauthn": {"pk": 1}, "mfa_edit_webauthn": {"pk": 1}}
    pages = [name for name in SERVED if name.startswith("mfa_")]
    for name in pages:
        address = reverse(name, kwargs=arguments.get(name))
        client.get(address)
        client.post(address, {"code": "000000", "name": "key", "credential": "{}"})

    assert {"mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"} <= set(pages)
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).headers["Location"] == "/auth/2fa/"
    assert not has_second_factor(NORA)


def test_the_page_says_what_to_do(cast: Cast, settings: Settings) -> None:
    client = accept(invite(cast.ada, view(cast.shoes)))
    assert "Mail me a link" in client.get("/auth/2fa/").content.decode()

    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"
    page = client.get("/auth/2fa/").content.decode()

    assert "Mail me a link" not in page
    assert "ask an admin of the host to confirm your address" in page
    assert "prove that this address" not in login(cast.vic).get("/auth/2fa/").content.decode()


# --- What proves an address -------------------------------------------------------------------------------------------


def test_the_mailed_link_proves_it(cast: Cast, commits: Commits) -> None:
    with commits(execute=True):
        invite(cast.ada, view(cast.shoes))
    owner = accept(mailed_link())

    assert nora().proven_at
    assert AuditEntry.objects.filter(act="confirm address", actor=NORA).exists()
    add_authenticator(owner)
    assert has_second_factor(NORA)


def test_the_returned_link_lets_the_person_in_and_proves_nothing(cast: Cast) -> None:
    accept(invite(cast.ada, view(cast.shoes)))

    assert nora().is_active
    assert nora().proven_at is None


def test_a_link_to_a_new_password_proves_it_where_it_was_mailed(cast: Cast, commits: Commits) -> None:
    accept(invite(cast.ada, view(cast.shoes)))
    ada = principal_of_user(cast.ada)
    with commits(execute=True):
        shown = send_password_reset(principal=ada, user_id=str(nora().pk), tenant_id=cast.shoes.pk).link
    choose(shown or "")
    assert nora().check_password(NEW)
    assert nora().proven_at is None

    with commits(execute=True):
        send_password_reset(principal=ada, user_id=str(nora().pk), tenant_id=cast.shoes.pk)
    choose(mailed_link(), PASSWORD)
    assert nora().check_password(PASSWORD)
    assert nora().proven_at


def test_a_person_asks_for_a_mail_that_proves_it(cast: Cast, commits: Commits) -> None:
    client = accept(invite(cast.ada, view(cast.shoes)))
    with commits(execute=True):
        client.post("/auth/prove/")
    link = mailed_link()
    assert mail.outbox[-1].to == [NORA]
    assert client.get(link).status_code == 200
    assert nora().proven_at is None  # a program that opens links proves nothing

    assert client.post(link).status_code == 302
    assert nora().proven_at


def test_that_link_proves_nothing_for_anybody_else(cast: Cast, commits: Commits) -> None:
    """A thief who is signed in sends it; the owner, who is not, opens it."""
    client = accept(invite(cast.ada, view(cast.shoes)))
    with commits(execute=True):
        client.post("/auth/prove/")

    assert Client().post(mailed_link()).headers["Location"].startswith("/auth/login/")
    assert login(cast.vic).post(mailed_link()).status_code == 404
    assert client.post("/auth/prove/x-y/").status_code == 404
    assert nora().proven_at is None


def test_the_operator_vouches_for_whom_a_command_lets_in(cast: Cast) -> None:
    accept(add_user_with_role(principal=OPERATOR, email=NORA, role_name="agency-admin").invitation_link)
    olga = create_user(principal=OPERATOR, email="olga@example.com", role_name="agency-admin", password=NEW).user

    assert nora().proven_at
    assert olga.proven_at


def test_an_account_cannot_use_what_the_operator_has_said_of_another_link(cast: Cast) -> None:
    add_user_with_role(principal=OPERATOR, email=NORA, role_name=view(cast.other))
    accept(invite(cast.ada, view(cast.shoes)))

    assert nora().proven_at is None


# --- REQUIRE_MFA_FOR_HOST ---------------------------------------------------------------------------------------------


def test_the_hosts_only_admin_is_not_locked_out_where_no_mail_comes(cast: Cast, settings: Settings) -> None:
    settings.REQUIRE_MFA_FOR_HOST = True
    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"
    Membership.objects.filter(tenant=None).delete()
    invitation = add_user_with_role(
        principal=Principal(host_level=RoleLevel.ADMIN), email=NORA, role_name="agency-admin"
    )
    client = accept(invitation.invitation_link)
    assert client.get("/hub/settings/host/").headers["Location"] == "/auth/2fa/"

    add_authenticator(client)

    assert has_second_factor(NORA)
    assert client.get("/hub/settings/host/").status_code == 200


def test_where_somebody_can_vouch_they_must(cast: Cast, settings: Settings) -> None:
    settings.REQUIRE_MFA_FOR_HOST = True
    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"
    client = accept(invite(cast.hanna, "agency-admin"))
    add_authenticator(client)
    assert not has_second_factor(NORA)

    vouch_for_address(principal=principal_of_user(cast.hanna), user_id=str(nora().pk))
    add_authenticator(client)
    assert has_second_factor(NORA)
