"""Each person reads alerts and digests in their own language; software and Slack read English."""

from __future__ import annotations

import pytest
from django.core import mail
from django.utils import translation

from accounts.models import User
from alerts.channels import slack, webhook
from alerts.channels.answers import Told
from alerts.channels.posting import post
from alerts.looking import look
from alerts.models import Notice, Receiver
from alerts.telling import tell
from common.public_http import Silence
from pixels.models import Pixel
from tests.alerts.test_digests import at, incident, run, wanted
from tests.base import Cast
from tests.factories import PixelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ada_reads_spanish(cast: Cast) -> None:
    User.objects.filter(pk=cast.ada.pk).update(language="es")


def by_reader() -> dict[str, tuple[str, str]]:
    return {message.to[0]: (str(message.subject), str(message.body)) for message in mail.outbox}


def test_two_people_read_the_same_alert_in_two_languages(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Shop", bad_token=True)
    look()
    with translation.override("es"):  # whatever the thread did before
        tell()

    ada, max_ = by_reader()["ada@example.com"], by_reader()["max@example.com"]
    assert max_[0] == "Access token rejected · Shoes"
    assert "Meta rejects the access token of Shop. Its events wait." in max_[1]
    assert ada[0] == "Token de acceso rechazado · Shoes"
    assert "Meta rechaza el token de acceso de Shop." in ada[1]
    assert "Meta rejects" not in ada[1]
    assert {message.extra_headers["Message-ID"] for message in mail.outbox} == {
        f"<{Notice.objects.get().pk}@{mail.outbox[0].extra_headers['Message-ID'].partition('@')[2]}"
    }


def test_they_read_that_it_is_over_so_too(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Shop", bad_token=True)
    look()
    tell()
    mail.outbox.clear()
    Pixel.objects.update(bad_token=False)
    look()
    tell()

    assert by_reader()["max@example.com"][0].startswith("Over: Access token rejected")
    assert by_reader()["ada@example.com"][0].startswith("Terminado: Token de acceso rechazado")


def test_a_digest_is_in_the_readers_language(cast: Cast) -> None:
    wanted(cast)
    incident(PixelFactory.create(tenant=cast.shoes, name="Shop"), "token", "2026-01-14 08:00", None)
    run(at("2026-01-15 07:00"))

    told = by_reader()
    assert "Open now:" in told["max@example.com"][1]
    assert "Meta rejects the access token of Shop." in told["max@example.com"][1]
    assert "Open now:" not in told["ada@example.com"][1]
    assert "Meta rechaza el token de acceso de Shop." in told["ada@example.com"][1]


@pytest.mark.parametrize("channel", [webhook, slack], ids=["webhook", "slack"])
def test_software_and_slack_read_english(cast: Cast, channel: object, monkeypatch: pytest.MonkeyPatch) -> None:
    PixelFactory.create(tenant=cast.shoes, name="Shop", bad_token=True)
    look()
    receiver = Receiver.objects.create(
        tenant=cast.shoes, channel="webhook", name="Ops", url="https://ops.example.com/x", host="ops.example.com",
        secret=webhook.new_secret(),
    )  # fmt: skip
    sent: list[bytes] = []

    def ask(method: str, url: str, headers: object, body: bytes, **_: object) -> Silence:
        sent.append(body)
        return Silence("ReadTimeout")

    monkeypatch.setattr("alerts.channels.posting.ask", ask)

    with translation.override("es"):
        post(channel.compose, receiver, Told.of(Notice.objects.get()))  # type: ignore[attr-defined]

    assert b"Access token rejected" in sent[0]
