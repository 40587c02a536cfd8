"""The tables of the pages: what their columns are called and sorted by. A row is a template, ``accounts/rows/``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import django_tables2 as tables
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_tables2.data import TableQuerysetData

if TYPE_CHECKING:
    from accounts.models import Membership
    from accounts.places import Place

PAGE_SIZE = 25


class PageData(TableQuerysetData):
    """Rows of which only the page that is shown is made ready to be shown, by ``complete``."""

    def __init__(self, rows: QuerySet[Any], complete: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        super().__init__(rows)
        self._complete = complete

    def __getitem__(self, key: slice) -> Any:
        return self._complete(list(self.data[key]))


class _Table(tables.Table):
    row_template: str

    class Meta:
        attrs = {"class": "table table-vcenter card-table table-mobile-md"}
        orderable = False
        template_name = "accounts/_table.html"


def _column(title: Any, **options: Any) -> tables.Column:
    return tables.Column(verbose_name=title, accessor="pk", **options)


class TenantTable(_Table):
    """Accounts."""

    row_template = "accounts/rows/tenant.html"

    name = _column(_("Account"), orderable=True, order_by=("name", "pk"))
    status = _column(_("Status"))
    issues = _column(_("Issues"))
    pixels = _column(_("Pixels"))
    events = _column(_("24-hour events"), orderable=True, order_by=("-events", "name", "pk"))
    actions = _column(_("Actions"))

    class Meta(_Table.Meta):
        pass


class PeopleTable(_Table):
    """The people of an account, or of the host."""

    row_template = "accounts/rows/person.html"

    email = _column(_("Email address"))
    role = _column(_("Role"))
    status = _column(_("Status"))
    actions = _column(_("Actions"))

    class Meta(_Table.Meta):
        pass

    def __init__(self, members: QuerySet[Membership], place: Place, **options: Any) -> None:
        super().__init__(members, **options)
        self.place = place


class FormerPeopleTable(_Table):
    """People who have no role left."""

    row_template = "accounts/rows/former.html"

    email = _column(_("Email address"))
    last_login = _column(_("Last sign-in"))
    since = _column(_("Without a role since"))
    actions = _column(_("Actions"))

    class Meta(_Table.Meta):
        pass


class ActivityTable(_Table):
    """Entries of the audit log."""

    row_template = "accounts/rows/activity.html"

    at = _column(_("When"))
    words = _column(_("What"))

    class Meta(_Table.Meta):
        pass


class ApiAccountTable(_Table):
    """API accounts."""

    row_template = "accounts/rows/api_account.html"

    name = _column(_("Name"))
    created_at = _column(_("Created"))
    scope = _column(_("May do"))
    last_used_at = _column(_("Last used"))
    actions = _column(_("Actions"))

    class Meta(_Table.Meta):
        pass


def paged(request: HttpRequest, table: tables.Table) -> tables.Table:
    """The table with the page that the address names, or the nearest that there is."""
    table = tables.RequestConfig(request, paginate=False).configure(table)
    table.paginator = Paginator(table.rows, PAGE_SIZE)
    table.page = table.paginator.get_page(request.GET.get(table.prefixed_page_field))
    return table
