"""What countries are called: all that Babel knows, and what it has not."""

from __future__ import annotations

import json

import pycountry
import pytest

from events.intake.hashing.countries import find, is_code
from scripts.country_names import FILE, names

ISO = [(country.alpha_2.lower(), country) for country in pycountry.countries]


@pytest.mark.slow
def test_the_file_is_what_babel_says() -> None:
    assert json.loads(FILE.read_text("utf-8")) == names()


@pytest.mark.parametrize(("code", "country"), ISO, ids=[code for code, _ in ISO])
def test_every_country_of_iso_3166_is_known(code: str, country: pycountry.db.Country) -> None:
    assert is_code(code)
    assert find(code) == find(country.alpha_3.lower()) == find(country.name.lower()) == code
    assert find(getattr(country, "common_name", country.name).lower()) == code
    assert find(getattr(country, "official_name", country.name).lower()) == code
