"""What is wrong in the demo, and what was: some of it looked for, some written as it was told then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from accounts.principals import OPERATOR
from alerts.channels.webhook import new_secret
from alerts.looking import look
from alerts.models import ChannelName, Incident, Notice, Receiver, RuleName, RuleSetting
from alerts.services.schedules import set_schedule
from pixels.models import Pixel

_HOUR = timedelta(hours=1)
#: Of which pixel, by its place: the rule, before how many hours it was found, for how many, and the figures.
_CLOSED = (
    (0, RuleName.WAITING, 52, 1, {"minutes": 64}),
    (1, RuleName.SUCCESS, 29, 4, {"percent": 83, "failed": 41}),
    (4, RuleName.SILENCE, 75, 2, {"expected": 58, "hours": 2}),
)


def write_incidents(pixel_ids: Sequence[str], now: datetime) -> None:
    """Open what is wrong with the demo's pixels, and write what has been mended in the last days."""
    for place, rule, before, hours, facts in _CLOSED:
        pixel = Pixel.objects.get(pixel_id=pixel_ids[place])
        opened = now - before * _HOUR
        incident = Incident.objects.create(
            tenant_id=pixel.tenant_id,
            pixel=pixel,
            rule=rule,
            subject=f"pixel {pixel.pixel_id}",
            facts={"pixel": pixel.pixel_id, "name": pixel.name, **facts},
            opened_at=opened,
            updated_at=opened + hours * _HOUR,
            closed_at=opened + hours * _HOUR,
        )
        Notice.objects.create(incident=incident, created_at=opened, due_at=None)
    last = Pixel.objects.get(pixel_id=pixel_ids[-1])
    RuleSetting.objects.create(tenant_id=last.tenant_id, pixel=last, rule=RuleName.SILENCE, threshold=200)
    set_schedule(
        principal=OPERATOR,
        tenant_id=last.tenant_id,
        quiet_from="22:00",
        quiet_until="07:00",
        digest_hour=8,
        time_zone="Europe/Madrid",
    )
    _write_receiver(last.tenant_id, now)
    look(now)


def _write_receiver(tenant_id: str, now: datetime) -> None:
    """A webhook that is switched off: nothing is to be posted to an address that is made up."""
    receiver = Receiver.objects.create(
        tenant_id=tenant_id,
        channel=ChannelName.WEBHOOK,
        name="Warehouse",
        url="https://warehouse.example.com/alerts",
        host="warehouse.example.com",
        secret=new_secret(),
        failures=30,
        failing_since=now - 28 * _HOUR,
        disabled_at=now - 3 * _HOUR,
    )
    for hours, status, said in ((53, 204, ""), (28, 503, "Down for maintenance"), (3, 503, "Down for maintenance")):
        receiver.postings.create(
            notice_id=uuid4(),
            kind=Notice.Kind.OPENED,
            at=now - hours * _HOUR,
            duration=hours,
            taken=status == 204,
            status=status,
            said=said,
        )
