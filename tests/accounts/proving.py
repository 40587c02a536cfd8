"""What the tests share that are about whose an address is: people who are invited, and what they do."""

from __future__ import annotations

import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client

from accounts.models import Tenant, User
from accounts.principals import principal_of_user
from accounts.services.people import add_user_with_role

PASSWORD = "correct horse battery staple"
NEW = "a quite different sentence"
NORA = "nora@example.com"


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


def unproven(user: User) -> User:
    user.proven_at = None
    user.save()
    return user
