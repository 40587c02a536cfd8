"""An access token is encrypted in the database and shows itself nowhere."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import IntegrityError, connection, transaction
from django.forms import model_to_dict
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter

from accounts.principals import OPERATOR
from common.secrets import Secret, UndecryptableError
from pixels.models import Pixel
from pixels.reads import read_account
from tests.base import Cast, login
from tests.factories import PixelFactory, TenantFactory

TOKEN = "EAAvery-secret"


@pytest.fixture
def pixel(db: None) -> Pixel:
    PixelFactory.create(access_token=TOKEN, name="Web shop")
    return Pixel.objects.get()


def stored_token() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM pixels_pixel")
        return str(cursor.fetchone()[0])


def test_the_database_holds_ciphertext_and_only_reveal_gives_the_token(pixel: Pixel) -> None:
    assert TOKEN not in stored_token()
    assert pixel.access_token.reveal() == TOKEN


def test_a_token_shows_itself_nowhere(pixel: Pixel) -> None:
    fresh = PixelFactory.build(tenant=pixel.tenant, access_token=TOKEN)
    rows = Pixel.objects.all()
    shown = [
        repr(pixel),
        str(pixel),
        f"{pixel.access_token} {pixel.access_token!r}",
        repr(vars(pixel)),
        repr(vars(fresh)),
        repr([list(rows.values()), list(rows.values_list())]),
        repr(model_to_dict(pixel)),
        serializers.serialize("json", [pixel]),
        repr(pickle.dumps(pixel)),
    ]

    assert not [text for text in shown if TOKEN in text]


def test_an_error_page_does_not_show_it(pixel: Pixel, rf: RequestFactory) -> None:
    def crash(pixel: Pixel, request: HttpRequest) -> None:
        token = pixel.access_token
        raise RuntimeError(repr(token))

    with pytest.raises(RuntimeError) as crashed:
        crash(pixel, rf.get("/"))
    page = ExceptionReporter(rf.get("/"), crashed.type, crashed.value, crashed.tb).get_traceback_html()

    assert "crash" in page
    assert TOKEN not in page


def test_no_admin_page_shows_it_or_the_access_key(cast: Cast) -> None:
    pixel = PixelFactory.create(tenant=cast.shoes, access_token=TOKEN)
    client = login(cast.hanna)

    for address in ("/admin/pixels/pixel/", f"/admin/pixels/pixel/{pixel.pk}/change/"):
        page = client.get(address)
        assert page.status_code == 200
        text = page.content.decode()
        assert pixel.pixel_id in text
        assert not [secret for secret in (TOKEN, pixel.access_token.sealed, pixel.access_key) if secret in text]


def test_a_list_of_pixels_leaves_the_tokens_in_the_database(pixel: Pixel) -> None:
    with CaptureQueriesContext(connection) as captured:
        listed = read_account(OPERATOR, pixel.tenant_id).pixels or []
        assert [view.pixel_id for view in listed] == [pixel.pixel_id]

    assert not [query["sql"] for query in captured.captured_queries if "access_token" in query["sql"]]


def test_reading_a_row_needs_no_key(pixel: Pixel, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    assert Pixel.objects.get().name == "Web shop"


def test_a_token_whose_key_is_gone_says_so_and_nothing_else(pixel: Pixel, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(UndecryptableError) as failed:
        pixel.access_token.reveal()

    assert "FIELD_ENCRYPTION_KEYS" in str(failed.value)
    assert pixel.access_token.sealed not in str(failed.value)
    assert failed.value.__suppress_context__


@pytest.mark.parametrize("damaged", ["", "gAAAAA", "é", "gAAAAA" + "x" * 100])
def test_a_damaged_token_is_told_in_the_same_words(damaged: str) -> None:
    with pytest.raises(UndecryptableError):
        Secret(damaged).reveal()


def test_the_database_refuses_a_token_that_is_not_encrypted(pixel: Pixel) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE pixels_pixel SET access_token = 'EAA'")


def test_a_token_cannot_be_looked_up_by_its_text(pixel: Pixel) -> None:
    with pytest.raises(TypeError, match=r"Secret\.seal"):
        Pixel.objects.filter(access_token=TOKEN).exists()


def test_a_row_is_found_by_its_token_while_nobody_sets_another(pixel: Pixel) -> None:
    loaded = pixel.access_token
    assert Pixel.objects.filter(access_token=loaded).exists()

    pixel.access_token = TOKEN
    pixel.save(update_fields=["access_token"])

    assert not Pixel.objects.filter(access_token=loaded).exists()


def test_dumped_rows_load_again(pixel: Pixel) -> None:
    dump = serializers.serialize("json", [pixel])
    Pixel.objects.all().delete()

    for loaded in serializers.deserialize("json", dump):
        loaded.save()

    assert Pixel.objects.get().access_token.reveal() == TOKEN


@pytest.mark.parametrize("pixel_id", ["", "12a", "12\n", "-1", "١٢"])
def test_the_database_refuses_pixel_ids_that_are_not_digits(pixel: Pixel, pixel_id: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Pixel.objects.update(pixel_id=pixel_id)


def test_the_database_knows_each_pixel_once(pixel: Pixel) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PixelFactory.create(tenant=TenantFactory.create(), pixel_id=pixel.pixel_id)
