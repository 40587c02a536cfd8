"""Rules for what comes in about pipelines. Fields carry the API's names; no message repeats what was given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import TextChoices

from common.errors import InvalidInput
from common.validation import clean_text, refuse_control_characters
from filters.models import EVENT_NAME_MAX_LENGTH
from filters.services import clean_event_name
from pipelines.models import DESTINATION_TYPES, SOURCE_TYPES, DestinationType, SourceType
from pixels.models import NAME_MAX_LENGTH, PIXEL_ID_MAX_LENGTH
from pixels.validation import clean_api_version, is_pixel_id

#: Of each kind an account may have so many: what an answer holds.
MAX_OF_A_KIND = 500
SCRIPT_MAX_LENGTH = 20_000
#: The fields of advanced matching.
AAM_FIELDS = ("em", "fn", "ln", "ph", "ge", "ct", "st", "zp", "country", "db", "external_id")

#: As clients write it: 20.0.1, 20.0, v20.0.
_LOOSE_VERSION = re.compile(r"v?([0-9]{1,3}\.[0-9]{1,3})(?:\.[0-9]{1,3})?")

_Choice = TypeVar("_Choice", bound=TextChoices)


def clean_name(field: str, value: str) -> str:
    """What something is called."""
    return clean_text(field, value, max_length=NAME_MAX_LENGTH)


def clean_source_id(value: str) -> str:
    """The id that a caller has chosen for a source: 1 to 20 digits, as a pixel's."""
    if not is_pixel_id(value):
        raise InvalidInput("dataSourceId", "must be 1 to {limit} digits.", limit=PIXEL_ID_MAX_LENGTH)
    return value


def clean_source_type(field: str, value: SourceType) -> SourceType:
    """What kind of source a row can be."""
    if value is SourceType.META_PIXEL:
        raise InvalidInput(field, "a Meta Pixel is connected by createConversionApiGatewayPipeline.")
    return _known(field, value, SOURCE_TYPES)


def clean_destination_type(field: str, value: DestinationType) -> DestinationType:
    """What kind of destination a row can be."""
    return _known(field, value, DESTINATION_TYPES)


def _known(field: str, value: _Choice, known: Sequence[_Choice]) -> _Choice:
    if value not in known:
        raise InvalidInput(field, "must be one of {choices}.", choices=", ".join(known))
    return value


def one_of_two(first: str, second: str, given: dict[str, Any]) -> Any:
    """The value of an argument that the reference writes under two names; None where neither is given."""
    values = [given[name] for name in (first, second) if given.get(name) is not None]
    if len(values) == 2 and values[0] != values[1]:
        raise InvalidInput(second, "must be the same as {other}, or be left out.", other=first)
    return values[0] if values else None


def clean_event_names(field: str, values: Sequence[str | None]) -> list[str]:
    """Names of events, each once, in their order."""
    limit = settings.GRAPHQL_MAX_LIST_LENGTH
    if len(values) > limit:
        raise InvalidInput(field, "must name at most {limit} events.", limit=limit)
    return list(dict.fromkeys(_event_name(field, value) for value in values))


def _event_name(field: str, value: str | None) -> str:
    try:
        return clean_event_name(value or "")
    except InvalidInput:
        raise InvalidInput(
            field,
            "must hold names of 1 to {limit} characters, without control characters.",
            limit=EVENT_NAME_MAX_LENGTH,
        ) from None


def read_api_version(value: str | None) -> str | None:
    """A version of the Graph API, also as 20.0 or 20.0.1; None where none is given."""
    if not value:
        return None
    found = _LOOSE_VERSION.fullmatch(value)
    return clean_api_version(f"v{found[1]}" if found else value)


def clean_aam_fields(values: Sequence[str]) -> list[str]:
    """Fields of advanced matching, each once, in the order in which the reference names them."""
    if len(values) > len(AAM_FIELDS) or not set(values) <= set(AAM_FIELDS):
        raise InvalidInput("aamFields", "must be among {fields}.", fields=", ".join(AAM_FIELDS))
    return [field for field in AAM_FIELDS if field in values]


def clean_script(field: str, value: str, max_length: int = SCRIPT_MAX_LENGTH) -> str:
    """A text of several lines."""
    if len(value) > max_length:
        raise InvalidInput(field, "must have at most {limit:,} characters.", limit=max_length)
    refuse_control_characters(field, value.translate(_LAYOUT))
    return value


#: What makes lines and columns.
_LAYOUT = {ord(char): None for char in "\t\n\r"}
