"""Every channel. A new one that posts is a function that composes, and a line in ``COMPOSE``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from alerts.channels import mail, posting, slack, webhook
from alerts.channels.answers import Answer, Compose, Deliver, Told
from alerts.models import ChannelName, NoticeDelivery, Posting, Receiver

COMPOSE: dict[ChannelName, Compose] = {
    ChannelName.WEBHOOK: webhook.compose,
    ChannelName.SLACK: slack.compose,
}


class Channel(NamedTuple):
    """How a notice is delivered, and after how long whoever delivers it is taken for dead."""

    deliver: Deliver
    lease: Callable[[], timedelta]


def _post(delivery: NoticeDelivery) -> Answer:
    receiver = delivery.receiver
    return posting.answer_of(*posting.post(COMPOSE[ChannelName(receiver.channel)], receiver, Told.of(delivery.notice)))


def try_out(receiver: Receiver, told: Told) -> Posting:
    """Post at once, whatever becomes of it."""
    return posting.post(COMPOSE[ChannelName(receiver.channel)], receiver, told)[0]


CHANNELS: dict[ChannelName, Channel] = {
    ChannelName.MAIL: Channel(mail.deliver, mail.lease),
    **dict.fromkeys(COMPOSE, Channel(_post, posting.lease)),
}
