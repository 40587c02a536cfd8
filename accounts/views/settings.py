"""An account's settings: name, who manages it, data routing, setup, status, and its end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms.tenants import AccountNameForm, RoutingForm, SetupForm, TimeZoneForm
from accounts.models import IngressDomain, Membership, RoleLevel, TenantStatus
from accounts.permissions import Action
from accounts.services.invitations import ADVERTISER, send_invitation
from accounts.services.routing import (
    DnsOutcome,
    RoutingCheck,
    can_be_led_to,
    gateway_domain,
    upsert_ingress_domain,
)
from accounts.services.tenants import delete_tenant, propose_time_zone, update_tenant
from accounts.views.pages import address, form_page
from accounts.web import AccountRequest, account_page, add_service_error, refusals_in, said_yes
from common.errors import NotAuthorized, PortalError


@require_safe
@account_page(Action.VIEW_TENANT)
def account_settings(request: AccountRequest) -> HttpResponse:
    """Everything that can be set, or seen, of the account."""
    return _settings(request)


@require_POST
@account_page(Action.EDIT_SETTINGS)
def rename(request: AccountRequest) -> HttpResponse:
    """Give the account another name."""
    form = AccountNameForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            tenant = update_tenant(principal=request.principal, tenant_id=request.tenant.pk, **form.cleaned_data)
            return _done(request, _("The account is called %(name)s now.") % {"name": tenant.name})
    return _settings(request, name_form=form)


@require_POST
@account_page(Action.EDIT_SETTINGS)
def choose_time_zone(request: AccountRequest) -> HttpResponse:
    """Choose the account's time zone."""
    form = TimeZoneForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            tenant = update_tenant(principal=request.principal, tenant_id=request.tenant.pk, **form.cleaned_data)
            return _done(request, _("The account's time zone is %(name)s now.") % {"name": tenant.time_zone})
    return _settings(request, time_zone_form=form)


@require_POST
@account_page(Action.EDIT_SETTINGS)
def take_time_zone(request: AccountRequest) -> HttpResponse:
    """Take the browser's time zone where the account has none yet: portal.js asks for it."""
    propose_time_zone(
        principal=request.principal,
        tenant_id=request.tenant.pk,
        time_zone=request.POST.get("time_zone", ""),
    )
    return HttpResponse(status=204)


@require_POST
@account_page(Action.EDIT_PARTNER_ACCESS)
def partner_access(request: AccountRequest) -> HttpResponse:
    """Let the host manage the account, or not."""
    on = said_yes(request, "managed")
    update_tenant(principal=request.principal, tenant_id=request.tenant.pk, can_partner_manage=on)
    return _done(request, _("The host manages the account now.") if on else _("The account manages itself now."))


@require_POST
@account_page(Action.EDIT_STATUS)
def switch_status(request: AccountRequest) -> HttpResponse:
    """Activate or deactivate the account."""
    active = said_yes(request, "active")
    status = TenantStatus.ACTIVE if active else TenantStatus.DEACTIVATED
    tenant = update_tenant(principal=request.principal, tenant_id=request.tenant.pk, status=status)
    text = _("%(name)s is active.") if active else _("%(name)s is deactivated: it receives and publishes no events.")
    messages.success(request, text % {"name": tenant.name})
    return redirect(address("accounts:list"))


@require_POST
@account_page(Action.DELETE_TENANT)
def delete(request: AccountRequest) -> HttpResponse:
    """Delete the account, once its name was typed."""
    tenant = request.tenant
    if request.POST.get("typed", "").strip() != tenant.name:
        messages.error(request, _("What you typed is not the account's name. Nothing was deleted."))
        return redirect(address("accounts:settings", tenant))
    delete_tenant(principal=request.principal, tenant_id=tenant.pk)
    messages.success(request, _("The account %(name)s is deleted.") % {"name": tenant.name})
    return redirect(address("accounts:list"))


@require_http_methods(["GET", "HEAD", "POST"])
@account_page(Action.INVITE_ADMIN)
def complete_setup(request: AccountRequest) -> HttpResponse:
    """Make a new invitation link for the admin of an account that waits for one."""
    form = SetupForm(request.POST or None, initial={"email": _waiting_admin(request)})
    if not form.is_valid():
        return form_page(request, "accounts/setup.html", form)
    context: dict[str, Any] = {"form": form, "email": form.cleaned_data["email"]}
    try:
        issued = send_invitation(
            principal=request.principal, email=context["email"], user_type=ADVERTISER, tenant_id=request.tenant.pk
        )
        context |= {"link": issued.link, "is_mailed": issued.is_mailed}
    except NotAuthorized:
        # Whoever does not see the account's people is not told either whether this is one of them.
        form.add_error("email", _("No admin with this address is waiting here."))
    except PortalError as error:
        add_service_error(form, error)
    return form_page(request, "accounts/setup.html", form, context)


@require_POST
@account_page(Action.EDIT_SETTINGS)
def choose_domain(request: AccountRequest) -> HttpResponse:
    """Choose the account's own domain, and check its CNAME."""
    form = RoutingForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            return _say_what_dns_says(request, _check(request, form.cleaned_data["ingress"]))
    return _settings(request, routing_form=form)


@require_POST
@account_page(Action.EDIT_SETTINGS)
def check_domain(request: AccountRequest) -> HttpResponse:
    """Check the CNAME of the chosen domain again."""
    domain = _domain_of(request)
    if domain is None:
        return redirect(address("accounts:settings", request.tenant))
    return _say_what_dns_says(request, _check(request, domain.ingress))


def _check(request: AccountRequest, ingress: str) -> RoutingCheck:
    return upsert_ingress_domain(
        principal=request.principal,
        tenant_id=request.tenant.pk,
        ingress=ingress,
        target_domain=_gateway(_domain_of(request)),
    )


def _say_what_dns_says(request: AccountRequest, check: RoutingCheck) -> HttpResponse:
    if check.domain.status == IngressDomain.Status.VERIFIED:
        text = _("DNS answers: %(domain)s leads to %(gateway)s. Data routing is optimized.")
        level = messages.SUCCESS
    else:
        text = {
            DnsOutcome.CNAME: _("DNS answers: %(domain)s leads to %(found)s, not to %(gateway)s. Correct the record."),
            DnsOutcome.NO_RECORD: _("DNS answers: %(domain)s has no CNAME record. Add the record shown below."),
            DnsOutcome.NO_DOMAIN: _(
                "DNS answers: there is no %(domain)s. Add the record shown below; it can take an hour to be seen."
            ),
            DnsOutcome.NO_ANSWER: _("DNS gave no answer about %(domain)s. Check again in a few minutes."),
        }[check.answer.outcome]
        level = messages.WARNING
    words = {"domain": check.domain.ingress, "gateway": check.domain.target_domain, "found": check.answer.cname}
    return _done(request, text % words, level)


def _done(request: AccountRequest, text: str, level: int = messages.SUCCESS) -> HttpResponse:
    messages.add_message(request, level, text)
    return redirect(address("accounts:settings", request.tenant))


def _settings(
    request: AccountRequest,
    *,
    name_form: AccountNameForm | None = None,
    time_zone_form: TimeZoneForm | None = None,
    routing_form: RoutingForm | None = None,
) -> HttpResponse:
    domain = _domain_of(request) if request.can[Action.VIEW_DATA.name] else None
    gateway = _gateway(domain)
    context = {
        "name_form": name_form or AccountNameForm(initial=model_to_dict(request.tenant, AccountNameForm.base_fields)),
        "time_zone_form": time_zone_form or TimeZoneForm(initial={"time_zone": request.tenant.zone.key}),
        "routing_form": routing_form or RoutingForm(initial={"ingress": domain and domain.ingress}),
        "domain": domain,
        "gateway": gateway,
        "can_be_routed_to": can_be_led_to(gateway),
        "changing": routing_form is not None or "change" in request.GET,
        "statuses": TenantStatus,
    }
    refused = name_form or time_zone_form or routing_form
    return render(request, "accounts/settings.html", context, status=400 if refused else 200)


def _domain_of(request: AccountRequest) -> IngressDomain | None:
    return IngressDomain.objects.filter(tenant=request.tenant).first()


def _gateway(domain: IngressDomain | None) -> str:
    return domain.target_domain if domain else gateway_domain()


def _waiting_admin(request: AccountRequest) -> str | None:
    """The admin who was invited, as far as the person may know."""
    waiting = Membership.objects.visible_to(request.principal.borders).filter(
        tenant=request.tenant, level=RoleLevel.ADMIN, accepted_at=None
    )
    return waiting.values_list("user__email", flat=True).first()
