"""Telling the background of a request that is refused: whose mistake it may be, and what is shown of it."""

from __future__ import annotations

import re
from functools import partial

from common.errors import InvalidInput, NotAuthorized, PortalError, TooManyRequests
from events.intake.access_keys import Keys, hold_key
from events.intake.pixel_settings import PixelSettings
from events.intake.server_body import Submission
from events.models import Road
from events.refused.counting import Refusal, count_refused
from events.refused.samples import sample_of_body, sample_of_event

_place_of = re.compile(r"data\[(\d+)\]").match


def note_refused(
    pixel: PixelSettings,
    error: PortalError,
    network: str,
    keys: Keys,
    body: bytes = b"",
    content: Submission | None = None,
) -> None:
    """Note a server's request. ``keys`` are those beside its body; there is no ``content`` where it cannot be read."""
    is_known = hold_key(content.keys.and_also(keys) if content else keys, pixel)
    refusal = Refusal(
        pixel,
        error,
        network,
        is_let_in=is_known or not (pixel.requires_access_key or isinstance(error, NotAuthorized)),
        is_known=is_known,
        event_count=len(content.sent) if content else 1,
        sample=partial(_sample, error, body, content),
    )
    count_refused(refusal)


def _sample(error: PortalError, body: bytes, content: Submission | None) -> str:
    """Nothing where the content is not what is wrong."""
    if isinstance(error, TooManyRequests):
        return ""
    place = _place_of(error.field or "")
    if content and place:
        return sample_of_event(content.sent.events[int(place[1])])
    return "" if content else sample_of_body(body, error)


def note_refused_of_browser(
    pixel: PixelSettings, error: InvalidInput | TooManyRequests, network: str, body: bytes, *, is_let_in: bool
) -> None:
    """Note a browser's request, of one event."""
    sample = str if isinstance(error, TooManyRequests) else partial(sample_of_body, body, error)
    count_refused(Refusal(pixel, error, network, Road.BROWSER, is_let_in, sample=sample))
