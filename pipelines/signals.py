"""What other apps are told of pipelines."""

from __future__ import annotations

from django.dispatch import Signal

#: Somebody has said by name whether Meta shall be told of the gateway's address for a Meta Pixel; sent in the
#: transaction, with ``pixel`` and ``registers``.
registration_chosen = Signal()
