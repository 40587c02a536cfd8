"""The pages' static files, each under a name that changes with it, and packed by gzip."""

from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class GzippedFiles(CompressedManifestStaticFilesStorage):
    """By gzip alone: Brotli would take 15 seconds of each start, since all files are packed anew."""

    def create_compressor(self, **options: Any) -> Compressor:
        """What packs them."""
        return Compressor(use_brotli=False, **options)
