"""What accounts want of a rule: it is muted, or has another threshold."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.principals import principal_of_user
from alerts.looking import look
from alerts.models import Incident, RuleSetting
from alerts.services.rules import set_rule
from common.errors import InvalidInput, NotAuthorized
from pixels.models import Pixel
from tests.alerts.stage import MINUTE, NOW, break_waiting, open_rules, rejected
from tests.base import Cast, login
from tests.factories import OutboxRowFactory, PixelFactory

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
