"""Events on their way, what is kept of them afterwards, and what Meta is told of pixels."""

from events.models.flow import (
    EVENT_MAX_AGE,
    OTHER,
    Counter,
    DeadLetter,
    Delivery,
    DisconnectedUsage,
    Finding,
    Identity,
    Lane,
    OutboxRow,
    OwnedByPixelQuerySet,
    SeenLabel,
)
from events.models.gateway import (
    DestinationCounter,
    DestinationCursor,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    SourceCounter,
    SourceFinding,
    SourceLabel,
    SourceLane,
    SourceRow,
)
from events.models.ids import IdFinding, SeenId
from events.models.log import LOW_BITS, DeliveryBatch, DeliveryKey
from events.models.refused import SAMPLE_MAX_LENGTH, RefusedRequest, SourceRefusedRequest
from events.models.registration import Attempt, Registrar, Registration, Removal
from events.models.shared import LABEL_MAX_LENGTH, Intake, Road

__all__ = [
    "EVENT_MAX_AGE",
    "LABEL_MAX_LENGTH",
    "LOW_BITS",
    "OTHER",
    "SAMPLE_MAX_LENGTH",
    "Attempt",
    "Counter",
    "DeadLetter",
    "Delivery",
    "DeliveryBatch",
    "DeliveryKey",
    "DestinationCounter",
    "DestinationCursor",
    "DestinationLane",
    "DestinationLetter",
    "DestinationRow",
    "DisconnectedUsage",
    "Finding",
    "IdFinding",
    "Identity",
    "Intake",
    "Lane",
    "OutboxRow",
    "OwnedByPixelQuerySet",
    "RefusedRequest",
    "Registrar",
    "Registration",
    "Removal",
    "Road",
    "SeenId",
    "SeenLabel",
    "SourceCounter",
    "SourceFinding",
    "SourceLabel",
    "SourceLane",
    "SourceRefusedRequest",
    "SourceRow",
]
