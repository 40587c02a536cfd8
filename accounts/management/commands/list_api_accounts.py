"""``manage.py list_api_accounts``."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.scope_options import described
from accounts.models import ApiAccount
from accounts.services.api_accounts import expiring_api_accounts

_MAX_DAYS = 36_500


class Command(BaseCommand):
    """Lists the API accounts."""

    help = "Prints each API account as one line of JSON: what it may do, until when, and when it was last used."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expire-within",
            type=int,
            metavar="DAYS",
            help="only those whose time is over, or is in so many days; the first to go first",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expire_within"]
        if days is not None and not 0 <= days <= _MAX_DAYS:
            raise CommandError(f"--expire-within must be from 0 to {_MAX_DAYS}.")
        found = ApiAccount.objects.all() if days is None else expiring_api_accounts(within=timedelta(days=days))
        for api_account in found:
            self.stdout.write(json.dumps(described(api_account)))
