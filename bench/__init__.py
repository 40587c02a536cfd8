"""Benchmarks that anyone can run: ``make bench``, or a single one of them, ``python -m bench.pages``.

Importing this package makes the place where they run (bench/place.py), unless there is one: the processes that a
benchmark starts have their parent's, and the tests have their own.
"""

from __future__ import annotations

import os

from django.conf import settings

if not (os.environ.get("PORTAL_BENCH") or settings.configured):
    from bench import place

    place.make()
