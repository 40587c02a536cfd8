"""Connecting many pixels from a CSV file: every line's fate is shown first, and each is applied on its own.

The lines wait in the database, their tokens encrypted and erased with use; what is left is deleted after LIFETIME.
"""

from __future__ import annotations

import re
import time
import unicodedata
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Tenant
from accounts.permissions import Action, get_tenant
from accounts.principals import Principal
from common.errors import InvalidInput, NotFound, PortalError
from pixels.csv_files import COLUMNS, OPTIONAL, REQUIRED, Line, read_lines
from pixels.models import Pixel, PixelImport, PixelImportRow
from pixels.services import clean_connection, connect_pixel

LIFETIME = timedelta(hours=1)

Fate = PixelImportRow.Fate
PLANS = (Fate.CONNECT, Fate.UPDATE)
#: How the API's fields are called in the file.
_COLUMN_OF = {
    "pixelId": "pixel_id",
    "businessId": "business_id",
    "accessToken": "access_token",
    "externalId": "external_id",
    "apiVersion": "api_version",
}
#: A long number as a spreadsheet writes it, "5.55E+14", with the point or comma of its language.
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_REASON_MAX_LENGTH = 300
_SHOWN_MAX_LENGTH = 100


@transaction.atomic
def start_import(*, principal: Principal, tenant_id: str, content: bytes) -> PixelImport:
    """Read the file and say what would become of each of its lines; nothing is connected."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA)
    lines = read_lines(content)
    forget_imports()
    batch = PixelImport.objects.create(tenant=tenant)
    PixelImportRow.objects.bulk_create(_plan(tenant, batch, lines))
    return batch


def _plan(tenant: Tenant, batch: PixelImport, lines: list[Line]) -> list[PixelImportRow]:
    named = {line.cells["pixel_id"] for line in lines if line.cells and len(line.cells["pixel_id"]) <= 20}
    storable = [pixel_id for pixel_id in named if pixel_id.isascii()]
    owners = dict(Pixel.objects.filter(pixel_id__in=storable).values_list("pixel_id", "tenant_id"))
    first_lines: dict[str, int] = {}
    rows = []
    for line in lines:
        row = PixelImportRow(batch=batch, line=line.number)
        try:
            columns = _check(line, tenant, owners, first_lines)
        except InvalidInput as error:
            row.fate, row.reason = Fate.REFUSED, _reason(error)
            row.pixel_id = _shown((line.cells or {}).get("pixel_id", ""))
        else:
            row.fate = Fate.UPDATE if columns["pixel_id"] in owners else Fate.CONNECT
            for column, value in columns.items():
                setattr(row, column, value or "")
        rows.append(row)
    return rows


def _check(line: Line, tenant: Tenant, owners: dict[str, str], first_lines: dict[str, int]) -> dict[str, Any]:
    if line.cells is None:
        raise InvalidInput("", "the line has not as many cells as there are columns.")
    _refuse_what_spreadsheets_do(line.cells)
    columns = clean_connection(**_arguments(line.cells))
    pixel_id = columns["pixel_id"]
    if owners.get(pixel_id, tenant.pk) != tenant.pk:
        raise InvalidInput("pixelId", "this pixel is connected in another account already.")
    first = first_lines.setdefault(pixel_id, line.number)
    if first != line.number:
        raise InvalidInput("pixelId", "line {line} has this pixel already.", line=first)
    return columns


def _refuse_what_spreadsheets_do(cells: dict[str, str]) -> None:
    """Name two mistakes of files by their cause, before the rules of the fields speak of characters and digits."""
    for column in REQUIRED:
        if not cells[column]:
            raise InvalidInput(column, "is missing.")
    for column in ("pixel_id", "business_id"):
        if _ROUNDED.fullmatch(cells[column]):
            raise InvalidInput(column, "a spreadsheet has rounded this number: format its column as text.")


def _arguments(cells: dict[str, str]) -> dict[str, Any]:
    """What ``connect_pixel`` takes: an empty cell of an optional column leaves what stands."""
    return {column: cells.get(column, "") for column in REQUIRED} | {
        column: cells.get(column) or None for column in OPTIONAL
    }


def get_import(tenant: Tenant, import_id: int) -> PixelImport:
    """The account's import, while it is kept."""
    batch = PixelImport.objects.filter(tenant=tenant, pk=import_id, created_at__gt=timezone.now() - LIFETIME).first()
    if batch is None:
        raise NotFound("id: this import is not there any more; upload the file again.", field="id")
    return batch


def count_fates(batch: PixelImport) -> dict[str, int]:
    """How many lines have which fate."""
    return dict(batch.rows.order_by().values_list("fate").annotate(Count("pk")))


def apply_import(*, principal: Principal, tenant_id: str, import_id: int, seconds: float) -> bool:
    """Connect the planned pixels, line by line, for about so long; True once none is left.

    Each line is a transaction: what is done is done, whenever the next call comes.
    """
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA)
    batch = get_import(tenant, import_id)
    PixelImport.objects.filter(pk=batch.pk).update(started=True)
    end = time.monotonic() + seconds
    while _apply_next(principal, tenant_id, batch):
        if time.monotonic() > end:
            return not batch.rows.filter(fate__in=PLANS).exists()
    return True


@transaction.atomic
def _apply_next(principal: Principal, tenant_id: str, batch: PixelImport) -> bool:
    # The account's lock keeps two that apply the same import from taking the same line.
    get_tenant(principal, tenant_id, Action.EDIT_DATA, lock=True)
    row = batch.rows.filter(fate__in=PLANS).first()
    if row is None:
        return False
    cells = {column: getattr(row, column) for column in COLUMNS} | {"access_token": row.access_token.reveal()}
    try:
        with transaction.atomic():
            connect_pixel(principal=principal, tenant_id=tenant_id, **_arguments(cells))
    except PortalError as error:
        fate, reason = Fate.REFUSED, _reason(error)
    else:
        fate, reason = (Fate.CONNECTED if row.fate == Fate.CONNECT else Fate.UPDATED), ""
    batch.rows.filter(pk=row.pk).update(fate=fate, reason=reason, access_token=None)
    return True


@transaction.atomic
def discard_import(*, principal: Principal, tenant_id: str, import_id: int) -> None:
    """Forget the file; what was connected stays."""
    tenant = get_tenant(principal, tenant_id, Action.EDIT_DATA)
    get_import(tenant, import_id).delete()


def forget_imports() -> None:
    """Delete every import whose time is over."""
    PixelImport.objects.filter(created_at__lte=timezone.now() - LIFETIME).delete()


def _reason(error: PortalError) -> str:
    """In the language of whoever uploads the file, who is the one to read it; the column as the file has it."""
    if isinstance(error, InvalidInput):
        rule = gettext(error.rule).format(**error.limits) if error.limits else gettext(error.rule)
    else:
        rule = gettext(error.message)
    column = _COLUMN_OF.get(error.field or "", error.field or "")
    return (f"{column}: {rule}" if column else rule)[:_REASON_MAX_LENGTH]


def _shown(cell: str) -> str:
    """What of a refused cell can be stored and shown: nothing that the eye cannot see, or that turns other text."""
    return "".join(char for char in cell if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))[:_SHOWN_MAX_LENGTH]
