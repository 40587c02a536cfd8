from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.db.transaction import on_commit


class AccountsConfig(AppConfig):
    """Accounts (tenants), people, roles, API accounts and data routing."""

    name = "accounts"

    def ready(self) -> None:
        from accounts.models import IngressDomain

        for signal in (post_save, post_delete):
            signal.connect(_forget_own_domains, sender=IngressDomain)


def _forget_own_domains(**_: Any) -> None:
    """Within this transaction, and again once others can see what it has changed."""
    from accounts.own_domains import forget_own_domains

    forget_own_domains()
    on_commit(forget_own_domains)
