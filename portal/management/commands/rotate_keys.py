"""``manage.py rotate_keys``: every stored secret under the newest key."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import ROTATE_KEYS, record
from accounts.principals import OPERATOR
from accounts.second_factors import rotate_second_factors
from common import env
from common.key_rotation import rotate_secrets
from portal.shared import replace_lost


class Command(BaseCommand):
    """Re-encrypts access tokens and second factors, so that an old key can be taken out of FIELD_ENCRYPTION_KEYS."""

    help = (
        "Encrypts every stored secret with the first of FIELD_ENCRYPTION_KEYS. "
        "To change the key: --new-key, put the new one first, restart the portal, run this, take the old one out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="Print a new key, change nothing.")
        parser.add_argument(
            "--keys-are-lost",
            action="store_true",
            help="Let processes start with the keys that are there, though no key opens what is stored.",
        )

    def handle(self, *args: Any, new_key: bool = False, keys_are_lost: bool = False, **options: Any) -> None:
        if new_key:
            self._print_new_key()
            return
        if keys_are_lost:
            replace_lost()
            record(OPERATOR, ROTATE_KEYS, "keys that were lost")
        rotation = rotate_secrets().plus(rotate_second_factors())
        if rotation.resealed:
            record(OPERATOR, ROTATE_KEYS, f"{rotation.resealed} secrets")
        self.stdout.write(
            f"{rotation.resealed} re-encrypted, {rotation.current} had the newest key already, "
            f"{rotation.replaced} replaced meanwhile, {rotation.unreadable} unreadable."
        )
        if rotation.replaced:
            self.stderr.write("Run it once more, for those that were replaced by a process with the old keys.")
        if rotation.unreadable:
            raise CommandError("Some secrets cannot be read: keep every key that ever encrypted one, then run again.")

    def _print_new_key(self) -> None:
        """The key on stdout, alone, so that it can be piped; what to do with it on stderr."""
        self.stdout.write(Fernet.generate_key().decode())
        if env.is_set("FIELD_ENCRYPTION_KEYS"):
            place = "Put it first in FIELD_ENCRYPTION_KEYS, before the others, with a comma between"
        else:
            file = settings.DATA_DIR / "field_encryption_keys"
            place = f"Put it on a line of its own at the top of {file}, where this portal keeps its keys"
        self.stderr.write(f"{place}; restart the portal; then run `manage.py rotate_keys`.")
