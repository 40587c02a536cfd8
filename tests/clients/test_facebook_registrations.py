"""Meta's Business SDK, told that the sandbox is the Graph API: the sandbox's edge for registrations is Meta's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from facebook_business.adobjects.adspixel import AdsPixel
from facebook_business.adobjects.business import Business
from facebook_business.adobjects.openbridgeconfiguration import OpenBridgeConfiguration
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from events.registration.edge import Edge
from events.sandbox import Sandbox
from events.sandbox.server import serve

pytestmark = pytest.mark.slow


@pytest.fixture
def sandbox(settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        monkeypatch.setattr(FacebookSession, "GRAPH", url)
        settings.GRAPH_API_URL = url  # type: ignore[attr-defined]
        FacebookAdsApi.init(access_token="good", crash_log=False)
        yield sandbox


def test_the_sdk_makes_lists_changes_and_deletes(sandbox: Sandbox) -> None:
    made = Business("9").create_open_bridge_configuration(
        params={"pixel_id": 17, "endpoint": "https://a.example.com", "active": True, "blocked_websites": ["a.com"]}
    )
    (listed,) = AdsPixel("17").get_open_bridge_configurations(fields=["id", "endpoint", "active", "blocked_websites"])
    assert (listed["id"], listed["endpoint"]) == (made["id"], "https://a.example.com")
    assert (listed["active"], listed["blocked_websites"]) == (True, ["a.com"])

    OpenBridgeConfiguration(made["id"]).api_update(params={"active": False})
    assert sandbox.registrations.of_pixel("17")[0]["active"] is False

    OpenBridgeConfiguration(made["id"]).api_delete()
    assert sandbox.registrations.all() == []


def test_the_sdk_reads_what_the_portal_has_registered(sandbox: Sandbox) -> None:
    node = Edge("v24.0", "good").create("9", {"pixel_id": "17", "endpoint": "https://b.example.com", "active": False})

    (listed,) = Business("9").get_open_bridge_configurations(fields=["id", "pixel_id", "endpoint", "active"])

    assert dict(listed) == {
        **sandbox.registrations.of_pixel("17")[0],
        "id": node,
        "endpoint": "https://b.example.com",
        "active": False,
    }


def test_the_sdk_understands_a_refusal(sandbox: Sandbox) -> None:
    FacebookAdsApi.init(access_token="forbidden", crash_log=False)

    with pytest.raises(FacebookRequestError) as refusal:
        Business("9").create_open_bridge_configuration(params={"pixel_id": 17})
    assert refusal.value.api_error_code() == 200
