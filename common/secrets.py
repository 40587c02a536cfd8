"""A text column that is encrypted at rest, with keys that can be rotated."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

if TYPE_CHECKING:
    _TextField = models.TextField["str | Secret", "Secret"]
else:
    _TextField = models.TextField

#: What every Fernet token starts with: the format's version, and the top of a clock that fills it in centuries.
SEALED_PREFIX = "gAAAAA"
#: What is shown in a secret's place.
MASK = "•••"


class UndecryptableError(Exception):
    """A stored secret was sealed with a key that FIELD_ENCRYPTION_KEYS lacks, or was damaged."""

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be read with any of FIELD_ENCRYPTION_KEYS: a key is missing there.")


@lru_cache(maxsize=4)
def _fernet(*keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _all_keys() -> MultiFernet:
    """The keys of the settings: the first encrypts, all decrypt."""
    return _fernet(*settings.FIELD_ENCRYPTION_KEYS)


class Secret:
    """A text that shows itself to those only who call ``reveal``: not in a log, a page, a record or a traceback.

    It holds the encrypted form. Reading a row therefore costs no decryption, and two are equal when they are the same
    ciphertext: ``filter(access_token=pixel.access_token)`` finds the row while nobody has set another one.
    """

    __slots__ = ("sealed",)

    def __init__(self, sealed: str) -> None:
        self.sealed = sealed

    @classmethod
    def seal(cls, text: str) -> Secret:
        """Encrypt with the newest key."""
        return cls(_all_keys().encrypt(text.encode()).decode())

    def reveal(self) -> str:
        """The text; raises UndecryptableError where its key is gone."""
        try:
            return _all_keys().decrypt(self.sealed.encode()).decode()
        except InvalidToken:
            raise UndecryptableError from None

    def resealed(self) -> Secret:
        """The same text under the newest key: ``self`` where that is so already."""
        try:
            _fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(self.sealed.encode())
        except InvalidToken:
            return Secret.seal(self.reveal())
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.sealed == other.sealed

    def __hash__(self) -> int:
        return hash(self.sealed)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"


class _SecretAttribute(DeferredAttribute):
    """Seals a text as soon as it is assigned, so that an instance never holds the text itself."""

    def __set__(self, instance: models.Model, value: str | Secret | None) -> None:
        instance.__dict__[self.field.attname] = Secret.seal(value) if isinstance(value, str) else value


class EncryptedTextField(_TextField):
    """Text that only this process can read: a Secret in Python, a Fernet token in the database.

    Look-ups by value are impossible, since every encryption of the same text differs: they raise TypeError.
    """

    description = "Text, encrypted at rest"
    descriptor_class = _SecretAttribute

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Secret | None:
        """Nothing is decrypted here: most rows are read for something else."""
        return None if value is None else Secret(value)

    def get_prep_value(self, value: Any) -> str | None:
        """The encrypted form, for columns and look-ups alike."""
        if value is None or isinstance(value, Secret):
            return value.sealed if value else None
        raise TypeError(f"{self.name} takes a Secret: Secret.seal(text) makes one.")

    def value_to_string(self, obj: models.Model) -> str:
        """What dumpdata writes: the encrypted form."""
        return str(self.get_prep_value(self.value_from_object(obj)))

    def to_python(self, value: Any) -> Any:
        """What loaddata reads: the encrypted form."""
        return Secret(value) if isinstance(value, str) else value
