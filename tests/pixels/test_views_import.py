"""Importing pixels from a CSV file: looked at first, applied then, and its tokens forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.principals import principal_of_user
from common.errors import InvalidInput, NotAuthorized
from pixels import imports
from pixels.csv_files import read_lines
from pixels.models import Pixel, PixelImport, PixelImportRow
from pixels.tasks import forget_imports
from tests.base import Cast, login, snapshot
from tests.factories import PixelFactory
from tests.pages import address, get, post, text_of

HEADER = "pixel_id,business_id,access_token,name,external_id,api_version"
Fate = PixelImportRow.Fate


def csv(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines]).encode()


def upload(who: User | Client, cast: Cast, content: bytes) -> Any:
    return post(who, "pixels:import", cast.shoes, file=SimpleUploadedFile("pixels.csv", content))


def fates() -> list[tuple[int, str, str]]:
    return list(PixelImportRow.objects.order_by("line").values_list("line", "fate", "reason"))


def apply_all(who: User | Client, cast: Cast, batch: PixelImport) -> Any:
    return post(who, "pixels:import_apply", cast.shoes, batch.pk)


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        read_lines(content)
    return refused.value.message


# --- The dry run ------------------------------------------------------------------------------------------------------


def test_every_lines_fate_is_shown_and_nothing_is_connected(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, pixel_id="222")
    PixelFactory.create(tenant=cast.other, pixel_id="333")
    content = csv(
        "111,1,token,Shop,,",
        "222,1,token,,,",
        "333,1,token,,,",
        "no number,1,token,,,",
        "444,1,,,,",
        "555,1,token,,,24",
        "111,1,token,,,",
        "666,1,token",
    )

    answer = upload(cast.max, cast, content)

    batch = PixelImport.objects.get()
    assert answer.headers["Location"] == address("pixels:import_show", cast.shoes, batch.pk)
    assert fates() == [
        (2, Fate.CONNECT, ""),
        (3, Fate.UPDATE, ""),
        (4, Fate.REFUSED, "pixel_id: this pixel is connected in another account already."),
        (5, Fate.REFUSED, "pixel_id: must be 1 to 20 digits."),
        (6, Fate.REFUSED, "access_token: is missing."),
        (7, Fate.REFUSED, "api_version: must be a Graph API version such as v24.0."),
        (8, Fate.REFUSED, "pixel_id: line 2 has this pixel already."),
        (9, Fate.REFUSED, "the line has not as many cells as there are columns."),
    ]
    assert set(Pixel.objects.values_list("pixel_id", flat=True)) == {"222", "333"}
    assert not AuditEntry.objects.exists()

    page = text_of(get(cast.max, "pixels:import_show", cast.shoes, batch.pk))
    assert "Nothing is changed yet." in page
    assert "Import 2 pixels" in page
    assert "All lines (8) Will be connected (1) Will be updated (1) Refused (6)" in page
    assert "8 111 Refused pixel_id: line 2 has this pixel already." in page


@pytest.mark.parametrize("cell", ["5.55E+14", "5,55e+14", "1E20"])
def test_a_number_that_a_spreadsheet_has_rounded_is_called_so(cast: Cast, cell: str) -> None:
    upload(cast.max, cast, csv(f"{cell};1;token;;;", header=HEADER.replace(",", ";")))
    said = "pixel_id: a spreadsheet has rounded this number: format its column as text."
    assert fates() == [(2, Fate.REFUSED, said)]


def test_the_lines_can_be_narrowed_to_a_fate(cast: Cast) -> None:
    client = login(cast.max)
    upload(client, cast, csv("111,1,token,,,", "x,1,token,,,"))
    page = get(client, "pixels:import_show", cast.shoes, PixelImport.objects.get().pk, fate="refused")
    assert [row.pixel_id for row in page.context["page"]] == ["x"]


def test_a_spreadsheets_file_is_read_too(cast: Cast) -> None:
    content = 'Pixel ID;access_token;name;Business_Id\r\n111;token;"Schuhe; ""Größe"" 40";1\r\n\r\n'.encode("utf-8-sig")
    upload(cast.max, cast, content)
    row = PixelImportRow.objects.get()
    assert (row.fate, row.pixel_id, row.name) == (Fate.CONNECT, "111", 'Schuhe; "Größe" 40')


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_spreadsheets_unicode_text_is_read_too(cast: Cast, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    content = f"{mark}pixel_id\tbusiness_id\taccess_token\tname\r\n111\t1\ttoken\tGröße\r\n".encode(encoding)
    upload(cast.max, cast, content)
    row = PixelImportRow.objects.get()
    assert (row.fate, row.pixel_id, row.name) == (Fate.CONNECT, "111", "Größe")


def test_why_a_line_is_refused_is_told_in_the_readers_language(cast: Cast) -> None:
    client = login(cast.max)
    client.cookies["django_language"] = "es"
    upload(client, cast, csv("111,1,token,,,", "111,1,token,,,", "x,1,token,,,"))
    assert [reason for _, _, reason in fates()] == [
        "",
        "pixel_id: la línea 2 ya tiene este píxel.",
        "pixel_id: debe tener de 1 a 20 cifras.",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "pixel_id, business_id and access_token are needed"),
        (b"111,1,EAABsecret\n", "pixel_id, business_id and access_token are needed"),
        (csv(), "must have a line for each pixel"),
        (csv("111,1,t,,,,EAABsecret", header=HEADER + ",EAABsecret"), "not known, at place 7"),
        (csv(header="pixel_id,pixel_id,business_id,access_token"), "must name each column once"),
        (csv('111,1,"EAABsecret'), "line 2 cannot be read"),
        ("pixel_id,business_id,access_token,name\n1,1,t,Größe".encode("latin-1"), "must be text in UTF-8"),
        (csv("111,1,EAAB\0secret,,,"), "must be a CSV file"),
        (csv("x" * 200_000), "cannot be read"),
        (csv(*["111,1,t,,,"] * 1_001), "must have at most 1,000 pixels"),
        (b"x" * 1_048_577, "must have at most 1 MiB"),
        (b"\x89PNG\r\n\x1a\n", "must be text in UTF-8"),
    ],
)
def test_what_is_no_file_of_pixels_is_refused_without_repeating_a_cell(content: bytes, words: str) -> None:
    message = refusal(content)
    assert message.startswith("file: ")
    assert words in message
    assert "secret" not in message


def test_a_refused_file_leaves_nothing_behind(cast: Cast) -> None:
    client = login(cast.max)
    before = snapshot()
    answer = upload(client, cast, b"not,a,file\n1,2,3\n")
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["file"]
    assert snapshot() == before


def test_no_file_at_all_is_asked_for(cast: Cast) -> None:
    assert post(cast.max, "pixels:import", cast.shoes).context["form"].errors == {"file": ["This field is required."]}


@pytest.mark.parametrize("pixel_id", ["x" * 5_000, "1" * 21, "١٢٣", "a\tb", "\x1b[31m", "12\u202e3\u200b"])
def test_whatever_stands_in_a_cell_can_be_shown(cast: Cast, pixel_id: str) -> None:
    client = login(cast.max)
    upload(client, cast, csv(f'"{pixel_id}",1,token,,,'))
    row = PixelImportRow.objects.get()
    assert row.fate == Fate.REFUSED
    assert row.pixel_id.isprintable()
    get(client, "pixels:import_show", cast.shoes, PixelImport.objects.get().pk)


# --- Applying ---------------------------------------------------------------------------------------------------------


def test_the_planned_pixels_are_connected_and_reported(cast: Cast) -> None:
    PixelFactory.create(tenant=cast.shoes, pixel_id="222", name="Old", external_id="kept", api_version="v20.0")
    client = login(cast.max)
    upload(client, cast, csv("111,1,token one,,,", "111,1,token-1,Shop,ext,v23.0", "222,2,token-2,,,"))
    batch = PixelImport.objects.get()

    answer = apply_all(client, cast, batch)

    assert answer.headers["Location"] == address("pixels:import_show", cast.shoes, batch.pk)
    first, second = Pixel.objects.order_by("pixel_id")
    assert (first.name, first.external_id, first.api_version) == ("Shop", "ext", "v23.0")
    assert first.access_token.reveal() == "token-1"
    # Empty cells have changed nothing.
    assert (second.name, second.external_id, second.api_version, second.business_id) == ("Old", "kept", "v20.0", "2")
    assert second.access_token.reveal() == "token-2"
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "act")) == [
        (cast.max.email, "connect pixel"),
        (cast.max.email, "reconnect pixel"),
    ]
    page = text_of(get(client, "pixels:import_show", cast.shoes, batch.pk))
    assert "Report of the import" in page
    assert "All lines (3) Connected (1) Updated (1) Refused (1)" in page


def test_a_line_whose_pixel_was_taken_meanwhile_is_refused_and_the_others_go_on(cast: Cast) -> None:
    client = login(cast.max)
    upload(client, cast, csv("111,1,token,,,", "222,1,token,,,"))
    PixelFactory.create(tenant=cast.other, pixel_id="111")

    apply_all(client, cast, PixelImport.objects.get())

    assert [fate for _, fate, _ in fates()] == [Fate.REFUSED, Fate.CONNECTED]
    assert "in another account already" in fates()[0][2]


def test_tokens_are_stored_encrypted_and_erased_with_use(cast: Cast) -> None:
    client = login(cast.max)
    upload(client, cast, csv("111,1,EAABsecret,,,", "x,1,EAABsecret,,,"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM pixels_pixelimportrow ORDER BY line")
        (sealed,), (refused,) = cursor.fetchall()
    assert sealed.startswith("gAAAAA")
    assert refused is None
    batch = PixelImport.objects.get()
    assert "EAABsecret" not in get(client, "pixels:import_show", cast.shoes, batch.pk).content.decode()

    apply_all(client, cast, batch)

    assert set(PixelImportRow.objects.values_list("access_token", flat=True)) == {None}


def test_it_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixels.views.imports.SECONDS_A_STEP", 0)
    client = login(cast.max)
    upload(client, cast, csv(*(f"{n},1,token,,," for n in range(1, 4))))
    batch = PixelImport.objects.get()
    path = address("pixels:import_apply", cast.shoes, batch.pk)

    def go_on() -> Any:
        return client.post(path, headers={"HX-Request": "true"})

    first = go_on()
    assert "1 of 3 lines" in text_of(first)
    assert 'value="1" max="3"' in first.content.decode()
    assert 'hx-trigger="load' in first.content.decode()
    assert "Import under way" in text_of(get(client, "pixels:import_show", cast.shoes, batch.pk))

    assert "2 of 3 lines" in text_of(go_on())
    last = go_on()
    assert last.headers["HX-Redirect"] == address("pixels:import_show", cast.shoes, batch.pk)
    assert Pixel.objects.count() == 3


def test_a_second_press_connects_nothing_twice(cast: Cast) -> None:
    client = login(cast.max)
    upload(client, cast, csv("111,1,token,,,"))
    for _ in range(2):
        apply_all(client, cast, PixelImport.objects.get())
    assert AuditEntry.objects.count() == 1


# --- Forgetting -------------------------------------------------------------------------------------------------------


def test_a_discarded_file_is_forgotten(cast: Cast) -> None:
    client = login(cast.max)
    upload(client, cast, csv("111,1,token,,,"))
    post(client, "pixels:import_discard", cast.shoes, PixelImport.objects.get().pk)
    assert not PixelImportRow.objects.exists()
    assert not Pixel.objects.exists()


def test_after_an_hour_it_can_neither_be_seen_nor_applied_and_is_deleted(cast: Cast) -> None:
    client = login(cast.max)
    upload(client, cast, csv("111,1,token,,,"))
    PixelImport.objects.update(created_at=timezone.now() - timedelta(hours=1))
    batch = PixelImport.objects.get()

    assert client.get(address("pixels:import_show", cast.shoes, batch.pk)).status_code == 404
    apply_all(client, cast, batch)
    assert not Pixel.objects.exists()

    forget_imports()
    assert not PixelImport.objects.exists()


def test_a_fresh_file_stays(cast: Cast) -> None:
    upload(cast.max, cast, csv("111,1,token,,,"))
    forget_imports()
    assert PixelImportRow.objects.exists()


# --- Borders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "status"), [("olaf", 404), ("vic", 403), ("vera", 403)])
def test_those_who_may_not_connect_pixels_import_none(cast: Cast, who: str, status: int) -> None:
    upload(cast.max, cast, csv("111,1,token,,,"))
    batch = PixelImport.objects.get()
    client = login(getattr(cast, who))
    before = snapshot()

    answers = [
        client.get(address("pixels:import", cast.shoes)),
        upload(client, cast, csv("222,1,token,,,")),
        client.get(address("pixels:import_show", cast.shoes, batch.pk)),
        apply_all(client, cast, batch),
        post(client, "pixels:import_discard", cast.shoes, batch.pk),
    ]

    assert {answer.status_code for answer in answers} == {status}
    assert snapshot() == before


def test_another_accounts_file_cannot_be_reached_through_ones_own(cast: Cast) -> None:
    upload(cast.max, cast, csv("111,1,token,,,"))
    batch = PixelImport.objects.get()
    client = login(cast.olaf)
    before = snapshot()

    assert client.get(address("pixels:import_show", cast.other, batch.pk)).status_code == 404
    post(client, "pixels:import_apply", cast.other, batch.pk)
    post(client, "pixels:import_discard", cast.other, batch.pk)

    assert snapshot() == before


def test_the_service_asks_for_the_right_itself(cast: Cast) -> None:
    principal = principal_of_user(cast.vic)
    with pytest.raises(NotAuthorized):
        imports.start_import(principal=principal, tenant_id=cast.shoes.pk, content=csv("111,1,token,,,"))
    with pytest.raises(NotAuthorized):
        imports.apply_import(principal=principal, tenant_id=cast.shoes.pk, import_id=1, seconds=1)
    with pytest.raises(NotAuthorized):
        imports.discard_import(principal=principal, tenant_id=cast.shoes.pk, import_id=1)
