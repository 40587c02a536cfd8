"""The real Caddy, as docs/behind-a-proxy.md sets it up, gets a new account's domain its certificate by itself."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import IngressDomain
from accounts.principals import OPERATOR
from accounts.services.routing import DnsAnswer, DnsOutcome, upsert_ingress_domain
from tests.base import make_cast
from tests.instance import Instance, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed"),
]
DOCS = Path(__file__).resolve().parents[2] / "docs/behind-a-proxy.md"
OWN = "events.shoes.example.com"


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[int]:
    """The port at which Caddy speaks https; its own authority stands in for a public one."""
    port = free_port()
    with Instance(
        tmp_path, "http://127.0.0.1:9", BASE_URL="https://gateway.example.com", TRUSTED_PROXIES="127.0.0.1"
    ) as portal:
        portal.start_web()
        found = re.search(r"```caddyfile\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
        assert found
        options = ("admin off", "local_certs", "skip_install_trust", f"http_port {free_port()}", f"https_port {port}")
        here = "".join(["{\n", *(f"    {option}\n" for option in options)])
        config = tmp_path / "Caddyfile"
        config.write_text(found[1].replace("{\n", here, 1).replace("127.0.0.1:8000", f"127.0.0.1:{portal.port}"))
        command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
        home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        with (tmp_path / "caddy.log").open("wb") as log:
            caddy = subprocess.Popen(command, env=home | {"PATH": "/usr/bin:/bin"}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 20
            while ask(port, "gateway.example.com", "/healthz") != 200:
                assert time.monotonic() < deadline, (tmp_path / "caddy.log").read_text()
                time.sleep(0.2)
            yield port
        finally:
            caddy.kill()
            caddy.wait()


def ask(port: int, domain: str, path: str) -> int | None:
    """The status of the answer; None where there is no certificate for the domain."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=domain) as connection,
        ):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(4_096).split()[1])
    except (ssl.SSLError, ConnectionError):
        return None


def test_a_new_accounts_domain_gets_its_certificate_without_a_touch_of_the_server(proxy: int) -> None:
    cast = make_cast()
    assert ask(proxy, OWN, "/capi/17/events") is None

    domain = upsert_ingress_domain(
        principal=OPERATOR,
        tenant_id=cast.shoes.pk,
        ingress=OWN,
        target_domain="gateway.example.com",
        look_up=lambda _: DnsAnswer(DnsOutcome.CNAME, "gateway.example.com"),
    ).domain
    assert domain.status == IngressDomain.Status.VERIFIED
    time.sleep(6)  # the process has just been told that there is none

    assert ask(proxy, OWN, "/capi/17/events") == 405  # events are sent with POST
    assert ask(proxy, OWN, "/auth/login/") == 404
    assert ask(proxy, "nobody.example.com", "/capi/17/events") is None
    # Through the proxy, nobody asks in its name.
    assert ask(proxy, "gateway.example.com", f"/internal/tls-check?domain={OWN}") == 404
