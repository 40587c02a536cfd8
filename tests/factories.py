"""Rows for tests, each with believable values; a test states only what it is about."""

from __future__ import annotations

import json
from datetime import timedelta

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory, Trait
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
from events.models import DeadLetter, Delivery, OutboxRow
from filters.models import DomainFilter, EventFilter, FilterState
from pixels.models import Pixel


class TenantFactory(DjangoModelFactory[Tenant]):
    """An active account that the host manages."""

    class Meta:
        model = Tenant

    name = Sequence(lambda n: f"Account {n}")


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


class OutboxRowFactory(DjangoModelFactory[OutboxRow]):
    """A request with one event, which has been tried and waits for the next attempt."""

    class Meta:
        model = OutboxRow

    pixel = SubFactory(PixelFactory)
    received_at = LazyFunction(timezone.now)
    counted = True
    event_count = 1
    body = LazyAttribute(
        lambda row: json.dumps(
            [{"event_name": "Purchase", "event_time": int(row.received_at.timestamp()), "event_id": "waiting"}]
        ).encode()
    )


class DeliveryFactory(DjangoModelFactory[Delivery]):
    """An event that Meta has."""

    class Meta:
        model = Delivery

    pixel = SubFactory(PixelFactory)
    at = LazyFunction(timezone.now)
    outcome = Delivery.Outcome.PUBLISHED
    event_name = "Purchase"
    event_id = Sequence(lambda n: f"event-{n}")
    event_time = LazyFunction(timezone.now)
    website = "shop.example.com"


class DeadLetterFactory(DjangoModelFactory[DeadLetter]):
    """An event that Meta has refused, just now; that it failed is not counted."""

    class Meta:
        model = DeadLetter

    pixel = SubFactory(PixelFactory)
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
