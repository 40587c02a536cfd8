"""Where alerts are posted to: added, tested, given a new secret, switched on, removed; by whom, and on which pages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook

from accounts.models import AuditEntry, Tenant, User
from accounts.principals import principal_of_user
from alerts.models import Incident, Posting, Receiver
from alerts.services.receivers import MOST, add_receiver, remove_receiver, rotate_receiver, try_receiver
from common.errors import Conflict, InvalidInput, NotAuthorized, NotFound, TooManyRequests
from tests.base import Cast, login, snapshot
from tests.pages import address, post, see, text_of

pytestmark = pytest.mark.django_db

HOOK = {"name": "Ops", "channel": "webhook", "url": "https://ops.example.com/hook?key=4711-secret"}


@pytest.fixture
def server(httpserver: HTTPServer, settings: Settings) -> HTTPServer:
    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    httpserver.expect_request("/hook").respond_with_data("Welcome", 200)
    return httpserver


def add(cast: Cast, tenant: Tenant | None = None, **changes: str) -> Any:
    who = cast.max if tenant else cast.hanna
    return add_receiver(
        principal=principal_of_user(who), tenant_id=tenant.pk if tenant else None, **{**HOOK, **changes}
    )


def test_a_webhooks_secret_is_shown_once_and_kept_encrypted(cast: Cast) -> None:
    answer = post(cast.max, "alerts:add_receiver", cast.shoes, **HOOK)

    secret = re.search(r'value="(whsec_[^"]+)"', answer.content.decode())
    assert secret
    row = Receiver.objects.get()
    assert row.secrets() == [secret[1]]
    assert row.url.reveal() == HOOK["url"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT url, secret FROM alerts_receiver")
        stored = str(cursor.fetchall())
    page = login(cast.max).get(address("alerts:receiver", cast.shoes, row.pk)).content.decode()
    entries = str(list(AuditEntry.objects.values()))
    for place in (stored, page, entries, str(row), repr(row.__dict__)):
        assert secret[1] not in place
        assert "4711-secret" not in place
    assert "ops.example.com" in page
    assert AuditEntry.objects.get(act="add alert channel").changes["host"] == [None, "ops.example.com"]


def test_alert_settings_list_the_channels_and_how_they_do(cast: Cast) -> None:
    add(cast, cast.shoes, name="Well")
    Receiver.objects.filter(pk=add(cast, cast.shoes, name="Off").receiver.pk).update(disabled_at=timezone.now())
    Receiver.objects.filter(pk=add(cast, cast.shoes, name="Ill").receiver.pk).update(failing_since=timezone.now())
    add(cast, name="The host's")

    page = see(cast.max, "alerts:rules", cast.shoes)

    assert "Webhook · ops.example.com" in page
    for name, state in (("Well", "On"), ("Off", "Switched off"), ("Ill", "Takes nothing since")):
        assert re.search(f"{name} Webhook · ops.example.com {state}", page)
    assert "The host's" not in page
    assert "The host's" in login(cast.hanna).get(reverse("host:rules")).content.decode().replace("&#x27;", "'")


def after(client: Client, where: str) -> str:
    """What the page shows to which a POST leads."""
    answer: Any = client.post(where, follow=True)
    return text_of(answer)


def test_a_test_tells_what_was_answered(cast: Cast, server: HTTPServer) -> None:
    issued = add(cast, cast.shoes, url=f"http://127.0.0.1:{server.port}/hook")
    client = login(cast.max)
    where = address("alerts:test_receiver", cast.shoes, issued.receiver.pk)

    page = after(client, where)

    assert "The test is taken: HTTP 200" in page
    assert "Test" in page
    assert "Welcome" in page
    request = server.log[0][0]
    assert Webhook(issued.secret).verify(request.data, dict(request.headers))["type"] == "test"

    server.clear_all_handlers()
    server.expect_request("/hook").respond_with_data("No such hook", 404)
    page = after(client, where)
    assert "The test is not taken: HTTP 404" in page
    assert "No such hook" in page

    Receiver.objects.update(channel="slack")
    Receiver.objects.filter(pk=issued.receiver.pk).update(url=Receiver(url="http://10.0.0.1/").url)
    assert "The address is not on the public internet." in after(client, where)


def test_tests_are_bounded(cast: Cast) -> None:
    receiver = add(cast, cast.shoes).receiver
    Receiver.objects.filter(pk=receiver.pk).update(url=Receiver(url="http://10.0.0.1/").url)
    given = {"principal": principal_of_user(cast.ada), "tenant_id": cast.shoes.pk, "receiver_id": receiver.pk}
    for _ in range(10):
        try_receiver(**given)
    with pytest.raises(TooManyRequests):
        try_receiver(**given)

    assert Posting.objects.count() == 10


def test_a_new_secret_is_shown_once_and_the_former_one_ends(cast: Cast) -> None:
    issued = add(cast, cast.shoes)
    client, where = login(cast.max), address("alerts:renew_receiver", cast.shoes, issued.receiver.pk)
    shown = client.post(where, {"overlap_hours": "24"}).content.decode()

    row = Receiver.objects.get()
    assert row.secrets()[1] == issued.secret
    assert row.secrets()[0] in shown
    assert "The former secret signs, too, until:" in shown

    client.post(where, {"overlap_hours": "0"})
    row = Receiver.objects.get()
    assert len(row.secrets()) == 1
    assert row.secrets()[0] not in (issued.secret, shown)

    for wrong in ("-1", "169", "x", ""):
        assert client.post(where, {"overlap_hours": wrong}).status_code == 400
    assert Receiver.objects.get().secrets() == row.secrets()


def test_what_was_switched_off_is_switched_on_and_what_is_removed_is_gone(cast: Cast) -> None:
    receiver = add(cast, cast.shoes).receiver
    Receiver.objects.update(disabled_at=timezone.now(), failures=9, failing_since=timezone.now() - timedelta(days=2))
    Posting.objects.create(receiver=receiver, notice_id=uuid4(), kind="test", duration=1, taken=False)
    client = login(cast.max)
    assert "Switch on again" in see(client, "alerts:receiver", cast.shoes, receiver.pk)

    client.post(address("alerts:enable_receiver", cast.shoes, receiver.pk))
    row = Receiver.objects.get()
    assert (row.disabled_at, row.failures, row.failing_since) == (None, 0, None)
    assert "Switch on again" not in see(client, "alerts:receiver", cast.shoes, receiver.pk)

    client.post(address("alerts:remove_receiver", cast.shoes, receiver.pk))
    assert not Receiver.objects.exists()
    assert not Posting.objects.exists()
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert acts >= {"add alert channel", "enable alert channel", "remove alert channel"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"channel": "mail"}, "channel: must be one of webhook, slack."),
        ({"name": " "}, "name: must not be empty."),
        ({"name": "x" * 101}, "name: must have at most 100 characters."),
        ({"url": "ftp://example.com"}, "url: must be an address such as"),
        ({"url": "https://169.254.169.254/latest"}, "url: must be on the public internet."),
        ({"url": "https://ada:secret@example.com/"}, "url: must hold no user name"),
        ({"url": "https://example.com:25/"}, "url: must have the port"),
        ({"url": "https://example.com/" + "x" * 2_048}, "url: must have at most 2048 characters."),
    ],
    ids=["mail", "no name", "long name", "no web", "metadata", "password", "port", "long"],
)
def test_what_makes_no_sense_is_refused(cast: Cast, changes: dict[str, str], says: str) -> None:
    before = snapshot()
    with pytest.raises(InvalidInput) as refused:
        add(cast, cast.shoes, **changes)

    assert refused.value.message.startswith(says)
    assert snapshot() == before
    assert post(cast.max, "alerts:add_receiver", cast.shoes, **{**HOOK, **changes}).status_code == 400


def test_there_are_ten_at_most(cast: Cast) -> None:
    for number in range(MOST):
        add(cast, cast.shoes, name=f"Ops {number}")
    with pytest.raises(Conflict):
        add(cast, cast.shoes)

    assert add(cast)  # the host's are counted by themselves
    assert Receiver.objects.count() == MOST + 1


@pytest.mark.parametrize("who", ["vic", "olaf", "vera"])
def test_who_may_not_change_an_account_says_not_who_is_told(cast: Cast, who: str) -> None:
    receiver = add(cast, cast.shoes).receiver
    principal = principal_of_user(getattr(cast, who))
    before = snapshot()
    for act in (try_receiver, rotate_receiver, remove_receiver):
        with pytest.raises(NotAuthorized):
            act(principal=principal, tenant_id=cast.shoes.pk, receiver_id=receiver.pk)
    with pytest.raises(NotAuthorized):
        add_receiver(principal=principal, tenant_id=cast.shoes.pk, **HOOK)
    with pytest.raises(NotAuthorized):
        add_receiver(principal=principal, tenant_id=None, **HOOK)

    assert snapshot() == before


def test_one_of_another_account_or_of_the_host_is_not_there(cast: Cast) -> None:
    for receiver in (add(cast).receiver, add_for_books(cast)):
        with pytest.raises(NotFound):
            remove_receiver(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, receiver_id=receiver.pk)

    assert Receiver.objects.count() == 2


def add_for_books(cast: Cast) -> Receiver:
    principal = principal_of_user(cast.bea)
    return add_receiver(principal=principal, tenant_id=cast.books.pk, **HOOK).receiver


def test_slack_is_not_signed(cast: Cast) -> None:
    issued = add(cast, cast.shoes, channel="slack")
    assert issued.secret == ""
    assert "New secret" not in see(cast.max, "alerts:receiver", cast.shoes, issued.receiver.pk)
    with pytest.raises(InvalidInput):
        rotate_receiver(principal=principal_of_user(cast.max), tenant_id=cast.shoes.pk, receiver_id=issued.receiver.pk)


def test_the_incident_leads_those_to_its_channel_who_may_change_it(cast: Cast) -> None:
    ours, hosts = add(cast, cast.shoes).receiver, add(cast).receiver
    for receiver in (ours, hosts):
        facts = {"name": receiver.name, "host": receiver.host}
        Incident.objects.create(tenant=receiver.tenant, rule="receiver", subject=f"receiver {receiver.pk}", facts=facts)
    page = address("alerts:receiver", cast.shoes, ours.pk)
    hosts_page = reverse("host:receiver", args=[hosts.pk])
    incidents = reverse("host:incidents")

    assert page in login(cast.max).get(address("alerts:incidents", cast.shoes)).content.decode()
    assert page not in login(cast.vic).get(address("alerts:incidents", cast.shoes)).content.decode()
    seen = login(cast.hanna).get(incidents).content.decode()
    assert page in seen
    assert hosts_page in seen
    assert hosts_page not in login(cast.vera).get(incidents).content.decode()


def test_staff_see_no_secret_and_switch_on_again(cast: Cast) -> None:
    receiver = add(cast, cast.shoes).receiver
    Receiver.objects.update(disabled_at=timezone.now())
    Posting.objects.create(receiver=receiver, notice_id=uuid4(), kind="test", duration=1, taken=False)
    client = login(cast.hanna)
    for name in ("receiver", "posting", "noticedelivery"):
        answer = client.get(reverse(f"admin:alerts_{name}_changelist"))
        assert answer.status_code == 200
        assert "4711-secret" not in answer.content.decode()
    shown = client.get(reverse("admin:alerts_receiver_change", args=[receiver.pk])).content.decode()
    assert "ops.example.com" in shown
    assert "gAAAAA" not in shown

    actions = {"action": "enable", "_selected_action": [str(receiver.pk)]}
    client.post(reverse("admin:alerts_receiver_changelist"), actions)

    assert Receiver.objects.get().disabled_at is None


@pytest.mark.parametrize(
    ("line", "english", "spanish"),
    [
        ({"fault": "ReadTimeout"}, "No answer in 5 seconds.", "Sin respuesta en 5 segundos."),
        ({"fault": "SomethingNew"}, "No answer (SomethingNew).", "Sin respuesta (SomethingNew)."),
        ({"fault": "no key"}, "FIELD_ENCRYPTION_KEYS lacks the key", "a FIELD_ENCRYPTION_KEYS le falta la clave"),
        ({"status": 302}, "Redirects are not followed.", "No se siguen las redirecciones."),
        ({"said": "No answer in 9 seconds."}, "No answer in 9 seconds.", "No answer in 9 seconds."),
        ({"status": 500, "said": "Down"}, "HTTP 500 Down", "HTTP 500 Down"),
    ],
    ids=["in time", "unknown", "no key", "redirect", "of the release before", "the receiver's own words"],
)
def test_the_log_says_why_in_the_readers_language(cast: Cast, line: dict[str, Any], english: str, spanish: str) -> None:
    receiver = add(cast, cast.shoes).receiver
    receiver.postings.create(notice_id=uuid4(), kind="opened", duration=5_000, taken=False, **line)

    assert english in see(cast.ada, "alerts:receiver", cast.shoes, receiver.pk)
    User.objects.filter(pk=cast.ada.pk).update(language="es")
    assert spanish in see(User.objects.get(pk=cast.ada.pk), "alerts:receiver", cast.shoes, receiver.pk)
