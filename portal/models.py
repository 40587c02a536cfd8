"""What the whole instance has one of, whichever machines its processes run on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from common.secrets import EncryptedTextField


class Canary(models.Model):
    """The one row that every process must be able to read before it works (``portal/shared.py``).

    Like every stored secret it is encrypted with one of FIELD_ENCRYPTION_KEYS, and ``rotate_keys`` encrypts it anew.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    # A JSON object of digests: the settings that all processes must have alike, by name.
    agreed = EncryptedTextField()

    class Meta:
        verbose_name = "canary"
        verbose_name_plural = "canary"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_canary")]

    def __str__(self) -> str:
        return "canary"
