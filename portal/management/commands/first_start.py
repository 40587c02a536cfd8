"""``manage.py first_start``: once before each deploy; what ``make run`` says before it serves."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.shortcuts import resolve_url

from accounts.mail import unprinted
from accounts.models import ApiAccount, User
from accounts.principals import OPERATOR
from accounts.services.api_accounts import IssuedApiAccount, create_api_account
from accounts.services.people import CreatedUser, create_user
from accounts.variables import NewPersonVariables
from common.errors import InvalidInput, PortalError
from common.validation import clean_email
from portal.shared import NotShared, note_settings

API_ACCOUNT_NAME = "FirstSteps"

WELCOME = """\
{host} is at {url}

To sign in: {sign_in}

A first API call, with the new API account {client_id} (its secret is shown this once). Paste into a shell:

TOKEN=$(curl -sS {url}/clients/token -d grant_type=client_credentials \\
  -d client_id={client_id} -d client_secret={client_secret} \\
  | sed -E 's/.*"access_token": *"([^"]+)".*/\\1/')
curl -sS {url}/hub/graphql/ -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  -d '{{"query": "{{ viewer {{ kind apiAccount }} tenants {{ totalCount }} }}"}}'; echo
"""


class Command(BaseCommand):
    """On an empty database, makes the host's first admin and an API account; later it tells the address alone.

    Each time it notes the settings that all processes must have alike.
    """

    help = (
        "Makes the first admin and API account where there is nobody yet, and prints how to sign in. "
        "Notes the settings that all processes must have alike."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            note_settings()
        except NotShared as reason:
            raise CommandError(f"The portal cannot start: {reason}") from None
        if User.objects.exists() or ApiAccount.objects.exists():
            self.stdout.write(f"{settings.HOST_NAME} is at {settings.BASE_URL}")
            return
        given = NewPersonVariables()
        try:
            with unprinted(), transaction.atomic():
                admin = create_user(
                    principal=OPERATOR,
                    email=given.PORTAL_ADMIN_EMAIL or _default_admin_email(),
                    role_name="agency-admin",
                    password=given.PORTAL_PASSWORD,
                )
                issued = create_api_account(principal=OPERATOR, name=API_ACCOUNT_NAME)
        except PortalError as error:
            raise CommandError(f"The first admin cannot be made. {error.message}") from None
        self.stdout.write(_welcome(admin, issued))


def _default_admin_email() -> str:
    """``admin@`` the portal's host name; on a host without a domain ``admin@localhost``."""
    try:
        return clean_email("email", f"admin@{urlsplit(settings.BASE_URL).hostname}")
    except InvalidInput:
        return "admin@localhost"


def _welcome(admin: CreatedUser, issued: IssuedApiAccount) -> str:
    if admin.invitation_link:
        hours = settings.INVITATION_LIFETIME_HOURS
        sign_in = f"choose a password for {admin.user.email} within {hours} hours at\n{admin.invitation_link}"
    else:
        page = f"{settings.BASE_URL}{resolve_url(settings.LOGIN_URL)}"
        sign_in = f"{admin.user.email} with the password of PORTAL_PASSWORD, at {page}"
    return WELCOME.format(
        host=settings.HOST_NAME,
        url=settings.BASE_URL,
        sign_in=sign_in,
        client_id=issued.api_account.name,
        client_secret=issued.secret,
    )
