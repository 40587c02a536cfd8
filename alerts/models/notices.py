"""What is told of incidents, and how far each channel has got with it (docs/decisions/0038-alerts.md)."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alerts.models.incidents import Incident, OfAccountQuerySet, of_new_table
from alerts.models.receivers import ChannelName, Receiver

KIND_MAX_LENGTH = 20
FAULT_MAX_LENGTH = 40
#: Of what a receiver answers, so many characters are kept.
SAID_MAX_LENGTH = 300


class OfIncidentQuerySet(OfAccountQuerySet):
    """Within the principal's borders, one step further."""

    account = "incident__tenant"


class Notice(models.Model):
    """What is told of an incident, written with it. Each channel tells it at least once, always under this id."""

    class Kind(models.TextChoices):
        """What has happened."""

        OPENED = "opened", _("Opened")
        CLOSED = "closed", _("Over")
        # Of no incident, and of no row: somebody tries a receiver.
        TEST = "test", pgettext_lazy("notice", "Test")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="notices")
    kind = models.CharField(
        max_length=KIND_MAX_LENGTH, choices=Kind.choices, default=Kind.OPENED, db_default=Kind.OPENED.value
    )
    created_at = models.DateTimeField(default=timezone.now)
    # When the channels get it; null once they have it, or once there is nothing to tell any more.
    due_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        default=timezone.now, null=True
    )

    objects = OfIncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["incident", "kind"], name="one_notice_of_a_kind")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="notices_due")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_over(self) -> bool:
        """Was it to wait, since the like of it was told of late, and has its incident ended before its time?"""
        waited = self.due_at is not None and self.due_at > self.created_at
        return waited and self.kind == self.Kind.OPENED and self.incident.closed_at is not None


class OfNoticeQuerySet(OfAccountQuerySet):
    """Within the principal's borders, two steps further."""

    account = "notice__incident__tenant"


class NoticeDelivery(models.Model):
    """A notice on its way through one channel."""

    notice = of_new_table(Notice, related_name="deliveries")
    channel = models.CharField(max_length=20, choices=ChannelName.choices)
    # Of the channels that post.
    receiver = of_new_table(Receiver, null=True)
    # When somebody shall tell it. While somebody does, when he is taken for dead; null once it is told or given up.
    due_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        default=timezone.now, null=True
    )
    attempts = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    # By mail, the ids of the people who need not be told any more. Ids alone: addresses change, and are nobody's here.
    reached = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), blank=True)

    objects = OfNoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "notice deliveries"
        constraints = [
            models.UniqueConstraint(fields=["notice"], condition=Q(channel="mail"), name="one_mailing_of_a_notice"),
            models.UniqueConstraint(
                fields=["notice", "receiver"], condition=~Q(receiver=None), name="one_delivery_to_a_receiver"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="notice_deliveries_due")]

    def __str__(self) -> str:
        return f"{self.notice_id} by {self.channel}"


class OfReceiverQuerySet(OfAccountQuerySet):
    """Within the principal's borders, one step further."""

    account = "receiver__tenant"


class Posting(models.Model):
    """An attempt to post a notice, as the log shows it."""

    receiver = of_new_table(Receiver, related_name="postings", db_index=False)
    # A trial has one, too, and no row of it.
    notice_id = models.UUIDField()
    kind = models.CharField(max_length=KIND_MAX_LENGTH, choices=Notice.Kind.choices)
    at = models.DateTimeField(default=timezone.now)
    # In milliseconds.
    duration = models.PositiveIntegerField()
    taken = models.BooleanField()
    # Null where there was no answer.
    status = models.PositiveSmallIntegerField(null=True)
    # Which fault there was, where there was no answer; lines of the release before have it in words, in ``said``.
    fault = models.CharField(max_length=FAULT_MAX_LENGTH, blank=True, default="", db_default="")
    # The beginning of the answer's body.
    said = models.CharField(max_length=SAID_MAX_LENGTH, blank=True)

    objects = OfReceiverQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["receiver", "-at", "-id"], name="postings_of_receiver"),
            models.Index(fields=["at"], name="postings_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.receiver_id}"

    @property
    def is_redirect(self) -> bool:
        """Was another address named? None is followed."""
        return self.status is not None and 300 <= self.status < 400
