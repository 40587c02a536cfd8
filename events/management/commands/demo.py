"""``manage.py demo``: an instance that looks lived in."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from events.demo.accounts import make_account, make_filter, make_pixel
from events.demo.records import write_traffic
from events.demo.scenery import ACCOUNTS, PIXEL_IDS, DemoAccount
from events.usage import refresh_usage
from pixels.models import Pixel
from portal import env
from portal.errors import PortalError


class Command(BaseCommand):
    """Makes three accounts with people, pixels, filters and a week of traffic; all or nothing, and only once."""

    help = (
        "Fills the instance with three made-up accounts and a week of their traffic."
        " Their people's password comes from PORTAL_PASSWORD; without it one is made and printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="also where the instance has accounts of its own")

    def handle(self, *, force: bool, **options: Any) -> None:
        if Pixel.objects.filter(pixel_id__in=PIXEL_IDS).exists():
            self.stdout.write("The demo is there already: nothing was changed.")
            return
        if Tenant.objects.exists() and not force:
            raise CommandError("This instance has accounts of its own; with --force the demo's are added to them.")
        given = env.password("PORTAL_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        try:
            with transaction.atomic():
                # The host's admin comes first: `make run` makes one only where there is nobody yet.
                call_command("first_start", stdout=self.stdout)
                events = sum(_make(account, password) for account in ACCOUNTS)
        except PortalError as error:
            raise CommandError(f"The demo cannot be made, and nothing was changed. {error.message}") from None
        refresh_usage()
        self._tell(events, "the password of PORTAL_PASSWORD" if given else f"the password {password}")

    def _tell(self, events: int, password: str) -> None:
        people = "\n".join(f"  {email} ({account.name})" for account in ACCOUNTS for email in account.people)
        self.stdout.write(
            f"The demo is in place: {len(ACCOUNTS)} accounts, {len(PIXEL_IDS)} pixels and {events:,} events of the last"
            f" week.\nIts people sign in with {password}:\n{people}"
        )


def _make(demo: DemoAccount, password: str) -> int:
    """The account with everything in it; the number of its events."""
    tenant = make_account(demo, password)
    pixels = [(make_pixel(tenant, pixel), pixel) for pixel in demo.pixels]
    for wanted in demo.filters:
        make_filter(tenant, wanted)
    now = timezone.now()
    return sum(write_traffic(made, pixel, now) for made, pixel in pixels)
