"""The chart of traffic: browsers and servers together, or each."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from events.models import Road
from pixels.models import Pixel
from tests.base import Cast
from tests.browser.conftest import Open
from tests.events.counted import count
from tests.factories import PixelFactory


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    pixel = PixelFactory.create(tenant=cast.shoes)
    count(pixel, timezone.now(), n=30)
    count(pixel, timezone.now(), n=70_000, road=Road.BROWSER)
    return pixel


def test_browsers_and_servers_are_shown_apart_without_a_script(cast: Cast, visit: Open, pixel: Pixel) -> None:
    vic = visit(cast.vic, java_script_enabled=False)
    vic.open("/hub/capig/", cast.shoes)
    vic.page.get_by_role("link", name="Browser and server").click()
    for title, counted in (("Received", ["70,000", "30"]), ("Sent", ["0", "0"])):
        vic.page.get_by_text(f"Show as a table: {title}").click()
        now = vic.page.get_by_role("table", name=title).get_by_role("row", name="so far")
        expect(now.get_by_role("cell")).to_have_text(counted)

    vic.page.get_by_role("link", name="Together").click()
    vic.page.get_by_text("Show as a table").click()
    expect(vic.page.get_by_role("row", name="so far").get_by_role("cell")).to_have_text(["70,030", "0"])


def test_roads_are_told_apart_by_colour_and_without_colour(cast: Cast, visit: Open, pixel: Pixel) -> None:
    vic = visit(cast.vic)
    vic.open(f"/hub/capig/pixels/{pixel.pixel_id}/", cast.shoes)
    vic.page.get_by_role("link", name="Browser and server").click()
    charts = vic.page.get_by_role("img", name="Events received and sent, last 24 hours")
    expect(charts).to_have_count(2)

    looks = """canvas => {
        const chart = window.Chart.getChart(canvas);
        const lines = chart.data.datasets.map((line) => [line.label, line.borderColor, String(line.borderDash)]);
        return [lines, chart.legend.legendItems.map((item) => String(item.lineDash)), chart.scales.y.max];
    }"""
    for canvas in charts.all():
        lines, legend, highest = canvas.evaluate(looks)
        assert [label for label, *_ in lines] == ["Browser", "Server"]
        assert len({colour for _, colour, _ in lines}) == 2
        assert legend == [dash for *_, dash in lines] == ["6,4", ""]
        assert highest >= 70_000  # of what was sent, too, of which there is nothing: one scale


@pytest.mark.parametrize(
    ("locale", "theme", "name"),
    [("en-GB", "light", "Browser and server"), ("es-ES", "dark", "Navegador y servidor")],
)
def test_what_is_shown_apart_is_fit_for_everybody_and_for_phones(
    cast: Cast, visit: Open, pixel: Pixel, locale: str, theme: str, name: str
) -> None:
    vic = visit(cast.vic, locale=locale, color_scheme=theme)
    for path in ("/hub/capig/", f"/hub/capig/pixels/{pixel.pixel_id}/"):
        vic.open(path, cast.shoes)
        vic.page.get_by_role("link", name=name).click()
        vic.page.wait_for_url("**by=road**")
        for table in vic.page.locator("#traffic-received-table, #traffic-sent-table").all():
            table.locator("summary").click()

        assert vic.violations() == []
        assert vic.wider_than(390) == []
