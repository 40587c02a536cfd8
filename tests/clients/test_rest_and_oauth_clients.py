"""A client that openapi-python-client makes, and requests-oauthlib, against a running portal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from events.models import OutboxRow
from tests.base import Cast, bearer, make_cast
from tests.factories import PixelFactory
from tests.instance import Instance

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: Asks through the generated package: with a token, without one, and with a day that is none.
ASKS = """
import json, sys
from gateway_portal_client import AuthenticatedClient, Client
from gateway_portal_client.api.default import {healthz}, {usage}

url, token = sys.argv[1:]
signed_in = AuthenticatedClient(base_url=url, token=token)
print(json.dumps([
    {healthz}.sync_detailed(client=Client(base_url=url)).status_code,
    *(answer.status_code for answer in (
        {usage}.sync_detailed(client=signed_in, **{{"from_": "2026-03-01", "to": "2026-03-02"}}),
        {usage}.sync_detailed(client=AuthenticatedClient(base_url=url, token="x"), **{{"from_": "2026-03-01", "to": "2026-03-02"}}),
        {usage}.sync_detailed(client=signed_in, **{{"from_": "no day", "to": "2026-03-02"}}),
    )),
]))
"""


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def gateway(tmp_path: Path, cast: Cast) -> Iterator[str]:
    with Instance(tmp_path, "http://127.0.0.1:1") as instance:
        instance.start_web()
        yield instance.url


def test_a_generated_client_reads_the_portal(gateway: str, cast: Cast, tmp_path: Path) -> None:
    made = tmp_path / "made"
    subprocess.run(
        [
            *(str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--meta", "none"),
            *("--url", f"{gateway}/api/openapi.json", "--output-path", str(made / "gateway_portal_client")),
            "--fail-on-warning",
        ],
        check=True,
        cwd=tmp_path,
    )
    print(sorted(str(p.relative_to(made)) for p in made.rglob("*.py")))
    raise SystemExit
