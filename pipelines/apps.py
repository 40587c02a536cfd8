from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    """Pipelines: from which sources events come, through which filters, to which destinations."""

    name = "pipelines"

    def ready(self) -> None:
        from pipelines.services.sources import account_of_source
        from pixels.ids import ask_also

        ask_also(account_of_source)
