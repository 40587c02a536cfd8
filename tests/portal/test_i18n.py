"""English and Spanish: whose language a page speaks, and that every text is translated."""

from __future__ import annotations

import ast
import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.web import sentence
from common.domains import clean_domain
from common.errors import InvalidInput, NotFound
from scripts.messages import collect, missing, sources, update
from tests.base import Cast, login

SPANISH = settings.ROOT / "locale" / "es" / "LC_MESSAGES" / "django.po"

#: Which argument of a refusal is its text.
TEXT_AT = {"InvalidInput": 1, "NotAuthorized": 0, "NotFound": 0, "Conflict": 0}
#: What software alone is told: senders of events, and callers of the API.
FOR_SOFTWARE = {
    "events/intake/access_keys.py",
    "events/delivery/reads.py",
    "events/intake/door.py",
    "events/intake/receive.py",
    "events/intake/server_body.py",
    "events/intake/strict_json.py",
    "events/unreadable.py",
    "events/figures/usage_export.py",
    "common/cursors.py",
    "accounts/rest.py",
}
#: Texts that are in the reader's language already, or are passed on with what fills them.
TOLD_BY_OTHERS = {"' '.join(error.messages)", "error.rule"}


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("es", "Iniciar sesión"), ("es-MX,es;q=0.9,en;q=0.5", "Iniciar sesión"), ("en", "Sign in"), ("fr", "Sign in")],
)
def test_a_page_speaks_the_visitors_language_first(client: Client, db: None, asked: str, shown: str) -> None:
    page = client.get("/auth/login/", headers={"Accept-Language": asked}).content.decode()

    assert shown in page
    assert f'<html lang="{"es" if "es" in asked else "en"}">' in page


def test_a_visitor_can_choose_another_language(client: Client, db: None) -> None:
    client.post("/i18n/setlang/", {"language": "es", "next": "/auth/login/"})

    assert "Iniciar sesión" in client.get("/auth/login/", headers={"Accept-Language": "en"}).content.decode()


def test_a_refusal_of_a_service_is_told_in_the_visitors_language(client: Client, db: None) -> None:
    page = client.get("/auth/verify/?token=x", headers={"Accept-Language": "es"}).content.decode()

    assert "Este enlace no funciona" in page
    assert "This link" not in page


def test_the_api_speaks_english_whatever_the_browser_speaks(cast: Cast) -> None:
    answer = login(cast.ada).post(
        "/hub/graphql/",
        {"query": '{ tenant(tenantId: "zzzzzzzz") { id } }'},
        content_type="application/json",
        headers={"Accept-Language": "es"},
    )

    assert "You may not do this" in answer.content.decode()


def test_what_a_page_says_of_a_refusal_is_translated_with_its_values() -> None:
    with translation.override("es"):
        assert sentence(InvalidInput("status", "must be one of {choices}.", choices="0, 2")) == "Debe ser uno de 0, 2."
        missing_pixel = NotFound("{name}: this account has no such pixel.", field="id", name="id")
        assert sentence(missing_pixel) == "Esta cuenta no tiene ese píxel."
        with pytest.raises(InvalidInput) as refused:
            clean_domain("domain", "https://example.com")
        assert sentence(refused.value).startswith("Debe ser un dominio como example.com")


def test_refusals_that_pages_show_can_be_translated() -> None:
    """Their text stands in the call itself, where `make messages` finds it; what changes is passed beside it."""
    found = [
        f"{name}:{call.lineno} {ast.unparse(call)}"
        for name, python in sources()
        if name.endswith(".py") and name not in FOR_SOFTWARE
        for call in ast.walk(ast.parse(python))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in TEXT_AT
        for text in call.args[TEXT_AT[call.func.id] :][:1]
        if not isinstance(text, ast.Constant) and ast.unparse(text) not in TOLD_BY_OTHERS
    ]

    assert found == []


def test_nothing_is_left_to_translate() -> None:
    assert missing(update(SPANISH)) == []


def test_the_file_is_up_to_date() -> None:
    """Else `make messages` was forgotten."""
    with SPANISH.open("rb") as stream:
        translated = {message.id for message in read_po(stream) if message.id}

    assert translated == {message.id for message in collect() if message.id}


def test_translations_keep_what_is_filled_in() -> None:
    with SPANISH.open("rb") as stream:
        for message in filter(lambda message: message.id, read_po(stream)):
            ids = [message.id] if isinstance(message.id, str) else list(message.id)
            strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
            for string in strings:
                assert holes(string) == holes(ids[-1]), string


def holes(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|{[\w:,]*}|<[^>]+>", text))
