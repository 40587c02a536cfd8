"""What a destination may be configured with: InvalidInput names the field and the rule, and repeats no value."""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx
import idna

from common.errors import InvalidInput
from common.public_http import may_be_asked
from common.validation import refuse_control_characters
from pipelines.custom_http.credentials import read_private_key
from pipelines.custom_http.errors import TemplateError
from pipelines.custom_http.parameters import SAMPLE
from pipelines.custom_http.requests import members_of
from pipelines.custom_http.template import read_template

URL_MAX_LENGTH = 2_048
#: Those of the web, and those that anybody may serve at: others speak other protocols.
_WEB_PORTS = (80, 443)
_FIRST_FREE_PORT = 1_024

_is_name = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
).fullmatch
_ends_in_number = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)").fullmatch


def clean_endpoint(field: str, value: str) -> str:
    """An address of the web, its host in ASCII. Where a name leads to is looked at when it is asked."""
    refuse_control_characters(field, value)
    url = value.strip()
    if len(url) > URL_MAX_LENGTH:
        raise InvalidInput(field, "must have at most {limit} characters.", limit=URL_MAX_LENGTH)
    parts = _split(url)
    if parts is None:
        raise InvalidInput(field, "must be an address such as https://example.com/events.")
    if "@" in parts.netloc:
        raise InvalidInput(field, "must hold no user name and no password: they belong to the authentication.")
    port = parts.port
    if port is not None and port not in _WEB_PORTS and port < _FIRST_FREE_PORT:
        raise InvalidInput(field, "must have the port 80, 443, or one from 1024 on.")
    host = _clean_host(field, parts.hostname or "")
    url = urlunsplit(parts._replace(netloc=f"{host}:{port}" if port is not None else host, fragment=""))
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        raise InvalidInput(field, "must be an address such as https://example.com/events.") from None
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    is_plain = not any(char.isspace() or char == "\\" for char in url)
    return parts if is_plain and parts.scheme in ("http", "https") and parts.hostname and port != 0 else None


def _clean_host(field: str, host: str) -> str:
    """A name, or an address in its usual form; of others, what they lead to depends on who reads them."""
    try:
        address = ip_address(host)
    except ValueError:
        return _clean_name(field, host.removesuffix("."))
    if not may_be_asked(address):
        raise InvalidInput(field, "must be on the public internet.")
    return f"[{address}]" if address.version == 6 else str(address)


def _clean_name(field: str, name: str) -> str:
    try:
        name = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        name = ""
    if not _is_name(name) or _ends_in_number(name) or len(name) > 253:
        raise InvalidInput(field, "must be an address such as https://example.com/events.")
    return name


def check_template(field: str, source: str, method: str) -> None:
    """InvalidInput with line and reason where no payload can be made by the template."""
    try:
        template = read_template(source)
        template.check()
        if method == "GET":
            members_of(template.render([SAMPLE]))
    except TemplateError as error:
        if error.line:
            raise InvalidInput(field, "line {line}: {reason}", line=error.line, reason=error.reason) from None
        raise InvalidInput(field, "{reason}", reason=error.reason) from None


def check_credentials(field: str, value: str) -> None:
    """``user:password``, or its encoded form."""
    refuse_control_characters(field, value)
    try:
        text = value if ":" in value else base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if ":" not in text:
        raise InvalidInput(field, "must be user:password, or the same in Base64.")


def check_private_key(field: str, value: str) -> None:
    """A key that tokens can be signed with."""
    try:
        read_private_key(value)
    except ValueError:
        raise InvalidInput(
            field,
            "must be a private key in PEM form, without a password: RSA of 2048 bits or more, or EC "
            "(P-256, P-384, P-521).",
        ) from None
