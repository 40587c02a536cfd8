"""How random secrets are kept: as their SHA-256 (docs/decisions/0004-oauth.md)."""

from __future__ import annotations

import hashlib


def hash_secret(secret: str) -> str:
    """The SHA-256 of ``secret``, in hex.

    A slow hash protects guessable passwords; what this is for was drawn from 128 bits or more. Whatever text a
    client sends has a hash, unpaired surrogates included.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
