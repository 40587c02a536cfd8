"""What every admin page has in common: it shows what the person may see, and changes it through services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from accounts.models import Tenant
from accounts.web import principal_of_request
from common.errors import PortalError

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin = ModelAdmin
    _Paginator = Paginator


#: What SQLite and PostgreSQL say of a number that no column can hold.
TOO_LARGE = (OverflowError, DataError)


class NewestPaginator(_Paginator):
    """Pages of the first rows of a table that may hold millions: who looks for others searches."""

    ROWS = 1_000

    @cached_property
    def count(self) -> int:
        """How many rows there are, up to ROWS: counting stops there."""
        return cast(QuerySet[Any], self.object_list)[: self.ROWS].count()


def all_well(field: str, description: str) -> Callable[[Any], bool]:
    """A column for a field that is true where something is wrong: there it says no, in red."""

    @admin.display(boolean=True, description=description, ordering=field)
    def column(row: Any) -> bool:
        return not getattr(row, field)

    column.__name__ = f"{field}_all_well"
    return column


#: A condition for each word and each column: databases take no more than a thousand, and long ones cost much.
SEARCH_MAX_LENGTH, SEARCH_MAX_WORDS = 200, 10


def text_of(search_term: str) -> str:
    """What is searched for, as every database takes it: the beginning of what is too long."""
    words = search_term.replace("\0", "").strip()[:SEARCH_MAX_LENGTH].split(maxsplit=SEARCH_MAX_WORDS)
    return " ".join(words[:SEARCH_MAX_WORDS])


#: What the filters of a list put into its address, after the field's name. Of nothing else can a list be asked.
_OFFERED = ("", "__exact", "__isnull", "__isempty")


class ServiceAdmin(_ModelAdmin):
    """Read-only unless a subclass opens a way that calls a service; rows outside the person's borders are not there."""

    show_full_result_count = False
    paginator = NewestPaginator
    list_per_page = 50
    list_max_show_all = 0
    list_before_template = "admin/own_accounts.html"
    #: Elsewhere the accounts that manage themselves are left out, and the list says so.
    lists_all_accounts = False
    #: What a service is called for; whether this person may, it judges itself.
    can_add = can_change = can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request)
        visible_to = getattr(queryset, "visible_to", None)
        return visible_to(principal_of_request(request).borders) if visible_to else queryset

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, duplicates = super().get_search_results(request, queryset, text_of(search_term))
        return found, duplicates

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the list's filters offer.

        Django allows all lookups of a model's own fields, shown or not: who asks again and again
        (``access_token__startswith=a``) reads a secret by what is found.
        """
        filters = self.list_filter if request is None else self.get_list_filter(request)
        fields = (one[0] if isinstance(one, (list, tuple)) else one for one in filters)
        return any(lookup == f"{field}{ending}" for field in fields for ending in _OFFERED)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Nothing is found where an address looks for a number that no column can hold."""
        left_out = Tenant.objects.none() if self.lists_all_accounts else Tenant.objects.filter(can_partner_manage=False)
        try:
            return super().changelist_view(request, {"own_accounts": left_out.count(), **(extra_context or {})})
        except TOO_LARGE as error:
            raise Http404 from error

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        try:
            return super().get_object(request, object_id, from_field)
        except TOO_LARGE:
            return None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_change

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_delete

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Where a service refuses, show the form again with what was typed and why it was refused."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PortalError as error:
            request.refusal = error.message  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        refusal: str | None = getattr(request, "refusal", None)
        if refusal is None:
            return form

        def clean(self: ModelForm[Any]) -> dict[str, Any]:
            raise ValidationError(refusal)

        return type("RefusedForm", (form,), {"clean": clean})

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except PortalError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        # The services decide what may be deleted with what; the other admin classes' permissions do not. What hangs on
        # a row is not listed: Django would read it, and an account may have millions of counters.
        return [str(obj) for obj in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    # Django's own log of admin acts stays empty: the services write the audit log.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        pass

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        pass

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:  # type: ignore[override]
        pass

    def each(self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[[Any], object], done: str) -> None:
        """Call a service for every chosen row; ``done`` takes the count of those that went well."""
        count = 0
        for row in queryset:
            try:
                act(row)
                count += 1
            except PortalError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
        if count:
            self.message_user(request, done.format(count), messages.SUCCESS)
