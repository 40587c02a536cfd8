"""What the host sets in the web UI, for the whole instance."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, models
from django.db.models import Q

NAME_MAX_LENGTH = 100


class HostSettings(models.Model):
    """The one row, made when something is set for the first time; until then the environment's values hold."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=NAME_MAX_LENGTH)

    class Meta:
        verbose_name = "host settings"
        verbose_name_plural = "host settings"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_row_of_host_settings")]

    def __str__(self) -> str:
        return self.name


def host_name() -> str:
    """The host's name, in pages and mails: as the host has set it, else ``HOST_NAME``."""
    try:
        name = HostSettings.objects.values_list("name", flat=True).first()
    except DatabaseError:  # the page that tells of it has a heading too
        name = None
    return name or str(settings.HOST_NAME)
