"""What other apps are told of filters: bulk writes send no signals of Django's own."""

from __future__ import annotations

from django.dispatch import Signal

#: An account's filters have changed; sent in the transaction, with ``tenant``.
filters_changed = Signal()
