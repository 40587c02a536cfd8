"""The language that a person has chosen, for pages in every browser and for mails."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, apply_changes, record_of_person
from accounts.languages import clean_language, is_spoken
from accounts.models import User
from accounts.principals import Principal


def _name(field: str, value: str) -> object:
    return dict(settings.LANGUAGES).get(value)


CHOOSE_LANGUAGE = Act("choose language", _("chose a language"), {"language": _("Language")}, _name)


@transaction.atomic
def choose_language(*, user: User, language: str) -> None:
    """Show pages in this language to the person who chooses it, and write mails to them in it."""
    changes = apply_changes(user, {"language": clean_language("language", language)})
    if changes:
        record_of_person(Principal(user=user), CHOOSE_LANGUAGE, user, changes=changes)


def take_language(*, user: User, language: str) -> None:
    """Take the browser's, in which the person signs in, where they have none yet. That is no act of theirs."""
    if not user.language and is_spoken(language):
        user.language = language
        User.objects.filter(pk=user.pk, language="").update(language=language)
