"""The host's own settings."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit import Act, record
from accounts.models import HostSettings
from accounts.models.host import NAME_MAX_LENGTH, host_name
from accounts.permissions import Action, require
from accounts.principals import Principal
from common.validation import clean_text

UPDATE_HOST = Act("update host", _("changed the host's settings"), {"name": _("Name")})


@transaction.atomic
def rename_host(*, principal: Principal, name: str) -> None:
    """Set the name that pages and mails call the host."""
    require(principal, Action.EDIT_HOST)
    name = clean_text("name", name, max_length=NAME_MAX_LENGTH)
    before = host_name()
    if name == before:
        return
    HostSettings.objects.update_or_create(pk=1, defaults={"name": name})
    record(principal, UPDATE_HOST, name, changes={"name": [before, name]})
