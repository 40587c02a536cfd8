"""``manage.py prove_address EMAIL``."""

from __future__ import annotations

from accounts.management.person_command import PersonCommand
from accounts.services.rescue import vouch_for_address


class Command(PersonCommand):
    """For the operator, where no admin of the host can do it."""

    help = "Says that a person is the owner of their address: they can then set up a second factor."
    service = staticmethod(vouch_for_address)
    done = "{} can set up a second factor now."
