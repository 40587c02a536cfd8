"""Settings from the environment, refused with one clear sentence where they are malformed.

A process that cannot start says why in a line, not in a traceback: every function here ends the process with a
sentence that names the variable and the rule. An empty value counts as unset, as in a compose file's ``NAME=``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from dotenv import load_dotenv
from limits import RateLimitItem
from limits import parse as parse_rate

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent

_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]")


def refuse(name: str, rule: str) -> NoReturn:
    """End the process: ``name`` is the environment variable, ``rule`` what its value must be."""
    raise SystemExit(f"portal cannot start: {name} {rule}")


def is_set(name: str) -> bool:
    """Does the environment hold more than white space under this name?"""
    return bool(os.environ.get(name, "").strip())


def _parsed(name: str, parse: Callable[[], T], rule: str) -> T:
    try:
        return parse()
    except (OSError, ValueError):
        refuse(name, rule)


def read_file() -> None:
    """Add the variables of ``.env``, or of the file that ENV_FILE names; those of the process itself win."""
    file = Path(text("ENV_FILE", str(ROOT / ".env")))
    if file.exists():
        _parsed(
            str(file), lambda: load_dotenv(file, interpolate=False), "must be a text file in UTF-8 that can be read."
        )
    elif is_set("ENV_FILE"):
        refuse("ENV_FILE", "must name a file.")


def text(name: str, default: str) -> str:
    """A string."""
    return os.environ[name].strip() if is_set(name) else default


def password(name: str) -> str | None:
    """A password, to the letter, white space included."""
    return os.environ.get(name) or None


def pattern(name: str, default: str, form: str, rule: str) -> str:
    """A string of which all matches the regular expression ``form``."""
    value = text(name, default)
    if not re.fullmatch(form, value):
        refuse(name, rule)
    return value


def flag(name: str, default: bool = False) -> bool:
    """True or false, as in ``DEBUG=true``."""
    value = text(name, str(default)).lower()
    if value not in ("true", "false"):
        refuse(name, "must be true or false.")
    return value == "true"


def number(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    """A whole number between ``minimum`` and ``maximum``."""
    rule = f"must be a whole number from {minimum} to {maximum}."
    value = _parsed(name, lambda: int(text(name, str(default))), rule)
    if not minimum <= value <= maximum:
        refuse(name, rule)
    return value


def hosts(name: str, default: list[str]) -> list[str]:
    """Host names, separated by commas."""
    found = [host.strip() for host in text(name, ",".join(default)).split(",") if host.strip()]
    if not all(_HOST.fullmatch(host) for host in found):
        refuse(name, "must be host names such as gateway.example.com, separated by commas, without scheme or port.")
    return found


def address(name: str, default: str) -> str:
    """An IP address."""
    return str(_parsed(name, lambda: ip_address(text(name, default)), "must be an IP address such as 127.0.0.1."))


def networks(name: str) -> list[str]:
    """IP addresses and networks, separated by commas; none by default."""
    found = [network.strip() for network in text(name, "").split(",") if network.strip()]
    rule = "must be IP addresses or networks such as 10.0.0.0/8, separated by commas."
    _parsed(name, lambda: [ip_network(network) for network in found], rule)
    return found


def folder(name: str, default: Path) -> Path:
    """A folder, which need not exist yet; a relative one starts at the working directory."""
    path = Path(text(name, str(default))).resolve()
    if path.exists() and not path.is_dir():
        refuse(name, "must be a folder.")
    return path


def base_url(name: str, default: str) -> str:
    """An http or https address without a path, without its trailing slash."""
    url = text(name, default).rstrip("/")
    rule = "must be an address such as https://gateway.example.com, without a path."
    parts = _parsed(name, lambda: urlsplit(url), rule)
    host, port = parts.hostname or "", _parsed(name, lambda: parts.port, rule)
    bare = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if parts.scheme not in ("http", "https") or not host or bare != url.lower():
        refuse(name, rule)
    return bare


def database(name: str, default: str) -> dict[str, Any]:
    """A database URL, ``postgres://user:password@host:5432/name`` or ``sqlite:////folder/file``."""
    rule = "must be a database URL such as postgres://user:password@host:5432/name or sqlite:////data/portal.sqlite3."
    config: dict[str, Any] = _parsed(name, lambda: {**dj_database_url.parse(text(name, default))}, rule)
    engines = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
    if config["ENGINE"] not in engines or config["NAME"] in ("", ":memory:"):
        refuse(name, rule)
    return config


def mail(name: str, default: str) -> dict[str, Any]:
    """A mail server: ``submission://user:password@host:587`` (STARTTLS); ``dummy:`` sends nothing."""
    rule = "must be a mail URL such as submission://user:password@mail.example.com:587."
    config: dict[str, Any] = _parsed(name, lambda: dict(dj_email_url.parse(text(name, default))), rule)
    if "EMAIL_BACKEND" not in config:
        refuse(name, rule)
    return config


def sender(name: str, default: str) -> str:
    """The sender of mails: ``gateway@example.com`` or ``Gateway <gateway@example.com>``."""
    value = text(name, default)
    try:
        validate_email(parseaddr(value)[1])
    except ValidationError:
        refuse(name, "must be an email address such as gateway@example.com or Gateway <gateway@example.com>.")
    return value


def rate(name: str, default: str, rule: str = "must be a rate such as 30/m or 500/hour.") -> RateLimitItem:
    """A rate: a count and a unit of time, ``30/m``."""
    short = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
    count, _, unit = text(name, default).partition("/")
    parsed = _parsed(name, lambda: parse_rate(f"{count}/{short.get(unit, unit)}"), rule)
    if parsed.amount < 1:
        refuse(name, rule)
    return parsed


def rate_or_none(name: str, default: str) -> RateLimitItem | None:
    """A rate, or ``0`` for no limit."""
    if text(name, default) == "0":
        return None
    return rate(name, default, "must be a rate such as 30/m or 500/hour, or 0 for no limit.")


def secret(name: str, stored: Path) -> str:
    """A secret from the environment, or from the file that ``python -m portal.keys`` keeps in the data folder."""
    if is_set(name):
        return text(name, "")
    if not stored.is_file():
        hint = (
            "If the portal runs with another DATA_DIR, put it into .env; `.venv/bin/python -m portal.keys` makes one."
        )
        refuse(name, f"is not set, and {stored} does not exist. {hint}")
    return _parsed(name, lambda: stored.read_text("utf-8").strip(), f"is not set, and {stored} cannot be read.")


def signing_key(name: str, stored: Path) -> str:
    """The key that signs sessions, as long as Django asks for."""
    key = secret(name, stored)
    if len(key) < 50:
        refuse(name, "must have at least 50 characters.")
    return key


def fernet_keys(name: str, stored: Path) -> list[str]:
    """Keys for fields at rest, newest first, separated by commas or lines."""
    rule = "must hold keys made by `manage.py rotate_keys --new-key`, the newest first, separated by commas."
    keys = [key.strip() for key in secret(name, stored).replace("\n", ",").split(",") if key.strip()]
    if not keys:
        refuse(name, rule)
    for key in keys:
        _parsed(name, lambda key=key: Fernet(key), rule)  # type: ignore[misc]  # the default binds this turn's key
    return keys


read_file()
