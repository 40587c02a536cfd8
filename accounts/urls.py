"""The pages of signing in: allauth's, but for those on which people would sign up or change their address."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.recovery_codes.views import generate_recovery_codes
from allauth.mfa.totp.views import activate_totp
from allauth.mfa.webauthn.views import add_webauthn
from django.urls import include, path, re_path

from accounts.views.invitations import verify_invitation
from accounts.views.languages import own_settings
from accounts.views.sign_in import ChooseNewPassword, address_proven_first, prove_address, send_proof

urlpatterns = [
    path("verify/", verify_invitation, name="verify_invitation"),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        ChooseNewPassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("settings/", own_settings, name="account_settings"),
    path("prove/", send_proof, name="send_proof"),
    path("prove/<str:key>/", prove_address, name="prove_address"),
    # Before allauth's own, which they stand for.
    path("2fa/totp/activate/", address_proven_first(activate_totp)),
    path("2fa/webauthn/add/", address_proven_first(add_webauthn)),
    path("2fa/recovery-codes/generate/", address_proven_first(generate_recovery_codes)),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
]
