"""The staff's pages: nothing of the theme is refused by the policy, asks another host, or keeps anybody out."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from tests.base import Cast
from tests.browser.conftest import Open
from tests.factories import DeadLetterFactory, PixelFactory

#: simplebar, which the theme scrolls with, gives every scrolled part the same name.
THEIRS = ("landmark-unique",)
PATHS = (
    "/admin/",
    "/admin/accounts/tenant/",
    "/admin/accounts/tenant/add/",
    "/admin/accounts/membership/add/",
    "/admin/accounts/auditentry/",
    "/admin/accounts/apiaccount/add/",
    "/admin/events/deadletter/",
    "/admin/pixels/pixel/",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wrong_with_staffs_pages(cast: Cast, visit: Open, theme: str, subtests: pytest.Subtests) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes)
    DeadLetterFactory.create(pixel=pixel)
    AuditEntry.objects.create(actor="Ada", act="connect pixel", subject="1")
    staff = visit(cast.hanna, color_scheme=theme)
    for path in (*PATHS, f"/admin/pixels/pixel/{pixel.pk}/change/", f"/admin/accounts/tenant/{cast.shoes.pk}/change/"):
        with subtests.test(path):
            staff.open(path)
            assert staff.violations(but=THEIRS) == []
