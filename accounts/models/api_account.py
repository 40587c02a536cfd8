"""API accounts: what a partner's software signs in with (OAuth 2 client credentials)."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

# \Z and not $, which also matches before a line break at the end.
API_ACCOUNT_NAME_PATTERN = r"^[A-Za-z0-9]{1,20}\Z"


class ApiAccount(models.Model):
    """An OAuth client; its name is the ``client_id``. Secrets are random, so one SHA-256 keeps them safe."""

    name = models.CharField(max_length=20, unique=True, validators=[RegexValidator(API_ACCOUNT_NAME_PATTERN)])
    secret_hash = models.CharField(max_length=64, editable=False)
    created_by = models.ForeignKey(
        "accounts.User", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField("last token issued", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API account"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=API_ACCOUNT_NAME_PATTERN), name="api_account_name_form")
        ]

    def __str__(self) -> str:
        return self.name

    def check_grant_type(self, grant_type: str) -> bool:
        """Authlib asks whether this client may use the grant: all may use the one that there is."""
        return grant_type == "client_credentials"


class AccessToken(models.Model):
    """A bearer token of an API account, kept as its SHA-256."""

    api_account = models.ForeignKey(ApiAccount, models.CASCADE, related_name="tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    def is_expired(self) -> bool:
        """Authlib asks."""
        return self.expires_at <= timezone.now()

    def is_revoked(self) -> bool:
        """Authlib asks: a token that is revoked is deleted."""
        return False

    def __str__(self) -> str:
        return f"Token of {self.api_account} until {self.expires_at:%Y-%m-%d %H:%M}"
