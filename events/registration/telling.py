"""Telling Meta of a pixel what has changed, until it is done or Meta has refused it.

Whatever is killed when, Meta has one configuration of ours for a pixel: before one is made, those that the pixel has
are looked at. What Meta shall know is found out when it is told, so an attempt that comes late tells the newest.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.utils import timezone

from events.delivery.graph_errors import Blame
from events.models import Registration
from events.registration import leases
from events.registration.edge import Edge, NotDone
from events.registration.registrar import instance_id, obstacle
from events.registration.wanted import Wanted, wanted_of
from filters.reads import load_filter_set
from pixels.models import Pixel

logger = logging.getLogger(__name__)

State = Registration.State

#: Stands where Meta's code would: another gateway is registered for the pixel, at the address in ``message``.
TAKEN_CODE = "taken"


class _Taken(Exception):
    """Another gateway is registered for the pixel, and nobody has said that it shall go."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.endpoint = endpoint


def tell(pixel_pk: int) -> None:
    """Tell Meta what it shall know of the pixel, unless it does already.

    Does nothing where the row is not due, another worker is at it, or the instance may not register.
    """
    if obstacle() is not None:
        return
    row = leases.claim(Registration, pixel_pk)
    if row is None:
        return
    try:
        _tell(row)
    except Exception as error:
        # Whatever it is, it shall not come back at once.
        leases.give_back_in_vain(row, NotDone(type(error).__name__), state=State.WAITING)
        raise


def _tell(row: Registration) -> None:
    pixel = Pixel.objects.select_related("tenant").filter(pk=row.pk).first()
    if pixel is None:  # a process of the previous release has deleted it, and its token with it
        leases.finish(row)
        return
    wanted = wanted_of(pixel, load_filter_set(pixel), instance_id())
    if row.state == State.REGISTERED and row.told == wanted.digest:
        leases.give_back(row, again_at=_tomorrow())
        return
    try:
        node = _register(pixel, row, wanted)
    except _Taken as taken:
        _refuse(row, {"code": TAKEN_CODE, "message": taken.endpoint, "silence": ""})
    except NotDone as error:
        _fail(pixel, row, error)
    else:
        leases.give_back(
            row,
            again_at=_tomorrow(),
            state=State.REGISTERED,
            node=node,
            told=wanted.digest,
            endpoint=wanted.endpoint,
            told_at=timezone.now(),
            may_replace=False,
            failures=0,
            **_NOTHING_WRONG,
        )


_NOTHING_WRONG = {"code": "", "message": "", "silence": ""}


def _register(pixel: Pixel, row: Registration, wanted: Wanted) -> str:
    """Change our configuration of the pixel, or make one; Meta's id of it."""
    edge = Edge(pixel.api_version, pixel.access_token.reveal())
    if row.node:
        try:
            edge.update(row.node, wanted.fields)
        except NotDone as error:
            if not error.is_of_node:
                raise
        else:
            return row.node
    found = edge.of_pixel(pixel.pixel_id)
    ours = [each for each in found if each.instance_id == wanted.fields["instance_id"]]
    others = [each for each in found if each.is_active and each not in ours]
    if others and not ours and not row.may_replace:
        raise _Taken(others[0].endpoint)
    for known in (ours or others)[:1]:
        edge.update(known.node, wanted.fields)
        return known.node
    return edge.create(wanted.business_id, wanted.fields)


def _fail(pixel: Pixel, row: Registration, error: NotDone) -> None:
    logger.warning("Registering pixel %s: %s.", pixel.pixel_id, error.reason)
    if not error.may_pass:
        _refuse(row, error.as_columns())
        return
    again_at = leases.give_back_in_vain(row, error, state=State.WAITING)
    if error.blamed is Blame.RATE:
        _hold_back(pixel.business_id, again_at)


def _refuse(row: Registration, words: dict[str, str]) -> None:
    """Nothing is tried again, until somebody changes something or asks for it."""
    leases.give_back(row, again_at=None, state=State.REFUSED, failures=row.failures + 1, **words)


def _hold_back(business_id: str, until: datetime) -> None:
    """Meta's limit is the business's: its other pixels wait as well."""
    others = Registration.objects.filter(pixel__in=Pixel.objects.filter(business_id=business_id), claim=None)
    leases.set_due(others.filter(due_at__lt=until), until)


def _tomorrow() -> datetime:
    """At another time for each pixel."""
    return timezone.now() + leases.LOOK_EVERY + random.random() * timedelta(hours=1)  # noqa: S311  # nosec B311  # no secret
