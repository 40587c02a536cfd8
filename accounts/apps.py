from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts (tenants), people, roles, API accounts and data routing."""

    name = "accounts"
