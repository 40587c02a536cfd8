"""What every page has in common: who may open it, what its template knows, how a service's refusal is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, cast
from urllib.parse import SplitResult, urlsplit, urlunsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import Q, Subquery
from django.db.models.expressions import Combinable
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django_htmx.http import HttpResponseClientRedirect

from accounts.borders import Borders
from accounts.models import HostSettings, Tenant, User
from accounts.models.host import host_name
from accounts.permissions import Action, allowed_actions, find_tenant
from accounts.principals import Principal, principal_of_user
from common.errors import InvalidInput, NotAuthorized, NotFound, PortalError
from common.replica_pages import read_page

#: The account selector lists so many; the list of accounts has them all.
SELECTOR_SIZE = 20


class HostRequest(HttpRequest):
    """The request of a page that is about no single account."""

    principal: Principal
    can: dict[str, bool]


class AccountRequest(HostRequest):
    """The request of a page about one account."""

    tenant: Tenant


P = ParamSpec("P")
HostView = Callable[Concatenate[HostRequest, P], HttpResponseBase]
AccountPageView = Callable[Concatenate[AccountRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in_page(view: HostView[P]) -> View[P]:
    """A page for everybody who has signed in; ``can`` tells what they may do at the host."""
    return _page(view, lambda request: _enter(request, None))


def host_page(action: Action = Action.VIEW_HOST) -> Callable[[HostView[P]], View[P]]:
    """A page about the host: not found for those who are not its people, 403 for those who may not do ``action``."""

    def decorate(view: HostView[P]) -> View[P]:
        def enter(request: HttpRequest) -> None:
            if not principal_of_request(request).sees_all_tenants:
                raise Http404
            _enter(request, action)

        return _page(view, enter)

    return decorate


def account_page(action: Action = Action.VIEW_DATA) -> Callable[[AccountPageView[P]], View[P]]:
    """A page about the account that ``?tenant=`` names, given to the view as ``request.tenant``.

    Outsiders get the same 404 as for an account that does not exist; whoever may see the account, but not do
    ``action`` there, gets 403.
    """

    def decorate(view: AccountPageView[P]) -> View[P]:
        def enter(request: HttpRequest) -> None:
            principal = principal_of_request(request)
            if "tenant" not in request.GET and request.method in ("GET", "HEAD"):
                raise _OtherPage(_with_only_account(request, principal))
            tenant = find_tenant(principal, request.GET.get("tenant", ""))
            if tenant is None:
                raise Http404
            cast(AccountRequest, request).tenant = tenant
            _enter(request, action, tenant)

        return _page(cast(Any, view), enter)

    return decorate


class _OtherPage(Exception):
    """The page that was asked for leads on to another one."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


def _with_only_account(request: HttpRequest, principal: Principal) -> str:
    """The page of the only account that somebody has, or the list to choose one from."""
    if principal.only_tenant_id is None:
        return resolve_url(settings.LOGIN_REDIRECT_URL)
    query = request.GET.copy()
    query["tenant"] = principal.only_tenant_id
    return f"{request.path}?{query.urlencode()}"


def principal_of_request(request: HttpRequest) -> Principal:
    """The signed-in person, looked up once a request."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None:
        if not isinstance(request.user, User):
            raise NotAuthorized("Sign in first.")
        principal = principal_of_user(request.user)
        cast(HostRequest, request).principal = principal
    return principal


def _page(view: HostView[P], enter: Callable[[HttpRequest], None]) -> View[P]:
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        try:
            enter(request)
        except _OtherPage as other:
            return redirect(other.url)
        try:
            response = read_page(request, lambda: view(cast(HostRequest, request), *args, **kwargs))
        except PortalError as error:
            response = _refused(request, error)
        return response

    return cast(View[P], page)


def _enter(request: HttpRequest, action: Action | None, tenant: Tenant | None = None) -> None:
    allowed = allowed_actions(principal_of_request(request), tenant)
    if action is not None and action not in allowed:
        raise PermissionDenied
    cast(HostRequest, request).can = {each.name: each in allowed for each in Action}


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    # A fragment that is asked for after the session has ended must not be filled with the sign-in page; and what was
    # posted is lost, so that only the page with the form is worth going back to.
    is_page = request.method in ("GET", "HEAD") and not _is_htmx(request)
    here = request.get_full_path() if is_page else page_in_view(request)
    to_login = redirect_to_login(here, resolve_url(settings.LOGIN_URL))
    return HttpResponseClientRedirect(to_login.url) if _is_htmx(request) else to_login


def _refused(request: HttpRequest, error: PortalError) -> HttpResponse:
    """What a view did not handle itself: an error page, or the page that the request came from with the reason."""
    if isinstance(error, NotAuthorized):
        raise PermissionDenied(error.message) from error
    if isinstance(error, NotFound) and request.method in ("GET", "HEAD"):
        raise Http404(error.message) from error
    messages.error(request, sentence(error))
    back = page_in_view(request)
    return HttpResponseClientRedirect(back) if _is_htmx(request) else redirect(back)


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def page_in_view(request: HttpRequest) -> str:
    """The path of the page that the browser shows, as far as it tells; ours only."""
    url = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    parts = urlsplit(url) if url_has_allowed_host_and_scheme(url, {request.get_host()}) else SplitResult(*[""] * 5)
    path = urlunsplit(parts._replace(scheme="", netloc="", fragment=""))
    return path if path and is_own_address(path) else resolve_url(settings.LOGIN_REDIRECT_URL)


def is_own_address(url: str) -> bool:
    """May a request send the browser there? Only to an address without a host, or to BASE_URL.

    Not to every host that the portal answers to: ``localhost`` is one, and is another machine to each reader.
    """
    base = urlsplit(settings.BASE_URL)
    return url_has_allowed_host_and_scheme(url, {base.netloc}, require_https=base.scheme == "https")


def said_yes(request: HttpRequest, field: str) -> bool:
    """Was the form's field answered with ``yes``, or with ``no``? Raises InvalidInput for everything else.

    A check box that is not ticked posts nothing: a hidden ``no`` stands before it, and the last value counts.
    """
    answer = request.POST.get(field)
    if answer not in ("yes", "no"):
        raise InvalidInput(field, "must be yes or no. Nothing was changed.")
    return answer == "yes"


def form_field(name: str) -> str:
    """``pixelId``, as services name their fields, is ``pixel_id`` in forms; ``auth.clientId`` is ``auth_client_id``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(".", "_")


def sentence(error: PortalError) -> str:
    """The refusal in the reader's language, as far as it is known, without the name that the API gives the field.

    Services speak English, which is part of the API. ``make messages`` collects their sentences from the raise itself.
    """
    said, values = (error.rule, error.limits) if isinstance(error, InvalidInput) else (error.text, error.values)
    text = gettext(said).format(**values) if values else gettext(said)
    text = text.removeprefix(f"{error.field}: ") if error.field else text
    return text[:1].upper() + text[1:]


def add_service_error(form: BaseForm, error: PortalError) -> None:
    """Show a service's refusal at the form's field that it is about, or above the form where there is none."""
    field = form_field(error.field or "")
    form.add_error(field if field in form.fields else None, sentence(error))


@contextmanager
def refusals_in(form: BaseForm) -> Iterator[None]:
    """What a service refuses in the block is shown in the form: the block ends there, and the form is not valid."""
    try:
        yield
    except PortalError as error:
        add_service_error(form, error)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what base.html and hub.html need. Queries are made only where a template asks."""
    context: dict[str, Any] = {"host_name": SimpleLazyObject(host_name), "tenant": getattr(request, "tenant", None)}
    user = getattr(request, "user", None)  # none where an error page answers before the session was read
    if isinstance(user, User) or getattr(user, "is_authenticated", False):
        context["principal"] = SimpleLazyObject(lambda: principal_of_request(request))
        context["can"] = SimpleLazyObject(lambda: _can(request))
        context["accounts"] = SimpleLazyObject(
            lambda: selector(principal_of_request(request), tenant=context["tenant"])
        )
        if getattr(request, "can", None) is not None:  # a page of the hub, which has the selector
            context["host_name"] = SimpleLazyObject(lambda: _host_name_beside(context["accounts"]))
    return context


def _host_name_beside(accounts: Choices) -> str:
    try:
        return accounts.host_name or host_name()
    except DatabaseError:  # the page that tells of it has a heading too
        return host_name()


def _can(request: HttpRequest) -> dict[str, bool]:
    can: dict[str, bool] | None = getattr(request, "can", None)
    if can is None:
        _enter(request, None, getattr(request, "tenant", None))
        can = cast(HostRequest, request).can
    return can


class Choices(NamedTuple):
    """The accounts that the selector shows, whether there are more to search for, and what the menu counts."""

    shown: list[Tenant]
    has_more: bool
    search: str
    #: These two come with the accounts: None where none was found.
    counted: int | None = None
    host_name: str | None = None


#: What the menu counts, of the account in view or of all: a subquery that an app above gives, made part of the
#: selector's query, which each page makes anyway.
MenuCount = Callable[[Borders, Tenant | None], Combinable]
_menu_counts: list[MenuCount] = []


def count_in_menu(count: MenuCount) -> None:
    """Have the menu count this; said once, when the app above is ready."""
    _menu_counts[:] = [count]


def selector(principal: Principal, search: str = "", tenant: Tenant | None = None) -> Choices:
    """The first accounts whose name contains ``search``, or whose id it is."""
    # Those that are closed to the host have no overview to go to.
    accounts = Tenant.objects.open_to(principal.borders).only("id", "name").order_by("name", "id")
    accounts = accounts.annotate(host_name=Subquery(HostSettings.objects.values("name")[:1]))
    if search:
        accounts = accounts.filter(Q(name__icontains=search) | Q(pk=search))
    for count in _menu_counts:
        accounts = accounts.annotate(counted=count(principal.borders, tenant))
    found = list(accounts[: SELECTOR_SIZE + 1])
    choices = Choices(found[:SELECTOR_SIZE], len(found) > SELECTOR_SIZE, search)
    if not found:
        return choices
    name = getattr(found[0], "host_name", None) or str(settings.HOST_NAME)
    return choices._replace(counted=getattr(found[0], "counted", None), host_name=name)


def let_scripts_ask(response: HttpResponse, origin: str) -> HttpResponse:
    """Let this page's scripts ask one more origin than the portal, which is all that its policy lets them ask."""
    response._csp_update = {"connect-src": ["'self'", origin]}  # type: ignore[attr-defined]  # where django-csp looks
    return response
