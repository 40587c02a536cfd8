"""The channels, and where notices are posted to (docs/decisions/0038-alerts.md)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant
from alerts.models.incidents import OfAccountQuerySet, of_new_table
from common.secrets import EncryptedTextField, Secret

NAME_MAX_LENGTH = 100

if TYPE_CHECKING:
    _Moment = models.DateTimeField[datetime | None, datetime | None]
else:
    _Moment = models.DateTimeField


class ChannelName(models.TextChoices):
    """The ways to somebody: ``alerts/channels/`` has a file for each."""

    MAIL = "mail", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")
    SLACK = "slack", _("Slack")


#: Those that a receiver is of.
POSTED = (ChannelName.WEBHOOK, ChannelName.SLACK)


class Receiver(models.Model):
    """An address that notices are posted to: of an account, or of the host, which gets those of all accounts."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = of_new_table(Tenant, null=True, blank=True, db_index=False, verbose_name="account")
    channel = models.CharField(max_length=20, choices=[(name.value, name.label) for name in POSTED])
    name = models.CharField(max_length=NAME_MAX_LENGTH)
    # Whoever has Slack's may post there: an address is a secret, and of it the host alone is shown.
    url = EncryptedTextField(editable=False)
    host = models.CharField(max_length=260)
    # What signs, of webhooks; for a while after a rotation the former one signs, too.
    secret: models.TextField[str | Secret | None, Secret | None] = EncryptedTextField(  # type: ignore[assignment, misc]
        null=True, editable=False
    )
    former_secret: models.TextField[str | Secret | None, Secret | None] = EncryptedTextField(  # type: ignore[assignment, misc]
        null=True, editable=False
    )
    former_secret_until: _Moment = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    # Nobody posts before that: while somebody does, it is when he is taken for dead; after a failure, the next try.
    waits_until: _Moment = models.DateTimeField(null=True)
    # Since it took one last.
    failures = models.PositiveIntegerField(default=0)
    failing_since: _Moment = models.DateTimeField(null=True)
    # It gets nothing any more, until somebody switches it on again.
    disabled_at: _Moment = models.DateTimeField(null=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["tenant", "name"], name="receivers_of_tenant"),
            models.Index(fields=["disabled_at"], condition=Q(disabled_at__isnull=False), name="receivers_switched_off"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.host})"

    @property
    def has_two_secrets(self) -> bool:
        """Do two secrets sign?"""
        return self.former_secret_until is not None and self.former_secret_until > timezone.now()

    def secrets(self) -> list[str]:
        """What signs now, the newest first; none of a receiver that nobody signs for."""
        rows = [self.secret, self.former_secret if self.has_two_secrets else None]
        return [row.reveal() for row in rows if row is not None]
