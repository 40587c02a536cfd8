"""Domains that people write, and hosts that events come from, meet in one form."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domains import clean_domain
from common.errors import InvalidInput
from filters.domains import _host_of, _host_of_start, host_of

HOST = re.compile(r"[a-z0-9_.-]{1,253}")
any_text = st.text(st.characters(exclude_categories=()), max_size=60)
label = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
domains = st.lists(label, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "com"]))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com/", "example.com"),
        ("http://shop.example.com", "shop.example.com"),
        ("HTTPS://Shop.Example.COM/Path?x=1#y", "shop.example.com"),
        ("https://example.com:8443/", "example.com"),
        ("https://example.com:/", "example.com"),
        ("https://example.com?x=https://other.com/", "example.com"),
        ("https://example.com#@other.com", "example.com"),
        ("https://user:p@ss@example.com/", "example.com"),
        ("https://other.com@example.com/", "example.com"),
        ("https://example.com\\@other.com/", "example.com"),
        ("https:///example.com/", "example.com"),
        ("https:\\\\example.com\\path", "example.com"),
        ("  https://example.com/  ", "example.com"),
        ("https://example.com./", "example.com"),
        ("https://my_shop.example.com/", "my_shop.example.com"),
        ("https://r3---sn.example.com/", "r3---sn.example.com"),
        ("https://münchen.example.de/straße", "xn--mnchen-3ya.example.de"),
        ("https://MÜNCHEN.example.de", "xn--mnchen-3ya.example.de"),
        ("https://xn--mnchen-3ya.example.de", "xn--mnchen-3ya.example.de"),
        ("https://例え。テスト/", "xn--r8jz45g.xn--zckzah"),
        ("https://localhost/", "localhost"),
        ("https://192.0.2.1/", "192.0.2.1"),
    ],
)
def test_the_host_of_a_web_address(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "value",
    [
        None, 7, [], {}, b"https://example.com", "", " ", "example.com", "/path", "about:blank", "https://", "https:///",
        "ftp://example.com/", "javascript:alert(1)", "android-app://com.example", "mailto:a@example.com",
        "https:example.com",
        "https://[::1]/", "https://[", "https://exa mple.com", "https://example..com", "https://.example.com",
        "https://-example.com", "https://example.com:80a/", "https://exam%70le.com", "https://a\0b.com", "https://\ud800.com",
        "https://" + "a" * 64 + ".com", "https://" + "a." * 127 + "com", "https://" + "ü" * 300 + ".com",
        "https://" + "x" * 1_000_000, "https://" + "@" * 100_000, "https://\u200b.com", "https://❤.com/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_has_no_host(value: object) -> None:
    assert host_of(value) is None


@given(any_text)
def test_garbage_has_no_host_or_an_ascii_one(value: str) -> None:
    for url in (value, f"https://{value}", f"https://{value}.example.com/", f"https://user@{value}"):
        host = host_of(url)
        assert host is None or (HOST.fullmatch(host) and not host.startswith(".") and not host.endswith("."))


@given(st.text("htps:/\\?#@.xX: \t", max_size=12), st.text("/\\?#@.aB: ", max_size=12))
def test_what_is_known_of_the_start_of_an_address_is_true_of_all_of_it(start: str, rest: str) -> None:
    for url in (
        f"{start}{rest}",
        f"https:{start}{rest}",
        f"https://{start}example.com{rest}",
        f"http://a{start}/{rest}",
    ):
        assert host_of(url) == _host_of(url)


def test_of_addresses_as_long_as_senders_like_nothing_is_kept() -> None:
    before = _host_of_start.cache_info().currsize
    assert host_of("https://" + "x" * 1_000 + ".example.com/") is None
    assert _host_of_start.cache_info().currsize == before


@given(domains, st.sampled_from(["", "/", "/a/b", "?q", "#f", ":443/", "\\x"]), st.booleans())
def test_a_site_is_known_again_however_its_address_is_written(domain: str, rest: str, shout: bool) -> None:
    url = f"https://{domain.upper() if shout else domain}{rest}"
    assert host_of(url) == domain


@given(st.text(st.characters(categories=["Ll", "Lu", "Lo", "Nd"]), min_size=1, max_size=20))
def test_a_filter_and_an_event_agree_about_a_domain(name: str) -> None:
    try:
        domain = clean_domain("domain", f"{name}.com")
    except InvalidInput:
        return
    assert host_of(f"https://{name}.com/") == domain


@given(any_text)
def test_any_text_is_refused_or_a_domain_that_stays_as_it_is(value: str) -> None:
    try:
        domain = clean_domain("domain", value)
    except InvalidInput:
        return
    assert HOST.fullmatch(domain)
    assert "." in domain
    assert clean_domain("domain", domain) == domain
    assert host_of(f"https://{domain}/") == domain


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("example.com", "example.com"),
        ("Shop.Example.COM", "shop.example.com"),
        ("example.co.uk", "example.co.uk"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("shop.myshopify.com", "shop.myshopify.com"),
        ("www.ck", "www.ck"),
    ],
)
def test_a_domain_is_kept_in_lower_case_ascii(written: str, domain: str) -> None:
    assert clean_domain("domain", written) == domain


@pytest.mark.parametrize(
    "written",
    [
        "", "com", "co.uk", "рф", "localhost", "foo.ck", "192.0.2.1", "[::1]", "::1", "example.com.", ".example.com",
        "https://example.com", "example.com/", "example.com/path", "example.com:443", "*.example.com", "a@example.com",
        "exa mple.com", "example..com", "-a.com", "a-.com", "exa\0mple.com", "example.com?x", "a" * 64 + ".com",
        "a." * 126 + "com", "例。", "x" * 100_000, "example.com,other.com",
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput):
        clean_domain("domain", written)
