"""That something is over is told once, where it was told that it began."""

from __future__ import annotations

import pytest
from django.core import mail

from alerts.looking import look
from alerts.models import Notice, Receiver, RuleSetting
from alerts.telling import tell
from pixels.models import Pixel
from tests.alerts.stage import MINUTE, NOW, rejected
from tests.base import Cast

pytestmark = pytest.mark.django_db


def mend() -> None:
    Pixel.objects.update(bad_token=False)


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def test_who_was_told_is_told_once_that_it_is_over(cast: Cast) -> None:
    rejected(cast)
    look(NOW)
    tell(NOW)
    mend()
    for minute in range(1, 4):
        look(NOW + minute * MINUTE)
        tell(NOW + minute * MINUTE)

    assert subjects() == ["Access token rejected · Shoes"] * 2 + ["Over: Access token rejected · Shoes"] * 2
    body = str(mail.outbox[-1].body)
    assert "found on 2026-03-04 10:30, true no more since 2026-03-04 10:31 UTC" in body
    assert "/hub/capig/pixels/" in body


def test_what_nobody_was_told_of_is_over_without_a_word(cast: Cast) -> None:
    rejected(cast)
    look(NOW)
    mend()
    look(NOW + MINUTE)

    assert not Notice.objects.filter(kind="closed").exists()


@pytest.mark.parametrize("of_pixel", [True, False])
def test_a_mute_closes_without_a_word(cast: Cast, of_pixel: bool) -> None:
    pixel = rejected(cast)
    look(NOW)
    tell(NOW)
    RuleSetting.objects.create(tenant=cast.shoes, pixel=pixel if of_pixel else None, rule="token", muted=True)
    look(NOW + MINUTE)
    tell(NOW + MINUTE)

    assert subjects() == ["Access token rejected · Shoes"] * 2


def test_a_mute_of_another_pixel_or_rule_does_not_silence_it(cast: Cast) -> None:
    rejected(cast)
    look(NOW)
    tell(NOW)
    mend()
    RuleSetting.objects.create(tenant=cast.shoes, pixel=rejected(cast), rule="token", muted=True)
    RuleSetting.objects.create(tenant=cast.shoes, rule="waiting", muted=True)
    look(NOW + MINUTE)

    assert Notice.objects.filter(kind="closed").count() == 1


def test_channels_are_told_too(cast: Cast) -> None:
    values = {"name": "Ops", "url": "http://10.0.0.1/", "host": "10.0.0.1", "secret": "whsec_" + "A" * 32}
    Receiver.objects.create(tenant=cast.shoes, channel="webhook", **values)
    rejected(cast)
    look(NOW)
    tell(NOW)
    mend()
    look(NOW + MINUTE)
    tell(NOW + MINUTE)

    closed = Notice.objects.get(kind="closed")
    assert sorted(closed.deliveries.values_list("channel", flat=True)) == ["mail", "webhook"]
