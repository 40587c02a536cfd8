"""The demo's gateway pipelines: a website's own pixel, Meta, and a warehouse that gets purchases and leads alone."""

from __future__ import annotations

from accounts.models import Tenant
from accounts.principals import OPERATOR
from events.demo.scenery import DemoPipeline
from pipelines.custom_http.given import AddTo, AuthType, HttpConfig, HttpMethod
from pipelines.models import DestinationType, Source, SourceType
from pipelines.services.configuration import configure_http, configure_meta
from pipelines.services.destinations import create_destination
from pipelines.services.filters import update_destination_filter
from pipelines.services.pipelines import create_pipeline
from pipelines.services.sources import create_source

_TEMPLATE = """\
[{% for event in events %}
  {"name": {{ event_name }}, "at": {{ event_time }}, "id": {{ event_id }}, "value": {{ value }}}
{% endfor %}]"""


def make_pipeline(tenant: Tenant, demo: DemoPipeline) -> Source:
    """The pipeline with its source, destinations and filter; the source."""
    made = create_pipeline(principal=OPERATOR, tenant_id=tenant.pk, name=demo.name)
    create_source(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pipeline_id=made,
        name=demo.website,
        kind=SourceType.ADVERTISER_HOSTED_PIXEL,
        source_id=demo.source_id,
    )
    _add_meta(tenant, made, demo)
    _add_warehouse(tenant, made, demo)
    return Source.objects.get(source_id=demo.source_id)


def _add_meta(tenant: Tenant, pipeline_id: str, demo: DemoPipeline) -> None:
    meta = create_destination(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pipeline_id=pipeline_id,
        name="Meta",
        kind=DestinationType.META_CONVERSIONS_API,
    )
    configure_meta(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        id=meta,
        meta_dataset_id=demo.data_set_id,
        access_token="demo",  # noqa: S106  # which the sandbox takes  # nosec B106
        business_id="2840127409433732",
    )


def _add_warehouse(tenant: Tenant, pipeline_id: str, demo: DemoPipeline) -> None:
    warehouse = create_destination(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pipeline_id=pipeline_id,
        name="Warehouse",
        kind=DestinationType.CUSTOM_HTTP_API,
    )
    configure_http(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        id=warehouse,
        config=HttpConfig(
            endpoint=demo.warehouse,
            http_method=HttpMethod.POST,
            auth_type=AuthType.API_KEY,
            payload_schema=_TEMPLATE,
            api_key_auth={"name": "X-Api-Key", "value": "demo", "add_to": AddTo.HEADER},
        ),
    )
    update_destination_filter(
        principal=OPERATOR,
        tenant_id=tenant.pk,
        pipeline_id=pipeline_id,
        destination_id=warehouse,
        blocked_event_types=list(demo.kept_from_warehouse),
    )
