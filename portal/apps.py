from django.apps import AppConfig
from django.contrib.admin import apps as admin


class PortalConfig(AppConfig):
    """The wiring: settings, URLs, the GraphQL endpoints, the REST API and the task queue."""

    name = "portal"
    default = True

    def ready(self) -> None:
        """Make every process, the web server's too, send its tasks through our Celery application."""
        from portal.celery import app  # here: it reads the settings

        app.set_default()


class AdminConfig(admin.AdminConfig):
    """Django admin with the portal's site."""

    default = False
    default_site = "portal.sites.AdminSite"
