"""Proof that who signs in reads the mails of the address (docs/decisions/0023-proof-of-an-address.md)."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record_of_person
from accounts.mail import Kind, send_later
from accounts.models import User
from accounts.principals import Principal
from accounts.tokens import PROOF
from common.errors import NotFound

CONFIRM_ADDRESS = Act("confirm address", _("confirmed the address %(subject)s"))


@transaction.atomic
def note_proof(user: User) -> None:
    """The person has used a link that was mailed to them alone."""
    if user.proven_at is None:
        user.proven_at = timezone.now()
        user.save(update_fields=["proven_at"])
        record_of_person(Principal(user=user), CONFIRM_ADDRESS, user)


@transaction.atomic
def mail_proof(*, user: User) -> bool:
    """Mail the person who is signed in a link that proves the address; False where no mail goes out."""
    path = reverse("prove_address", kwargs={"key": PROOF.make_token(user)})
    link = f"{settings.BASE_URL}{path}"
    return send_later(
        "emails/proof",
        user.email,
        {"link": link},
        kind=Kind.PASSWORD,
        language=user.language,
        account=f"person {user.pk}",
    )


def check_proof(*, user: User, key: str) -> None:
    """NotFound unless the link was mailed to the person who is signed in."""
    if not PROOF.check_token(user, key):
        raise NotFound("This link is not valid, or was mailed to somebody else. Ask for a new one.")


def confirm_by_mail(*, user: User, key: str) -> None:
    """Take the proof that the person has mailed to themselves."""
    check_proof(user=user, key=key)
    note_proof(user)
