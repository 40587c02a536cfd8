"""What all processes of an instance must share, wherever they run: their keys, and some of their settings.

The database holds a canary. A process that cannot open it has other keys than those that its secrets were encrypted
with; one that reads other settings in it than its own would work against the others. Neither may begin.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error, connections, transaction

from common import env
from common.secrets import Secret, UndecryptableError
from portal.models import Canary

logger = logging.getLogger(__name__)

_LOST = (
    "must hold a key that opens what is in the database: take it from a machine on which this portal runs "
    "(docs/production.md)."
)
_CHANGED = (
    "must be that of the instance's other processes. Where it was changed for all of them, "
    "`manage.py first_start` notes it, once."
)


class NotShared(Exception):
    """A process that must not work: the variable, and what it must be."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name} {rule}")
        self.name, self.rule = name, rule


def _as_it_is(name: str) -> Callable[[], object]:
    return lambda: getattr(settings, name)


def _kind_of_server(name: str) -> Callable[[], object]:
    """Of a server's address the kind alone: on one machine it is localhost, without TLS, and on the next it is not."""
    return lambda: urlsplit(getattr(settings, name)).scheme.replace("rediss", "redis").replace("amqps", "amqp")


#: Where two processes differ in one of these, each undoes, or does not know, what the other does.
AGREED: dict[str, Callable[[], object]] = {
    **{
        name: _as_it_is(name)
        for name in (
            *("SECRET_KEY", "BASE_URL", "REQUIRE_MFA_FOR_HOST", "CELERY_QUEUE_PREFIX", "GRAPH_API_VERSION"),
            *("COUNTER_RETENTION", "FORMER_PEOPLE_RETENTION", "AUDIT_RETENTION", "DELIVERY_LOG_DAYS"),
        )
    },
    "CELERY_BROKER_URL": _kind_of_server("CELERY_BROKER_URL"),
    "RATE_LIMIT_STORAGE_URL": _kind_of_server("RATE_LIMIT_STORAGE_URL"),
    # Unset, `make run` serves a sandbox, at an address of its own.
    "GRAPH_API_URL": lambda: settings.GRAPH_API_URL if env.is_set("GRAPH_API_URL") else None,
}


def check() -> None:
    """Raise NotShared where the canary is another's, and Django's database errors where it cannot be read.

    The first process of all makes it, and notes no settings yet: ``note_settings`` does, once a deploy.
    """
    canary, _ = Canary.objects.get_or_create(defaults={"agreed": "{}"})
    for name, digest in _open(canary).items():
        if name in AGREED and digest != _digest(name):
            raise NotShared(name, _CHANGED)


@transaction.atomic
def note_settings() -> None:
    """From now on, processes start with this process's settings alone; those that run go on. Raises NotShared."""
    canary, _ = Canary.objects.select_for_update().get_or_create(defaults={"agreed": "{}"})
    now = {name: _digest(name) for name, value in AGREED.items() if value() is not None}
    if _open(canary) != now:
        Canary.objects.update(agreed=Secret.seal(json.dumps(now)))


def replace_lost() -> None:
    """Make the canary anew with the keys that are there. What lost keys encrypted cannot be read by anybody."""
    Canary.objects.update_or_create(defaults={"agreed": "{}"})


def refuse_to_start_unshared() -> None:
    """End the process with a sentence where it must not work. While the database does not answer, nobody can tell."""
    try:
        check()
    except NotShared as reason:
        env.refuse(reason.name, reason.rule)
    except Error:
        logger.warning("The database does not answer: nobody can tell yet whether keys and settings are its own.")
    finally:
        connections.close_all()


def _open(canary: Canary) -> dict[str, str]:
    try:
        digests: dict[str, str] = json.loads(canary.agreed.reveal())
    except UndecryptableError:
        raise NotShared("FIELD_ENCRYPTION_KEYS", _LOST) from None
    return digests


def _digest(name: str) -> str:
    return hashlib.sha256(json.dumps(AGREED[name](), default=str).encode()).hexdigest()
