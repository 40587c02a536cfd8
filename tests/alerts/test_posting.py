"""Notices to webhooks and Slack, against a real HTTP server: signed, at least once, a day long, each by its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Request, Response

from accounts.models import Tenant
from accounts.principals import principal_of_user
from alerts import tasks
from alerts.looking import look
from alerts.models import Incident, Notice, NoticeDelivery, Posting, Receiver
from alerts.pruning import prune
from alerts.services.receivers import add_receiver, enable_receiver, rotate_receiver, try_receiver
from alerts.telling import post, receivers_due
from common.secrets import MASK
from pixels.models import Pixel
from tests.base import Cast
from tests.factories import PixelFactory
from tests.pages import get

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _served_here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    # As a worker does, whose message takes no time.
    monkeypatch.setattr(tasks.post, "delay", tasks.post)


def add(cast: Cast, url: str, tenant: Tenant | None = None, channel: str = "webhook", name: str = "Ops") -> Any:
    principal = principal_of_user(cast.max if tenant else cast.hanna)
    tenant_id = tenant.pk if tenant else None
    return add_receiver(principal=principal, tenant_id=tenant_id, channel=channel, name=name, url=url)


def break_pixel(tenant: Tenant, name: str = "Shop") -> Pixel:
    pixel = PixelFactory.create(tenant=tenant, name=name, bad_token=True)
    look()
    return pixel


def received(server: HTTPServer, path: str = "/hook") -> list[Request]:
    return [request for request, _ in server.log if request.path == path]


def answers(server: HTTPServer, answer: Callable[[Request], Response] | int = 204, path: str = "/hook") -> str:
    if isinstance(answer, int):
        server.expect_request(path).respond_with_data("", answer)
    else:
        server.expect_request(path).respond_with_handler(answer)
    return f"http://127.0.0.1:{server.port}{path}"


def test_a_webhook_is_told_once_as_standard_webhooks_describe(cast: Cast, httpserver: HTTPServer) -> None:
    issued = add(cast, answers(httpserver), cast.shoes)
    pixel = break_pixel(cast.shoes)
    for _ in range(3):
        tasks.tell()

    (request,) = received(httpserver)
    told = Webhook(issued.secret).verify(request.data, dict(request.headers))
    assert request.headers["webhook-id"] == str(Notice.objects.get().pk)
    assert request.headers["Content-Type"] == "application/json"
    assert told["type"] == "incident.opened"
    data = told["data"]
    assert (data["rule"], data["account"]["id"]) == ("token", cast.shoes.pk)
    assert data["subject"] == {"type": "pixel", "id": pixel.pixel_id, "name": "Shop"}
    assert data["message"] == "Meta rejects the access token of Shop. Its events wait."
    assert data["link"].endswith(f"/hub/capig/pixels/{pixel.pixel_id}/token/?tenant={cast.shoes.pk}")
    assert data["closedAt"] is None
    with pytest.raises(WebhookVerificationError):
        Webhook(issued.secret).verify(request.data + b" ", dict(request.headers))


def test_both_secrets_sign_while_they_are_changed_over(cast: Cast, httpserver: HTTPServer) -> None:
    first = add(cast, answers(httpserver), cast.shoes)
    principal = principal_of_user(cast.ada)
    place = {"principal": principal, "tenant_id": cast.shoes.pk, "receiver_id": first.receiver.pk}
    second = rotate_receiver(**place)
    try_receiver(**place)
    with time_machine.travel(timezone.now() + DAY + MINUTE, tick=False):
        try_receiver(**place)
        late = received(httpserver)[1]
        Webhook(second.secret).verify(late.data, dict(late.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(first.secret).verify(late.data, dict(late.headers))

    early = received(httpserver)[0]
    for secret in (first.secret, second.secret):
        assert Webhook(secret).verify(early.data, dict(early.headers))["type"] == "test"


def test_slack_gets_a_line_and_blocks_in_which_names_are_no_markup(cast: Cast, httpserver: HTTPServer) -> None:
    add(cast, answers(httpserver, 200), cast.shoes, channel="slack")
    break_pixel(cast.shoes, "<!channel> & http://evil.example")
    tasks.tell()

    (request,) = received(httpserver)
    told = json.loads(request.data)
    assert told["text"].startswith("Access token rejected · Shoes: Meta rejects the access token of &lt;!channel&gt;")
    assert "<!" not in json.dumps(told)
    assert [block["type"] for block in told["blocks"]] == ["header", "section", "section"]
    assert all(block["text"].get("verbatim", True) for block in told["blocks"])
    assert "webhook-signature" not in request.headers


def test_both_are_told_when_it_is_over(cast: Cast, httpserver: HTTPServer) -> None:
    add(cast, answers(httpserver), cast.shoes)
    add(cast, answers(httpserver, path="/slack"), cast.shoes, channel="slack", name="Slack")
    pixel = break_pixel(cast.shoes)
    tasks.tell()
    Pixel.objects.filter(pk=pixel.pk).update(bad_token=False)
    look()
    tasks.tell()

    first, last = (json.loads(request.data) for request in received(httpserver))
    assert (first["type"], last["type"]) == ("incident.opened", "incident.closed")
    assert first["data"]["id"] == last["data"]["id"]
    assert last["data"]["closedAt"] is not None
    assert json.loads(received(httpserver, "/slack")[1].data)["text"].startswith("Over: Access token rejected")


def test_what_is_not_taken_is_sent_again_under_its_id_for_a_day(cast: Cast, httpserver: HTTPServer) -> None:
    add(cast, answers(httpserver, 503), cast.shoes)
    break_pixel(cast.shoes)
    start = timezone.now()
    for minutes in range(0, 27 * 60, 5):
        with time_machine.travel(start + minutes * MINUTE, tick=False):
            tasks.tell()

    assert len({request.headers["webhook-id"] for request in received(httpserver)}) == 1
    assert 25 <= len(received(httpserver)) <= 32
    hours = {(row.at - start) // timedelta(hours=1) for row in Posting.objects.all()}
    assert hours >= set(range(24))
    assert not NoticeDelivery.objects.exclude(due_at=None).exists()
    assert Receiver.objects.get().disabled_at is not None


def test_a_receiver_that_took_nothing_for_a_day_is_an_incident_until_it_is_switched_on(
    cast: Cast, httpserver: HTTPServer
) -> None:
    receiver = add(cast, answers(httpserver, 500), cast.shoes).receiver
    break_pixel(cast.shoes)
    start = timezone.now()
    tasks.tell()
    with time_machine.travel(start + DAY + MINUTE, tick=False):
        Notice.objects.update(created_at=timezone.now())
        tasks.tell()
        look()
        tasks.tell()
        incident = Incident.objects.get(rule="receiver", closed_at=None)
        assert incident.subject == f"receiver {receiver.pk}"
        assert "Alerts reach a channel no more · Shoes" in {message.subject for message in mail.outbox}
        assert not receivers_due(timezone.now() + DAY)

        enable_receiver(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, receiver_id=receiver.pk)
        look()

    assert not Incident.objects.filter(rule="receiver", closed_at=None).exists()


def test_a_receiver_that_says_it_is_gone_is_asked_no_more(cast: Cast, httpserver: HTTPServer) -> None:
    add(cast, answers(httpserver, 410), cast.shoes)
    break_pixel(cast.shoes)
    tasks.tell()

    assert Receiver.objects.get().disabled_at is not None
    assert receivers_due(timezone.now() + DAY) == []


def test_a_receiver_that_is_well_again_gets_what_waited(cast: Cast, httpserver: HTTPServer) -> None:
    status = [429]
    wait = {"Retry-After": "600"}
    add(cast, answers(httpserver, lambda _: Response("", status[0], wait)), cast.shoes)
    break_pixel(cast.shoes)
    break_pixel(cast.shoes)
    start = timezone.now()
    tasks.tell()
    status[0] = 200
    for minutes in (5, 11, 12):
        with time_machine.travel(start + minutes * MINUTE, tick=False):
            tasks.tell()
            if minutes == 5:
                assert len(received(httpserver)) == 1  # it wanted ten minutes

    assert NoticeDelivery.objects.filter(channel="webhook").exclude(told_at=None).count() == 2
    assert (Receiver.objects.get().failures, Receiver.objects.get().failing_since) == (0, None)


def test_a_killed_worker_is_taken_over(cast: Cast, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    add(cast, answers(httpserver), cast.shoes)
    break_pixel(cast.shoes)
    with monkeypatch.context() as patched:
        patched.setattr("alerts.channels.posting._count", killed)  # after the request, before it is written down
        with pytest.raises(Killed):
            tasks.tell()
    start, told = timezone.now(), []
    for seconds in (15, 30, 45):  # as the scheduler has it
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            tasks.tell()
            told.append(len(received(httpserver)))

    assert told == [1, 2, 2]
    assert len({request.headers["webhook-id"] for request in received(httpserver)}) == 1


def test_a_slow_receiver_delays_no_other(cast: Cast, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody waits for one, others are posted to, and nobody else waits for it."""
    fast = answers(httpserver, path="/fast")
    others: list[int] = []

    def slow(_: Request) -> Response:
        return Response("", 200)

    add(cast, answers(httpserver, slow), cast.shoes, name="A slow one")
    add(cast, fast, cast.shoes, name="B fast one")
    break_pixel(cast.shoes)
    monkeypatch.setattr(tasks.post, "delay", lambda receiver_id: None)
    tasks.tell()
    slow_id, fast_id = (Receiver.objects.get(name__startswith=letter).pk for letter in "AB")

    def meanwhile(*args: Any, **given: Any) -> Any:
        if args[1].endswith("/hook"):
            post(slow_id)  # nothing: it is being posted to
            assert receivers_due() == [fast_id]
            post(fast_id)
            others.append(len(received(httpserver, "/fast")))
        return ask(*args, **given)

    from common.public_http import ask

    monkeypatch.setattr("alerts.channels.posting.ask", meanwhile)
    post(slow_id)

    assert others == [1]
    assert len(received(httpserver)) == 1


def test_the_host_is_told_of_every_account_that_is_open_to_it(cast: Cast, httpserver: HTTPServer) -> None:
    add(cast, answers(httpserver))
    break_pixel(cast.shoes, "Ours")
    break_pixel(cast.books, "Theirs")
    tasks.tell()

    assert [json.loads(request.data)["data"]["subject"]["name"] for request in received(httpserver)] == ["Ours"]


def test_an_account_is_told_of_itself_alone(cast: Cast, httpserver: HTTPServer) -> None:
    add(cast, answers(httpserver), cast.shoes)
    break_pixel(cast.books)
    break_pixel(PixelFactory.create().tenant)
    tasks.tell()

    assert received(httpserver) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://10.0.0.1/hook", "not on the public internet"),
        ("http://127.0.0.1:{port}/elsewhere", "Redirects are not followed."),
    ],
    ids=["private", "redirect"],
)
def test_nothing_goes_where_it_may_not(
    cast: Cast, httpserver: HTTPServer, settings: Settings, url: str, says: str
) -> None:
    hook = answers(httpserver)
    httpserver.expect_request("/elsewhere").respond_with_data("", 307, {"Location": hook})
    issued = add(cast, hook, cast.shoes)
    receiver = Receiver.objects.get(pk=issued.receiver.pk)
    receiver.url = url.format(port=httpserver.port)
    receiver.save()

    posting = try_receiver(principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, receiver_id=receiver.pk)

    assert not posting.taken
    page = get(cast.ada, "alerts:receiver", cast.shoes, receiver.pk).content.decode()
    assert says in page
    assert received(httpserver) == []


def test_the_log_quotes_no_secret(cast: Cast, httpserver: HTTPServer) -> None:
    def parrot(request: Request) -> Response:
        said = [request.url, request.path, request.headers["webhook-signature"], issued.secret]
        return Response("\n".join(said) + "x" * 1_000, 400)

    url = answers(httpserver, parrot, "/T012345678/abcdefghijkl")
    issued = add(cast, url, cast.shoes)
    posting = try_receiver(
        principal=principal_of_user(cast.ada), tenant_id=cast.shoes.pk, receiver_id=issued.receiver.pk
    )

    row = Posting.objects.get(pk=posting.pk)
    assert (row.status, row.taken, row.kind, len(row.said)) == (400, False, "test", 300)
    assert MASK in row.said
    for secret in (issued.secret, "T012345678", "abcdefghijkl", "v1,"):
        assert secret not in row.said


def test_a_failed_test_does_not_count_and_a_good_one_mends(cast: Cast, httpserver: HTTPServer) -> None:
    status = [500]
    receiver = add(cast, answers(httpserver, lambda _: Response("", status[0])), cast.shoes).receiver
    place = {"principal": principal_of_user(cast.ada), "tenant_id": cast.shoes.pk, "receiver_id": receiver.pk}
    try_receiver(**place)
    assert Receiver.objects.get().failures == 0

    Receiver.objects.update(failures=3, failing_since=timezone.now())
    status[0] = 200
    try_receiver(**place)

    assert (Receiver.objects.get().failures, Receiver.objects.get().failing_since) == (0, None)


def test_a_lost_key_costs_no_turn_of_others(cast: Cast, httpserver: HTTPServer) -> None:
    receiver = add(cast, answers(httpserver), cast.shoes).receiver
    add(cast, answers(httpserver, path="/other"), cast.shoes, name="Other")
    Receiver.objects.filter(pk=receiver.pk).update(secret=type(receiver.secret)("gAAAAAlost"))
    break_pixel(cast.shoes)
    tasks.tell()

    assert len(received(httpserver, "/other")) == 1
    page = get(cast.ada, "alerts:receiver", cast.shoes, receiver.pk).content.decode()
    assert "FIELD_ENCRYPTION_KEYS" in page


def test_the_log_is_kept_for_days_and_goes_with_its_receiver(cast: Cast, httpserver: HTTPServer) -> None:
    receiver = add(cast, answers(httpserver), cast.shoes).receiver
    for days in (13, 15):
        Posting.objects.create(
            receiver=receiver, notice_id=UUID(int=days), kind="test", at=timezone.now() - days * DAY, duration=1,
            taken=True,
        )  # fmt: skip
    prune()
    assert [row.notice_id.int for row in Posting.objects.all()] == [13]

    break_pixel(cast.shoes)
    Tenant.objects.get(pk=cast.shoes.pk).delete()

    for model in (Receiver, Posting, NoticeDelivery):
        assert not model._default_manager.exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_release_before_leaves_behind_goes(cast: Cast) -> None:
    receiver = Receiver.objects.create(tenant_id="gone4711", channel="webhook", name="x", url="x", host="x")
    Posting.objects.create(receiver=receiver, notice_id=UUID(int=1), kind="test", duration=1, taken=True)
    Receiver.objects.create(channel="slack", name="host's", url="x", host="x")
    prune()

    assert [row.name for row in Receiver.objects.all()] == ["host's"]
    assert not Posting.objects.exists()
