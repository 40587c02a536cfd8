"""What the services of pipelines record, and how pages tell it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.audit import MASK, Act, Changes

#: So much of a script or template the log shows.
_SHOWN = 200


def _lists(field: str, value: Any) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else None


def shortened(changes: Changes) -> Changes:
    """The changes with no more than the beginning of long texts."""
    return {field: [_beginning(value) for value in values] for field, values in changes.items()}


def _beginning(value: Any) -> Any:
    return f"{value[:_SHOWN]}…" if isinstance(value, str) and len(value) > _SHOWN else value


_PIPELINE = {"active": _("Active"), "name": _("Name"), "registers": _("Registered with Meta")}
_FILTER = {"blocked_event_types": _("Blocked events"), "filter_status": _("Filter by name")}
_SOURCE = {"active": _("Active"), "name": _("Name"), "type": _("Type")}
_SCRIPT = {
    "aam_fields": _("Fields of advanced matching"),
    "custom_integrity_script": _("Data filter"),
    "enable_aam": _("Automatic advanced matching"),
    "enabled": _("Sends events"),
    "first_party_cookie": _("First-party cookies"),
    "fork_meta_pixel": _("Takes a Meta Pixel's calls"),
    "hash_contact_data": _("Hashes contact data in the browser"),
}
_DESTINATION = {
    "active": _("Active"),
    "name": _("Name"),
    "pipeline": _("Pipeline"),
    "secrets": _("Secrets"),
    "type": _("Type"),
}
_CONFIGURATION = {
    "access_token": _("Access token"),
    "api_key_auth": _("API key"),
    "api_version": _("Graph API version"),
    "auth_type": _("Authentication"),
    "business_id": _("Business id"),
    "client_credentials_auth": _("Client credentials"),
    "data_set_id": _("Data set"),
    "endpoint": _("Endpoint"),
    "http_method": _("HTTP method"),
    "json_web_token_auth": _("JSON web token"),
    "payload_schema": _("Template"),
    "secrets": _("Secrets"),
    "update_ob": _("Registered with Meta"),
}

CREATE_PIPELINE = Act("create pipeline", _("created the pipeline %(subject)s"), _PIPELINE)
UPDATE_PIPELINE = Act("update pipeline", _("changed the pipeline %(subject)s"), _PIPELINE)
DELETE_PIPELINE = Act("delete pipeline", _("deleted the pipeline %(subject)s"))
FILTER_PIPELINE = Act("update pipeline filter", _("changed the filter of the pipeline %(subject)s"), _FILTER, _lists)
FILTER_DESTINATION = Act(
    "update destination filter", _("changed the filter of a destination, %(subject)s"), _FILTER, _lists
)
CREATE_SOURCE = Act("create data source", _("created the data source %(subject)s"), _SOURCE)
ADD_SOURCE = Act("add data source", _("added a data source to a pipeline: %(subject)s"))
REMOVE_SOURCE = Act("disconnect data source", _("took a data source out of a pipeline: %(subject)s"))
UPDATE_SOURCE = Act("update data source", _("changed the data source %(subject)s"), _SOURCE)
DELETE_SOURCE = Act("delete data source", _("deleted the data source %(subject)s"))
MAKE_HEADER_CODE = Act("make header code", _("fetched the header code of the data source %(subject)s"))
CONFIGURE_SOURCE = Act("configure data source", _("changed the script of the data source %(subject)s"), _SCRIPT, _lists)
CREATE_DESTINATION = Act("create destination", _("created the destination %(subject)s"), _DESTINATION)
ADD_DESTINATION = Act("add destination", _("added a destination to a pipeline: %(subject)s"))
REMOVE_DESTINATION = Act("disconnect destination", _("took a destination out of a pipeline: %(subject)s"))
UPDATE_DESTINATION = Act("update destination", _("changed the destination %(subject)s"), _DESTINATION)
DELETE_DESTINATION = Act("delete destination", _("deleted the destination %(subject)s"))
CONFIGURE_DESTINATION = Act(
    "configure destination", _("changed the configuration of the destination %(subject)s"), _CONFIGURATION
)


def masked(changes: Changes) -> Changes:
    """The changes, of secrets no more than that there are some."""
    if "secrets" in changes:
        changes["secrets"] = [value and MASK for value in changes["secrets"]]
    return changes
