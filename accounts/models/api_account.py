"""API accounts: what a partner's software signs in with (OAuth 2 client credentials)."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.tenant import Tenant

# \Z and not $, which also matches before a line break at the end.
API_ACCOUNT_NAME_PATTERN = r"^[A-Za-z0-9]{1,20}\Z"


class ApiAccount(models.Model):
    """An OAuth client; its name is the ``client_id``. Secrets are random, so one SHA-256 keeps them safe.

    Its scope is ``read_only`` and ``tenant``, until ``expires_at``. One without scope acts as agency-admin, for good.
    """

    name = models.CharField(max_length=20, unique=True, validators=[RegexValidator(API_ACCOUNT_NAME_PATTERN)])
    secret_hash = models.CharField(max_length=64, editable=False)
    created_by = models.ForeignKey(
        "accounts.User", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    read_only = models.BooleanField(default=False, db_default=False)
    #: The one account that it is for. Without a constraint: the previous release deletes accounts, and knows of none.
    tenant = models.ForeignKey(
        Tenant,
        models.CASCADE,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="api_accounts",
        verbose_name="only for the account",
    )
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    #: The secret before the last rotation, and until when it is good.
    previous_secret_hash = models.CharField(max_length=64, default="", db_default="", editable=False)
    previous_secret_until = models.DateTimeField("former secret is good until", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)
    #: The network of the address, for nobody needs to know a person's (``common.client_address.shortened``).
    last_used_from = models.CharField("last used from", max_length=43, default="", db_default="", editable=False)

    class Meta:
        verbose_name = "API account"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(name__regex=API_ACCOUNT_NAME_PATTERN), name="api_account_name_form")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_expired(self) -> bool:
        """Is its time over? It is then as good as deleted."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def has_two_secrets(self) -> bool:
        """Is the secret before the last rotation good as well?"""
        return self.previous_secret_until is not None and self.previous_secret_until > timezone.now()

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
