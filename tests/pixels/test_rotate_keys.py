"""manage.py rotate_keys: every token under the newest key, whatever happens meanwhile."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from common.key_rotation import Rotation, rotate_secrets
from common.secrets import Secret
from events.models import Removal
from pixels.models import Pixel
from tests.factories import PixelFactory


def rotate(*arguments: str) -> tuple[str, str]:
    out, error = StringIO(), StringIO()
    call_command("rotate_keys", *arguments, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


@pytest.fixture
def keys(db: None, settings: Any) -> list[str]:
    """The old key, with which three tokens are stored, and a new one, which is the first now."""
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.FIELD_ENCRYPTION_KEYS = [old]
    for number in range(3):
        PixelFactory.create(access_token=f"EAA{number}")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    return [new, old]


def tokens() -> list[str]:
    return [pixel.access_token.reveal() for pixel in Pixel.objects.order_by("pk")]


def test_after_a_rotation_the_old_key_can_go(keys: list[str], settings: Any) -> None:
    out, error = rotate()

    settings.FIELD_ENCRYPTION_KEYS = keys[:1]
    assert tokens() == ["EAA0", "EAA1", "EAA2"]
    assert out == "3 re-encrypted, 0 had the newest key already, 0 replaced meanwhile, 0 unreadable.\n"
    assert error == ""


def test_a_second_rotation_changes_nothing(keys: list[str]) -> None:
    rotate()
    before = list(Pixel.objects.values())

    assert rotate()[0].startswith("0 re-encrypted, 3 had the newest key already")
    assert list(Pixel.objects.values()) == before


def test_so_are_the_tokens_of_pixels_that_are_gone(keys: list[str], settings: Any) -> None:
    """They wait for Meta to confirm that it has forgotten the pixel."""
    settings.FIELD_ENCRYPTION_KEYS = keys[1:]
    Removal.objects.create(pixel_id="17", tenant_id="hU2koC34", api_version="v24.0", access_token="EAA3")
    settings.FIELD_ENCRYPTION_KEYS = keys

    rotate()

    settings.FIELD_ENCRYPTION_KEYS = keys[:1]
    assert Removal.objects.get().access_token.reveal() == "EAA3"


def test_all_are_rotated_whatever_the_size_of_a_batch(keys: list[str]) -> None:
    assert rotate_secrets(batch_size=2) == Rotation(resealed=3)


def test_a_token_that_is_replaced_meanwhile_is_left_as_it_is(keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _, last = Pixel.objects.order_by("pk")
    reseal = Secret.resealed

    def slowly(secret: Secret) -> Secret:
        if secret == first.access_token:
            Pixel.objects.filter(pk=first.pk).update(access_token=Secret.seal("EAAnew"))
            Pixel.objects.filter(pk=last.pk).delete()
        return reseal(secret)

    monkeypatch.setattr(Secret, "resealed", slowly)
    out, error = rotate()

    assert tokens() == ["EAAnew", "EAA1"]
    assert out.startswith("1 re-encrypted, 0 had the newest key already, 2 replaced meanwhile")
    assert "Run it once more" in error


def test_what_cannot_be_read_stays_and_fails_the_command_after_the_others(keys: list[str], settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    lost = PixelFactory.create(access_token="EAAlost")
    settings.FIELD_ENCRYPTION_KEYS = keys

    with pytest.raises(CommandError, match="cannot be read"):
        rotate()

    settings.FIELD_ENCRYPTION_KEYS = keys[:1]
    assert [pixel.access_token.reveal() for pixel in Pixel.objects.exclude(pk=lost.pk).order_by("pk")] == [
        "EAA0",
        "EAA1",
        "EAA2",
    ]
    assert Pixel.objects.get(pk=lost.pk).access_token == lost.access_token


def test_a_rotation_is_in_the_audit_log(keys: list[str]) -> None:
    rotate()
    rotate()

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.act, entry.subject) == ("command line", "rotate keys", "3 secrets")


def test_a_new_key_is_printed_alone_with_what_to_do_beside(keys: list[str]) -> None:
    out, error = rotate("--new-key")

    Fernet(out.strip())
    assert out.strip() not in keys
    assert "FIELD_ENCRYPTION_KEYS" in error
    assert Pixel.objects.filter(access_token__isnull=False).count() == 3


def test_where_the_keys_are_in_a_file_the_file_is_named(
    keys: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIELD_ENCRYPTION_KEYS")

    assert str(settings.DATA_DIR / "field_encryption_keys") in rotate("--new-key")[1]
