"""The host's settings: its name, and mail."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.host import HostNameForm
from accounts.mail import is_mail_set_up, mail_kind
from accounts.models.host import host_name
from accounts.permissions import Action
from accounts.services.host import rename_host
from accounts.services.mail import send_test_mail
from accounts.views.pages import form_page
from accounts.web import HostRequest, host_page, refusals_in


@require_safe
@host_page()
def host_settings(request: HostRequest) -> HttpResponse:
    """What is set for the whole instance."""
    return _settings(request, HostNameForm(initial={"name": host_name()}))


@require_POST
@host_page(Action.EDIT_HOST)
def rename(request: HostRequest) -> HttpResponse:
    """Give the host another name."""
    form = HostNameForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            rename_host(principal=request.principal, name=form.cleaned_data["name"])
            messages.success(request, _("The name is changed."))
            return redirect("host:settings")
    return _settings(request, form)


def _settings(request: HostRequest, form: HostNameForm) -> HttpResponse:
    context = {"base_url": settings.BASE_URL, "requires_second_factor": settings.REQUIRE_MFA_FOR_HOST}
    return form_page(request, "accounts/host_settings.html", form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@host_page()
def mail(request: HostRequest) -> HttpResponse:
    """How mails are sent, without the password; a POST sends a test mail to the person who asks."""
    if request.method == "POST":
        email = str(request.user)
        send_test_mail(principal=request.principal, email=email)
        if is_mail_set_up():
            messages.success(request, _("A test mail was sent to %(email)s.") % {"email": email})
        elif mail_kind() == "console":
            messages.warning(request, _("Mail is not set up: the test mail was printed where the portal runs."))
        else:
            messages.warning(request, _("No mail was sent: EMAIL_URL tells the portal to send none."))
        return redirect("host:mail")
    return render(request, "accounts/host_mail.html", {"mail": _mail_settings()})


def _mail_settings() -> dict[str, object]:
    return {
        "kind": mail_kind(),
        "server": settings.EMAIL_HOST,
        "port": settings.EMAIL_PORT,
        "tls": "TLS" if settings.EMAIL_USE_SSL else "STARTTLS" if settings.EMAIL_USE_TLS else "",
        "has_user": bool(settings.EMAIL_HOST_USER),
        "sender": settings.DEFAULT_FROM_EMAIL,
    }
