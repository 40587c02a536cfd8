"""``manage.py update_api_account NAME``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.scope_options import add_scope_options, described, scope_of
from accounts.principals import OPERATOR
from accounts.services.api_accounts import update_api_account
from common.errors import PortalError


class Command(BaseCommand):
    """Changes what an API account may do."""

    help = "Changes what an API account may do, and prints what it is now. Its tokens end; its software gets new ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the API account's name, its client_id")
        add_scope_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changed = update_api_account(principal=OPERATOR, name=options["name"], **scope_of(options))
        except PortalError as error:
            raise CommandError(error.message) from None
        self.stdout.write(json.dumps(described(changed)))
