"""Mail, as the host's settings page shows it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.mail import Kind, compose, may_mail
from accounts.permissions import Action, require
from accounts.principals import Principal
from common.errors import Conflict
from common.validation import clean_email

SEND_TEST_MAIL = Act("send test mail", _("tried whether a mail reaches %(subject)s"))


def send_test_mail(*, principal: Principal, email: str) -> None:
    """Send a mail at once, and say in a Conflict what the mail server answers where it does not take it."""
    require(principal, Action.EDIT_HOST_PEOPLE)
    address = clean_email("email", email)
    if not may_mail(Kind.TEST, address):
        raise Conflict("This address has had its test mails for today.")
    record(principal, SEND_TEST_MAIL, address)
    try:
        compose("emails/test", address, {}).send()
    except OSError as error:
        raise Conflict("The mail server did not take the mail: {reason}", reason=error) from error
