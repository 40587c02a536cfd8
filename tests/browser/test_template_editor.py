"""The page on which an HTTP destination's template is written: what is wrong, and what would be sent."""

from __future__ import annotations

from playwright.sync_api import expect

from pipelines.models import Destination
from tests.base import Cast
from tests.browser.conftest import Open
from tests.pages import address
from tests.stage import make_stage

PASSWORD = "canary"  # nobody's


def test_a_template_is_tried_before_it_is_saved(cast: Cast, visit: Open) -> None:
    stage = make_stage(cast.shoes)
    browser = visit(cast.max)
    browser.expect_status(400)
    browser.open(address("pipelines:configure_http", stage.tenant, stage.destination_id))
    page = browser.page
    page.get_by_label("Endpoint").fill("https://example.com/events")
    expect(page.get_by_label("User name and password, as")).to_be_hidden()
    page.get_by_label("Authentication").select_option("BASIC")
    for name, outcome in (
        ("event_nam", "Line 2: event_nam is no parameter of events."),
        ("event_name", '["Purchase"]'),
    ):
        page.get_by_label("User name and password, as").fill(f"shop:{PASSWORD}")
        page.get_by_label("Template").fill(f"[{{% for event in events -%}}\n{{{{ {name} }}}}{{%- endfor %}}]")
        page.get_by_role("button", name="Preview").click()

        expect(page.get_by_role("main")).to_contain_text(outcome)
        assert PASSWORD not in page.content()
        assert browser.violations() == []
        assert browser.wider_than(390) == []
    assert Destination.objects.get(pk=stage.destination.pk).settings == {}
