"""``manage.py create_user EMAIL ROLE``: a person with a role, by password or by invitation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.mail import unprinted
from accounts.principals import OPERATOR
from accounts.services.people import create_user
from accounts.variables import NewPersonVariables
from common.errors import PortalError


class Command(BaseCommand):
    """Prints the invitation link; with PORTAL_PASSWORD set, the person can sign in at once instead."""

    help = "Creates a person. The password comes from PORTAL_PASSWORD; without it an invitation link is printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("role", metavar="ROLE", help="agency-admin or advertiser-view-<tenantId>, as in the API")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with unprinted():
                created = create_user(
                    principal=OPERATOR,
                    email=options["email"],
                    role_name=options["role"],
                    password=NewPersonVariables().PORTAL_PASSWORD,
                )
        except PortalError as error:
            raise CommandError(error.message) from None
        self.stdout.write(created.invitation_link or f"{created.user.email} can sign in.")
