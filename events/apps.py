from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete
from django.db.transaction import on_commit


class EventsConfig(AppConfig):
    """Events: taken in, filtered, enriched, published, counted.

    Pixels and accounts know nothing of events, so what follows from a change of theirs is done here, on signals.
    """

    name = "events"

    def ready(self) -> None:
        from accounts.models import IngressDomain, Tenant
        from events.figures import metrics
        from events.registration import changes
        from filters.signals import filters_changed
        from pipelines.models import Destination, Pipeline, PipelineDestination, PipelineSource, Source
        from pipelines.signals import registration_chosen
        from pixels.models import Pixel
        from pixels.traffic import read_traffic_with

        read_traffic_with(metrics)
        for receiving in (Pixel, Source, Tenant):
            post_save.connect(_forget_settings, sender=receiving)
            post_delete.connect(_forget_settings, sender=receiving)
        for written_to in (Pixel, Source, Destination, Tenant):
            pre_delete.connect(_wait_for_writers, sender=written_to)
        for logged in (Pixel, Destination, Tenant):
            pre_delete.connect(_forget_log, sender=logged)
        for place in (PipelineSource, PipelineDestination):
            post_save.connect(_follow_pipelines, sender=place)
            post_delete.connect(_follow_pipelines, sender=place)
        pre_delete.connect(_note_sources, sender=Pipeline)
        post_delete.connect(_leave_pipeline, sender=Pipeline)
        post_save.connect(_release_destination, sender=Destination)
        for billed in (Pixel, Source, Destination):
            pre_delete.connect(_keep_usage, sender=billed)
        post_save.connect(_release_hold, sender=Pixel)
        post_save.connect(_forget_identities, sender=Tenant)
        post_save.connect(changes.on_pixel_saved, sender=Pixel)
        post_save.connect(changes.on_tenant_saved, sender=Tenant)
        post_save.connect(changes.on_domain_changed, sender=IngressDomain)
        post_delete.connect(changes.on_domain_changed, sender=IngressDomain)
        filters_changed.connect(changes.on_filters_changed)
        registration_chosen.connect(changes.on_registration_chosen)
        filters_changed.connect(_forget_scripts)
        post_save.connect(_forget_scripts, sender=IngressDomain)
        post_delete.connect(_forget_scripts, sender=IngressDomain)
        pre_delete.connect(_leave_removal, sender=Pixel)
        pre_delete.connect(changes.on_tenant_deleted, sender=Tenant)


def _forget_settings(**_: Any) -> None:
    """The intake reads pixels anew: within this transaction, and again once others can see what it has changed."""
    from events.intake.pixel_settings import forget_pixel_settings

    forget_pixel_settings()
    on_commit(forget_pixel_settings)
    _forget_scripts()


def _forget_scripts(**_: Any) -> None:
    """What visitors' browsers are served with is made anew."""
    from events.script.files import forget_files

    forget_files()
    on_commit(forget_files)


def _wait_for_writers(instance: Any, origin: Any, **_: Any) -> None:
    """Rows that point to a pixel are being added all the time: those of now are deleted with it, later ones refused.

    Without the lock, one that is committed after its table was cleared would forbid the deletion. What an account has
    is locked together, when it is the account that is deleted.
    """
    from accounts.models import Tenant
    from pipelines.models import Destination, Source
    from pixels.models import Pixel

    if isinstance(instance, Tenant):
        for model in (Pixel, Destination, Source):
            _lock(model._default_manager.filter(tenant=instance))
    elif _is_deleted_itself(instance, origin):
        _lock(type(instance)._default_manager.filter(pk=instance.pk))


def _lock(rows: QuerySet[Any]) -> None:
    list(rows.select_for_update().order_by("pk").values_list("pk"))


def _follow_pipelines(instance: Any, created: bool = True, origin: Any = None, **_: Any) -> None:
    """A source or destination has come into a pipeline, or left it: destinations follow other sources now.

    Where the place goes with a source or destination, the cursors go with that; of a pipeline that goes, see below.
    """
    from events.gateway.cursors import follow_pipelines
    from pipelines.models import PipelineSource

    is_filter_alone = not created
    if is_filter_alone or (origin is not None and not _is_deleted_itself(instance, origin)):
        return
    if isinstance(instance, PipelineSource):
        follow_pipelines([instance.source_id])
    else:
        links = PipelineSource.objects.filter(pipeline=instance.pipeline_id)
        follow_pipelines(links.values_list("source_id", flat=True))


def _note_sources(instance: Any, origin: Any, **_: Any) -> None:
    """Once the pipeline is gone, nothing tells which sources it had."""
    if _is_deleted_itself(instance, origin):
        instance.sources_left = list(instance.source_links.order_by().values_list("source_id", flat=True))


def _leave_pipeline(instance: Any, origin: Any, **_: Any) -> None:
    """All of its places have gone with it, at once."""
    from events.gateway.cursors import follow_pipelines

    if _is_deleted_itself(instance, origin):
        follow_pipelines(instance.sources_left)


def _release_destination(instance: Any, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    """Other settings, or a new token: what waited for them may go."""
    from events.gateway.lanes import release_hold

    if not created and (update_fields is None or not update_fields.isdisjoint({"settings", "secrets"})):
        release_hold(instance.pk)


def _keep_usage(instance: Any, origin: Any, **_: Any) -> None:
    """What a disconnected pixel has received is billed all the same, unless its account goes with it."""
    from events.figures.usage import keep_usage

    if _is_deleted_itself(instance, origin):
        keep_usage(instance)


def _forget_log(instance: Any, origin: Any, **_: Any) -> None:
    """The delivery log has no foreign keys. What writes it holds the row of the pixel or destination: locked by now."""
    from events.delivery.log import keeping
    from pixels.models import Pixel

    if not hasattr(instance, "tenant_id"):
        keeping.forget_tenant(instance.pk)
    elif _is_deleted_itself(instance, origin):
        forget = keeping.forget_pixel if isinstance(instance, Pixel) else keeping.forget_destination
        forget(instance.tenant_id, instance.pk)


def _leave_removal(instance: Any, origin: Any, **_: Any) -> None:
    """An account's pixels leave theirs together."""
    from events.registration.changes import on_pixel_deleted

    if _is_deleted_itself(instance, origin):
        on_pixel_deleted(instance)


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
