"""What allauth asks us: how it sends mails, sets passwords and keeps secrets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.utils import translation

from accounts.mail import Kind, send_later
from accounts.models import User
from accounts.services.languages import take_language
from accounts.services.passwords import change_password
from accounts.web import is_own_address
from common.secrets import Secret


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People come by invitation, and are known by the one address of ``User.email``."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        return is_own_address(url or "")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        # Without the request, which is over when the mail is made.
        known = {key: value for key, value in context.items() if key != "request"}
        language = User.objects.filter(email=email).values_list("language", flat=True).first() or ""
        send_later(template_prefix, email, {"email": email, **known}, kind=Kind.NOTICE, language=language)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        take_language(user=user, language=translation.get_language() or "")

    def set_password(self, user: User, password: str) -> None:
        change_password(user=user, password=password)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors' secrets are encrypted at rest, as all secrets are; ``manage.py rotate_keys`` knows of them."""

    def encrypt(self, text: str) -> str:
        return Secret.seal(text).sealed

    def decrypt(self, encrypted_text: str) -> str:
        return Secret(encrypted_text).reveal()
