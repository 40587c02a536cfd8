"""The tables of alerts."""

from alerts.models.incidents import INSTANCE, SUBJECT_MAX_LENGTH, Incident, Pulse, RuleName, RuleSetting
from alerts.models.notices import Notice, NoticeDelivery, Posting
from alerts.models.receivers import ChannelName, Receiver
from alerts.models.schedules import Digest, Schedule

__all__ = [
    "INSTANCE",
    "SUBJECT_MAX_LENGTH",
    "ChannelName",
    "Digest",
    "Incident",
    "Notice",
    "NoticeDelivery",
    "Posting",
    "Pulse",
    "Receiver",
    "RuleName",
    "RuleSetting",
    "Schedule",
]
