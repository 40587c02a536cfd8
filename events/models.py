"""Events on their way, and what is kept of them afterwards (docs/decisions/0006-event-path.md).

Only ``OutboxRow`` grows with the events that wait; every other table is bounded per pixel and day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Self, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.borders import Borders
from accounts.models import Tenant
from filters.models import EVENT_NAME_MAX_LENGTH
from pixels.models import Pixel

LABEL_MAX_LENGTH = 253

#: Meta takes no older events.
EVENT_MAX_AGE = timedelta(days=7)
#: The label under which a pixel's names and websites beyond the daily bound are counted together.
OTHER = ""

#: Counters of minutes are kept for this long; those of hours and days for COUNTER_RETENTION.
MINUTES_KEPT = timedelta(days=2)
#: An event name or website is known for this long after it was last seen.
LABELS_KEPT = timedelta(days=30)
#: The delivery log goes back so far.
DELIVERIES_KEPT = timedelta(days=7)
#: So long it is told what was left out of events, and what was wrong with their ids.
FINDINGS_KEPT = timedelta(days=7)
#: Meta drops a second event of the same name and id within this time.
IDS_KEPT = timedelta(hours=48)

_Row = TypeVar("_Row", bound=models.Model)


class OwnedByPixelQuerySet(models.QuerySet[_Row]):
    """Rows of pixels, within the principal's borders."""

    def visible_to(self, borders: Borders) -> Self:
        """Rows of the accounts that are open to the principal."""
        if borders.is_system:
            return self
        return self.filter(pixel__tenant__in=Tenant.objects.open_to(borders))


class Road(models.IntegerChoices):
    """The way by which events come: from a shop's server, or from the visitor's browser."""

    SERVER = 0, _("Server")
    BROWSER = 1, _("Browser")


def _road() -> models.PositiveSmallIntegerField[int, int]:
    """A column that processes of the previous release leave out: what they write is the server's."""
    return models.PositiveSmallIntegerField(choices=Road.choices, default=Road.SERVER, db_default=Road.SERVER)


def _count() -> models.BigIntegerField[int, int]:
    """A count that processes of the previous release leave out."""
    return models.BigIntegerField(default=0, db_default=0)


class OutboxRow(models.Model):
    """One accepted request: the truth about events that wait. Deleted in the transaction that counts them."""

    class Intake(models.IntegerChoices):
        """What the pixel's switch said when the request came."""

        RECEIVED = 0, "Received"
        RECEIVING_OFF = 1, "Receiving was off"

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    intake = models.PositiveSmallIntegerField(choices=Intake.choices, default=Intake.RECEIVED)
    # Were these events counted as received? Rows that wait for a retry were; new ones are counted when they settle.
    counted = models.BooleanField(default=False)
    event_count = models.PositiveSmallIntegerField()
    # A JSON array of events, as sent but for what the intake adds (event_id, hashes, a browser's user agent).
    body = models.BinaryField()
    # What else the Graph API is to be told with these events (test_event_code, partner_agent), as JSON; else empty.
    options = models.CharField(max_length=500, blank=True)
    road = _road()

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        verbose_name = "waiting request"
        # In the order of publishing: what waits already (counted), then what is new; and either can be told apart.
        indexes = [models.Index(fields=["pixel", "-counted", "id"], name="outbox_of_pixel")]

    def __str__(self) -> str:
        return f"{self.event_count} events of {self.received_at:%Y-%m-%d %H:%M:%S}"


class Lane(models.Model):
    """The queue of one pixel: one worker at a time holds it, and a failing pixel waits without delaying others."""

    pixel = models.OneToOneField(Pixel, models.CASCADE, primary_key=True, related_name="lane")
    # A worker's lease. A killed worker's lease runs out, and its rows are published again with the same event ids.
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    # Failed attempts since the last success, and when to try again; held until a new token while it is bad.
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    held = models.BooleanField(default=False)
    # Why it backs off where Meta has sent no error: "ReadTimeout", "HTTP 502".
    silence = models.CharField(max_length=40, blank=True, default="")
    # Of the pixel's event ids, one in 2 ** ids_level is remembered (SeenId).
    ids_level = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = OwnedByPixelQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Lane of {self.pixel_id}"


class Counter(models.Model):
    """How many events of a pixel met which fate within a span of time.

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

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    span = models.PositiveSmallIntegerField(choices=Span.choices)
    dimension = models.PositiveSmallIntegerField(choices=Dimension.choices)
    start = models.DateTimeField()
    label = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True)

    received = models.BigIntegerField(default=0)
    dropped_by_event_filter = models.BigIntegerField(default=0)
    dropped_by_domain_filter = models.BigIntegerField(default=0)
    dropped_receiving_off = models.BigIntegerField(default=0)
    dropped_publishing_off = models.BigIntegerField(default=0)
    published = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    # Refused or unanswered requests to the Graph API; kept in the total alone.
    publish_errors = models.BigIntegerField(default=0)
    # How many of the above came by the browser's road. Columns of dropped events are added up.
    browser_received = _count()
    browser_published = _count()
    browser_dropped = _count()
    browser_failed = _count()
    browser_expired = _count()
    # Event ids that came on both roads, and those that came again on one.
    ids_on_both = _count()
    ids_repeated = _count()
    browser_ids_repeated = _count()

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel", "span", "dimension", "start", "label"], name="one_counter_row"),
        ]
        indexes = [
            # What the usage refresh and the retention read: recent totals of all pixels.
            models.Index(fields=["span", "start", "pixel"], condition=Q(dimension=0), name="counter_totals"),
        ]

    def __str__(self) -> str:
        return f"{self.label or 'all'} at {self.start:%Y-%m-%d %H:%M}"


class SeenLabel(models.Model):
    """An event name or website of a pixel and the day it was last seen: at most 500 a pixel, day and dimension."""

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    dimension = models.PositiveSmallIntegerField(choices=Counter.Dimension.choices)
    label = models.CharField(max_length=LABEL_MAX_LENGTH)
    last_seen = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel", "dimension", "label"], name="one_label_per_pixel"),
        ]

    def __str__(self) -> str:
        return self.label


class DeadLetter(models.Model):
    """An event that Meta refused on its own, with Meta's answer; kept until it is replayed or 30 days are over.

    At most 10,000 a pixel: then the oldest go.
    """

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="dead_letters", db_index=False)
    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH)
    event_id = models.CharField(max_length=100)
    website = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True)
    event = models.BinaryField()
    options = models.CharField(max_length=500, blank=True)
    road = _road()  # which a replay takes again
    # Meta's code ("100.2804003"), message and trace id.
    code = models.CharField(max_length=30)
    message = models.CharField(max_length=500)
    trace_id = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()
    failed_at = models.DateTimeField()

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        ordering = ["-failed_at", "-id"]
        indexes = [models.Index(fields=["pixel", "-failed_at"], name="dead_letters_of_pixel")]

    def __str__(self) -> str:
        return f"{self.event_name} {self.event_id}"


class Delivery(models.Model):
    """The delivery log: one event of a pixel and what became of it, without personal data.

    Kept for 7 days and at most 1,000 a pixel. Events that wait are read from the outbox.
    """

    class Outcome(models.TextChoices):
        PUBLISHED = "PUBLISHED", "Published"
        DROPPED = "DROPPED", "Dropped"
        WAITING = "WAITING", "Waiting"
        FAILED = "FAILED", "Failed"
        EXPIRED = "EXPIRED", "Expired"

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="deliveries", db_index=False)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH)
    event_id = models.CharField(max_length=100)
    event_time = models.DateTimeField(null=True)
    website = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True)
    road = _road()
    # Which filter or switch dropped it, or Meta's answer; a sentence for people.
    detail = models.CharField(max_length=500, blank=True)
    # Meta's code where it failed, Meta's trace id where Meta answered.
    code = models.CharField(max_length=30, blank=True)
    trace_id = models.CharField(max_length=100, blank=True)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "delivery log"
        ordering = ["-id"]
        indexes = [models.Index(fields=["pixel", "-id"], name="deliveries_of_pixel")]

    def __str__(self) -> str:
        return f"{self.event_name} {self.outcome}"


class Identity(models.Model):
    """Hashed identifiers that a pixel's visitor has given before, to complete later events (event enrichment).

    ``key`` is the SHA-256 of the visitor's ``fbp`` or ``external_id``, with which of the two it is. Forgotten after
    90 days, with the pixel, the account or the switch, and when another person uses the same browser; at most 500,000
    a pixel.
    """

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    # {"em": [hash, …], "ph": […], …}; of a browser also its user's "external_id", as the key that these have.
    identifiers = models.JSONField()
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["pixel", "key"], name="one_identity_per_key")]
        indexes = [models.Index(fields=["pixel", "seen_at"], name="identities_by_age")]

    def __str__(self) -> str:
        return self.key[:8]


class Finding(models.Model):
    """How often something was wrong with a field of a pixel's events, within an hour; no value is kept.

    Kept for 7 days. Fields and reasons are the gateway's words, of which there are few; so there are few rows.
    """

    class Kind(models.IntegerChoices):
        LEFT_OUT = 0, "Left out"

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    kind = models.PositiveSmallIntegerField(choices=Kind.choices, default=Kind.LEFT_OUT, db_default=Kind.LEFT_OUT)
    # The way by which the events came, where that is told apart; in the key from the start, which cannot change later.
    road = models.CharField(max_length=20, blank=True, default="", db_default="")
    field = models.CharField(max_length=60)
    reason = models.CharField(max_length=40)
    count = models.BigIntegerField()

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pixel", "hour", "kind", "road", "field", "reason"], name="one_finding_per_hour"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


class SeenId(models.Model):
    """An event id of a pixel, as a digest of name and id, and when it came on each road (docs/decisions/0024).

    Kept for 48 hours, and a bounded number a pixel: of one with more ids, those that ``Lane.ids_level`` keeps.
    """

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    # 63 bits of BLAKE2b.
    digest = models.BigIntegerField()
    server_at = models.DateTimeField(null=True)
    browser_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pixel", "digest"], name="one_seen_id_per_digest")]

    def __str__(self) -> str:
        return f"{self.digest:016x}"


class IdFinding(models.Model):
    """What is wrong with the ids of a pixel's events of one name, with examples; kept for 7 days after the last."""

    class Kind(models.IntegerChoices):
        REPEATED = 0, _("The same id came twice on one road")
        NEVER_ON_BOTH = 1, _("Both roads, but no id came on both")
        MANY_ORDERS = 2, _("One id for several orders")

    pixel = models.ForeignKey(Pixel, models.CASCADE, related_name="+", db_index=False)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    event_name = models.CharField(max_length=EVENT_NAME_MAX_LENGTH, blank=True)
    count = models.BigIntegerField()
    last_at = models.DateTimeField()
    # At most three event ids.
    examples = models.JSONField(default=list)

    objects = OwnedByPixelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel", "kind", "event_name"], name="one_id_finding_per_kind_and_name"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name}: {self.get_kind_display()}"


class DisconnectedUsage(models.Model):
    """What an account's pixels had received and published on a day when they were disconnected.

    Their counters went with them; hosts bill for these events all the same. Kept for COUNTER_RETENTION.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    start = models.DateTimeField()
    received = models.BigIntegerField()
    published = models.BigIntegerField()

    class Meta:
        verbose_name = "usage of disconnected pixels"
        verbose_name_plural = "usage of disconnected pixels"
        constraints = [models.UniqueConstraint(fields=["tenant", "start"], name="one_disconnected_usage_per_day")]

    def __str__(self) -> str:
        return f"{self.tenant_id} on {self.start:%Y-%m-%d}"
