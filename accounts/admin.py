"""Accounts and people in Django admin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts import api_account_admin  # noqa: F401  # Django looks here alone
from accounts.models import (
    AuditEntry,
    IngressDomain,
    Invitation,
    Membership,
    Tenant,
    UsageSnapshot,
    User,
)
from accounts.role_names import Role
from accounts.see_as import may_see_as
from accounts.service_admin import ServiceAdmin, all_well, text_of
from accounts.services import activation, forgetting, invitations, people, rescue, routing, tenants
from accounts.web import principal_of_request

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class TenantForm(_ModelForm):
    """An account; the first admin is asked for when it is opened."""

    admin_email = forms.EmailField(
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text="Required where the host does not manage the account; is invited as its first admin.",
    )

    class Meta:
        model = Tenant
        fields = tuple(tenants.FIELDS)


#: What is chosen of a new account; its status follows.
_CHOSEN = [field for field in tenants.FIELDS if field not in ("status", "time_zone")]

#: So many people of an account are offered, to see the portal as one of them.
SEE_AS_SHOWN = 10


class SeeAsAdmin(ServiceAdmin):
    """Pages from which staff see the portal as somebody else."""

    change_form_outer_before_template = "admin/see_as.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        staff, people = request.user, self.people(request, self.get_object(request, object_id))
        offered = [
            person for person in people if isinstance(staff, User) and may_see_as(hijacker=staff, hijacked=person)
        ]
        context = {"see_as": offered, "see_as_next": reverse("accounts:list"), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def people(self, request: HttpRequest, obj: Any) -> Iterable[User]:
        """Whom the page is about."""
        raise NotImplementedError


@admin.register(Tenant)
class TenantAdmin(SeeAsAdmin):
    """Accounts: open, change, deactivate, delete."""

    lists_all_accounts = True
    can_add = can_change = can_delete = True
    form = TenantForm
    list_display = ("name", "id", "status", "can_partner_manage", "event_enrichment", "created_at")
    list_filter = ("status", "can_partner_manage")
    search_fields = ("name", "id__exact")
    search_help_text = "A part of the name, or the id"

    def people(self, request: HttpRequest, obj: Any) -> Iterable[User]:
        members = User.objects.filter(memberships__tenant=obj, memberships__accepted_at__isnull=False)
        return members.order_by("memberships__level", "email")[:SEE_AS_SHOWN] if obj else ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [*_CHOSEN, "status", "time_zone"] if obj else [*_CHOSEN, "admin_email"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        principal, data = principal_of_request(request), form.cleaned_data
        if change:
            tenants.update_tenant(
                principal=principal, tenant_id=obj.pk, **{field: data[field] for field in form.changed_data}
            )
            return
        created = tenants.create_tenant(
            principal=principal,
            admin_email=data["admin_email"] or None,
            **{field: data[field] for field in _CHOSEN},
        )
        obj.pk = created.tenant.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        tenants.delete_tenant(principal=principal_of_request(request), tenant_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, lambda tenant: self.delete_model(request, tenant), "{} accounts deleted.")


class MembershipForm(_ModelForm):
    """A role: for a new one, the person's address and the account; later only the role changes."""

    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget, help_text="The person is invited.")

    class Meta:
        model = Membership
        fields = ("tenant", "level")


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """Who has which role: add, change, revoke, invite again."""

    can_add = can_change = can_delete = True
    form = MembershipForm
    list_display = ("user", "tenant", "level", "accepted_at")
    list_filter = ("level", ("accepted_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__id__exact", "tenant__name")
    search_help_text = "A part of the address or of the account's name, or its id"
    raw_id_fields = ("tenant",)
    actions = ("invite_again",)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["user", "tenant", "level", "accepted_at"] if obj else ["email", "tenant", "level"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["user", "tenant", "accepted_at"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        principal = principal_of_request(request)
        role = Role(obj.level, obj.tenant_id).name
        if change:
            people.change_role_for_user(principal=principal, user_id=str(obj.user_id), role_to_add=role)
            return
        added = people.add_user_with_role(principal=principal, email=form.cleaned_data["email"], role_name=role)
        obj.pk = Membership.objects.get(user=added.user, tenant=obj.tenant).pk
        obj.user = added.user
        self._show_link(request, added.user, added.invitation_link, is_mailed=added.is_mailed)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        role = Role(obj.level, obj.tenant_id).name
        principal = principal_of_request(request)
        people.change_role_for_user(principal=principal, user_id=str(obj.user_id), role_to_revoke=role)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, lambda membership: self.delete_model(request, membership), "{} roles revoked.")

    @admin.action(description="Send the invitation again")
    def invite_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def invite(membership: Membership) -> None:
            issued = invitations.send_invitation(
                principal=principal_of_request(request),
                email=membership.user.email,
                user_type=invitations.ADVERTISER if membership.tenant_id else invitations.AGENCY,
                tenant_id=membership.tenant_id,
            )
            self._show_link(request, membership.user, issued.link, is_mailed=issued.is_mailed)

        self.each(request, queryset, invite, "{} invitations made.")

    def _show_link(self, request: HttpRequest, user: User, link: str, *, is_mailed: bool) -> None:
        mailed = "a link was mailed, here is another one" if is_mailed else "not mailed, send the link yourself"
        self.message_user(request, f"Invitation of {user}, {mailed}: {link}", messages.INFO)


@admin.register(User)
class UserAdmin(SeeAsAdmin):
    """People: kept out, let in again, helped in, forgotten; their roles are changed under memberships."""

    list_display = ("email", "status", "last_login", "proven_at", "roleless_since", "created_at")
    list_filter = (
        "status",
        "language",
        ("proven_at", admin.EmptyFieldListFilter),
        ("roleless_since", admin.EmptyFieldListFilter),
    )
    search_fields = ("email",)
    search_help_text = "A part of the address, or of the name of an account of theirs"
    fields = (
        *("id", "email", "status", "language", "default_tenant", "expires_on", "last_login"),
        *("proven_at", "roleless_since", "created_at"),
    )
    actions = ("deactivate", "activate", "vouch", "remove_second_factors", "forget")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By an account's name, its people: of an account that is closed to the host, none."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        visible = Membership.objects.visible_to(principal_of_request(request).borders)
        members = visible.filter(tenant__name__icontains=text_of(search_term)).values("user_id")
        return found | queryset.filter(pk__in=members), duplicates

    @admin.action(description="Deactivate")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, activation.deactivate_user, "{} people deactivated.")

    @admin.action(description="Let in again")
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, activation.activate_user, "{} people let in again.")

    @admin.action(description="Confirm the address")
    def vouch(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, rescue.vouch_for_address, "{} addresses confirmed.")

    @admin.action(description="Take second factors and passkeys off")
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, rescue.remove_second_factors, "Second factors of {} people taken off.")

    @admin.action(description="Forget (people without a role)")
    def forget(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, forgetting.forget_person, "{} people forgotten.")

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], service: Callable[..., object], done: str) -> None:
        principal = principal_of_request(request)
        self.each(request, queryset, lambda user: service(principal=principal, user_id=str(user.pk)), done)

    def people(self, request: HttpRequest, obj: Any) -> Iterable[User]:
        return [obj] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(pk__in=people.visible_people(principal_of_request(request)))


@admin.register(Invitation)
class InvitationAdmin(ServiceAdmin):
    """Invitations that wait; sent again under memberships."""

    list_display = ("membership", "created_at", "expires_at")
    list_select_related = ("membership__user", "membership__tenant")
    search_fields = ("membership__user__email", "membership__tenant__name")
    search_help_text = "A part of the address, or of the account's name"
    fields = ("membership", "created_at", "expires_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = Membership.objects.visible_to(principal_of_request(request).borders)
        return super().get_queryset(request).filter(membership__in=visible)


@admin.register(IngressDomain)
class IngressDomainAdmin(ServiceAdmin):
    """Data routing, with a check of the DNS."""

    list_display = ("tenant", "ingress", "target_domain", "status", "checked_at")
    list_filter = ("status",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__id__exact", "tenant__name", "ingress__startswith")
    search_help_text = "An account's id, or the beginning of the domain"
    actions = ("check_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        open_tenants = Tenant.objects.open_to(principal_of_request(request).borders)
        return super().get_queryset(request).filter(tenant__in=open_tenants)

    @admin.action(description="Check the DNS again")
    def check_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def check(domain: IngressDomain) -> None:
            routing.upsert_ingress_domain(
                principal=principal_of_request(request),
                tenant_id=domain.tenant_id,
                ingress=domain.ingress,
                target_domain=domain.target_domain,
            )

        self.each(request, queryset, check, "{} domains checked.")


@admin.register(UsageSnapshot)
class UsageSnapshotAdmin(ServiceAdmin):
    """Usage of the last hours, for billing."""

    lists_all_accounts = True
    list_display = ("tenant", "total_events_received", "total_pixels_with_traffic", "publishes", "refreshed_at")
    list_filter = ("publish_error",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__id__exact", "tenant__name")
    search_help_text = "An account's id, or a part of its name"
    fields = (*list_display, "duration_in_hours")
    readonly_fields = ("publishes",)
    publishes = staticmethod(all_well("publish_error", "published without errors"))


@admin.register(AuditEntry)
class AuditEntryAdmin(ServiceAdmin):
    """Who changed what, and when."""

    list_display = ("at", "actor", "act", "subject", "tenant_id")
    list_filter = ("act",)
    search_fields = ("tenant_id__exact", "actor", "subject")
    search_help_text = "An account's id or name, or a part of who acted, or of what on"
    ordering = ("-pk",)  # which is that of time, and has an index
    fields = ("at", "actor", "act", "subject", "tenant_id", "changes")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By name, accounts that are there: of others the entries have only the id."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        accounts = Tenant.objects.open_to(principal_of_request(request).borders)
        named = accounts.filter(name__icontains=text_of(search_term)).values("pk")
        return found | queryset.filter(tenant_id__in=named), duplicates
