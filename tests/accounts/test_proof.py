"""Whose address is it? Until that is shown, no second factor keeps the owner out."""

from __future__ import annotations

import re
import time
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.mail import compose
from accounts.models import AuditEntry, Membership, RoleLevel, Tenant, User
from accounts.principals import OPERATOR, Principal, principal_of_user
from accounts.services.passwords import mail_new_password, send_password_reset
from accounts.services.people import add_user_with_role, create_user
from accounts.services.rescue import remove_second_factors, vouch_for_address
from common.errors import Conflict, NotAuthorized, NotFound
from tests.addresses import SERVED
from tests.base import Cast, login, snapshot
from tests.factories import MembershipFactory

PASSWORD = "correct horse battery staple"
NEW = "a quite different sentence"
NORA = "nora@example.com"

Commits = DjangoCaptureOnCommitCallbacks


@pytest.fixture(autouse=True)
def _no_attempts_of_earlier_tests() -> None:
    cache.clear()


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Commits) -> Commits:
    return django_capture_on_commit_callbacks


def invite(by: User, role: str, email: str = NORA) -> str:
    return add_user_with_role(principal=principal_of_user(by), email=email, role_name=role).invitation_link


def accept(link: str, password: str = PASSWORD) -> Client:
    client = Client()
    assert client.post(link, {"password": password, "repeated": password}).status_code == 302
    return client


def mailed_link() -> str:
    found = re.search(r"http://\S+", str(mail.outbox[-1].body))
    assert found
    return found[0]


def choose(link: str, password: str = NEW) -> Client:
    """Open a link to a new password, and choose it."""
    client = Client()
    page = client.get(link).headers["Location"]
    client.post(page, {"password1": password, "password2": password})
    return client


def add_authenticator(client: Client, password: str = PASSWORD) -> None:
    """Set an authenticator app up, as far as the pages let one."""
    client.post("/auth/reauthenticate/", {"password": password})
    page = client.get("/auth/2fa/totp/activate/")
    if page.status_code == 200:
        secret = page.context["form"].secret
        current = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
        client.post("/auth/2fa/totp/activate/", {"code": current})


def has_second_factor(email: str) -> bool:
    return bool(Authenticator.objects.filter(user__email=email).exists())


def nora() -> User:
    return User.objects.get(email=NORA)


def view(account: Tenant) -> str:
    return f"advertiser-view-{account.pk}"


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


# --- Vouching, and taking second factors off --------------------------------------------------------------------------


def unproven(user: User) -> User:
    user.proven_at = None
    user.save()
    return user


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


# --- A forgotten password ---------------------------------------------------------------------------------------------


def test_nothing_is_looked_up_before_the_answer_to_a_forgotten_password(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """Whatever the address: its time must not tell who is known."""
    later: list[object] = []
    monkeypatch.setattr("accounts.services.passwords.send_in_background", lambda kind, make: later.append(make))
    Client().post("/auth/password/reset/", {"email": "warm@example.com"})

    for email in (cast.ada.email, "nobody@example.com"):
        with django_assert_num_queries(0):
            answer = Client().post("/auth/password/reset/", {"email": email})
        assert answer.headers["Location"] == "/auth/password/reset/done/"
    assert len(later) == 3


def test_as_much_is_done_for_an_address_that_nobody_has(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    made: list[str] = []

    def composed(template: str, to: str, context: dict[str, Any]) -> EmailMessage:
        made.append(to)
        return compose(template, to, context)

    monkeypatch.setattr("accounts.services.passwords.compose", composed)
    for email in (cast.ada.email, "nobody@example.com"):
        with django_assert_num_queries(2):  # the person, the host's name
            mail_new_password(email=email)

    assert made == [cast.ada.email, "nobody@example.com"]
    assert [message.to for message in mail.outbox] == [[cast.ada.email]]


def test_where_no_mail_is_sent_none_is_promised(client: Client, db: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "accounts.mail.ConsoleBackend"

    for page in ("/auth/password/reset/", "/auth/password/reset/done/"):
        assert "This portal sends no mails." in client.get(page).content.decode()


def test_who_is_deactivated_gets_no_link(cast: Cast) -> None:
    User.objects.filter(pk=cast.vic.pk).update(status=User.Status.DEACTIVATED)

    mail_new_password(email=cast.vic.email)

    assert mail.outbox == []
