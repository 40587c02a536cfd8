"""The enums of the Signals Gateway's part of the API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import graphene

from pipelines import models, shown
from pipelines.custom_http import given


def _enum(values: type[Enum], name: str, about: str, meanings: Mapping[Any, str]) -> Any:
    def description(value: Enum | None) -> str:
        return about if value is None else meanings[value]

    return graphene.Enum.from_enum(values, name=name, description=description)


_UNKNOWN = "Is never answered; as input it is 400."

PipelineType = _enum(
    shown.PipelineType,
    "PipelineType",
    "What kind of pipeline it is.",
    {
        shown.PipelineType.META_CAPI_PIPELINE: "A Meta Pixel and its data set at Meta.",
        shown.PipelineType.GATEWAY_PIPELINE: "Any number of data sources, and one destination of each type.",
    },
)
DataSourceType = _enum(
    models.SourceType,
    "DataSourceType",
    "What kind of data source it is.",
    {
        models.SourceType.META_PIXEL: "A connected Meta Pixel; as input 400 where something is made.",
        models.SourceType.ADVERTISER_HOSTED_PIXEL: "A website with the Signals Gateway Pixel.",
        models.SourceType.ADVERTISER_HOSTED_SDK: "The same; the reference has it in samples.",
        models.SourceType.FILE_UPLOAD: "Files of events.",
        models.SourceType.UNKNOWN: _UNKNOWN,
    },
)
DataDestinationType = _enum(
    models.DestinationType,
    "DataDestinationType",
    "What kind of destination it is.",
    {
        models.DestinationType.META_CONVERSIONS_API: "A data set at Meta.",
        models.DestinationType.CUSTOM_HTTP_API: "An address of the account's choice.",
        models.DestinationType.AUDIENCE_STORAGE: "Keeps nothing here.",
        models.DestinationType.GOOGLE_BIGQUERY_API: "A table of Google BigQuery.",
        models.DestinationType.UNKNOWN: _UNKNOWN,
    },
)
HttpMethodType = _enum(
    given.HttpMethod,
    "HttpMethodType",
    "How an address is called.",
    {
        given.HttpMethod.GET: "GET.",
        given.HttpMethod.POST: "POST.",
        given.HttpMethod.PUT: "PUT.",
        given.HttpMethod.UNKNOWN: _UNKNOWN,
    },
)
AddAuthTo = _enum(
    given.AddTo,
    "AddAuthTo",
    "Where an API key stands.",
    {
        given.AddTo.HEADER: "In a header.",
        given.AddTo.QUERY_PARAM: "In the address, as a parameter.",
        given.AddTo.UNKNOWN: _UNKNOWN,
    },
)
AuthType = _enum(
    given.AuthType,
    "AuthType",
    "How a request says who sends it.",
    {
        given.AuthType.NONE: "It does not.",
        given.AuthType.API_KEY: "With an API key: apiKeyAuth.",
        given.AuthType.BASIC: "With HTTP Basic: basicAuth.",
        given.AuthType.CLIENT_CREDENTIALS: "With a token that is fetched by OAuth 2: clientCredentialsAuth.",
        given.AuthType.JSON_WEB_TOKEN: "With a signed token: jsonWebTokenAuth.",
        given.AuthType.UNKNOWN: _UNKNOWN,
    },
)
