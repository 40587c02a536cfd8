"""``manage.py create_api_account NAME``."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts.management.scope_options import add_scope_options, scope_of
from accounts.principals import OPERATOR
from accounts.services.api_accounts import create_api_account
from common.errors import Conflict, PortalError


class Command(BaseCommand):
    """Makes an API account for the operator."""

    help = "Makes an API account and prints its name and secret as one line of JSON. The secret is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="1 to 20 letters and digits; the client_id")
        add_scope_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = create_api_account(principal=OPERATOR, name=options["name"], **scope_of(options))
        except Conflict:
            page = f"{settings.BASE_URL}{reverse('host:api_accounts')}"
            raise CommandError(
                f"There is an API account {options['name']} already; its secret was shown when it was made. "
                f"Choose another name, or delete it at {page}, which ends its tokens, and make it anew."
            ) from None
        except PortalError as error:
            raise CommandError(error.message) from None
        self.stdout.write(json.dumps({"client_id": issued.api_account.name, "client_secret": issued.secret}))
