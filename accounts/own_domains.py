"""Which host names are accounts' own domains (data routing): the portal serves their events there, and nothing else."""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.http.request import split_domain_port, validate_host

from accounts.models import IngressDomain
from common.postgresql import close_if_cut_off
from common.postgresql.replica import at_primary

logger = logging.getLogger(__name__)

#: How old the answer may be, in seconds. Within the process that makes a change it is seen at once.
KEPT_SECONDS = 5.0


class _Cache:
    """All domains at once: they are as few as accounts, and a made-up name costs no query of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Each with its account.
        self._domains: dict[str, str] = {}
        self._read_at: float | None = None

    def tenant_of(self, domain: str) -> str | None:
        with self._lock:
            now = time.monotonic()
            if self._read_at is None or now >= self._read_at + KEPT_SECONDS:
                self._domains, self._read_at = self._read(), now
            return self._domains.get(domain)

    def _read(self) -> dict[str, str]:
        try:
            with at_primary():
                close_if_cut_off()
                return dict(IngressDomain.objects.served().values_list("ingress", "tenant_id"))
        except DatabaseError:
            logger.warning("Accounts' own domains cannot be read; those of before hold.", exc_info=True)
            return self._domains

    def clear(self) -> None:
        with self._lock:
            self._read_at = None


_cache = _Cache()


def is_own_domain(host: str) -> bool:
    """Is the host, as a request names it, an account's own domain that leads here?

    The portal's own names never are: whoever could claim one would close the portal.
    """
    return tenant_of_own_domain(host) is not None


def tenant_of_own_domain(host: str) -> str | None:
    """The account whose own domain it is, if it is one's."""
    domain = split_domain_port(host)[0]
    return _cache.tenant_of(domain) if domain and not is_portals_own(domain) else None


def is_portals_own(domain: str) -> bool:
    """Is it a name that the operator has given the portal? ``*`` names none."""
    return validate_host(domain, [name for name in settings.ALLOWED_HOSTS if name != "*"])


def forget_own_domains() -> None:
    """Read them anew."""
    _cache.clear()
