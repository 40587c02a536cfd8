"""The texts of packages that pages show in our words: they are still the packages', and keep what is filled in."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client

from tests.portal.test_i18n import holes

#: Whose texts they are: the English of these is what is looked up.
THEIRS = ("allauth/locale/es", "django/contrib/auth/locale/es")


def texts(language: str) -> dict[str, str]:
    path = settings.ROOT / "locale" / "packages" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as stream:
        return {str(message.id): str(message.string) for message in read_po(stream) if message.id}


def packages_texts() -> Iterator[str]:
    for place in THEIRS:
        package, _, folder = place.partition("/")
        with files(package).joinpath(folder, "LC_MESSAGES", "django.po").open("rb") as stream:
            yield from (str(message.id) for message in read_po(stream) if message.id)


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_is_a_text_of_a_package(language: str) -> None:
    assert set(texts(language)) - set(packages_texts()) == set()


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_keeps_what_is_filled_in(language: str) -> None:
    assert [text for text, ours in texts(language).items() if holes(text) != holes(ours)] == []


@pytest.mark.parametrize(("language", "title"), [("en", "Reset your password"), ("es", "Restablecer la contraseña")])
def test_pages_show_them(client: Client, db: None, language: str, title: str) -> None:
    page = client.get("/auth/password/reset/", headers={"Accept-Language": language}).content.decode()

    assert f'<h1 class="h2 mb-4">{title}</h1>' in " ".join(page.split()).replace("> ", ">").replace(" <", "<")
