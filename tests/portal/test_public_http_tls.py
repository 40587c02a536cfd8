"""A customer's address by https: the certificate is that of the name, whatever address the name leads to."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dns.resolver
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from common import public_http
from common.public_http import Reply, Silence, ask

NAME = "crm.example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the name, which is its own authority, and its key: in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    encoding = serialization.Encoding.PEM
    form, sealed = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(made.public_bytes(encoding) + key.private_bytes(encoding, form, sealed))
    return file


@pytest.fixture
def server(certificate: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/").respond_with_data("here")
        yield server


@pytest.fixture(autouse=True)
def _every_name_leads_here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(name: str, **options: Any) -> Any:
        return SimpleNamespace(addresses=lambda: iter(["127.0.0.1"]))

    settings.DESTINATION_ALLOWED_NETWORKS = ["127.0.0.1"]
    monkeypatch.setattr(dns.resolver, "resolve_name", look_up)


@pytest.fixture
def _trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _forget_client()
    yield
    _forget_client()


def _forget_client() -> None:
    public_http._client().close()
    public_http._client.cache_clear()


@pytest.mark.usefixtures("_trusted")
def test_the_certificate_of_the_name_is_taken(server: HTTPServer) -> None:
    reply = ask("GET", f"https://{NAME}:{server.port}/", {}, seconds=5)

    assert isinstance(reply, Reply)
    assert reply.body == b"here"


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
def test_that_of_another_name_is_not(server: HTTPServer, host: str) -> None:
    assert ask("GET", f"https://{host}:{server.port}/", {}, seconds=5) == Silence("ConnectError")


def test_nor_one_that_nobody_vouches_for(server: HTTPServer) -> None:
    assert ask("GET", f"https://{NAME}:{server.port}/", {}, seconds=5) == Silence("ConnectError")
