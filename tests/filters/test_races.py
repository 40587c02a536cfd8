"""Two updates at the same moment leave what one after the other would."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.principals import OPERATOR
from common.errors import InvalidInput
from filters.models import EventFilter
from filters.services import update_event_filter
from pixels.services import disconnect_pixel
from tests.factories import PixelFactory, TenantFactory
from tests.pixels.test_races import at_once


@pytest.mark.django_db(transaction=True)
def test_updates_for_all_pixels_and_for_single_ones_at_once_leave_one_filter_a_scope() -> None:
    tenant = TenantFactory.create()
    ids = [pixel.pixel_id for pixel in PixelFactory.create_batch(2, tenant=tenant)]

    def update(state: str, pixel_ids: list[str] | None) -> object:
        return update_event_filter(
            principal=OPERATOR, tenant_id=tenant.pk, event_name="Lead", state=state, pixel_ids=pixel_ids
        )

    results = at_once(
        lambda: update("DROP", None),
        lambda: update("PUBLISH", None),
        lambda: update("DROP", ids),
        lambda: update("PUBLISH", ids[:1]),
    )

    assert not [result for result in results if isinstance(result, Exception)]
    scopes = [row.pixel_id for row in EventFilter.objects.all()]
    assert scopes.count(None) == 1
    assert len(scopes) == len(set(scopes))


@pytest.mark.django_db(transaction=True)
def test_a_filter_for_a_pixel_that_is_disconnected_at_once_is_refused_or_goes_with_it() -> None:
    pixel = PixelFactory.create()
    where: dict[str, Any] = {"principal": OPERATOR, "tenant_id": pixel.tenant_id}

    _, updated = at_once(
        lambda: disconnect_pixel(**where, pixel_id=pixel.pixel_id),
        lambda: update_event_filter(**where, event_name="Lead", state="DROP", pixel_ids=[pixel.pixel_id]),
    )

    assert not isinstance(updated, Exception) or isinstance(updated, InvalidInput)
    assert not EventFilter.objects.exists()
