"""``manage.py remove_second_factors EMAIL``."""

from __future__ import annotations

from accounts.management.person_command import PersonCommand
from accounts.services.rescue import remove_second_factors


class Command(PersonCommand):
    """For the operator, where no admin of the host can do it."""

    help = "Takes the authenticator, passkeys and recovery codes of a person off, who has lost them."
    service = staticmethod(remove_second_factors)
    done = "{} signs in with the password alone now."
