"""The account that others try to reach into: its people manage it themselves, and everything in it bears a mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.models import AuditEntry, Membership, RoleLevel, Tenant, User
from alerts.models import (
    ChannelName,
    Digest,
    Incident,
    Notice,
    NoticeDelivery,
    Posting,
    Receiver,
    RuleName,
    RuleSetting,
    Schedule,
)
from alerts.reads import cursor_of as cursor_of_incident
from common.cursors import encode_cursor
from events.delivery.reads import cursor_of_letter, list_deliveries
from events.models import (
    Counter,
    DeadLetter,
    DeliveryBatch,
    DestinationCounter,
    DestinationCursor,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    Finding,
    IdFinding,
    Lane,
    RefusedRequest,
    Registration,
    Removal,
    SourceCounter,
    SourceFinding,
    SourceIdFinding,
    SourceRefusedRequest,
    SourceRow,
)
from pipelines import ids
from pipelines.models import Destination, Source
from pixels.models import Pixel, PixelImport, PixelImportRow
from tests.base import person, tenant
from tests.factories import (
    DeadLetterFactory,
    DeliveryFactory,
    DomainFilterFactory,
    EventFilterFactory,
    IngressDomainFactory,
    InvitationFactory,
    OutboxRowFactory,
    PipelineDestinationFactory,
    PipelineSourceFactory,
    PixelFactory,
    PixelPipelineFactory,
)

#: What no answer to somebody else may hold.
MARK = "canary"


@dataclass(frozen=True)
class Victim:
    """An account, and one of everything that can belong to one."""

    tenant: Tenant
    pixel: Pixel
    member: User
    invited: User
    letter: DeadLetter
    delivery: DeliveryBatch
    source: Source
    rows: dict[str, Model]

    @property
    def pipeline_id(self) -> str:
        """As the API has it."""
        return ids.id_of(ids.PIPELINE, self.rows["pipelines.Pipeline"].uuid)  # type: ignore[attr-defined]

    @property
    def destination_id(self) -> str:
        """As the API has it."""
        return ids.id_of(ids.DESTINATION, self.rows["pipelines.Destination"].uuid)  # type: ignore[attr-defined]

    @property
    def batch(self) -> Model:
        """A file of pixels that waits to be applied."""
        return self.rows["pixels.PixelImport"]

    def cursor(self, operation: str) -> str:
        """The place of a row of the account's in a list."""
        return {
            "tenants": encode_cursor(self.tenant.name, self.tenant.pk),
            "deliveries": list_deliveries(self.tenant, self.pixel.pixel_id).rows[-1].cursor,
            "deadLetters": cursor_of_letter(self.letter),
            "incidents": cursor_of_incident(self.rows["alerts.Incident"]),  # type: ignore[arg-type]
            "destinationDeadLetters": cursor_of_letter(self.rows["events.DestinationLetter"]),  # type: ignore[arg-type]
        }[operation]

    def found_in(self, answer: str, *given: str, by_host: bool = False) -> list[str]:
        """What the answer tells of the account, beside what the caller has ``given`` and reads again.

        The host knows every account's name and id.
        """
        for text in sorted(given, key=len, reverse=True):
            answer = answer.replace(text, "")
        secrets = [MARK, self.pixel.pixel_id, self.pixel.access_key, str(self.member.pk)]
        secrets += [self.source.source_id, self.pipeline_id, self.destination_id, str(self.rows["alerts.Receiver"].pk)]
        if not by_host:
            secrets += [self.tenant.pk, self.tenant.name]
        return [secret for secret in secrets if secret in answer]


def _found() -> dict[str, Any]:
    return {"hour": timezone.now(), "field": f"custom_data.{MARK}", "reason": "no_object", "count": 1}


def _found_with_ids() -> dict[str, Any]:
    return {"event_name": f"{MARK}Event", "count": 1, "last_at": timezone.now(), "examples": [f"{MARK}-1"]}


def _refused() -> dict[str, Any]:
    told = {"field": f"custom_data.{MARK}", "reason": "no_object", "sample": f'{{"{MARK}": 1}}'}
    return {"at": timezone.now(), "event_count": 1, "origin": 1, **told}


def make_victim() -> Victim:
    """Open the account and fill it."""
    account = tenant("Kestrels", can_partner_manage=False)
    person(f"{MARK}.admin", account, RoleLevel.ADMIN)
    member = person(f"{MARK}.member", account, RoleLevel.VIEW)
    pixel = PixelFactory.create(tenant=account, name=f"{MARK} pixel", access_token=f"{MARK} token")
    invitation = InvitationFactory.create(
        membership__user__email=f"{MARK}.invited@example.com", membership__tenant=account
    )
    batch = PixelImport.objects.create(tenant=account)
    PixelImportRow.objects.create(
        batch=batch, line=1, fate=PixelImportRow.Fate.CONNECT, pixel_id="4711", name=f"{MARK} line", access_token="x"
    )
    counter = Counter.objects.create(
        pixel=pixel, span=0, dimension=1, start=timezone.now(), label=f"{MARK}Event", received=1
    )
    finding = Finding.objects.create(pixel=pixel, **_found())
    Finding.objects.create(pixel=pixel, kind=Finding.Kind.REFUSED, **_found())
    id_finding = IdFinding.objects.create(pixel=pixel, kind=0, **_found_with_ids())
    entry = AuditEntry.objects.create(tenant_id=account.pk, actor=f"{MARK}.admin", act="rename", subject=MARK)
    letter = DeadLetterFactory.create(pixel=pixel, event_name=f"{MARK}Event", message=f"{MARK} is refused")
    delivery = DeliveryFactory.create(pixel=pixel, event_name=f"{MARK}Event", website=f"{MARK}.example.com")
    lane, _ = Lane.objects.get_or_create(pixel=pixel)
    refused = {"state": "REFUSED", "code": "200", "message": f"{MARK} is refused"}
    registration, _ = Registration.objects.update_or_create(pixel=pixel, defaults=refused)
    place = PipelineSourceFactory.create(
        pipeline__tenant=account,
        pipeline__name=f"{MARK} pipeline",
        pipeline__blocked_event_types=[f"{MARK}Event"],
        source__name=f"{MARK} source",
        source__custom_integrity_script=f"// {MARK}",
    )
    goal = PipelineDestinationFactory.create(
        pipeline=place.pipeline,
        blocked_event_types=[f"{MARK}Event"],
        destination__name=f"{MARK} destination",
        destination__settings={"endpoint": f"https://{MARK}.example.com", "dataSetId": MARK},
        destination__secrets=f'{{"apiKey": "{MARK}"}}',
    )
    PixelPipelineFactory.create(pixel=pixel, name=f"{MARK} pixel pipeline", destination_name=f"{MARK} data set")
    rows: list[Model] = [
        place.pipeline,
        place.source,
        goal.destination,
        account,
        account.usage,
        member,
        Membership.objects.get(user=member),
        invitation,
        IngressDomainFactory.create(tenant=account, ingress=f"{MARK}.example.com"),
        entry,
        pixel,
        batch,
        EventFilterFactory.create(pixel=pixel, event_name=f"{MARK}Event"),
        DomainFilterFactory.create(pixel=pixel, domain=f"{MARK}.example.com"),
        delivery,
        letter,
        OutboxRowFactory.create(pixel=pixel),
        lane,
        counter,
        finding,
        id_finding,
        RefusedRequest.objects.create(pixel=pixel, **_refused()),
        registration,
        Removal.objects.create(
            pixel_id="4711", tenant_id=account.pk, api_version="v24.0", access_token="x", message=f"{MARK} is refused"
        ),
    ]
    incident = Incident.objects.create(
        tenant=account, pixel=pixel, rule=RuleName.TOKEN, subject=f"pixel {pixel.pixel_id}", facts={"name": MARK}
    )
    rows += [
        incident,
        (notice := Notice.objects.create(incident=incident)),
        (receiver := _receiver(account)),
        NoticeDelivery.objects.create(notice=notice, channel=ChannelName.WEBHOOK, receiver=receiver),
        Posting.objects.create(
            receiver=receiver, notice_id=notice.pk, kind="opened", duration=1, taken=False, said=f"{MARK} says no"
        ),
        RuleSetting.objects.create(tenant=account, pixel=pixel, rule=RuleName.SILENCE, threshold=7),
        Schedule.objects.create(tenant=account, digest_hour=7),
        Digest.objects.create(tenant=account, day=timezone.now(), since=timezone.now(), until=timezone.now()),
    ]
    rows += gateway_rows(place.source, goal.destination)
    return Victim(
        tenant=account,
        pixel=pixel,
        member=member,
        invited=invitation.membership.user,
        letter=letter,
        delivery=delivery,
        source=place.source,
        rows={row._meta.label: row for row in rows},
    )


def _receiver(account: Tenant) -> Receiver:
    url, name = f"https://{MARK}.example.com/hook", f"{MARK} channel"
    host = f"{MARK}.example.com"
    return Receiver.objects.create(
        tenant=account, channel=ChannelName.WEBHOOK, name=name, url=url, host=host, secret=f"whsec_{MARK}"
    )


def gateway_rows(source: Source, destination: Destination) -> list[Model]:
    """What became of the source's events on their way to the destination."""
    counted = {"span": 0, "dimension": 1, "start": timezone.now(), "label": f"{MARK}Event", "received": 1}
    waiting = {"destination": destination, "source": source, "received_at": timezone.now()}
    return [
        SourceRow.objects.create(source=source, place=1, received_at=timezone.now(), event_count=1, body=b"[]"),
        SourceCounter.objects.create(source=source, **counted),
        SourceFinding.objects.create(source=source, kind=Finding.Kind.REFUSED, **_found()),
        SourceIdFinding.objects.create(source=source, kind=0, **_found_with_ids()),
        SourceRefusedRequest.objects.create(source=source, **_refused()),
        DestinationLane.objects.create(destination=destination, message=f"{MARK} is refused"),
        DestinationCursor.objects.get(destination=destination),
        DestinationRow.objects.create(event_count=1, body=b"[]", **waiting),
        DestinationCounter.objects.create(destination=destination, **counted),
        DestinationLetter.objects.create(
            event_name=f"{MARK}Event",
            event_id=f"{MARK}-1",
            event=b"{}",
            code="422",
            message=f"{MARK} is refused",
            failed_at=timezone.now(),
            **waiting,
        ),
    ]


def texts_in(value: Any) -> list[str]:
    """Every text in a value of JSON."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []
