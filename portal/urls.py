"""Every address that the portal serves."""

from __future__ import annotations

from allauth.account import views as account_views
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from accounts import host_urls
from accounts.views.languages import choose_language
from accounts.views.token import introspect_token, issue_token, revoke_token, server_metadata
from alerts import host_urls as alert_urls
from events import host_urls as registration_urls
from events import pipeline_urls as pipeline_event_urls
from events import pixel_urls as pixel_event_urls
from pipelines import urls as pipeline_urls
from pixels import urls as pixel_urls
from portal.api import api
from portal.graphql import pages as reference
from portal.graphql.capig import schema as capig_schema
from portal.graphql.hub import schema as hub_schema
from portal.graphql.view import PortalGraphQLView

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler404 = "portal.middleware.not_found"
#: Asked for by allauth.
handler429 = "portal.middleware.too_many_requests"
handler500 = "portal.middleware.server_error"

#: Beside the host's settings: only the roof knows both schemas.
reference_pages = [
    path("api-reference/", reference.index, name="api_reference"),
    path("api-reference/run/", reference.run, name="api_console"),
    path("api-reference/<slug:endpoint>/<slug:name>/", reference.operation, name="api_operation"),
]
#: The host's settings, of every app.
settings_pages = [*host_urls.urlpatterns, *registration_urls.urlpatterns, *alert_urls.urlpatterns, *reference_pages]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/hub/")),
    path("hub/graphql/", PortalGraphQLView.as_view(schema=hub_schema), name="hub_graphql"),
    path("capig/graphql/", PortalGraphQLView.as_view(schema=capig_schema), name="capig_graphql"),
    path("clients/token", issue_token, name="token"),
    path("clients/revoke", revoke_token, name="revoke_token"),
    path("clients/introspect", introspect_token, name="introspect_token"),
    path(".well-known/oauth-authorization-server", server_metadata, name="oauth_metadata"),
    path("hub/", include("accounts.hub_urls")),
    path("hub/settings/", include((settings_pages, "host"))),
    # The pages of pixels themselves come first: a word such as "connect" is no pixel's id.
    path("hub/capig/pixels/", include(([*pixel_urls.urlpatterns, *pixel_event_urls.urlpatterns], "pixels"))),
    # And here the word "create" is no pipeline's.
    path("hub/capig/", include(([*pipeline_urls.urlpatterns, *pipeline_event_urls.urlpatterns], "pipelines"))),
    path("hub/capig/alerts/", include("alerts.urls")),
    path("hub/capig/", include("events.filter_urls")),
    path("hub/capig/", include("events.urls")),
    path("auth/", include("accounts.urls")),
    path("see-as/", include("accounts.see_as_urls")),
    path("i18n/setlang/", choose_language, name="set_language"),
    # Staff sign in and out, and change their password, as everybody does.
    path("admin/logout/", account_views.logout),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("", api.urls),
]
