"""What a destination is called with: what may be shown of it, and what never is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.audit import Changes, record
from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput
from common.secrets import Secret
from pipelines.custom_http.configuration import Shown
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.given import HttpConfig, clean_http_config
from pipelines.custom_http.parameters import SAMPLE
from pipelines.custom_http.requests import HttpRequest
from pipelines.custom_http.sending import preview
from pipelines.lookups import find_destination, to_edit
from pipelines.models import Destination, DestinationType
from pipelines.services import acts
from pipelines.services.pipelines import change_pixel_pipeline
from pipelines.validation import read_api_version
from pixels import validation as pixel_rules
from pixels.models import PIXEL_ID_MAX_LENGTH, Pixel
from pixels.services import connect_pixel

#: Settings that are told in the log by the fact alone that they have changed: a template may hold anything.
_UNTOLD = ("payloadSchema",)


@transaction.atomic
def configure_meta(
    *,
    principal: Principal,
    tenant_id: str,
    id: str,
    meta_dataset_id: str,
    access_token: str,
    business_id: str,
    api_version: str | None = None,
    update_ob: bool | None = None,
) -> None:
    """Publish to a data set at Meta with a token. Of a Meta Pixel's destination it replaces the pixel's token.

    With ``update_ob`` false, Meta is not told of the gateway's address; of gateway pipelines it never is.
    """
    tenant = to_edit(principal, tenant_id)
    found = find_destination(tenant, id)
    data_set_id = _clean_data_set(meta_dataset_id)
    version = read_api_version(api_version)
    if isinstance(found, Pixel):
        if data_set_id != found.pixel_id:
            raise InvalidInput("metaDatasetId", "must be the Meta Pixel's id: its destination is its own data set.")
        pixel = connect_pixel(
            principal=principal,
            tenant_id=tenant_id,
            pixel_id=data_set_id,
            business_id=business_id,
            access_token=access_token,
            api_version=version,
        )
        change_pixel_pipeline(principal, pixel, {} if update_ob is None else {"registers": update_ob})
        return
    _require_type(found, DestinationType.META_CONVERSIONS_API)
    token = pixel_rules.clean_access_token(access_token)
    shown = {
        "dataSetId": data_set_id,
        "businessId": pixel_rules.clean_business_id(business_id),
        "apiVersion": version or found.settings.get("apiVersion") or settings.GRAPH_API_VERSION,
        "updateOB": bool(update_ob),
    }
    _store(principal, found, shown, {"accessToken": token})


def _clean_data_set(value: str) -> str:
    if not pixel_rules.is_pixel_id(value):
        raise InvalidInput("metaDatasetId", "must be 1 to {limit} digits.", limit=PIXEL_ID_MAX_LENGTH)
    return value


@transaction.atomic
def configure_http(*, principal: Principal, tenant_id: str, id: str, config: HttpConfig) -> None:
    """Post events to an address, made by a template.

    A secret that is left empty stays as it was, as long as it goes to the same receivers: whoever may change an address
    shall not be sent the secret that way.
    """
    found = _find_http(to_edit(principal, tenant_id), id)
    _store(principal, found, *clean_http_config(config, found.settings, secrets_of(found)))


def preview_http(*, principal: Principal, tenant_id: str, id: str, config: HttpConfig) -> HttpRequest:
    """The request that a configuration would make of a sample event, with a mask for every secret; nothing is kept."""
    found = _find_http(get_tenant(principal, tenant_id, Action.EDIT_DATA), id)
    shown, _ = clean_http_config(config, found.settings, secrets_of(found))
    try:
        return preview(Shown.read(shown), [SAMPLE])
    except TemplateError as error:  # an address that events make too long
        raise InvalidInput("payloadSchema", "{reason}", reason=error.reason) from None


def _find_http(tenant: Tenant, id: str) -> Destination:
    found = find_destination(tenant, id)
    if isinstance(found, Pixel):
        raise InvalidInput("id", "must be a destination of the type {type}.", type=DestinationType.CUSTOM_HTTP_API)
    _require_type(found, DestinationType.CUSTOM_HTTP_API)
    return found


def _require_type(destination: Destination, type: DestinationType) -> None:
    if destination.type != type:
        raise InvalidInput("id", "must be a destination of the type {type}.", type=type)


def secrets_of(destination: Destination) -> dict[str, str]:
    """What the destination is called with and nobody is shown; UndecryptableError where its key is gone."""
    secrets: dict[str, str] = json.loads(destination.secrets.reveal()) if destination.secrets else {}
    return secrets


def _store(
    principal: Principal, destination: Destination, shown: Mapping[str, Any], secrets: Mapping[str, str]
) -> None:
    changes: Changes = {
        name: [destination.settings.get(name), shown.get(name)]
        for name in {*destination.settings, *shown}
        if destination.settings.get(name) != shown.get(name)
    }
    for name in _UNTOLD:
        if name in changes:
            changes[name] = [value and "…" for value in changes[name]]
    if secrets or destination.secrets:
        changes["secrets"] = [destination.secrets and "set", secrets and "set"]
    destination.settings = dict(shown)
    destination.secrets = Secret.seal(json.dumps(secrets)) if secrets else None
    destination.save(update_fields=["settings", "secrets"])
    record(principal, acts.CONFIGURE_DESTINATION, destination, tenant=destination.tenant, changes=acts.masked(changes))
