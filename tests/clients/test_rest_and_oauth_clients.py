"""A client that openapi-python-client makes, and requests-oauthlib, against a running portal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from accounts.principals import OPERATOR
from accounts.services.api_accounts import IssuedApiAccount, create_api_account
from events.models import OutboxRow
from pixels.models import Pixel
from tests.base import Cast, bearer, make_cast
from tests.clients.packages import FOLDER
from tests.factories import PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def pixel(cast: Cast) -> Pixel:
    return PixelFactory.create(tenant=cast.shoes)


@pytest.fixture
def partner(cast: Cast) -> IssuedApiAccount:
    return create_api_account(principal=OPERATOR, name="Partner")


@pytest.fixture
def gateway(tmp_path: Path, pixel: Pixel, partner: IssuedApiAccount) -> Iterator[str]:
    with Instance(tmp_path, "http://127.0.0.1:1") as instance:
        url = instance.environment["BASE_URL"] = f"http://localhost:{instance.port}"
        instance.start_web()
        yield url


# --- The description of the REST API ---------------------------------------------------------------------------------


def test_a_client_that_is_made_of_the_description_works(gateway: str, cast: Cast, pixel: Pixel, tmp_path: Path) -> None:
    generate = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--fail-on-warning"]
    where = ["--url", f"{gateway}/api/openapi.json", "--meta", "none", "--output-path", "gateway_client"]
    # It formats what it makes with ruff, which is beside this Python, and warns where it finds none.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*generate, *where], check=True, cwd=tmp_path, timeout=120, env={**os.environ, "PATH": path})

    ask = [sys.executable, str(FOLDER / "openapi_client.py"), gateway, bearer(cast.robot), pixel.pixel_id]
    said = subprocess.run(ask, check=True, capture_output=True, env={"PYTHONPATH": str(tmp_path)}, timeout=60)

    got: dict[str, Any] = json.loads(said.stdout)
    assert got["health"] == {"status": "ok"}
    assert got["usage"] == [200, {"usage": []}]
    assert (got["usage of a stranger"][0], got["usage of a stranger"][1]["error"]["code"]) == (401, 401)
    assert (got["usage since no day"][0], got["usage since no day"][1]["error"]["field"]) == (400, "from")
    assert (got["sent"][0], got["sent"][1]["events_received"]) == (202, 1)
    assert got["sent too late"][0] == 400
    assert "event_time" in got["sent too late"][1]["error"]["message"]
    assert OutboxRow.objects.get().pixel == pixel


# --- OAuth -----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.mark.parametrize("scope", [None, ["agency-admin"], ["read", "write"]])
@pytest.mark.parametrize("by_header", [True, False])
def test_requests_oauthlib_gets_uses_and_ends_a_token(
    gateway: str, partner: IssuedApiAccount, scope: list[str] | None, by_header: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if scope == ["read", "write"]:
        monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # else a scope that differs is an error
    client = BackendApplicationClient("Partner", scope=scope)
    session = OAuth2Session(client=client)
    found = session.get(f"{gateway}/.well-known/oauth-authorization-server", withhold_token=True).json()
    auth = HTTPBasicAuth("Partner", partner.secret)
    given: dict[str, Any] = (
        {"auth": auth} if by_header else {"client_secret": partner.secret, "include_client_id": True}
    )

    token = session.fetch_token(found["token_endpoint"], **given)

    def ask() -> Any:
        return session.post(f"{gateway}/hub/graphql/", json={"query": "{ viewer { apiAccount } }"}).status_code

    def is_active() -> bool:
        about = {"token": token["access_token"]}
        return bool(
            session.post(found["introspection_endpoint"], about, auth=auth, withhold_token=True).json()["active"]
        )

    assert (ask(), is_active()) == (200, True)
    address, headers, body = client.prepare_token_revocation_request(
        found["revocation_endpoint"], token["access_token"], "access_token"
    )
    assert session.post(address, body, headers=headers, auth=auth, withhold_token=True).status_code == 200
    assert (ask(), is_active()) == (401, False)


def test_requests_oauthlib_reads_a_refusal(gateway: str) -> None:
    session = OAuth2Session(client=BackendApplicationClient("Partner"))

    with pytest.raises(InvalidClientError, match="unknown, or the secret is wrong"):
        session.fetch_token(f"{gateway}/clients/token", auth=HTTPBasicAuth("Partner", "wrong"))
