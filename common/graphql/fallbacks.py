"""How often a compiled query raised an exception, so that graphql-core had to answer.

Refusals go that way, and are as many as callers are refused. Anything else is a query that takes twice the time, each
time, without anybody's noticing it.
"""

from __future__ import annotations

import logging
from collections import Counter

from common import metrics
from common.errors import PortalError
from common.graphql.compiler import Misfit

logger = logging.getLogger(__name__)

#: By the exception's class, since the process has started.
fallbacks: Counter[str] = Counter()


def note_fallback(error: Exception) -> None:
    """Count it, and say so in the log; the error's text, which may quote what was asked or read, stays out."""
    cause = type(error).__qualname__
    fallbacks[cause] += 1
    metrics.note_fallback(cause)
    level = logging.INFO if isinstance(error, PortalError | Misfit) else logging.WARNING
    logger.log(level, "A compiled query raised %s: graphql-core answers.", cause, extra={"count": fallbacks[cause]})
