"""How much is kept of one pixel, whatever its senders do: the newest rows of each kind; what is older goes."""

from __future__ import annotations

from django.db.models import Q, Subquery

from events.models import DeadLetter, Delivery, Identity

DELIVERIES_KEPT = 1_000
#: An event whose dead letter has gone stays counted as failed.
DEAD_LETTERS_KEPT = 10_000
#: Hashes of half a million visitors take about half a gigabyte.
IDENTITIES_KEPT = 500_000


def trim_log(pixel_pk: int) -> None:
    """Delete what is too much in the pixel's delivery log: one statement, which reads an index."""
    log = Delivery.objects.filter(pixel=pixel_pk)
    first_too_many = log.order_by("-id").values("id")[DELIVERIES_KEPT : DELIVERIES_KEPT + 1]
    log.filter(id__lte=Subquery(first_too_many)).delete()


def trim_dead_letters(pixel_pk: int) -> None:
    """Delete the pixel's oldest dead letters where there are too many."""
    letters = DeadLetter.objects.filter(pixel=pixel_pk)
    newest = letters.order_by("-failed_at", "-id").values_list("failed_at", "id")
    for failed_at, pk in newest[DEAD_LETTERS_KEPT : DEAD_LETTERS_KEPT + 1]:
        letters.filter(Q(failed_at__lt=failed_at) | Q(failed_at=failed_at, id__lte=pk)).delete()


def trim_identities(pixel_pk: int) -> None:
    """Forget the pixel's visitors who were seen longest ago where there are too many."""
    identities = Identity.objects.filter(pixel=pixel_pk)
    first_too_many = identities.order_by("-seen_at").values("seen_at")[IDENTITIES_KEPT : IDENTITIES_KEPT + 1]
    identities.filter(seen_at__lte=Subquery(first_too_many)).delete()
