"""What the intake needs to know of a pixel, kept in the process for a moment: most requests ask the database nothing.

A gateway source stands in the same addresses, and is found where no pixel is: to the intake, it is a pixel without an
access key. A change reaches this process at once (events/apps.py), and every other after PIXEL_SETTINGS_TTL_SECONDS.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from cachetools import FIFOCache, TTLCache
from django.conf import settings
from django.db.models import BooleanField, CharField, JSONField, Q, Value

from accounts.models import TenantStatus
from common.postgresql.replica import at_primary
from pipelines.models import Source
from pixels.models import Pixel
from pixels.validation import is_pixel_id

_TRUE, _FALSE = Value(True, BooleanField()), Value(False, BooleanField())

#: Ids that no pixel has are remembered too, this many: anybody can send any number of them.
MAX_UNKNOWN = 1_000
#: Who has the wrong access key makes a pixel be read anew, but not more often than this, in seconds.
REREAD_INTERVAL = 1.0
#: More than can be refused within that time.
MAX_REREAD = 10_000


@dataclass(frozen=True, slots=True)
class PixelSettings:
    """A pixel or gateway source of an account that is not deactivated, as the intake sees it."""

    pk: int
    pixel_id: str
    tenant_id: str
    receives: bool
    enriches: bool
    access_key: str
    requires_access_key: bool
    browsers_need_no_key: bool
    #: Domains whose pages may send by browsers; none for all.
    browser_websites: list[str]
    is_source: bool = False

    @property
    def is_open_to_browsers(self) -> bool:
        """A browser sends no key."""
        return self.browsers_need_no_key or not self.requires_access_key

    def lists(self, host: str | None) -> bool:
        """May browsers send on pages of this host?"""
        if not self.browser_websites:
            return True
        return host is not None and any(f".{host}".endswith(f".{website}") for website in self.browser_websites)


class _Cache:
    """Pixels by id, and ids without a pixel, each with the moment from which it is read anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A plain dictionary: every request with events reads it, without a lock, in a twentieth of the time.
        self._known: dict[str, tuple[float, PixelSettings]] = {}
        self._unknown: FIFOCache[str, float] = FIFOCache(MAX_UNKNOWN)
        #: The pixels that were read anew for a refusal a moment ago.
        self._reread: TTLCache[str, bool] = TTLCache(MAX_REREAD, REREAD_INTERVAL)
        self._generation = 0

    def get(self, pixel_id: str) -> PixelSettings | None:
        now = time.monotonic()
        known = self._known.get(pixel_id)
        if known is not None and now < known[0]:
            return known[1]
        if self._is_unknown(pixel_id, now):
            return None
        return self._read(pixel_id, now)

    def remembers(self, pixel_id: str) -> bool:
        """Was it found here before, or is it known for a moment that there is none?"""
        return pixel_id in self._known or self._is_unknown(pixel_id, time.monotonic())

    def _is_unknown(self, pixel_id: str, now: float) -> bool:
        with self._lock:
            return now < self._unknown.get(pixel_id, 0.0)

    def get_anew(self, pixel_id: str) -> PixelSettings | None:
        """The same, read now, unless that was asked for a moment ago."""
        now = time.monotonic()
        with self._lock:
            is_due = pixel_id not in self._reread
            if is_due:
                self._reread[pixel_id] = True
        return self._read(pixel_id, now) if is_due else self.get(pixel_id)

    def _read(self, pixel_id: str, now: float) -> PixelSettings | None:
        generation = self._generation
        with at_primary():  # a page may ask
            found = _load(pixel_id)
        self._put(pixel_id, found, now + settings.PIXEL_SETTINGS_TTL_SECONDS, generation)
        return found

    def _put(self, pixel_id: str, found: PixelSettings | None, until: float, generation: int) -> None:
        with self._lock:
            # What was read before a change, and comes to be kept after it, may be of before.
            if generation != self._generation:
                return
            if found is not None:
                self._known[pixel_id] = until, found
                return
            self._known.pop(pixel_id, None)
            self._unknown[pixel_id] = until

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._known.clear()
            self._unknown.clear()
            self._reread.clear()


_cache = _Cache()


def get_pixel_settings(pixel_id: str) -> PixelSettings | None:
    """The settings of the pixel; None where there is none, or its account is deactivated: outside, these are alike."""
    return _cache.get(pixel_id) if is_pixel_id(pixel_id) else None


def is_new(pixel_id: str) -> bool:
    """Will the database be asked for an id that this process has not found before? It may be a made-up one."""
    return not _cache.remembers(pixel_id) and is_pixel_id(pixel_id)


def get_pixel_settings_anew(pixel_id: str) -> PixelSettings | None:
    """The same of a pixel that is known, for a refusal that may come of what another process has changed.

    At most one query a second for each pixel, however many ask.
    """
    return _cache.get_anew(pixel_id)


def forget_pixel_settings() -> None:
    """Read all of them anew: changes are rare, and a pixel's settings are one query."""
    _cache.clear()


def _load(pixel_id: str) -> PixelSettings | None:
    """One query, whatever is there: anybody can ask for any id."""
    pixel = Pixel.objects.filter(pixel_id=pixel_id).values_list(
        "pk",
        "pixel_id",
        "tenant_id",
        "event_bridge_active",
        "tenant__event_enrichment",
        "access_key",
        "require_access_key",
        "browsers_need_no_key",
        "browser_websites",
        _FALSE,
    )
    source = Source.objects.filter(source_id=pixel_id).values_list(
        "pk",
        "source_id",
        "tenant_id",
        "active",
        "tenant__event_enrichment",
        Value("", CharField()),
        _FALSE,
        _FALSE,
        Value([], JSONField()),
        _TRUE,
    )
    is_open = ~Q(tenant__status=TenantStatus.DEACTIVATED)
    row = next(iter(pixel.filter(is_open).order_by().union(source.filter(is_open).order_by(), all=True)), None)
    return PixelSettings(*row) if row else None
