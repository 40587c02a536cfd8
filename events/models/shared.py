"""What the tables of both roads share: that of pixels (flow.py), and that of gateway sources (gateway.py)."""

from __future__ import annotations

from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from filters.models import EVENT_NAME_MAX_LENGTH

LABEL_MAX_LENGTH = 253


class Road(models.IntegerChoices):
    """The way by which events come: from a shop's server, or from the visitor's browser."""

    SERVER = 0, _("Server")
    BROWSER = 1, _("Browser")


def road_field() -> models.PositiveSmallIntegerField[int, int]:
    """A column that processes of the previous release leave out: what they write is the server's."""
    return models.PositiveSmallIntegerField(choices=Road.choices, default=Road.SERVER, db_default=Road.SERVER)


def levels_field() -> models.JSONField[dict[str, int], dict[str, int]]:
    """Of the event ids of a class, one in 2 ** level is remembered: {class: level}, without noughts."""
    return models.JSONField(default=dict, db_default=Value({}, models.JSONField()))


def changes_field() -> models.TextField[str | None, str | None]:
    """What the intake changed of the events, as ``events.changes`` writes it; null where it changed nothing.

    Processes of the previous release leave the column alone: what they write has none, and where they take events out
    of a row, it tells of more events than there are, and counts for nothing.
    """
    return models.TextField(null=True, editable=False)


def count_field() -> models.BigIntegerField[int, int]:
    """A count that processes of the previous release leave out."""
    return models.BigIntegerField(default=0, db_default=0)


class Request(models.Model):
    """The events of one accepted request, or what is left of them."""

    received_at = models.DateTimeField()
    event_count = models.PositiveSmallIntegerField()
    # A JSON array of events, as sent but for what the intake adds (event_id, hashes, a browser's user agent).
    body = models.BinaryField()
    # What else the Graph API is to be told with these events (test_event_code, partner_agent), as JSON; else empty.
    options = models.CharField(max_length=500, blank=True)
    road = road_field()
    changes = changes_field()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.event_count} events of {self.received_at:%Y-%m-%d %H:%M:%S}"


class Intake(models.IntegerChoices):
    """What the switch of a pixel or source said when a request came."""

    RECEIVED = 0, "Received"
    RECEIVING_OFF = 1, "Receiving was off"


class Queue(models.Model):
    """Whose turn it is at what waits: one worker at a time holds it; what fails waits without delaying others."""

    # A worker's lease. A killed worker's lease runs out, and its rows are published again with the same event ids.
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    # Failed attempts since the last success, and when to try again; held until a new token while it is bad.
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    held = models.BooleanField(default=False)
    # Why it backs off where no error was sent: "ReadTimeout", "HTTP 502".
    silence = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        abstract = True


class CountOfEvents(models.Model):
    """How many events met which fate within a span of time.

    Minutes are kept for two days, hours and days for COUNTER_RETENTION. Each event counts once in each span under its
    name, once under its website where it has one, and once in the total.
    """

    class Span(models.IntegerChoices):
        MINUTE = 0, "Minute"
        HOUR = 1, "Hour"
        DAY = 2, "Day"

    class Dimension(models.IntegerChoices):
        TOTAL = 0, "All events"
        EVENT_NAME = 1, "Event name"
        WEBSITE = 2, "Website"

    span = models.PositiveSmallIntegerField(choices=Span.choices)
    dimension = models.PositiveSmallIntegerField(choices=Dimension.choices)
    start = models.DateTimeField()
    label = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True)

    received = models.BigIntegerField(default=0)
    dropped_receiving_off = models.BigIntegerField(default=0)
    # How many of these came by the browser's road. Columns of dropped events are added up.
    browser_received = count_field()
    browser_dropped = count_field()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.label or 'all'} at {self.start:%Y-%m-%d %H:%M}"


class CountOfFates(CountOfEvents):
    """The same, to the end of the events' way."""

    dropped_by_event_filter = models.BigIntegerField(default=0)
    dropped_by_domain_filter = models.BigIntegerField(default=0)
    dropped_publishing_off = models.BigIntegerField(default=0)
    published = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    # Refused or unanswered requests; kept in the total alone.
    publish_errors = models.BigIntegerField(default=0)
    browser_published = count_field()
    browser_failed = count_field()
    browser_expired = count_field()

    class Meta:
        abstract = True


class CountOfIds(models.Model):
    """What the sample of event ids tells (``RememberedId``).

    Ids that came by a road, those of them that had come by the other one, events that came again by a road after more
    than an hour, and those whose id another order had.
    """

    ids_seen = count_field()
    browser_ids_seen = count_field()
    ids_on_both = count_field()
    ids_repeated = count_field()
    browser_ids_repeated = count_field()
    ids_of_other_orders = count_field()

    class Meta:
        abstract = True


class CountOfFindings(models.Model):
    """How often something was wrong with a field of events, within an hour; no value is kept.

    Kept for 7 days. Fields and reasons are the gateway's words, of which there are few; so there are few rows.
    """

    class Kind(models.IntegerChoices):
        LEFT_OUT = 0, "Left out"
        # Requests of which nothing was stored.
        REFUSED = 1, "Refused"
        # The same of senders of whom nobody knows whether they may send at all.
        NOT_LET_IN = 2, "Not let in"

    hour = models.DateTimeField()
    kind = models.PositiveSmallIntegerField(choices=Kind.choices, default=Kind.LEFT_OUT, db_default=Kind.LEFT_OUT)
    # The way by which the events came, where that is told apart; in the key from the start, which cannot change later.
    road = models.CharField(max_length=20, blank=True, default="", db_default="")
    field = models.CharField(max_length=60)
    reason = models.CharField(max_length=40)
    # Of values that were left out; else of requests.
    count = models.BigIntegerField()
    # How many events refused requests held: 1 each where nobody could read them.
    events = count_field()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


class RememberedVisitor(models.Model):
    """Hashed identifiers that a visitor has given before, to complete later events (event enrichment).

    ``key`` is the SHA-256 of the visitor's ``fbp`` or ``external_id``, with which of the two it is. Forgotten after
    90 days, with the pixel or destination, the account or the switch, and when another person uses the same browser; at
    most 500,000 a pixel or destination.
    """

    key = models.CharField(max_length=64)
    # {"em": [hash, …], "ph": […], …}; of a browser also its user's "external_id", as the key that these have.
    identifiers = models.JSONField()
    seen_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key[:8]


class RefusedEvent(models.Model):
    """An event that was refused on its own, with the answer; kept until it is replayed or 30 days are over."""

    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH)
    event_id = models.CharField(max_length=100)
    website = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True)
    event = models.BinaryField()
    options = models.CharField(max_length=500, blank=True)
    road = road_field()  # which a replay takes again
    changes = changes_field()
    # The answer's code (Meta's: "100.2804003"), its message and trace id.
    code = models.CharField(max_length=30)
    message = models.CharField(max_length=500)
    trace_id = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()
    failed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.event_name} {self.event_id}"
