"""``manage.py create_api_account NAME``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from common.errors import PortalError


class Command(BaseCommand):
    """Makes an API account for the operator."""

    help = "Makes an API account and prints its name and secret as one line of JSON. The secret is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="1 to 20 letters and digits; the client_id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = create_api_account(principal=OPERATOR, name=options["name"])
        except PortalError as error:
            raise CommandError(error.message) from None
        self.stdout.write(json.dumps({"client_id": issued.api_account.name, "client_secret": issued.secret}))
