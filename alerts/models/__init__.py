"""The tables of alerts."""

from alerts.models.incidents import INSTANCE, SUBJECT_MAX_LENGTH, Incident, Pulse, RuleName, RuleSetting
from alerts.models.notices import ChannelName, Notice, NoticeDelivery

__all__ = [
    "INSTANCE",
    "SUBJECT_MAX_LENGTH",
    "ChannelName",
    "Incident",
    "Notice",
    "NoticeDelivery",
    "Pulse",
    "RuleName",
    "RuleSetting",
]
