"""Every channel."""

from __future__ import annotations

from alerts.channels import mail
from alerts.channels.answers import Deliver
from alerts.models import ChannelName

CHANNELS: dict[ChannelName, Deliver] = {
    ChannelName.MAIL: mail.deliver,
}
