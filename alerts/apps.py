from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Alerts: rules over what the other apps have counted, incidents, and the notices of them."""

    name = "alerts"

    def ready(self) -> None:
        """The menu counts open incidents: the bell."""
        from accounts.web import count_in_menu
        from alerts.reads import count_open

        count_in_menu(count_open)
