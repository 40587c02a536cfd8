"""Somebody who may only look: there is nothing to press, and what is posted all the same is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.addresses import address
from tests.base import Cast, snapshot
from tests.browser.conftest import Open
from tests.permissions.test_pages import PAGES, RIGHTS
from tests.stage import make_stage

ABOUT_ACCOUNTS = [page for page in PAGES if (page.rights["GET"] or page.rights["POST"], "managed") in RIGHTS]
LOOK = [page.name for page in ABOUT_ACCOUNTS if page.rights["GET"] == "look"]
ACTS = [page.name for page in ABOUT_ACCOUNTS if page.rights["POST"]]

_POST = """async path => {
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    return (await fetch(path, {method: "POST", headers: {"X-CSRFToken": token}})).status;
}"""


def test_a_view_only_user_can_change_nothing(cast: Cast, visit: Open, subtests: pytest.Subtests) -> None:
    stage = make_stage(cast.shoes)
    people: Any = (stage.pixel, stage.member.pk, stage.host_member.pk)
    acts = [address(name, *people) for name in ACTS]
    vic = visit(cast.vic)
    vic.expect_status(403)
    for name in LOOK:
        with subtests.test(name):
            vic.open(address(name, *people))
            main = vic.page.get_by_role("main")
            assert main.locator("form[method=post]").count() == 0
            links = main.locator("a").evaluate_all("links => links.map(link => link.pathname)")
            assert set(links) & {path.partition("?")[0] for path in acts} == set()
    before = snapshot()
    for path in acts:
        with subtests.test(path):
            assert vic.page.evaluate(_POST, path) == 403
    assert snapshot() == before
