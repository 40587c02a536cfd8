"""Browsers keep nothing of what somebody who has signed in was shown: recovery codes least of all."""

from __future__ import annotations

from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

from tests.accounts.test_sign_in import PASSWORD, SECRET, with_password
from tests.addresses import SERVED
from tests.base import Cast, login

#: Every page of allauth's, with what some of them are about.
PAGES = sorted(name for name in SERVED if name.startswith(("account_", "mfa_", "usersessions_")))
ARGUMENTS: dict[str, dict[str, Any]] = {
    "account_reset_password_from_key": {"uidb36": "0" * 32, "key": "set-password"},
    "mfa_remove_webauthn": {"pk": 1},
    "mfa_edit_webauthn": {"pk": 1},
}


def test_no_page_of_signing_in_is_kept(cast: Cast) -> None:
    signed_in = login(with_password(cast.ada))
    with_codes = login(with_password(cast.max))
    TOTP.activate(cast.max, SECRET)
    RecoveryCodes.activate(cast.max)
    for client in (signed_in, with_codes):
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    shown = set()
    for name in PAGES:
        for client in (signed_in, with_codes):
            page = client.get(reverse(name, kwargs=ARGUMENTS.get(name)))
            assert "no-store" in page.headers.get("Cache-Control", ""), name
            assert "private" in page.headers["Cache-Control"], name
            shown |= {name} if page.status_code == 200 else set()

    assert {"mfa_index", "mfa_activate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes"} <= shown
    assert {"usersessions_list", "account_change_password", "account_reauthenticate"} <= shown


def test_visitors_may_keep_what_is_nobodys(client: Client, db: None) -> None:
    assert "no-store" not in client.get("/auth/password/reset/done/").headers.get("Cache-Control", "")
