"""What a destination may be configured with."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from common.errors import InvalidInput
from common.public_http import Silence, ask
from pipelines.custom_http.checking import check_credentials, check_private_key, check_template, clean_endpoint
from tests.pipelines.custom_http.templates import PRINTED


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("http://1213123.com", "http://1213123.com"),  # the reference's own
        (" https://example.com/a?b=c#d ", "https://example.com/a?b=c"),
        ("https://Example.COM.:8443/A", "https://example.com:8443/A"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/ä"),
        ("http://192.0.1.7:80", "http://192.0.1.7:80"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
        ("http://my_crm.internal:1024/", "http://my_crm.internal:1024/"),
    ],
)
def test_addresses_of_the_web_are_taken(value: str, cleaned: str) -> None:
    assert clean_endpoint("endpoint", value) == cleaned


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", "must be an address such as"),
        ("example.com", "must be an address such as"),
        ("ftp://example.com/", "must be an address such as"),
        ("file:///etc/passwd", "must be an address such as"),
        ("https://", "must be an address such as"),
        ("https://a b/", "must be an address such as"),
        ("https://example.com\\@127.0.0.1/", "must be an address such as"),
        ("https://example..com/", "must be an address such as"),
        ("https://-example.com/", "must be an address such as"),
        ("https://{{ event_name }}.example.com/", "must be an address such as"),
        ("https://exa%6dple.com/", "must be an address such as"),
        ("https://[::1/", "must be an address such as"),
        ("https://example.com:0/", "must be an address such as"),
        ("https://example.com:65536/", "must be an address such as"),
        ("https://example.com:x/", "must be an address such as"),
        ("https://" + "a" * 64 + ".com/", "must be an address such as"),
        ("https://" + "a." * 200 + "com/", "must be an address such as"),
        ("http://2130706433/", "must be an address such as"),
        ("http://0x7f000001/", "must be an address such as"),
        ("http://0177.0.0.1/", "must be an address such as"),
        ("http://127.1/", "must be an address such as"),
        ("http://127.0.0.0x1/", "must be an address such as"),
        ("https://user:pass@example.com/", "must hold no user name"),
        ("https://@example.com/", "must hold no user name"),
        ("https://example.com:22/", "must have the port"),
        ("https://example.com:25/", "must have the port"),
        ("http://127.0.0.1/", "must be on the public internet."),
        ("http://127.0.0.1./", "must be an address such as"),
        ("http://[::1]/", "must be on the public internet."),
        ("http://[::ffff:10.0.0.1]/", "must be on the public internet."),
        ("http://[fe80::1%25eth0]/", "must be on the public internet."),
        ("http://169.254.169.254/latest/", "must be on the public internet."),
        ("https://example.com/" + "a" * 2_048, "must have at most"),
        ("https://example.com/\x00", "must not contain control characters."),
        ("https://example.com/\ud800", "must not contain control characters."),
    ],
)
def test_other_addresses_are_refused(value: str, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule) as refused:
        clean_endpoint("endpoint", value)
    assert refused.value.field == "endpoint"


def test_what_the_operator_permits_is_taken(settings: Settings) -> None:
    settings.DESTINATION_ALLOWED_NETWORKS = ["10.20.0.0/16"]

    assert clean_endpoint("endpoint", "http://10.20.3.4:8080/") == "http://10.20.3.4:8080/"
    with pytest.raises(InvalidInput):
        clean_endpoint("endpoint", "http://10.21.3.4:8080/")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_the_printed_template_is_taken(method: str) -> None:
    check_template("payloadSchema", PRINTED, method)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[\n{{ event_nam }}]", "payloadSchema: line 2: event_nam is no parameter of events."),
        ("[1", "payloadSchema: what it makes is no JSON: line 1 of it, Expecting ',' delimiter."),
        ('{"{": {{ "}{x}" }}, {%', "payloadSchema: line 1: {% is not closed by %}."),
    ],
)  # fmt: skip
def test_a_template_that_cannot_work_is_refused_with_its_line(source: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_template("payloadSchema", source, "POST")
    assert refused.value.message == message


def test_by_get_a_template_makes_an_object() -> None:
    check_template("payloadSchema", "[{{ event_name }}]", "POST")
    with pytest.raises(InvalidInput, match="by GET"):
        check_template("payloadSchema", "[{{ event_name }}]", "GET")


@pytest.mark.parametrize("value", ["ada:secret", ":", "ada:", base64.b64encode(b"ada:secret").decode()])
def test_credentials_are_a_user_and_a_password(value: str) -> None:
    check_credentials("basicAuth.credentials", value)


@pytest.mark.parametrize("value", ["ada", "Basic YTpi", base64.b64encode(b"ada").decode(), "gA==", "a:b\n", "ä"])
def test_other_credentials_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_credentials("basicAuth.credentials", value)
    assert value not in refused.value.message


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_private_keys_of_rsa_and_of_curves_are_taken() -> None:
    check_private_key("privateKey", pem(rsa.generate_private_key(65_537, 2_048)))
    check_private_key("privateKey", pem(ec.generate_private_key(ec.SECP384R1())))


def test_other_keys_are_refused() -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    others = [pem(ed25519.Ed25519PrivateKey.generate()), pem(ec.generate_private_key(ec.SECP256K1()))]

    others.append(pem(rsa.generate_private_key(65_537, 1_024)))  # noqa: S505  # which is why it is refused

    for value in (sealed, public, *others, "", "key", '{"kty": "RSA"}', "-----BEGIN\n\x00"):
        with pytest.raises(InvalidInput, match="must be a private key in PEM form"):
            check_private_key("privateKey", value)


parts = st.sampled_from(
    [
        "127.0.0.1", "[::1]", "[", "]", ":", "80", "65536", "0x7f", "@", "user", "/", "?", "#", "%31", "é", "①", ".",
        "。", "\\", "xn--", "_", "-", " ", "\t", "\x00", "\ud800", "\u200b", "example.com",
    ]
)  # fmt: skip


@given(st.lists(parts | st.text(max_size=2), max_size=8).map("".join))
def test_what_is_cleaned_is_clean_and_can_be_asked(rest: str) -> None:
    try:
        cleaned = clean_endpoint("endpoint", f"http://{rest}")
    except InvalidInput:
        return
    assert clean_endpoint("endpoint", cleaned) == cleaned
    assert isinstance(ask("GET", cleaned, {}, seconds=1), Silence)
