from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save, pre_delete
from django.db.transaction import on_commit


class EventsConfig(AppConfig):
    """Events: taken in, filtered, enriched, published, counted.

    Pixels and accounts know nothing of events, so what follows from a change of theirs is done here, on signals.
    """

    name = "events"

    def ready(self) -> None:
        from accounts.models import Tenant
        from events.figures import metrics
        from pixels.models import Pixel
        from pixels.traffic import read_traffic_with

        read_traffic_with(metrics)
        for model in (Pixel, Tenant):
            post_save.connect(_forget_settings, sender=model)
            post_delete.connect(_forget_settings, sender=model)
            pre_delete.connect(_wait_for_writers, sender=model)
        pre_delete.connect(_keep_usage, sender=Pixel)
        post_save.connect(_release_hold, sender=Pixel)
        post_save.connect(_forget_identities, sender=Tenant)


def _forget_settings(**_: Any) -> None:
    """The intake reads pixels anew: within this transaction, and again once others can see what it has changed."""
    from events.intake.pixel_settings import forget_pixel_settings

    forget_pixel_settings()
    on_commit(forget_pixel_settings)


def _wait_for_writers(instance: Any, origin: Any, **_: Any) -> None:
    """Rows that point to a pixel are being added all the time: those of now are deleted with it, later ones refused.

    Without the lock, one that is committed after its table was cleared would forbid the deletion. An account's pixels
    are locked together, when it is the account that is deleted.
    """
    from pixels.models import Pixel

    if isinstance(instance, Pixel) and not _is_deleted_itself(instance, origin):
        return
    pixels = Pixel.objects.filter(pk=instance.pk) if isinstance(instance, Pixel) else instance.pixels.all()
    list(pixels.select_for_update().order_by("pk").values_list("pk"))


def _keep_usage(instance: Any, origin: Any, **_: Any) -> None:
    """What a disconnected pixel has received is billed all the same, unless its account goes with it."""
    from events.figures.usage import keep_usage

    if _is_deleted_itself(instance, origin):
        keep_usage(instance)


def _is_deleted_itself(instance: Any, origin: Any) -> bool:
    """Or with what it belongs to? ``origin`` is what was to be deleted: an instance or a queryset."""
    return getattr(origin, "model", type(origin)) is type(instance)


def _release_hold(instance: Any, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    """A new token: what waited for it may go."""
    from events.delivery.lanes import release_hold

    if not created and (update_fields is None or "access_token" in update_fields):
        release_hold(instance.pk)


def _forget_identities(instance: Any, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    """With the switch off, nothing is remembered of an account's visitors."""
    from events.delivery.enrichment import forget

    switch_saved = not created and (update_fields is None or "event_enrichment" in update_fields)
    if switch_saved and not instance.event_enrichment:
        forget(instance.pk)
