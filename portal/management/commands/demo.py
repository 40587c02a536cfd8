"""``manage.py demo``: an instance that looks lived in."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.variables import NewPersonVariables
from alerts.demo import write_incidents
from common.errors import PortalError
from events.demo.accounts import make_account, make_api_accounts, make_filter, make_pixel
from events.demo.gateway import write_source_traffic
from events.demo.pipelines import make_pipeline
from events.demo.records import write_traffic
from events.demo.refused import write_refused
from events.demo.registrations import write_registration
from events.demo.scenery import ACCOUNTS, PIXEL_IDS, DemoAccount
from events.figures.usage import refresh_usage
from pixels.models import Pixel

WORDS = """
The demo is in place: {accounts} accounts, {pixels} pixels and {events:,} events of the last week.

{people}

Sign in at {page}
The people of the accounts sign in with {password}; the host's with passwords of their own, which they
choose by the link that the first start prints.
Where the portal does not run yet, `make run` comes next."""


class Command(BaseCommand):
    """Makes three accounts with people, pixels, filters, a pipeline, a week of traffic; all or nothing, and once."""

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
            raise CommandError(
                "This instance has accounts of its own, and nothing was changed. `make demo ARGS=--force`"
                " (manage.py demo --force) adds the demo's to them."
            )
        given = NewPersonVariables().PORTAL_PASSWORD
        password = given or secrets.token_urlsafe(12)
        try:
            with transaction.atomic():
                # The host's admin comes first: `make run` makes one only where there is nobody yet.
                call_command("first_start", stdout=self.stdout)
                events = sum(_make(account, password) for account in ACCOUNTS)
                make_api_accounts(Tenant.objects.get(pixels__pixel_id=PIXEL_IDS[0]), timezone.now())
                write_incidents(PIXEL_IDS, timezone.now())
        except PortalError as error:
            raise CommandError(f"The demo cannot be made, and nothing was changed. {error.message}") from None
        refresh_usage()
        word = "the password of PORTAL_PASSWORD" if given else f"the password {password}"
        self.stdout.write(
            WORDS.format(
                accounts=len(ACCOUNTS),
                pixels=len(PIXEL_IDS),
                events=events,
                people=_people(),
                password=word,
                page=f"{settings.BASE_URL}{resolve_url(settings.LOGIN_URL)}",
            )
        )


def _people() -> str:
    """Who has which role where, as a table: the host's people, then those of the accounts."""
    host = Membership.objects.filter(tenant=None).select_related("user").order_by("user__email")
    rows = [
        ("Account", "Person", "Role"),
        *((settings.HOST_NAME + " (the host)", role.user.email, role.level) for role in host),
        *((_name(account), email, role) for account in ACCOUNTS for email, role in account.people.items()),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _name(account: DemoAccount) -> str:
    return account.name if account.managed else f"{account.name} (manages itself)"


def _make(demo: DemoAccount, password: str) -> int:
    """The account with everything in it; the number of its events."""
    tenant = make_account(demo, password)
    pixels = [(make_pixel(tenant, pixel), pixel) for pixel in demo.pixels]
    for wanted in demo.filters:
        make_filter(tenant, wanted)
    now = timezone.now()
    events = sum(write_source_traffic(make_pipeline(tenant, each), each, now) for each in demo.pipelines)
    for made, pixel in pixels:
        write_registration(made, pixel, now)
        write_refused(made, pixel, now)
    return events + sum(write_traffic(made, pixel, now) for made, pixel in pixels)
