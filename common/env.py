"""Variables of the environment: which there are, of what kind, and one clear sentence for what is malformed.

A process that cannot start says why in a line, not in a traceback. The line names the variable and its rule, and never
repeats the value. White space counts as unset, and so does an empty value, as in a compose file's ``NAME=``.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from dotenv import load_dotenv
from limits import RateLimitItem
from limits import parse as parse_rate
from pydantic import Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError, PydanticUseDefault
from pydantic_settings import BaseSettings, SettingsConfigDict

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent


def refuse(name: str, rule: str) -> NoReturn:
    """End the process: ``name`` is the environment variable, ``rule`` what its value must be."""
    logger.critical("portal cannot start: %s %s", name, rule)
    raise SystemExit(1)


def refuse_folder(name: str, error: OSError) -> NoReturn:
    """End the start, since the folder that ``name`` is set to cannot be made or written."""
    refuse(name, f"must be a folder that can be written; {error.filename}: {error.strerror}.")


def is_set(name: str) -> bool:
    """Does the environment hold more than white space under this name?"""
    return bool(os.environ.get(name, "").strip())


class Variables(BaseSettings):
    """The variables that a subclass names, read when it is made; the first malformed one ends the process."""

    model_config = SettingsConfigDict(
        arbitrary_types_allowed=True,
        case_sensitive=True,
        enable_decoding=False,  # a list is written with commas, not as JSON
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    def __init__(self) -> None:
        try:
            super().__init__()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            refuse(str(first["loc"][0]), first["msg"])


def kind(parse: Callable[[str], Any], rule: str) -> PlainValidator:
    """Values that ``parse`` makes of the text, without white space around it; ``rule`` tells what it must be."""

    def checked(value: Any) -> Any:
        if not isinstance(value, str):  # a default
            return value
        text = value.strip()
        if not text:
            raise PydanticUseDefault
        try:
            return parse(text)
        except (OSError, ValueError):
            raise PydanticCustomError("rule", "{rule}", {"rule": rule}) from None

    return PlainValidator(checked)


def default(text: str) -> Any:
    """A default that is read as if somebody had written it."""
    return Field(text, validate_default=True)


def derived(make: Callable[[dict[str, Any]], Any]) -> Any:
    """A default made of the variables above it, and read as if somebody had written it."""
    return Field(default_factory=make, validate_default=True)


# --- Kinds -----------------------------------------------------------------------------------------------------------
def whole(minimum: int = 0, maximum: int = 2**31 - 1) -> PlainValidator:
    """Whole numbers from ``minimum`` to ``maximum``."""

    def parse(text: str) -> int:
        number = int(text)
        if not minimum <= number <= maximum:
            raise ValueError
        return number

    return kind(parse, f"must be a whole number from {minimum} to {maximum}.")


def matching(form: str, rule: str) -> PlainValidator:
    """Texts of which all matches the regular expression ``form``."""

    def parse(text: str) -> str:
        if not re.fullmatch(form, text):
            raise ValueError
        return text

    return kind(parse, rule)


def _flag(text: str) -> bool:
    return ("false", "true").index(text.lower()) == 1


_POSTGRESQL_PORT = "5432"
_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _hosts(text: str) -> list[str]:
    hosts = _listed(text)
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError
    return hosts


def _networks(text: str) -> list[str]:
    networks = _listed(text)
    for network in networks:
        ip_network(network)
    return networks


def _folder(text: str) -> Path:
    path = Path(text).resolve()
    if path.exists() and not path.is_dir():
        raise ValueError
    return path


def _base_url(text: str) -> str:
    url = text.rstrip("/")
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    bare = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    if parts.scheme not in ("http", "https") or not host or bare != url.lower():
        raise ValueError
    return bare


def _database(text: str, wanted: str = "read-write") -> dict[str, Any]:
    """``wanted``: which of several servers is meant, a primary and its standbys, as libpq calls it."""
    first, others = _servers(text)
    config: dict[str, Any] = {**dj_database_url.parse(first)}
    engines = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
    if config["ENGINE"] not in engines or config["NAME"] in ("", ":memory:"):
        raise ValueError
    if others:
        every = [(config["HOST"], str(config["PORT"] or _POSTGRESQL_PORT)), *others]
        config["HOST"], config["PORT"] = (",".join(part) for part in zip(*every, strict=True))
        config["OPTIONS"] = {"target_session_attrs": wanted, **config.get("OPTIONS", {})}
    return config


def _standby(text: str) -> dict[str, Any]:
    config = _database(text, "standby")
    if not config["ENGINE"].endswith("postgresql"):
        raise ValueError
    return config


def _servers(url: str) -> tuple[str, list[tuple[str, str]]]:
    """The database's URL with its first server alone; the host and the port of each of the others."""
    scheme, found, rest = url.partition("://")
    place, slash, name = rest.partition("/")
    user, at, servers = place.rpartition("@")
    first, *others = servers.split(",")
    matches = [re.fullmatch(r"([^:]+|\[.+\])(?::(\d+))?", server) for server in others]
    if not all(matches):
        raise ValueError
    pairs = [(match[1].strip("[]"), match[2] or _POSTGRESQL_PORT) for match in matches if match]
    return f"{scheme}{found}{user}{at}{first}{slash}{name}", pairs


def _mail(text: str) -> dict[str, Any]:
    config: dict[str, Any] = dj_email_url.parse(text)
    if "EMAIL_BACKEND" not in config:
        raise ValueError
    return config


def _sender(text: str) -> str:
    try:
        validate_email(parseaddr(text)[1])
    except DjangoValidationError:
        raise ValueError from None
    return text


def _rate(text: str) -> RateLimitItem:
    short = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
    count, _, unit = text.partition("/")
    rate = parse_rate(f"{count}/{short.get(unit, unit)}")
    if rate.amount < 1:
        raise ValueError
    return rate


def _rate_or_none(text: str) -> RateLimitItem | None:
    return None if text == "0" else _rate(text)


def _signing_key(text: str) -> str:
    if len(text) < 50:
        raise ValueError
    return text


def _fernet_keys(text: str) -> list[str]:
    keys = _listed(text.replace("\n", ","))
    if not keys:
        raise ValueError
    for key in keys:
        Fernet(key)
    return keys


Text = Annotated[str, kind(str, "")]
#: To the letter, white space included.
Password = str
Flag = Annotated[bool, kind(_flag, "must be true or false.")]
Address = Annotated[str, kind(lambda text: str(ip_address(text)), "must be an IP address such as 127.0.0.1.")]
Networks = Annotated[
    list[str], kind(_networks, "must be IP addresses or networks such as 10.0.0.0/8, separated by commas.")
]
Hosts = Annotated[
    list[str],
    kind(_hosts, "must be host names such as gateway.example.com, separated by commas, without scheme or port."),
]
#: It need not exist yet; a relative one starts at the working directory.
Folder = Annotated[Path, kind(_folder, "must be a folder.")]
#: An http or https address, without its trailing slash.
BaseUrl = Annotated[str, kind(_base_url, "must be an address such as https://gateway.example.com, without a path.")]
Database = Annotated[
    dict[str, Any],
    kind(
        _database,
        "must be a database URL such as postgres://user:password@host:5432/name or sqlite:////data/portal.sqlite3.",
    ),
]
#: A server that may be read from, and is not written to.
Standby = Annotated[
    dict[str, Any],
    kind(_standby, "must be a PostgreSQL server's URL such as postgres://user:password@standby:5432/name."),
]
#: ``submission://user:password@host:587`` (STARTTLS); ``dummy:`` sends nothing.
Mail = Annotated[
    dict[str, Any], kind(_mail, "must be a mail URL such as submission://user:password@mail.example.com:587.")
]
Sender = Annotated[
    str,
    kind(_sender, "must be an email address such as gateway@example.com or Gateway <gateway@example.com>."),
]
#: A count and a unit of time, ``30/m``.
Rate = Annotated[RateLimitItem, kind(_rate, "must be a rate such as 30/m or 500/hour.")]
#: ``0`` for no limit.
RateOrNone = Annotated[
    RateLimitItem | None, kind(_rate_or_none, "must be a rate such as 30/m or 500/hour, or 0 for no limit.")
]
#: As long as Django asks for.
SigningKey = Annotated[str, kind(_signing_key, "must have at least 50 characters.")]
#: Newest first, separated by commas or lines.
FernetKeys = Annotated[
    list[str],
    kind(
        _fernet_keys, "must hold keys made by `manage.py rotate_keys --new-key`, the newest first, separated by commas."
    ),
]


# --- Files -----------------------------------------------------------------------------------------------------------
def stored(name: str, file: Path) -> Any:
    """A secret's default: what the file holds that ``python -m portal.keys`` keeps in the data folder."""

    def read() -> str:
        if not file.is_file():
            refuse(
                name,
                f"is not set, and {file} does not exist. If the portal runs with another DATA_DIR, put it into .env; "
                "`.venv/bin/python -m portal.keys` makes one.",
            )
        try:
            secret = file.read_text("utf-8").strip()
        except (OSError, ValueError):
            refuse(name, f"is not set, and {file} cannot be read.")
        return secret or refuse(name, f"is not set, and {file} is empty.")

    return Field(default_factory=read, validate_default=True)


def read_file() -> None:
    """Add the variables of ``.env``, or of the file that ENV_FILE names; those of the process itself win.

    They are for the whole process (``HTTPS_PROXY``), and a ``$`` in a password stands for itself: pydantic-settings
    would read the file otherwise on both counts.
    """
    file = Path(os.environ["ENV_FILE"].strip() if is_set("ENV_FILE") else ROOT / ".env")
    if file.exists():
        try:
            load_dotenv(file, interpolate=False)
        except (OSError, ValueError):
            refuse(str(file), "must be a text file in UTF-8 that can be read.")
    elif is_set("ENV_FILE"):
        refuse("ENV_FILE", "must name a file.")


#: What the process was started with, for one that follows it and reads the file anew.
STARTED_WITH = dict(os.environ)
read_file()
