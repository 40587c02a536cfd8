"""``manage.py rotate_api_account NAME``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.principals import OPERATOR
from accounts.services.api_accounts import DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS, rotate_api_account
from common.errors import PortalError


class Command(BaseCommand):
    """Gives an API account a new secret."""

    help = (
        "Gives an API account a new secret, and prints its name and secret as one line of JSON. The secret is shown "
        "only now. The one before is good for a while."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the API account's name, its client_id")
        parser.add_argument(
            "--overlap-hours",
            type=int,
            default=DEFAULT_OVERLAP_HOURS,
            metavar="N",
            help=f"for how long the secret before is good, 0 to {MAX_OVERLAP_HOURS}; {DEFAULT_OVERLAP_HOURS} if not "
            "given. 0 where it is known to others: it ends at once, with its tokens",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = rotate_api_account(
                principal=OPERATOR, name=options["name"], overlap_hours=options["overlap_hours"]
            )
        except PortalError as error:
            raise CommandError(error.message) from None
        self.stdout.write(json.dumps({"client_id": issued.api_account.name, "client_secret": issued.secret}))
