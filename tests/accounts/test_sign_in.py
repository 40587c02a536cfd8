"""Signing in: by password, second factor and mail, on the same pages for everybody."""

from __future__ import annotations

import re
import time
from datetime import date

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import AuditEntry, User
from accounts.principals import OPERATOR
from accounts.second_factors import rotate_second_factors
from accounts.services.people import add_user_with_role
from tests.base import HUB, Cast, graphql

PASSWORD = "correct horse battery staple"
NEW = "a quite different sentence"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def ada(cast: Cast) -> User:
    return with_password(cast.ada)


@pytest.fixture
def hanna(cast: Cast) -> User:
    return with_password(cast.hanna)


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, email: str, password: str = PASSWORD, **data: str) -> str:
    """Send the form; return where it leads, or the page with its refusal."""
    answer = client.post("/auth/login/", {"login": email, "password": password, **data})
    return answer.headers.get("Location") or answer.content.decode()


def is_signed_in(client: Client) -> bool:
    return graphql(client, HUB, "{ viewer { email } }").status == 200


def code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))


def test_a_person_signs_in_by_address_and_password(client: Client, ada: User) -> None:
    assert sign_in(client, "Ada@Example.com") == "/hub/"
    assert is_signed_in(client)


def test_the_person_lands_where_they_wanted_to_go(client: Client, ada: User) -> None:
    assert sign_in(client, ada.email, next="/hub/capig/?tenant=x") == "/hub/capig/?tenant=x"


def test_the_person_never_lands_on_another_site(client: Client, ada: User) -> None:
    assert sign_in(client, ada.email, next="https://evil.example/") == "/hub/"


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(client: Client, ada: User) -> None:
    wrong, unknown = sign_in(client, ada.email, "wrong"), sign_in(client, "nobody@example.com", "wrong")

    assert "not correct" in wrong
    said = re.compile(r'<div class="alert.*?</div>|<li>.*?</li>', re.DOTALL)
    assert said.findall(wrong) == said.findall(unknown)
    assert not is_signed_in(client)


def test_guessing_is_stopped(client: Client, ada: User) -> None:
    for _ in range(5):
        sign_in(client, ada.email, "wrong")

    assert "Too many failed login attempts" in sign_in(client, ada.email)


def test_asking_too_often_is_told_in_our_look(client: Client, db: None) -> None:
    for _ in range(20):
        client.post("/auth/password/reset/", {"email": "nobody@example.com"})
    page = client.post("/auth/password/reset/", {"email": "nobody@example.com"})

    assert page.status_code == 429
    assert "That was too often" in page.content.decode()


@pytest.mark.parametrize(
    "state", [{"status": User.Status.DEACTIVATED}, {"status": User.Status.PENDING}, {"expires_on": date(2020, 1, 1)}]
)
def test_only_active_people_sign_in(client: Client, ada: User, state: dict[str, object]) -> None:
    User.objects.filter(pk=ada.pk).update(**state)

    sign_in(client, ada.email)

    assert not is_signed_in(client)


def test_nobody_signs_up(client: Client, db: None) -> None:
    assert client.get("/auth/signup/").status_code == 404
    assert client.get("/auth/email/").status_code == 404
    assert "sign up" not in client.get("/auth/login/").content.decode().lower()


def test_signing_out_ends_the_session(client: Client, ada: User) -> None:
    sign_in(client, ada.email)

    assert client.post("/auth/logout/").headers["Location"] == "/auth/login/"
    assert not is_signed_in(client)


# --- Passwords -------------------------------------------------------------------------------------------------------


def asked_for_reset(client: Client, email: str, capture: DjangoCaptureOnCommitCallbacks) -> str:
    with capture(execute=True):
        return client.post("/auth/password/reset/", {"email": email}).headers["Location"]


def reset_page(client: Client) -> str:
    [link] = re.findall(r"http://localhost:8000(/auth/password/reset/key/\S+)", str(mail.outbox[-1].body))
    return client.get(link).headers["Location"]


def test_a_forgotten_password_is_set_anew_by_mail(
    client: Client, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    asked_for_reset(client, ada.email, django_capture_on_commit_callbacks)
    assert mail.outbox[0].to == [ada.email]
    assert "text/html" in str(mail.outbox[0].message())

    answer = client.post(reset_page(client), {"password1": NEW, "password2": NEW})

    assert answer.headers["Location"] == "/hub/"
    assert is_signed_in(client)
    assert sign_in(Client(), ada.email, NEW) == "/hub/"
    assert AuditEntry.objects.filter(act="change password", tenant_id=ada.default_tenant_id).count() == 1


def test_the_link_of_a_mail_works_once(
    client: Client, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    asked_for_reset(client, ada.email, django_capture_on_commit_callbacks)
    page = reset_page(client)
    client.post(page, {"password1": NEW, "password2": NEW})

    Client().post(page, {"password1": PASSWORD, "password2": PASSWORD})

    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_an_unknown_address_is_told_nothing_and_gets_no_mail(
    client: Client, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    known = asked_for_reset(client, ada.email, django_capture_on_commit_callbacks)
    unknown = asked_for_reset(client, "nobody@example.com", django_capture_on_commit_callbacks)

    assert known == unknown == "/auth/password/reset/done/"
    assert len(mail.outbox) == 1


def test_people_who_may_not_sign_in_get_no_link(
    cast: Cast, client: Client, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    add_user_with_role(principal=OPERATOR, email="nora@example.com", role_name=f"advertiser-view-{cast.shoes.pk}")
    User.objects.filter(pk=ada.pk).update(status=User.Status.DEACTIVATED)

    for email in ("nora@example.com", ada.email):
        asked_for_reset(client, email, django_capture_on_commit_callbacks)

    assert mail.outbox == []


def test_a_changed_password_ends_the_other_sessions(client: Client, ada: User) -> None:
    elsewhere = Client()
    sign_in(elsewhere, ada.email)
    sign_in(client, ada.email)
    reauthenticate(client)

    client.post("/auth/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


def test_a_changed_password_is_told_by_mail(
    client: Client, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    sign_in(client, ada.email)
    reauthenticate(client)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/auth/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    [message] = mail.outbox
    assert message.to == [ada.email]
    assert "If this was not you" in str(message.body)
    assert "127.0.0.1" in str(message.body)


def test_the_other_sessions_are_listed_and_ended(client: Client, ada: User) -> None:
    elsewhere = Client(headers={"User-Agent": "Phone of Ada"})
    sign_in(elsewhere, ada.email)
    sign_in(client, ada.email)

    assert "Phone of Ada" in client.get("/auth/sessions/").content.decode()
    client.post("/auth/sessions/")

    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


# --- The second factor -----------------------------------------------------------------------------------------------


def reauthenticate(client: Client) -> None:
    client.post("/auth/reauthenticate/", {"password": PASSWORD})


def test_an_authenticator_app_is_set_up_and_asked_for(client: Client, ada: User) -> None:
    sign_in(client, ada.email)
    assert client.get("/auth/2fa/totp/activate/").headers["Location"].startswith("/auth/reauthenticate/")
    reauthenticate(client)
    page = client.get("/auth/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert "data:image/svg" in page.content.decode()
    current = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    client.post("/auth/2fa/totp/activate/", {"code": current})

    fresh = Client()

    assert sign_in(fresh, ada.email) == "/auth/2fa/authenticate/"
    assert not is_signed_in(fresh)


def test_a_second_factor_completes_the_sign_in(client: Client, ada: User) -> None:
    TOTP.activate(ada, SECRET)
    sign_in(client, ada.email)

    assert client.post("/auth/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not is_signed_in(client)
    client.post("/auth/2fa/authenticate/", {"code": code()})
    assert is_signed_in(client)


def test_a_recovery_code_works_once(client: Client, ada: User) -> None:
    TOTP.activate(ada, SECRET)
    sign_in(client, ada.email)
    client.post("/auth/2fa/authenticate/", {"code": code()})
    reauthenticate(client)
    client.post("/auth/2fa/recovery-codes/generate/")
    [first, *_] = Authenticator.objects.get(user=ada, type="recovery_codes").wrap().get_unused_codes()

    for expected in (True, False):
        fresh = Client()
        sign_in(fresh, ada.email)
        fresh.post("/auth/2fa/authenticate/", {"code": first})
        assert is_signed_in(fresh) is expected


def test_a_password_reset_does_not_get_around_the_second_factor(
    client: Client, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    TOTP.activate(ada, SECRET)
    asked_for_reset(client, ada.email, django_capture_on_commit_callbacks)

    answer = client.post(reset_page(client), {"password1": NEW, "password2": NEW})

    assert answer.headers["Location"] == "/auth/2fa/authenticate/"
    assert not is_signed_in(client)


def test_secrets_of_second_factors_are_encrypted_and_rotated(ada: User, settings: Settings) -> None:
    from cryptography.fernet import Fernet

    TOTP.activate(ada, SECRET)
    stored = Authenticator.objects.get(user=ada).data["secret"]
    assert SECRET not in stored

    old = settings.FIELD_ENCRYPTION_KEYS
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *old]
    assert rotate_second_factors().resealed == 1
    settings.FIELD_ENCRYPTION_KEYS = [new]

    assert Authenticator.objects.get(user=ada).wrap().validate_code(code())
    assert rotate_second_factors().current == 1


def test_a_passkey_can_be_asked_for_before_anything_else(client: Client, db: None) -> None:
    answer = client.get("/auth/2fa/webauthn/login/", headers={"Accept": "application/json"})

    assert "challenge" in answer.json()["request_options"]["publicKey"]


# --- Staff and the host ----------------------------------------------------------------------------------------------


def test_staff_come_to_admin_through_the_same_page(client: Client, hanna: User) -> None:
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0].startswith("/auth/login/?next=")

    assert sign_in(client, hanna.email, next="/admin/") == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_password_alone_does_not_open_admin_where_a_second_factor_is_set_up(client: Client, hanna: User) -> None:
    TOTP.activate(hanna, SECRET)

    client.post("/admin/login/", {"username": hanna.email, "password": PASSWORD})

    assert client.get("/admin/").status_code == 302


def test_others_are_refused_by_admin(client: Client, ada: User) -> None:
    sign_in(client, ada.email)

    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("page", ["/hub/", "/hub/settings/host/", "/admin/"])
def test_a_host_can_require_a_second_factor_of_its_people(
    client: Client, hanna: User, settings: Settings, page: str
) -> None:
    settings.REQUIRE_MFA_FOR_HOST = True
    sign_in(client, hanna.email)

    assert client.get(page).headers["Location"] == "/auth/2fa/"
    refused = client.post(page)
    assert refused.status_code == 403
    assert "Set up a second factor first" in refused.content.decode()
    assert 'href="/auth/2fa/"' in refused.content.decode()
    assert not is_signed_in(client)
    assert client.get("/auth/2fa/").status_code == 200

    TOTP.activate(hanna, SECRET)
    assert client.get(page).status_code == 200
    assert is_signed_in(client)


def test_advertisers_are_not_required_to(client: Client, ada: User, settings: Settings) -> None:
    settings.REQUIRE_MFA_FOR_HOST = True
    sign_in(client, ada.email)

    assert is_signed_in(client)
