"""Time zones, by their names of the IANA database."""

from __future__ import annotations

from datetime import UTC as UTC_ZONE
from datetime import date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from common.errors import InvalidInput

NAME_MAX_LENGTH = 64
UTC = "UTC"
#: Files of some systems that are no zones.
_NO_ZONES = {"Factory", "localtime"}
_REGIONS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)


@cache
def offered() -> tuple[str, ...]:
    """The names that people choose from, in order; old ones, such as ``Japan``, are taken, too, but not offered."""
    return (UTC, *sorted(name for name in _known() if name.partition("/")[0] in _REGIONS))


def clean_time_zone(field: str, value: str) -> str:
    """Return the name if it is one of the IANA database."""
    name = value.strip()
    if name not in _known():
        raise InvalidInput(field, "must be a name of the IANA database, such as Europe/Berlin.")
    return name


def zone_of(name: str) -> ZoneInfo:
    """The zone; UTC for none, and for one that this system does not know."""
    try:
        return ZoneInfo(name or UTC)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(UTC)


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When it is that time of that day there, in UTC.

    What the clock shows twice is meant the first time; what it leaves out comes as much later as it is put forward.
    """
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC_ZONE)
