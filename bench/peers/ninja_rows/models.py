"""A row for each event, and a count for each name."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PeerEvent(models.Model):
    """An event."""

    id = models.BigAutoField(primary_key=True)
    pixel_id = models.CharField(max_length=20, db_index=True)
    event_name = models.CharField(max_length=50)
    event_id = models.CharField(max_length=100)
    event_time = models.BigIntegerField()
    action_source = models.CharField(max_length=30)
    event_source_url = models.TextField(blank=True)
    user_data = models.JSONField()
    custom_data = models.JSONField(null=True)
    received_at = models.DateTimeField()

    objects: ClassVar[models.Manager[PeerEvent]] = models.Manager()

    class Meta:
        app_label = "peers"
        managed = False
        db_table = "peer_events"

    def __str__(self) -> str:
        return self.event_id


class PeerCount(models.Model):
    """How many events of a name were published."""

    id = models.BigAutoField(primary_key=True)
    event_name = models.CharField(max_length=50, unique=True)
    published = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager[PeerCount]] = models.Manager()

    class Meta:
        app_label = "peers"
        managed = False
        db_table = "peer_counts"

    def __str__(self) -> str:
        return self.event_name
