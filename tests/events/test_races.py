"""Events that come and go while their pixel, their token or their account changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Event as Flag
from typing import Any

import pytest
from django.db.models import Sum
from pytest_django import Settings

from accounts.models import UsageSnapshot
from accounts.principals import OPERATOR
from accounts.services.tenants import delete_tenant
from events.delivery.publishing import drain
from events.figures.usage import refresh_usage
from events.models import Counter, DeadLetter, DeliveryBatch, DeliveryKey, DisconnectedUsage, Lane, OutboxRow
from events.sandbox import Sandbox
from events.sandbox.app import SandboxResponse
from events.sandbox.server import serve
from pixels.services import connect_pixel, disconnect_pixel, regenerate_access_key
from tests.base import tenant
from tests.events.logged import logged
from tests.events.outbox import again, counted, is_balanced, lane, purchases, put
from tests.events.sending import purchase, send
from tests.factories import PixelFactory
from tests.pixels.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 2


def while_running(act: Callable[[], Any], *others: Callable[[], Any]) -> list[list[Any]]:
    """Act once in the middle of the others, which go on until a moment after; what each of them returned."""
    over = Flag()

    def repeat(call: Callable[[], Any]) -> list[Any]:
        results = [call()]
        while not over.is_set() or len(results) < 5:
            time.sleep(0.005)  # SQLite knows no queue of writers: without a pause, some would never have their turn
            results.append(call())
        return results

    def interrupt() -> None:
        time.sleep(0.1)
        try:
            act()
            time.sleep(0.1)
        finally:
            over.set()

    _, *results = at_once(interrupt, *(lambda call=call: repeat(call) for call in others))
    return results


@pytest.mark.parametrize("removed", ["account", "pixel"] * ROUNDS)
def test_what_is_deleted_while_its_events_come_and_go_leaves_nothing(sandbox: Sandbox, removed: str) -> None:
    shoes, books = tenant("Shoes"), tenant("Books")
    pixel, other = PixelFactory.create(tenant=shoes), PixelFactory.create(tenant=books)

    def remove() -> None:
        if removed == "account":
            delete_tenant(principal=OPERATOR, tenant_id=shoes.pk)
        else:
            disconnect_pixel(principal=OPERATOR, tenant_id=shoes.pk, pixel_id=pixel.pixel_id)

    sent, sent_too, beside, _, _ = while_running(
        remove,
        lambda: send(pixel, purchase()).status,
        lambda: send(pixel, purchase()).status,
        lambda: send(other, purchase()).status,
        lambda: drain(pixel.pk),
        refresh_usage,
    )

    for statuses in (sent, sent_too):
        assert set(statuses) <= {202, 404}
        assert statuses[-1] == 404
    assert set(beside) == {202}
    for model in (OutboxRow, Counter, DeadLetter, Lane):
        assert not model.objects.filter(pixel_id=pixel.pk).exists(), model
    assert logged(pixel) == []
    assert not DeliveryKey.objects.exclude(batch__in=DeliveryBatch.objects.values("pk")).exists()
    # What a disconnected pixel has received is billed all the same; an account's goes with it.
    billed = DisconnectedUsage.objects.filter(tenant_id=shoes.pk).aggregate(events=Sum("received", default=0))
    assert billed["events"] <= ([*sent, *sent_too].count(202) if removed == "pixel" else 0)
    drain(other.pk)
    assert counted(other) == {"received": len(beside), "published": len(beside)}


class Choosy(Sandbox):
    """Takes a pixel's new token alone, and thinks before it refuses another."""

    good = "EAAnew"

    def post_events(self, version: str, pixel_id: str, payload: Mapping[str, Any]) -> SandboxResponse:
        if payload.get("access_token") != self.good:
            time.sleep(0.05)
            return SandboxResponse(401, {"error": {"message": "Expired", "type": "OAuthException", "code": 190}})
        return super().post_events(version, pixel_id, payload)


@pytest.fixture
def choosy(settings: Settings) -> Iterator[Choosy]:
    sandbox = Choosy()
    with serve(sandbox) as url:
        settings.GRAPH_API_URL = url
        yield sandbox


@pytest.mark.parametrize("wait", [number * 0.02 for number in range(4)])
def test_the_late_failure_of_an_old_token_does_not_hold_the_new_one(choosy: Choosy, wait: float) -> None:
    pixel = PixelFactory.create()
    put(pixel, *purchases(3))

    def replace() -> None:
        time.sleep(wait)
        connect_pixel(
            principal=OPERATOR,
            tenant_id=pixel.tenant_id,
            pixel_id=pixel.pixel_id,
            business_id="1",
            access_token=choosy.good,
        )

    at_once(lambda: drain(pixel.pk), replace)

    pixel.refresh_from_db()
    assert (pixel.bad_token, pixel.api_error_code, lane(pixel).held) == (False, None, False)
    again(pixel)
    assert counted(pixel)["published"] == 3
    assert is_balanced(pixel)


def test_two_new_tokens_at_once_let_the_events_go(choosy: Choosy) -> None:
    """One wins; which, nobody can say: the pixel's state is true of it."""
    pixel = PixelFactory.create()
    put(pixel, *purchases(3))
    where: dict[str, Any] = {
        "principal": OPERATOR,
        "tenant_id": pixel.tenant_id,
        "pixel_id": pixel.pixel_id,
        "business_id": "1",
    }

    at_once(
        lambda: connect_pixel(**where, access_token=choosy.good),
        lambda: connect_pixel(**where, access_token="EAAold"),
        lambda: drain(pixel.pk),
    )
    put(pixel, *purchases(1))
    again(pixel)

    pixel.refresh_from_db()
    works = pixel.access_token.reveal() == choosy.good
    assert (pixel.bad_token, lane(pixel).held) == (not works, not works)
    assert is_balanced(pixel)


def test_a_new_access_key_while_events_come_ends_the_old_one() -> None:
    pixel = PixelFactory.create(require_access_key=True)
    old = pixel.access_key

    def rotate() -> None:
        regenerate_access_key(principal=OPERATOR, tenant_id=pixel.tenant_id, pixel_id=pixel.pixel_id)

    (statuses, more) = while_running(rotate, *[lambda: send(pixel, purchase(), accessKey=old).status] * 2)

    for each in (statuses, more):
        assert set(each) <= {202, 401}
        assert each == sorted(each), "the old key was taken again after it was refused"
    assert send(pixel, purchase(), accessKey=old).status == 401
    pixel.refresh_from_db()
    assert send(pixel, purchase(), accessKey=pixel.access_key).status == 202
    assert OutboxRow.objects.count() == [*statuses, *more].count(202) + 1


def test_usage_that_is_refreshed_twice_at_once_is_right(sandbox: Sandbox) -> None:
    pixels = [PixelFactory.create(tenant=tenant(f"Account {number}")) for number in range(20)]
    for pixel in pixels:
        put(pixel, *purchases(2))
        drain(pixel.pk)

    at_once(*[refresh_usage] * 4, *(lambda pixel=pixel: drain(pixel.pk) for pixel in pixels[:4]))

    assert set(UsageSnapshot.objects.values_list("total_events_received", "total_pixels_with_traffic")) == {(2, 1)}


def test_an_account_that_is_deleted_while_usage_is_refreshed_is_gone(sandbox: Sandbox) -> None:
    accounts = [tenant(f"Account {number}") for number in range(6)]
    for account in accounts:
        pixel = PixelFactory.create(tenant=account)
        put(pixel, *purchases(2))
        drain(pixel.pk)

    at_once(
        *(lambda account=account: delete_tenant(principal=OPERATOR, tenant_id=account.pk) for account in accounts[:3]),
        *[refresh_usage] * 3,
    )

    assert set(UsageSnapshot.objects.values_list("tenant_id", "total_events_received")) == {
        (account.pk, 2) for account in accounts[3:]
    }
