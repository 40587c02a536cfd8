"""The account that others try to reach into: its people manage it themselves, and everything in it bears a mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.models import AuditEntry, Membership, RoleLevel, Tenant, User
from common.cursors import encode_cursor
from events.delivery.reads import cursor_of_letter, list_deliveries
from events.models import Counter, DeadLetter, Delivery, Finding, IdFinding, Lane
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
    PixelFactory,
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
    delivery: Delivery
    rows: dict[str, Model]

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
        }[operation]

    def found_in(self, answer: str, *given: str, by_host: bool = False) -> list[str]:
        """What the answer tells of the account, beside what the caller has ``given`` and reads again.

        The host knows every account's name and id.
        """
        for text in sorted(given, key=len, reverse=True):
            answer = answer.replace(text, "")
        secrets = [MARK, self.pixel.pixel_id, self.pixel.access_key, str(self.member.pk)]
        if not by_host:
            secrets += [self.tenant.pk, self.tenant.name]
        return [secret for secret in secrets if secret in answer]


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
    finding = Finding.objects.create(
        pixel=pixel, hour=timezone.now(), field=f"custom_data.{MARK}", reason="no_object", count=1
    )
    id_finding = IdFinding.objects.create(
        pixel=pixel, kind=0, event_name=f"{MARK}Event", count=1, last_at=timezone.now(), examples=[f"{MARK}-1"]
    )
    entry = AuditEntry.objects.create(tenant_id=account.pk, actor=f"{MARK}.admin", act="rename", subject=MARK)
    letter = DeadLetterFactory.create(pixel=pixel, event_name=f"{MARK}Event", message=f"{MARK} is refused")
    delivery = DeliveryFactory.create(pixel=pixel, event_name=f"{MARK}Event", website=f"{MARK}.example.com")
    lane, _ = Lane.objects.get_or_create(pixel=pixel)
    rows: list[Model] = [
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
    ]
    return Victim(
        tenant=account,
        pixel=pixel,
        member=member,
        invited=invitation.membership.user,
        letter=letter,
        delivery=delivery,
        rows={row._meta.label: row for row in rows},
    )


def texts_in(value: Any) -> list[str]:
    """Every text in a value of JSON."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []
