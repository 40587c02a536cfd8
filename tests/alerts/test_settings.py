"""What accounts want of a rule: it is muted, or has another threshold."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.principals import principal_of_user
from alerts.looking import look
from alerts.models import Incident, Notice, Receiver, RuleSetting
from alerts.services.rules import set_rule
from common.errors import InvalidInput, NotAuthorized
from pixels.models import Pixel
from tests.alerts.stage import MINUTE, NOW, break_waiting, open_rules, rejected
from tests.base import Cast, login
from tests.factories import OutboxRowFactory, PixelFactory
from tests.pages import post, text_of

pytestmark = pytest.mark.django_db


def set_waiting(cast: Cast, pixel: Pixel | None = None, **wanted: Any) -> None:
    principal = principal_of_user(cast.max)
    given = {"muted": False, "threshold": None, **wanted}
    pixel_id = pixel.pixel_id if pixel else None
    set_rule(principal=principal, tenant_id=cast.shoes.pk, rule="waiting", pixel_id=pixel_id, **given)


def test_a_muted_rule_is_closed_and_what_is_as_before_leaves_no_row(cast: Cast) -> None:
    break_waiting(cast)
    look(NOW)
    set_waiting(cast, muted=True)
    look(NOW + MINUTE)
    assert open_rules() == []

    set_waiting(cast)
    assert not RuleSetting.objects.exists()
    assert AuditEntry.objects.filter(act="set alert rule").count() == 2


def test_a_pixels_threshold_goes_before_its_accounts(cast: Cast) -> None:
    row = OutboxRowFactory.create(pixel=PixelFactory.create(tenant=cast.shoes), received_at=NOW - 31 * MINUTE)
    set_waiting(cast, threshold=60)
    look(NOW)
    assert open_rules() == []

    set_waiting(cast, row.pixel, threshold=20)
    look(NOW + MINUTE)

    assert open_rules() == ["waiting"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"rule": "nonsense"}, "rule: must be one of"),
        ({"rule": "disk"}, "rule: must be one of"),
        ({"rule": "token", "threshold": 1}, "threshold: cannot be set"),
        ({"rule": "success", "threshold": 101}, "threshold: must be between 1 and 100."),
        ({"rule": "success", "threshold": 0}, "threshold: must be between 1 and 100."),
    ],
    ids=["unknown", "the host's", "none", "too high", "nought"],
)
def test_what_makes_no_sense_is_refused(cast: Cast, wanted: dict[str, Any], says: str) -> None:
    given = {"tenant_id": cast.shoes.pk, "muted": False, "threshold": None, **wanted}
    with pytest.raises(InvalidInput) as refused:
        set_rule(principal=principal_of_user(cast.ada), **given)

    assert refused.value.message.startswith(says)
    assert not RuleSetting.objects.exists()


@pytest.mark.parametrize("who", ["vic", "olaf"])
def test_who_may_not_change_the_account_sets_no_rule(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        set_rule(
            principal=principal_of_user(getattr(cast, who)),
            tenant_id=cast.shoes.pk, rule="waiting", muted=True, threshold=None,
        )  # fmt: skip
    assert not RuleSetting.objects.exists()


def test_staff_mute_a_rule_where_an_incident_is_and_take_that_back(cast: Cast) -> None:
    rejected(cast)
    look(NOW)
    client, incident = login(cast.hanna), Incident.objects.get()
    incidents = reverse("admin:alerts_incident_changelist")
    assert client.get(reverse("admin:alerts_incident_change", args=[incident.pk])).status_code == 200
    client.post(incidents, {"action": "mute", "_selected_action": [incident.pk]})
    look(NOW + MINUTE)
    assert open_rules() == []

    client.post(
        reverse("admin:alerts_rulesetting_changelist"),
        {"action": "reset", "_selected_action": [RuleSetting.objects.get().pk]},
    )
    look(NOW + 2 * MINUTE)

    assert open_rules() == ["token"]


@pytest.mark.parametrize(
    ("language", "wrong", "says"),
    [
        ("en", "ten", "The threshold of “Events wait too long” is not saved. Must be a whole number."),
        ("en", "20000", "The threshold of “Events wait too long” is not saved. Must be between 1 and 10080."),
        ("es", "٣", "El umbral de «Los eventos esperan demasiado» no se guardó. Debe ser un número entero."),
    ],
)
def test_a_threshold_that_is_none_is_told_at_its_own_alert(cast: Cast, language: str, wrong: str, says: str) -> None:
    cast.max.language = language
    cast.max.save()
    set_waiting(cast, muted=False, threshold=45)

    answer = post(cast.max, "alerts:rules", cast.shoes, rule="waiting", on="no", threshold=wrong)

    assert answer.status_code == 400
    assert text_of(answer).count(says) == 1
    (card,) = [row for row in answer.context["rules"] if row["refusal"]]
    assert (card["name"], card["threshold"], card["muted"]) == ("waiting", wrong, True)
    assert 'aria-describedby="refusal-waiting help-waiting" aria-invalid="true"' in answer.content.decode()
    assert (RuleSetting.objects.get().threshold, RuleSetting.objects.get().muted) == (45, False)


# --- The host's own rules ---------------------------------------------------------------------------------------------


def fill_disk(monkeypatch: pytest.MonkeyPatch, percent: int) -> None:
    usage = SimpleNamespace(total=10**12, free=(100 - percent) * 10**10)
    monkeypatch.setattr("alerts.rules.instance.shutil.disk_usage", lambda path: usage)


def set_disk(cast: Cast, **wanted: Any) -> Any:
    return login(cast.hanna).post(
        reverse("host:rules"), {"rule": "disk", "on": "yes", "threshold": "", **wanted}, follow=True
    )


def test_the_host_sets_the_threshold_of_its_own_rule_and_mutes_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch, 85)
    look(NOW)
    assert open_rules() == []

    assert set_disk(cast, threshold="80").status_code == 200
    look(NOW + MINUTE)
    assert open_rules() == ["disk"]

    set_disk(cast, on="no", threshold="80")
    look(NOW + 2 * MINUTE)
    assert open_rules() == []
    assert not Notice.objects.filter(kind="closed").exists()  # muted without a word

    set_disk(cast)
    assert not RuleSetting.objects.exists()
    entry = AuditEntry.objects.filter(act="set alert rule").order_by("pk").first()
    assert entry
    assert (entry.tenant_id, entry.subject, entry.changes) == (None, "disk the host", {"threshold": [None, 80]})


def test_the_hosts_page_shows_its_rules_and_no_accounts(cast: Cast) -> None:
    set_disk(cast, threshold="75")
    page = login(cast.hanna).get(reverse("host:rules")).content.decode()

    assert 'value="75"' in page
    for label in (
        "Disk nearly full",
        "Events of all accounts wait",
        "The scheduler stood still",
        "API account expires",
    ):
        assert label in page
    assert "Access token rejected" not in page
    assert "Quiet hours" not in page


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"threshold": "100"}, "The threshold of “Disk nearly full” is not saved. Must be between 1 and 99."),
        ({"threshold": "0"}, "The threshold of “Disk nearly full” is not saved. Must be between 1 and 99."),
        ({"threshold": "9" * 5_000}, "The threshold of “Disk nearly full” is not saved. Must be between 1 and 99."),
        ({"threshold": "x"}, "The threshold of “Disk nearly full” is not saved. Must be a whole number."),
        ({"threshold": "5", "rule": "waiting"}, "Must be one of disk, queue, scheduler, api_account, receiver."),
        ({"threshold": "5", "rule": "receiver"}, "Cannot be set: this rule has none."),
    ],
)
def test_what_makes_no_sense_for_the_host_is_refused(cast: Cast, wanted: dict[str, str], says: str) -> None:
    client, page = login(cast.hanna), reverse("host:rules")
    given = {"rule": "disk", "on": "yes", **wanted}
    answer: Any = client.post(page, given, follow=True, headers={"Referer": f"http://testserver{page}"})

    assert says in text_of(answer)
    assert not RuleSetting.objects.exists()


@pytest.mark.parametrize("who", ["vera", "milo", "ada"])
def test_only_the_hosts_admins_set_them(cast: Cast, who: str) -> None:
    with pytest.raises(NotAuthorized):
        set_rule(
            principal=principal_of_user(getattr(cast, who)), tenant_id=None, rule="disk", muted=True, threshold=None
        )
    assert not RuleSetting.objects.exists()


def test_what_the_host_sets_for_its_channels_leaves_those_of_accounts_alone(cast: Cast) -> None:
    set_rule(principal=principal_of_user(cast.hanna), tenant_id=None, rule="receiver", muted=True, threshold=None)
    for tenant in (None, cast.shoes):
        Receiver.objects.create(
            tenant=tenant, channel="slack", name="x", url="https://x.io", host="x.io", disabled_at=NOW
        )
    look(NOW)

    assert [each.tenant_id for each in Incident.objects.filter(rule="receiver")] == [cast.shoes.pk]


def test_staff_mute_a_rule_of_the_instance_where_its_incident_is(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch, 95)
    look(NOW)
    incidents = reverse("admin:alerts_incident_changelist")
    login(cast.hanna).post(incidents, {"action": "mute", "_selected_action": [Incident.objects.get().pk]})
    look(NOW + MINUTE)

    assert open_rules() == []
    assert RuleSetting.objects.get().tenant_id is None
