"""GET /api/usage: every account's events by day, in one call, for billing."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Literal, cast

import orjson
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema

from accounts.principals import Principal
from accounts.rest import Refused, SignedIn
from common.errors import InvalidInput
from events.figures.usage import DailyUsage, read_daily_usage

router = Router(tags=["Usage"], auth=SignedIn())

MAX_DAYS = 400
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HEADINGS = ("tenantId", "name", "day", "received", "published", "browserReceived", "browserPublished")
#: A spreadsheet takes a cell for a formula that begins with one of these.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class AccountDay(Schema):
    """An account's events on a day (of UTC), and how many of them came from browsers."""

    tenantId: str  # noqa: N815  # as in the GraphQL APIs
    name: str
    day: date
    received: int
    published: int
    browserReceived: int  # noqa: N815
    browserPublished: int  # noqa: N815


class Usage(Schema):
    """The usage of all accounts that the caller may see, by name and day; days without events are left out."""

    usage: list[AccountDay]


@router.get(
    "/api/usage",
    response={200: Usage, (400, 401, 503): Refused},
    summary="Usage by account and day",
    operation_id="events_usage_export_get_usage",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def get_usage(
    request: HttpRequest,
    first: Annotated[str, Query(alias="from", description="The first day, as YYYY-MM-DD.")],
    last: Annotated[str, Query(alias="to", description="The last day; 400 days at most.")],
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Beats the Accept header.")
    ] = None,
) -> StreamingHttpResponse:
    """Received and published events of each account and day (of UTC), today's so far; and how many came from browsers.

    The host sees every account, those of their own included; an advertiser's people see theirs. JSON, or CSV where
    `format` or the Accept header asks for it.
    """
    first_day, last_day = _clean_days(first, last)
    principal = cast(Principal, cast(Any, request).auth)
    usage = read_daily_usage(principal, first_day, last_day)
    if form == "csv" or (form is None and _prefers_csv(request)):
        response = StreamingHttpResponse(_as_csv(usage), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="usage-{first_day}-{last_day}.csv"'
    else:
        response = StreamingHttpResponse(_as_json(usage), content_type="application/json")
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept, Authorization, Cookie"
    return response


def _clean_days(first: str, last: str) -> tuple[date, date]:
    first_day, last_day = _clean_day("from", first), _clean_day("to", last)
    if last_day < first_day:
        raise InvalidInput("to", "must not be before the first day.")
    if (last_day - first_day).days >= MAX_DAYS:
        raise InvalidInput("to", f"must be at most {MAX_DAYS} days after the first, both counted.")
    return first_day, last_day


def _clean_day(field: str, text: str) -> date:
    try:
        # Python reads further forms of ISO 8601, which nobody was promised.
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise InvalidInput(field, "must be a day such as 2026-01-31.") from None


def _prefers_csv(request: HttpRequest) -> bool:
    return request.get_preferred_type(["application/json", "text/csv"]) == "text/csv"


def _as_json(usage: Iterable[DailyUsage]) -> Iterator[bytes]:
    separator = b'{"usage":['
    for row in usage:
        yield separator + orjson.dumps(dict(zip(_HEADINGS, row, strict=True)))
        separator = b","
    yield b"]}" if separator == b"," else separator + b"]}"


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _as_csv(usage: Iterable[DailyUsage]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    yield write(_HEADINGS)
    for row in usage:
        yield write(row._replace(name=_as_text(row.name)))


def _as_text(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA_STARTS) else name
