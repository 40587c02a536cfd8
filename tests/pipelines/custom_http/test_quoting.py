"""What another server quotes of our secrets is masked, in whatever form it writes them."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

import pytest

from common.quoting import shown
from common.secrets import MASK
from pipelines.custom_http.configuration import Secrets

SECRET = 'k/9+x <ä> "q" & end'
FORMS = (
    SECRET,
    json.dumps(SECRET)[1:-1],
    json.dumps(SECRET)[1:-1].replace("/", r"\/"),
    json.dumps(SECRET, ensure_ascii=False)[1:-1],
    quote(SECRET, safe=""),
    quote(SECRET),
    quote_plus(SECRET),
    quote_plus(SECRET).replace("%2F", "%2f").replace("%2B", "%2b").replace("%C3%A4", "%c3%a4")
    .replace("%3C", "%3c").replace("%3E", "%3e"),
    html.escape(SECRET),
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_a_secret_is_masked_in_each_form(form: str) -> None:
    assert shown(f"who is {form}?", 100, SECRET) == f"who is {MASK}?"


def test_credentials_are_masked_decoded_too() -> None:
    encoded = Secrets(credentials="YWRhOm9wZW4gc2VzYW1l")  # ada:open sesame

    assert shown("ada:open sesame, open sesame", 100, *encoded.values) == f"{MASK}, {MASK}"
