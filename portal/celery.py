"""The Celery application: ``celery --app portal worker --beat``. It is configured by the CELERY_ settings.

All that Celery says, its worker and its scheduler, goes into the log: its banners are left out, which tell the same.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
import warnings
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from celery.utils.log import get_multiprocessing_logger
from django.conf import settings
from kombu.utils.objects import cached_property

from portal import logs
from portal.parent import stop_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

logger = logging.getLogger(__name__)


class _App(Celery):
    """Celery, whose scheduler prints no banner."""

    @cached_property
    def Beat(self) -> Any:  # noqa: N802  # Celery's name
        """The program ``celery beat``."""
        return self.subclass_with_self("portal.beat:Beat")


app = _App("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

#: The scheduler has nothing to finish.
SCHEDULER_STOP_SECONDS = 2.0


@signals.setup_logging.connect
def _set_up_log(**kwargs: object) -> None:
    """Django's LOGGING holds for worker and scheduler too: with a receiver here, Celery sets up none of its own."""
    get_multiprocessing_logger()  # so that a forked process has one to tell its end; else it prints
    logs.begin_service(settings.LOGGING)


@signals.celeryd_init.connect
def _say_it_in_the_log(instance: Any, **kwargs: object) -> None:
    """A worker has a banner, and prints what it does when it gets a signal."""
    from celery.apps import worker  # here: no other process needs it

    instance.quiet = True
    worker.safe_say = lambda text, stream=None: logger.info("%s", text)


#: <malloc.h>: how many heaps threads may have, and from which size on a block is given back to the system when freed.
_M_ARENA_MAX, _ARENAS = -8, 1
_M_MMAP_THRESHOLD, _GIVEN_BACK_FROM = -3, 131_072


@signals.celeryd_init.connect
def _say_less_of_root(**kwargs: object) -> None:
    """Celery warns of root, in eight lines, since messages of Python objects would run code: ours are JSON, and cannot.

    (C_FORCE_ROOT is for those who take such messages as root all the same.)
    """
    warnings.filterwarnings("ignore", category=SecurityWarning)


@signals.worker_init.connect
def _trace_worker(**kwargs: object) -> None:
    """First of all: connections to the database that are there already would not be traced."""
    from portal.tracing import trace_from_now_on  # here: settings are read when the process starts

    trace_from_now_on("worker")


@signals.beat_init.connect
def _trace_scheduler(**kwargs: object) -> None:
    from portal.tracing import trace_from_now_on  # here: settings are read when the process starts

    trace_from_now_on("beat")


@signals.worker_init.connect
@signals.beat_init.connect
def _refuse_to_start_unshared(**kwargs: object) -> None:
    from portal.shared import refuse_to_start_unshared  # here: its table needs Django's apps

    refuse_to_start_unshared()


@signals.worker_init.connect
def _be_watched(**kwargs: object) -> None:
    # Here: they ask about Django's tables.
    from portal.metrics import tell_of_pool_from_now_on
    from portal.metrics_port import answer_at_port_from_now_on

    tell_of_pool_from_now_on()
    answer_at_port_from_now_on()


@signals.worker_init.connect
def _tell_of_root(**kwargs: object) -> None:
    if os.geteuid() == 0:
        logger.warning("The worker runs as root. A user of its own is safer: docs/production.md.")


@signals.worker_init.connect
def _keep_memory_flat(**kwargs: object) -> None:
    """Batches take megabytes for a moment: glibc would keep the largest ones of every thread for good."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _GIVEN_BACK_FROM)


#: This process, or that which has forked this one.
_worker_pid = os.getpid()


@signals.beat_embedded_init.connect
def _end_the_scheduler_with_its_worker(**kwargs: object) -> None:
    """A worker that is killed would leave it behind, and the next one brings its own."""
    stop_with_parent(_worker_pid, within=SCHEDULER_STOP_SECONDS)


@signals.celeryd_after_setup.connect
def _share_memory_with_the_scheduler(**kwargs: object) -> None:
    """The scheduler (``--beat``) is forked from the worker; looking for garbage writes to, so copies, shared pages."""
    gc.collect()
    gc.freeze()
