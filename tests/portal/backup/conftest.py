"""A full instance, and the commands."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection

from accounts.audit import record
from accounts.models import HostSettings, RoleLevel, User
from accounts.principals import OPERATOR
from accounts.services.host import UPDATE_HOST
from alerts.models import ChannelName, Incident, Receiver, RuleName, RuleSetting, Schedule
from common.secrets import Secret
from events.models import (
    Counter,
    Delivery,
    DestinationCounter,
    DestinationCursor,
    DestinationIdentity,
    DestinationLane,
    DestinationLetter,
    DestinationRow,
    DisconnectedUsage,
    Finding,
    Identity,
    IdFinding,
    Lane,
    RefusedRequest,
    Registration,
    Road,
    SeenLabel,
    SourceCounter,
    SourceFinding,
    SourceIdFinding,
    SourceLabel,
    SourceLane,
    SourceRefusedRequest,
    SourceRow,
)
from pipelines.models import Destination, DestinationType, Source
from pixels.services import CONNECT
from portal.backup.sealed import SealedReader
from tests.base import Cast, make_cast
from tests.emptying import empty_tables
from tests.factories import (
    DeadLetterFactory,
    DestinationFactory,
    DomainFilterFactory,
    EventFilterFactory,
    IngressDomainFactory,
    InvitationFactory,
    MembershipFactory,
    OutboxRowFactory,
    PipelineDestinationFactory,
    PipelineFactory,
    PipelineSourceFactory,
    PixelFactory,
    PixelPipelineFactory,
    SourceFactory,
)

PASSPHRASE = "correct horse battery staple"
#: To the microsecond, which many ways of writing JSON lose.
THEN = datetime(2026, 3, 1, 23, 59, 59, 123_456, tzinfo=UTC)
REFUSED = {"at": THEN, "field": "event", "reason": "no_object", "event_count": 2, "origin": 7, "sample": "é"}

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.backup.sealed.SCRYPT_N", 2**4)
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)


@pytest.fixture
def run() -> Run:
    """Run a command, and return what it prints."""

    def run_command(name: str, *arguments: object, **options: object) -> str:
        out = StringIO()
        call_command(name, *map(str, arguments), stdout=out, **options)
        return out.getvalue()

    return run_command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "portal.backup"


@pytest.fixture
def full(transactional_db: None) -> Cast:
    """An instance with something in every table that a backup holds."""
    return fill()


def fill() -> Cast:
    cast = make_cast()
    HostSettings.objects.create(name="Agency “Größe”")
    IngressDomainFactory.create(tenant=cast.shoes, checked_at=THEN)
    DisconnectedUsage.objects.create(tenant=cast.shoes, start=THEN, received=2**40, published=1)
    Authenticator.objects.create(
        user=cast.ada,
        type="totp",
        data={"secret": Secret.seal("JBSWY3DPEHPK3PXP").sealed},
        created_at=THEN,
        last_used_at=THEN,
    )
    InvitationFactory.create(membership=MembershipFactory.create(tenant=cast.books, level=RoleLevel.VIEW, invited=True))
    pixel = PixelFactory.create(tenant=cast.shoes, pixel_id="123", access_token="EAAB-secret", last_received=THEN)
    other = PixelFactory.create(tenant=cast.books, pixel_id="00456", name="", bad_token=True)
    EventFilterFactory.create(tenant=cast.shoes, event_name="Purchase")
    EventFilterFactory.create(pixel=pixel, event_name="Purchase", state="PUBLISH")
    DomainFilterFactory.create(pixel=other, domain="shop.example.com")
    DomainFilterFactory.create(tenant=cast.books, domain="shop.example.com")
    PixelPipelineFactory.create(pixel=pixel, filter_status=False, set_aside=["Lead"], registers=False)
    pipeline = PipelineFactory.create(tenant=cast.shoes, blocked_event_types=["Lead", "Größe"])
    PipelineSourceFactory.create(
        pipeline=pipeline,
        source=SourceFactory.create(tenant=cast.shoes, source_id="0019", custom_integrity_script="e => e\n"),
    )
    PipelineDestinationFactory.create(
        pipeline=pipeline,
        destination=DestinationFactory.create(
            tenant=cast.shoes,
            type=DestinationType.META_CONVERSIONS_API,
            settings={"dataSetId": "7"},
            secrets='{"a": "b"}',
        ),
        filter_status=True,
    )
    fill_gateway(pipeline.source_links.get().source, pipeline.destination_links.get().destination)
    Lane.objects.create(pixel=pixel, claim=UUID(int=7), claimed_until=THEN, failures=3, retry_at=THEN, held=True)
    Registration.objects.create(
        pixel=pixel, claim=UUID(int=8), claimed_until=THEN, state="REGISTERED", node="7", told="d" * 64, told_at=THEN,
        endpoint="https://gateway.example.com", due_at=THEN,
    )  # fmt: skip
    Counter.objects.create(
        pixel=pixel, span=2, dimension=0, start=THEN, label="", received=3, failed=1, browser_received=2
    )
    RuleSetting.objects.create(tenant=pixel.tenant, pixel=pixel, rule=RuleName.SILENCE, threshold=7)
    RuleSetting.objects.create(tenant=None, rule=RuleName.DISK, threshold=80)
    User.objects.filter(memberships__tenant=pixel.tenant).update(language="es")
    Schedule.objects.create(tenant=pixel.tenant, quiet_from=time(22), quiet_until=time(7, 30), digest_hour=8)
    for tenant, url in ((pixel.tenant, "https://shoes.example.com/hook"), (None, "https://host.example.com/hook")):
        Receiver.objects.create(
            tenant=tenant, channel=ChannelName.WEBHOOK, name="Ops", url=url, host=url.split("/")[2], secret="whsec_x"
        )
    Incident.objects.create(
        tenant=pixel.tenant, pixel=pixel, rule=RuleName.TOKEN, subject=f"pixel {pixel.pixel_id}",
        facts={"name": "Shop"}, opened_at=THEN, updated_at=THEN,
    )  # fmt: skip
    SeenLabel.objects.create(pixel=pixel, dimension=1, label="Purchase", last_seen=date(2026, 3, 1))
    Finding.objects.create(pixel=pixel, hour=THEN, field="user_data.fbp", reason="no_browser_id", count=7)
    IdFinding.objects.create(pixel=pixel, kind=2, event_name="Purchase", count=2, last_at=THEN, examples=["order-1"])
    RefusedRequest.objects.create(pixel=pixel, **REFUSED)
    Identity.objects.create(pixel=pixel, key="f" * 64, identifiers={"em": ["a" * 64], "n": None}, seen_at=THEN)
    Delivery.objects.create(pixel=pixel, at=THEN, outcome=Delivery.Outcome.PUBLISHED, event_name="Lead", event_id="1")
    OutboxRowFactory.create(pixel=pixel, received_at=THEN, body=bytes(range(256)), road=Road.BROWSER)
    OutboxRowFactory.create(pixel=other, received_at=THEN + timedelta(microseconds=1))
    DeadLetterFactory.create(pixel=pixel, road=Road.BROWSER)
    record(OPERATOR, CONNECT, pixel, tenant=cast.shoes, changes={"name": [None, "é\u2028"], "n": [1, 2.5]})
    record(OPERATOR, UPDATE_HOST, "host")
    return cast


def fill_gateway(source: Source, destination: Destination) -> None:
    """A request that waits for the destination, and what has become of others."""
    SourceLane.objects.create(source=source, placed=2**40)
    counted = {"span": 2, "dimension": 0, "start": THEN, "label": ""}
    SourceCounter.objects.create(source=source, received=3, **counted)
    SourceLabel.objects.create(source=source, dimension=1, label="Purchase", last_seen=date(2026, 3, 1))
    SourceFinding.objects.create(source=source, hour=THEN, kind=1, field="event", reason="no_object", count=7, events=9)
    SourceIdFinding.objects.create(source=source, kind=2, event_name="Lead", count=3, last_at=THEN, examples=["1"])
    SourceRefusedRequest.objects.create(source=source, **REFUSED)
    SourceRow.objects.create(source=source, place=2**40, received_at=THEN, event_count=1, body=bytes(range(256)))
    DestinationLane.objects.create(destination=destination, claim=UUID(int=9), failures=2, code="190", message="é")
    DestinationCursor.objects.filter(destination=destination).update(place=2**40 - 1)
    DestinationCounter.objects.create(destination=destination, received=2, failed=1, **counted)
    DestinationIdentity.objects.create(destination=destination, key="f" * 64, identifiers={"em": ["a"]}, seen_at=THEN)
    waiting = {"destination": destination, "source": source, "received_at": THEN}
    DestinationRow.objects.create(event_count=1, body=b"[]", road=Road.BROWSER, **waiting)
    DestinationLetter.objects.create(
        event_name="Purchase", event_id="order-1", event=b"{}", code="100", message="No", failed_at=THEN, **waiting
    )


def empty() -> None:
    """Delete everything, as a new database has nothing; PostgreSQL's begins to count anew, too."""
    empty_tables(connection)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            sequences = "pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"
            cursor.execute(f"SELECT setval(oid::regclass, 1, false) FROM {sequences}")  # noqa: S608


def content_of(file: Path, passphrase: str = PASSPHRASE) -> dict[str, list[bytes]]:
    """The rows of a backup, by table, in an order that does not depend on the database."""
    content: dict[str, list[bytes]] = {}
    rows: list[bytes] = []
    with file.open("rb") as stream:
        for line in gzip.GzipFile(fileobj=SealedReader(stream, passphrase)):
            read = orjson.loads(line)
            if isinstance(read, dict):
                rows = content.setdefault(read["table"], [])
            else:
                rows.append(orjson.dumps(read, option=orjson.OPT_SORT_KEYS))
    return {table: sorted(rows) for table, rows in content.items()}


def without_backups(content: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
    """What a backup holds, but for what its audit log tells of backups."""
    log = [entry for entry in content["accounts.auditentry"] if b' backup"' not in entry]
    return {**content, "accounts.auditentry": log}
