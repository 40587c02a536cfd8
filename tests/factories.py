"""Rows for tests, each with believable values; a test states only what it is about."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from factory.base import Factory
from factory.declarations import LazyAttribute, LazyFunction, Maybe, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from accounts.models import (
    AccessToken,
    ApiAccount,
    IngressDomain,
    Invitation,
    Membership,
    RoleLevel,
    Tenant,
    UsageSnapshot,
    User,
)
from events.delivery.batches import Event, OutboxRecord
from events.delivery.fates import Fate
from events.delivery.log.reading import lines_of
from events.delivery.log.writing import Whose, write
from events.models import DeadLetter, Delivery, DeliveryBatch, DestinationLetter, OutboxRow, Road
from events.models.log import first_id_at
from filters.models import DomainFilter, EventFilter, FilterState
from pipelines.models import (
    Destination,
    DestinationType,
    Pipeline,
    PipelineDestination,
    PipelineSource,
    PixelPipeline,
    Source,
    SourceType,
)
from pixels.models import Pixel


class TenantFactory(DjangoModelFactory[Tenant]):
    """An active account that the host manages."""

    class Meta:
        model = Tenant

    name = Sequence(lambda n: f"Account {n}")
    time_zone = "UTC"


class UserFactory(DjangoModelFactory[User]):
    """A person who can sign in. There is no password: tests sign people in with ``tests.base.login``."""

    class Meta:
        model = User

    email = Sequence(lambda n: f"person{n}@example.com")
    password = "!"
    status = User.Status.ACTIVATED
    proven_at = LazyFunction(timezone.now)


class MembershipFactory(DjangoModelFactory[Membership]):
    """A role that was accepted; ``invited=True`` makes one that waits, of a person who never signed in."""

    class Meta:
        model = Membership

    class Params:
        invited = Trait(accepted_at=None, user__status=User.Status.PENDING)

    user = SubFactory(UserFactory)
    tenant = SubFactory(TenantFactory)
    level = RoleLevel.ADMIN
    accepted_at = LazyFunction(timezone.now)


class InvitationFactory(DjangoModelFactory[Invitation]):
    """An open invitation; its token is known to nobody."""

    class Meta:
        model = Invitation

    membership = SubFactory(MembershipFactory, invited=True)
    token_hash = Sequence(lambda n: f"{n:064x}")
    expires_at = LazyFunction(lambda: timezone.now() + timedelta(hours=24))


class ApiAccountFactory(DjangoModelFactory[ApiAccount]):
    """An API account whose secret is known to nobody; tests give it tokens with ``tests.base.bearer``."""

    class Meta:
        model = ApiAccount

    name = Sequence(lambda n: f"Robot{n}")
    secret_hash = Sequence(lambda n: f"{n:064x}")


class AccessTokenFactory(DjangoModelFactory[AccessToken]):
    """A bearer token, good for an hour."""

    class Meta:
        model = AccessToken

    api_account = SubFactory(ApiAccountFactory)
    token_hash = Sequence(lambda n: f"{n:064x}")
    expires_at = LazyFunction(lambda: timezone.now() + timedelta(hours=1))


class IngressDomainFactory(DjangoModelFactory[IngressDomain]):
    """An account's own domain that waits for its CNAME."""

    class Meta:
        model = IngressDomain

    tenant = SubFactory(TenantFactory)
    ingress = "events.example.com"
    target_domain = "gateway.example.net"


class UsageSnapshotFactory(DjangoModelFactory[UsageSnapshot]):
    """The usage of an account without traffic."""

    class Meta:
        model = UsageSnapshot

    tenant = SubFactory(TenantFactory)


class PixelFactory(DjangoModelFactory[Pixel]):
    """A pixel that receives and publishes."""

    class Meta:
        model = Pixel

    tenant = SubFactory(TenantFactory)
    pixel_id = Sequence(lambda n: str(1_000_000_000 + n))
    business_id = "2840127409433732"
    api_version = "v24.0"
    access_token = "the token of a test's pixel"


class EventFilterFactory(DjangoModelFactory[EventFilter]):
    """An event name that the account drops for all of its pixels; give ``pixel`` for an exception."""

    class Meta:
        model = EventFilter

    tenant = LazyAttribute(lambda row: row.pixel.tenant)
    pixel = None
    event_name = Sequence(lambda n: f"Event{n}")
    state = FilterState.DROP


class DomainFilterFactory(DjangoModelFactory[DomainFilter]):
    """A website that the account drops for all of its pixels; give ``pixel`` for an exception."""

    class Meta:
        model = DomainFilter

    tenant = LazyAttribute(lambda row: row.pixel.tenant)
    pixel = None
    domain = Sequence(lambda n: f"shop{n}.example.com")
    state = FilterState.DROP


class PipelineFactory(DjangoModelFactory[Pipeline]):
    """A gateway pipeline without sources and destinations."""

    class Meta:
        model = Pipeline

    tenant = SubFactory(TenantFactory)
    name = Sequence(lambda n: f"Pipeline {n}")


class SourceFactory(DjangoModelFactory[Source]):
    """A website's pixel that sends to no pipeline yet."""

    class Meta:
        model = Source

    tenant = SubFactory(TenantFactory)
    name = Sequence(lambda n: f"Website {n}")
    source_id = Sequence(lambda n: str(1_000_000_000_000_000_000 + n))
    type = SourceType.ADVERTISER_HOSTED_PIXEL


class DestinationFactory(DjangoModelFactory[Destination]):
    """An HTTP destination that nobody has configured."""

    class Meta:
        model = Destination

    tenant = SubFactory(TenantFactory)
    name = Sequence(lambda n: f"Destination {n}")
    type = DestinationType.CUSTOM_HTTP_API


class PipelineSourceFactory(DjangoModelFactory[PipelineSource]):
    """A source in a pipeline of the same account."""

    class Meta:
        model = PipelineSource

    pipeline = SubFactory(PipelineFactory)
    source = SubFactory(SourceFactory, tenant=SelfAttribute("..pipeline.tenant"))


class PipelineDestinationFactory(DjangoModelFactory[PipelineDestination]):
    """A destination of a pipeline of the same account."""

    class Meta:
        model = PipelineDestination

    pipeline = SubFactory(PipelineFactory)
    destination = SubFactory(DestinationFactory, tenant=SelfAttribute("..pipeline.tenant"))
    type = LazyAttribute(lambda row: row.destination.type)


class PixelPipelineFactory(DjangoModelFactory[PixelPipeline]):
    """A pixel whose pipeline somebody has named."""

    class Meta:
        model = PixelPipeline

    pixel = SubFactory(PixelFactory)
    name = "Shop"


#: The id of events that wait, for a pixel or a destination.
WAITING_ID = "waiting"


def waiting_body(received_at: datetime) -> bytes:
    """A request's only event."""
    event = {"event_name": "Purchase", "event_time": int(received_at.timestamp()), "event_id": WAITING_ID}
    return json.dumps([event]).encode()


class OutboxRowFactory(DjangoModelFactory[OutboxRow]):
    """A request with one event, which has been tried and waits for the next attempt."""

    class Meta:
        model = OutboxRow

    pixel = SubFactory(PixelFactory)
    received_at = LazyFunction(timezone.now)
    counted = True
    event_count = 1
    body = LazyAttribute(lambda row: waiting_body(row.received_at))


def _log_event(**fields: Any) -> DeliveryBatch:
    """A batch of one event in the delivery log."""
    at, event_time = fields["at"], fields["event_time"]
    fate = Fate("", fields["outcome"], fields["detail"], fields["code"], fields["trace_id"])
    row = OutboxRecord(0, fields["received_at"] or at, 0, True, "", 1, b"", fields["road"])
    time = math.nan if event_time is None else event_time.timestamp()
    event = Event(row, 0, fields["event_name"], fields["event_id"], time, fields["website"], fate)
    write(_whose(**fields), [event], at)
    batch = DeliveryBatch.objects.filter(pk__gte=first_id_at(at)).order_by("pk")[:100]
    return next(each for each in batch if lines_of(each)[0].event_id == fields["event_id"])


def _whose(*, pixel: Pixel, destination: Destination | None, source: Source | None, **_: Any) -> Whose:
    if source and destination:
        return Whose(source.tenant_id, source=source.pk, destination=destination.pk)
    return Whose(pixel.tenant_id, pixel=pixel.pk)


class DeliveryFactory(Factory[DeliveryBatch]):
    """An event that Meta has, in the delivery log: a pixel's, or with both of them, a source's for a destination."""

    class Meta:
        model = _log_event

    source = None
    destination = None
    pixel = Maybe("destination", None, SubFactory(PixelFactory))
    at = LazyFunction(timezone.now)
    received_at = None
    outcome = Delivery.Outcome.PUBLISHED
    event_name = "Purchase"
    event_id = Sequence(lambda n: f"event-{n}")
    event_time = LazyFunction(timezone.now)
    website = "shop.example.com"
    road = Road.SERVER
    detail = ""
    code = ""
    trace_id = ""


class FormerDeliveryFactory(DjangoModelFactory[Delivery]):
    """An event that Meta has, in the log of the release before."""

    class Meta:
        model = Delivery

    pixel = SubFactory(PixelFactory)
    at = LazyFunction(timezone.now)
    outcome = Delivery.Outcome.PUBLISHED
    event_name = "Purchase"
    event_id = Sequence(lambda n: f"event-{n}")
    event_time = LazyFunction(timezone.now)
    website = "shop.example.com"


class RefusedEventFactory(DjangoModelFactory[Any]):
    """What is told of a refused event, whoever refused it, just now; that it failed is not counted."""

    class Meta:
        abstract = True

    event_name = "Purchase"
    event_id = Sequence(lambda n: f"event-{n}")
    website = "shop.example.com"
    event = LazyAttribute(
        lambda row: json.dumps(
            {
                "event_name": row.event_name,
                "event_time": int(row.received_at.timestamp()),
                "event_id": row.event_id,
                "action_source": "website",
                "event_source_url": f"https://{row.website}/thanks",
                "user_data": {"client_user_agent": "Mozilla/5.0"},
            }
        ).encode()
    )
    code = "100.2804003"
    message = "The currency must be a code of ISO 4217."
    received_at = LazyFunction(timezone.now)
    failed_at = LazyFunction(timezone.now)


class DeadLetterFactory(RefusedEventFactory):
    """An event that Meta has refused."""

    class Meta:
        model = DeadLetter

    pixel = SubFactory(PixelFactory)


class DestinationLetterFactory(RefusedEventFactory):
    """An event that a destination has refused."""

    class Meta:
        model = DestinationLetter

    destination = SubFactory(DestinationFactory)
