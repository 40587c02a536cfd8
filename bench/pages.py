"""The server's part of every page: an account with 500 pixels and a year of counters, asked by a host admin.

The pages are rendered in this process, as the web server's threads do, without HTTP: what is measured is ours. Figures
of large accounts are kept for seconds (events/figures/cache.py); "anew" is a page that had to add them up.
"""

from __future__ import annotations

import statistics
import time

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import RoleLevel
from bench.stage import print_table
from tests.addresses import address
from tests.base import person, tenant
from tests.large_account import WHOLE, fill
from tests.test_page_queries import SHOWN

TIMES = 25
TIMES_ANEW = 5


def main() -> None:
    """Measure, and print the median and the slowest of each page, in milliseconds."""
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    account = tenant("Bench")
    hanna = person("hanna", None, RoleLevel.ADMIN)
    member = person("ada", account, RoleLevel.ADMIN)
    pixel = fill(account, WHOLE)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client(HTTP_HOST="localhost")
    client.force_login(hanna)
    rows = []
    for name in SHOWN:
        path = address(name, pixel, member.pk, hanna.pk)
        _milliseconds(client, path)
        times = sorted(_milliseconds(client, path) for _ in range(TIMES))
        anew = [_milliseconds(client, path, anew=True) for _ in range(TIMES_ANEW)]
        rows.append((name, statistics.median(times), times[-2], statistics.median(anew)))
    print_table("The server's part of a page, in ms", ("page", "median", "slowest but one", "median anew"), rows)


def _milliseconds(client: Client, path: str, *, anew: bool = False) -> float:
    if anew:
        cache.clear()
    start = time.perf_counter()
    status = client.get(path).status_code
    if status not in (200, 302):
        raise RuntimeError(f"{path}: {status}")
    return 1_000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
