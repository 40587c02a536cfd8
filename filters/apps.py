from django.apps import AppConfig


class FiltersConfig(AppConfig):
    """Event and domain filters, and the decision they make."""

    name = "filters"
