"""Second factors: who must have one, and their secrets, which are encrypted at rest inside of allauth's rows."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import transaction

from accounts.mail import is_mail_set_up
from accounts.models import Membership, RoleLevel, User
from accounts.models.people import cannot_sign_in
from accounts.principals import Principal
from common.key_rotation import Rotation, resealed
from common.secrets import Secret

#: Where allauth keeps, in ``Authenticator.data``, what it lets SecondFactorAdapter encrypt.
_SEALED = ("secret", "seed")


def lacks_second_factor(principal: Principal) -> bool:
    """Must this person set up a second factor before anything else? REQUIRE_MFA_FOR_HOST asks the host's people to."""
    return bool(
        settings.REQUIRE_MFA_FOR_HOST
        and principal.user is not None
        and principal.host_level is not None
        and not is_mfa_enabled(principal.user)
    )


def must_prove_address(user: User) -> bool:
    """Does a second factor have to wait until the person has proven their address?

    An account's admin could accept an invitation in somebody else's name. The true owner of the address can then choose
    a new password by mail and get in. But if the admin had added a second factor, the owner could not get past it.
    """
    return user.proven_at is None and not _nobody_can_vouch_for(user)


def _nobody_can_vouch_for(user: User) -> bool:
    """Else REQUIRE_MFA_FOR_HOST would lock all of the host's admins out: no mail comes, no admin gets in to vouch."""
    if not settings.REQUIRE_MFA_FOR_HOST or is_mail_set_up():
        return False
    admins = Membership.objects.accepted().filter(tenant=None, level=RoleLevel.ADMIN).exclude(cannot_sign_in())
    return admins.filter(user=user).exists() and not admins.filter(user__proven_at__isnull=False).exists()


def revealed(data: dict[str, Any]) -> dict[str, Any]:
    """``Authenticator.data`` with its secrets in the clear, for a backup; raises UndecryptableError."""
    return {key: Secret(value).reveal() if key in _SEALED else value for key, value in data.items()}


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """The reverse."""
    return {key: Secret.seal(value).sealed if key in _SEALED else value for key, value in data.items()}


def rotate_second_factors() -> Rotation:
    """Encrypt them with the newest key, as ``common.key_rotation.rotate_secrets`` does with our own columns."""
    done = Rotation()
    for pk in list(Authenticator.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            for authenticator in Authenticator.objects.select_for_update().filter(pk=pk):
                done = done.plus(_rotate(authenticator))
    return done


def _rotate(authenticator: Authenticator) -> Rotation:
    done = Rotation()
    for key in _SEALED:
        if key not in authenticator.data:
            continue
        new = resealed(Secret(authenticator.data[key]))
        if isinstance(new, Rotation):
            done = done.plus(new)
            continue
        authenticator.data[key] = new.sealed
        authenticator.save(update_fields=["data"])
        done = done.plus(Rotation(resealed=1))
    return done
