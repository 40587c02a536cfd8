"""The pages of alerts: what is wrong, what to do, and for whom there is a button."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant, User
from accounts.principals import principal_of_user
from alerts.looking import look
from alerts.models import Incident, Notice, NoticeDelivery, RuleName, RuleSetting
from alerts.remedies import shown
from alerts.telling import tell
from alerts.words import describe
from events.models import DestinationLane
from pipelines.ids import DESTINATION, id_of
from pixels.models import Pixel
from tests.base import Cast, login
from tests.factories import DestinationFactory, PixelFactory, SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes, name="Shop")


def incident(rule: RuleName, pixel: Pixel | None = None, **values: Any) -> Incident:
    subject = f"pixel {pixel.pixel_id}" if pixel else "instance"
    return Incident.objects.create(
        rule=rule,
        subject=subject,
        pixel=pixel,
        tenant=pixel.tenant if pixel else None,
        facts={"name": pixel.name if pixel else "", "minutes": 40},
        **values,
    )


def text(user: User, name: str, tenant: Tenant | None = None) -> str:
    answer = login(user).get(reverse(name, query={"tenant": tenant.pk} if tenant else None))
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_account_sees_what_is_wrong_what_to_do_and_what_closed_of_late(cast: Cast, pixel: Pixel) -> None:
    incident(RuleName.WAITING, pixel)
    incident(RuleName.TOKEN, pixel, closed_at=timezone.now() - timedelta(days=1))
    incident(RuleName.SILENCE, pixel, closed_at=timezone.now() - timedelta(days=8))

    page = text(cast.ada, "alerts:incidents", cast.shoes)

    assert "Events of Shop wait for 40 minutes." in page
    assert "See on the pixel&#x27;s page what they wait for." in page
    opened, closed = page.split("Recently closed")
    assert "Access token rejected" not in opened
    assert "Access token rejected" in closed
    assert "No events come" not in page


def test_the_bell_counts_what_is_open_in_the_account_in_view(cast: Cast, pixel: Pixel) -> None:
    bell = "Open: </span>{}</span>"
    assert "Open: " not in text(cast.ada, "pixels:list", cast.shoes)

    incident(RuleName.WAITING, pixel)
    incident(RuleName.TOKEN, pixel, closed_at=timezone.now())
    incident(RuleName.DISK)

    assert bell.format(1) in text(cast.ada, "pixels:list", cast.shoes)
    assert bell.format(2) in text(cast.hanna, "accounts:list")


def test_one_click_helps_whoever_may_click(cast: Cast, pixel: Pixel) -> None:
    incident(RuleName.WAITING, pixel)
    button = reverse("pixels:retry", args=[pixel.pixel_id])

    assert button in text(cast.max, "alerts:incidents", cast.shoes)
    assert button in text(cast.hanna, "host:incidents")
    for looker, page in ((cast.vic, ("alerts:incidents", cast.shoes)), (cast.vera, ("host:incidents", None))):
        assert button not in text(looker, *page)

    answer = login(cast.max).post(f"{button}?tenant={cast.shoes.pk}", follow=True)
    assert "tries to send the waiting events" in answer.content.decode()


def test_one_click_resumes_a_held_destination(cast: Cast) -> None:
    destination = DestinationFactory.create(tenant=cast.shoes, name="Books")
    DestinationLane.objects.create(destination=destination, held=True, code="401", message="no")
    look()
    button = reverse("pipelines:resume_destination", args=[id_of(DESTINATION, destination.uuid)])
    assert button in text(cast.hanna, "host:incidents")
    assert button not in text(cast.vera, "host:incidents")

    answer = login(cast.hanna).post(f"{button}?tenant={cast.shoes.pk}", follow=True)
    look()

    assert "tries to send the waiting events of Books now" in answer.content.decode()
    assert not Incident.objects.filter(closed_at=None, rule="destination").exists()


def test_each_remedy_leads_to_a_page_that_is_there(cast: Cast) -> None:
    pixel, source = PixelFactory.create(tenant=cast.shoes), SourceFactory.create(tenant=cast.shoes)
    destination = DestinationFactory.create(tenant=cast.shoes)
    subjects = {
        "pixel": (pixel.pixel_id, ["token", "silence", "waiting", "success", "refused", "registration"]),
        "source": (source.source_id, ["refused"]),
        "destination": (str(destination.uuid), ["destination", "waiting", "success"]),
        "domain": (cast.shoes.pk, ["domain"]),
    }
    for kind, (name, rules) in subjects.items():
        for rule in rules:
            Incident.objects.create(tenant=cast.shoes, rule=rule, subject=f"{kind} {name}")
    of_api_account = Incident.objects.create(rule="api_account", subject="api_account Till")
    assert reverse("host:api_accounts") in text(cast.hanna, "host:incidents")

    client = login(cast.hanna)
    for one in Incident.objects.exclude(pk=of_api_account.pk):
        told = shown(principal_of_user(cast.hanna), one)
        assert client.get(told.words.path).status_code == 200, one
        if told.act:
            assert client.post(told.act, follow=True).status_code == 200, one


def test_the_host_sees_the_worst_of_all_accounts_first_and_nothing_of_those_closed_to_it(
    cast: Cast, pixel: Pixel
) -> None:
    own = PixelFactory.create(tenant=cast.books, name="Closed shop")
    incident(RuleName.WAITING, pixel)
    incident(RuleName.TOKEN, pixel)
    incident(RuleName.DISK)
    incident(RuleName.TOKEN, own)

    page = text(cast.hanna, "host:incidents")

    places = [page.index(title) for title in ("Disk nearly full", "Access token rejected", "Events wait too long")]
    assert places == sorted(places)
    assert "Closed shop" not in page


def test_the_list_of_accounts_names_the_cause_and_leads_to_it(cast: Cast, pixel: Pixel) -> None:
    incident(RuleName.SILENCE, pixel)
    incident(RuleName.SILENCE, PixelFactory.create(tenant=cast.shoes))
    incident(RuleName.SUCCESS, pixel)
    incident(RuleName.DISK)

    page = text(cast.hanna, "accounts:list")

    assert page.count("No events come (2)") == 1
    assert f'href="{reverse("alerts:incidents")}?tenant={cast.shoes.pk}"' in page
    assert f'href="{reverse("pixels:dead_letters", args=[pixel.pixel_id])}?tenant={cast.shoes.pk}"' in page


def test_a_notice_about_the_instance_leads_to_the_hosts_list(db: None) -> None:
    assert describe(incident(RuleName.DISK)).path == reverse("host:incidents")


def test_made_up_people_get_no_mail_from_a_mail_server(
    cast: Cast, pixel: Pixel, settings: Any, monkeypatch: Any
) -> None:
    Notice.objects.create(incident=incident(RuleName.WAITING, pixel))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    sent: list[str] = []
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda message: sent.extend(message.to))
    User.objects.filter(pk=cast.ada.pk).update(email="ada@shoes.io")

    tell()

    assert sent == ["ada@shoes.io"]
    assert NoticeDelivery.objects.get().told_at is not None


def test_a_rule_is_muted_for_a_pixel_and_a_threshold_that_is_none_is_refused(cast: Cast, pixel: Pixel) -> None:
    path = reverse("alerts:rules", query={"tenant": cast.shoes.pk, "of": pixel.pixel_id})
    max_ = login(cast.max)
    max_.post(path, {"rule": "waiting", "on": "no", "threshold": "45"})

    setting = RuleSetting.objects.get()
    assert (setting.pixel_id, setting.muted, setting.threshold) == (pixel.pk, True, 45)
    assert 'value="45"' in max_.get(path).content.decode()

    for wrong in ("a", "-1", "0", "9" * 30):
        max_.post(path, {"rule": "waiting", "on": "yes", "threshold": wrong})
    max_.post(path, {"rule": "disk", "on": "no", "threshold": ""})
    setting.refresh_from_db()
    assert (setting.muted, setting.threshold, RuleSetting.objects.count()) == (True, 45, 1)

    max_.post(path, {"rule": "waiting", "on": "yes", "threshold": ""})
    assert not RuleSetting.objects.exists()
