"""The tables of alerts."""

from alerts.models.incidents import INSTANCE, SUBJECT_MAX_LENGTH, Incident, Pulse, RuleName, RuleSetting
from alerts.models.notices import Notice, NoticeDelivery, Posting
from alerts.models.receivers import ChannelName, Receiver

__all__ = [
    "INSTANCE",
    "SUBJECT_MAX_LENGTH",
    "ChannelName",
    "Incident",
    "Notice",
    "NoticeDelivery",
    "Posting",
    "Pulse",
    "Receiver",
    "RuleName",
    "RuleSetting",
]
