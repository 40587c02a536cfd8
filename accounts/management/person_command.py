"""What the commands about one person share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.principals import OPERATOR
from common.errors import PortalError


class PersonCommand(BaseCommand):
    """Calls a service for the person of an address."""

    service: ClassVar[Callable[..., User]]
    #: What it says in the end; takes the address.
    done: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the person's address, such as grace@example.com")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email=options["email"].strip().lower()).first()
        if person is None:
            raise CommandError("Nobody has this address.")
        try:
            self.service(principal=OPERATOR, user_id=str(person.pk))
        except PortalError as error:
            raise CommandError(error.message.removeprefix("userId: ")) from None
        self.stdout.write(self.done.format(person.email))
