"""Encrypting every stored secret anew, with the newest key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models, transaction

from common.secrets import EncryptedTextField, Secret, UndecryptableError


class Rotation(NamedTuple):
    """How many secrets a rotation met, and how it left them."""

    resealed: int = 0
    current: int = 0  # had the newest key already
    replaced: int = 0  # set anew, or deleted, while the rotation ran
    unreadable: int = 0

    def plus(self, other: Rotation) -> Rotation:
        """Both counts together."""
        return Rotation(*(mine + its for mine, its in zip(self, other, strict=True)))


def rotate_secrets(batch_size: int = 500) -> Rotation:
    """Encrypt every stored secret with the newest key; safe while the portal runs, and to run again."""
    total = Rotation()
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                for batch in _batches(model, field.attname, batch_size):
                    total = total.plus(_rotate(model, field.attname, batch))
    return total


def resealed(old: Secret) -> Secret | Rotation:
    """The secret under the newest key; where there is nothing to write, what that counts as."""
    try:
        new = old.resealed()
    except UndecryptableError:
        return Rotation(unreadable=1)
    return Rotation(current=1) if new is old else new


def _batches(model: type[models.Model], column: str, size: int) -> Iterator[list[tuple[Any, Secret]]]:
    rows = model._base_manager.exclude(**{column: None}).order_by("pk").values_list("pk", column)
    batch = list(rows[:size])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1][0])[:size])


@transaction.atomic
def _rotate(model: type[models.Model], column: str, batch: list[tuple[Any, Secret]]) -> Rotation:
    done = Rotation()
    for pk, old in batch:
        new = resealed(old)
        if isinstance(new, Rotation):
            done = done.plus(new)
            continue
        # Compare and set: a secret that somebody has replaced since it was read stays as they left it.
        updated = model._base_manager.filter(pk=pk, **{column: old}).update(**{column: new})
        done = done.plus(Rotation(resealed=1) if updated else Rotation(replaced=1))
    return done
