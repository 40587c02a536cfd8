"""Whose events are looked at: of pixels and of gateway sources, findings and refused requests have tables of their own.

Their counters are in ``events/figures/books.py``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import models

from events.models import Finding, RefusedRequest, SourceFinding, SourceRefusedRequest
from pipelines.models import Source
from pixels.models import Pixel

Owner = Pixel | Source


class Tables(NamedTuple):
    """Where what was found of one kind of owner is kept."""

    owner: type[models.Model]
    #: The column that names it.
    column: str
    findings: type[models.Model]
    requests: type[models.Model]

    def those_there(self, owners: set[int]) -> set[int]:
        """Which of these have not gone; by their keys."""
        if not owners:
            return set()
        return set(self.owner._default_manager.filter(pk__in=owners).values_list("pk", flat=True))

    def findings_of(self, owner_pk: int) -> models.QuerySet[Any]:
        """What was found wrong with the owner's events."""
        return self.findings._default_manager.filter(**{self.column: owner_pk})


PIXELS = Tables(Pixel, "pixel_id", Finding, RefusedRequest)
SOURCES = Tables(Source, "source_id", SourceFinding, SourceRefusedRequest)
#: By ``is_source``.
KINDS = (PIXELS, SOURCES)


def tables_of(owner: Owner) -> Tables:
    """Those of the owner's kind."""
    return PIXELS if isinstance(owner, Pixel) else SOURCES
