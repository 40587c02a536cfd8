"""Domain names as people write them, in the form in which we store and compare them."""

from __future__ import annotations

import idna
import tldextract

from common.errors import InvalidInput
from common.validation import refuse_control_characters

DOMAIN_MAX_LENGTH = 253

# The list that the package ships; never fetched.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def clean_domain(field: str, value: str) -> str:
    """Return a domain such as ``example.com`` in lower-case ASCII (IDNA); InvalidInput for anything else.

    The form is the reference's: no scheme, port or path. A bare public suffix (``com``, ``co.uk``) is nobody's domain.
    """
    refuse_control_characters(field, value)
    text = value.strip()
    if not text or len(text) > DOMAIN_MAX_LENGTH or "." not in text:
        raise _no_domain(field)
    try:
        domain = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except idna.IDNAError:
        raise _no_domain(field) from None
    if not _suffixes(domain).top_domain_under_public_suffix or domain.endswith("."):
        raise _no_domain(field)
    return domain


def _no_domain(field: str) -> InvalidInput:
    return InvalidInput(field, "must be a domain such as example.com, without scheme, port or path.")
