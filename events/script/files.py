"""The script as it is served, for each id with what the gateway knows of it: kept in the process for a moment."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from functools import cache, lru_cache
from typing import NamedTuple

import brotli
import msgspec
from cachetools import TTLCache
from django.conf import settings

from accounts.models import Tenant, TenantStatus
from events.script.configuration import IN_PAGES, Configuration, configuration_of, has_filter, mirror_of
from pipelines.data_filters import expression_of
from pipelines.models import Source
from pixels.models import Pixel

#: Files that are kept, of some 30 KB each, packed and not. An instance with more pixels reads the others' anew.
MAX_FILES = 250
#: Half a millisecond. The best quality takes 30 times as long for 8 % less, on each file that is made anew.
BROTLI_QUALITY = 5
#: Ids without a file are remembered, too: anybody can ask for any number of them.
MAX_UNKNOWN = 1_000


class File(NamedTuple):
    """What is answered: the text, and how it is packed, by the name of the encoding, the smallest first."""

    body: bytes
    packed: dict[str, bytes]
    digest: str

    def etag(self, encoding: str) -> str:
        """Of the file as it is packed, or not packed where no encoding is named."""
        return f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'


class Files(NamedTuple):
    """Those of an id, and whose it is; ``filter`` is the advertiser's own code, where there is any."""

    tenant_id: str
    script: File
    filter: File | None = None


class _Cache:
    """Files by the id of their pixel or source, and ids that have none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: TTLCache[str, Files] = TTLCache(MAX_FILES, settings.PIXEL_SETTINGS_TTL_SECONDS)
        self._unknown: TTLCache[str, None] = TTLCache(MAX_UNKNOWN, settings.PIXEL_SETTINGS_TTL_SECONDS)
        self._generation = 0

    def get(self, any_id: str) -> Files | None:
        with self._lock:
            known = self._files.get(any_id)
            if known is not None or any_id in self._unknown:
                return known
            generation = self._generation
        made = _make(any_id)
        with self._lock:
            # What was read before a change may be of before.
            if generation == self._generation:
                if made is None:
                    self._unknown[any_id] = None
                else:
                    self._files[any_id] = made
        return made

    def remembers(self, any_id: str) -> bool:
        with self._lock:
            return any_id in self._files or any_id in self._unknown

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._files.clear()
            self._unknown.clear()


_cache = _Cache()


def files_of(any_id: str) -> Files | None:
    """The files of a pixel or a source; None where there is none, or its account is deactivated."""
    return _cache.get(any_id)


def is_new(any_id: str) -> bool:
    """Will the database be asked for it? It may be made up."""
    return not _cache.remembers(any_id)


@cache
def plain_file() -> File:
    """The script for no pixel: the page names one."""
    return _file(_script())


def forget_files() -> None:
    """Make them anew."""
    _cache.clear()


@cache
def built(name: str) -> str:
    """A script as ``make setup`` has built it from ``pixel/src``."""
    return (settings.ROOT / "static" / "vendor" / name).read_text("utf-8").strip()


def _make(any_id: str) -> Files | None:
    """No source has the id of a pixel."""
    open_accounts = Tenant.objects.exclude(status=TenantStatus.DEACTIVATED)
    pixel = Pixel.objects.select_related("tenant").filter(pixel_id=any_id, tenant__in=open_accounts).first()
    if pixel is not None:
        return Files(pixel.tenant_id, _file(_script(mirror_of(pixel))))
    source = Source.objects.select_related("tenant").filter(source_id=any_id, tenant__in=open_accounts).first()
    if source is not None and source.type in IN_PAGES:
        script = _file(_script(configuration_of(source)))
        return Files(source.tenant_id, script, _file(_filter(source)) if has_filter(source) else None)
    return None


def _script(configuration: Configuration | None = None) -> str:
    served = {"configuration": msgspec.to_builtins(configuration)} if configuration else {}
    return f'(function(__cbq){{"use strict";try{{{built("cbq.js")}}}catch(_){{}}}})({_literal(served)});\n'


def _filter(source: Source) -> str:
    """A file of its own: should a browser not understand it, that breaks nothing else."""
    return f'cbq.filter("{source.source_id}",(\n{expression_of(source.custom_integrity_script)}\n));\n'


def _file(text: str) -> File:
    return _packed(text.encode())


@lru_cache(MAX_FILES)
def _packed(body: bytes) -> File:
    """A file that is made anew is mostly as it was, and packing takes the most time."""
    # Without a time in it: the same file is the same bytes in every process.
    packed = {
        "br": brotli.compress(body, mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY),
        "gzip": gzip.compress(body, mtime=0),
    }
    return File(body, packed, hashlib.sha256(body).hexdigest()[:32])


def _literal(value: object) -> str:
    """JSON that is a script's literal too, also within a page: no letter ends a line or an element there."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
