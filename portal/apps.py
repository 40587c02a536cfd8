from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The wiring: settings, URLs, the GraphQL endpoints, the REST API and the task queue."""

    name = "portal"

    def ready(self) -> None:
        """Make every process, the web server's too, send its tasks through our Celery application."""
        from portal.celery import app  # here: it reads the settings

        app.set_default()
