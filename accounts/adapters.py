"""What allauth asks us: how it sends mails, sets passwords and keeps secrets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.models.host import host_name
from accounts.services.passwords import change_password, password_reset_link
from portal.fields import Secret
from portal.mail import deliver


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People come by invitation, and are known by the one address of ``User.email``."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        known = {"email": email, "host_name": host_name(), "base_url": settings.BASE_URL, **context}
        deliver(self.render_mail(template_prefix, email, known))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        # To the address that we know, not to the one that was typed; at BASE_URL, whatever host the request named.
        link = password_reset_link(user)
        super().send_password_reset_mail(user, user.email, {**context, "password_reset_url": link, "link": link})

    def set_password(self, user: User, password: str) -> None:
        change_password(user=user, password=password)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors' secrets are encrypted at rest, as all secrets are; ``manage.py rotate_keys`` knows of them."""

    def encrypt(self, text: str) -> str:
        return Secret.seal(text).sealed

    def decrypt(self, encrypted_text: str) -> str:
        return Secret(encrypted_text).reveal()
