"""The settings: what a wrong environment is told, and that docs/configuration.md tells of every variable."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

from common.env import Variables, _database, _standby
from tests.log_lines import events

KEY = "k" * 50
FERNET_KEY = "a2V5LWZvci10ZXN0cy1vbmx5LW5ldmVyLXVzZS1pdC0="


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a process that only reads the settings, in an environment of its own."""
    base = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": KEY,
        "FIELD_ENCRYPTION_KEYS": FERNET_KEY,
        "ENV_FILE": os.devnull,
    }
    return subprocess.run(
        [sys.executable, "-c", "from portal import settings; print(settings.DEBUG, settings.BASE_URL)"],
        cwd=settings.ROOT,
        env={**base, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_any_choice_the_portal_starts_with_debug_off(tmp_path: Path) -> None:
    done = start(tmp_path)

    assert done.stderr == ""
    assert done.stdout == "False http://localhost:8000\n"


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    done = start(tmp_path, DEBUG="", PORT="", DATABASE_URL="", EMAIL_URL="", BASE_URL=" ")

    assert done.stdout == "False http://localhost:8000\n"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("DEBUG", "maybe", "must be true or false."),
        ("DEBUG", "yes", "must be true or false."),
        ("PORT", "8000.0", "must be a whole number from 1 to 65535."),
        ("BIND_ADDRESS", "localhost", "must be an IP address such as 127.0.0.1."),
        ("DATA_DIR", "/dev/null", "must be a folder."),
        ("LANE_LEASE_SECONDS", "39", "must be a whole number from 40 to 2147483647."),
        ("PORT", "http", "must be a whole number from 1 to 65535."),
        ("PORT", "65536", "must be a whole number from 1 to 65535."),
        ("BASE_URL", "gateway.example.com", "must be an address such as https://gateway.example.com, without a path."),
        ("BASE_URL", "https://h/hub", "must be an address such as https://gateway.example.com, without a path."),
        ("BASE_URL", "http://[::1", "must be an address such as https://gateway.example.com, without a path."),
        ("ALLOWED_HOSTS", "https://a.example", "must be host names such as"),
        ("TRUSTED_PROXIES", "proxy", "must be IP addresses or networks such as 10.0.0.0/8, separated by commas."),
        ("DATABASE_URL", "mysql://root@localhost/portal", "must be a database URL such as"),
        ("DATABASE_URL", "postgres://localhost", "must be a database URL such as"),
        ("DATABASE_URL", "sqlite://:memory:", "must be a database URL such as"),
        ("DATABASE_REPLICA_URL", "sqlite:////data/portal.sqlite3", "must be a PostgreSQL server's URL such as"),
        ("REPLICA_MAX_LAG_SECONDS", "0", "must be a whole number from 1 to 300."),
        ("DATABASE_URL", "postgres://one:5432,:5432/portal", "must be a database URL such as"),
        ("DATABASE_URL", "postgres://one:5432,two:first/portal", "must be a database URL such as"),
        ("EMAIL_URL", "mail.example.com", "must be a mail URL such as"),
        ("DEFAULT_FROM_EMAIL", "gateway", "must be an email address such as"),
        ("TOKEN_RATE_LIMIT", "often", "must be a rate such as 30/m or 500/hour."),
        ("TOKEN_RATE_LIMIT", "0/m", "must be a rate such as 30/m or 500/hour."),
        ("API_RATE_LIMIT", "none", "must be a rate such as 30/m or 500/hour, or 0 for no limit."),
        ("ADDRESS_RATE_LIMIT", "0/m", "must be a rate such as 30/m or 500/hour, or 0 for no limit."),
        ("PIXEL_RATE_LIMIT", "-1/m", "must be a rate such as 30/m or 500/hour, or 0 for no limit."),
        # Within one process: the worker would hear of nothing.
        ("CELERY_BROKER_URL", "memory://", "must be filesystem://"),
        ("RATE_LIMIT_STORAGE_URL", "file:///tmp", "must be memory:// or redis://host:6379/0."),
        ("GRAPH_API_VERSION", "24", "must be a version such as v24.0."),
        ("SENTRY_DSN", "https://sentry.example.com/1", "must be the DSN of a project, such as"),
        ("SENTRY_DSN", "https://key@sentry.example.com:port/1", "must be the DSN of a project, such as"),
        ("LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING or ERROR."),
        ("ENV_FILE", "/nowhere/.env", "must name a file."),
        ("SECRET_KEY", "short", "must have at least 50 characters."),
        ("FIELD_ENCRYPTION_KEYS", "short", "must hold keys made by `manage.py rotate_keys --new-key`"),
        ("FIELD_ENCRYPTION_KEYS", ",", "must hold keys made by `manage.py rotate_keys --new-key`"),
    ],
)
def test_a_malformed_value_ends_the_process_with_one_sentence(tmp_path: Path, name: str, value: str, rule: str) -> None:
    done = start(tmp_path, **{name: value})

    assert done.returncode == 1
    [said] = events(done.stderr)
    assert said.startswith(f"portal cannot start: {name} {rule}")


@pytest.mark.parametrize("threads", [{"WEB_THREADS": "30"}, {"WORKER_THREADS": "32"}])
def test_every_thread_can_have_a_connection(tmp_path: Path, threads: dict[str, str]) -> None:
    postgres = {"DATABASE_URL": "postgres://portal@localhost/portal", **threads}
    refused = start(tmp_path, DATABASE_POOL_SIZE="31", **postgres)

    assert events(refused.stderr) == [
        "portal cannot start: DATABASE_POOL_SIZE must be at least 32: WORKER_THREADS, and WEB_THREADS and two more."
    ]
    assert start(tmp_path, DATABASE_POOL_SIZE="32", **postgres).returncode == 0
    assert start(tmp_path, **postgres).returncode == 0


def test_a_database_may_have_standbys() -> None:
    database = _database("postgres://portal:a%2Cb@one,two:5433,[::1]:5434/portal?sslmode=require")

    assert (database["HOST"], database["PORT"], database["NAME"]) == ("one,two,::1", "5432,5433,5434", "portal")
    assert database["PASSWORD"] == "a,b"
    assert database["OPTIONS"] == {"target_session_attrs": "read-write", "sslmode": "require"}


def test_a_replica_is_a_standby_of_a_postgresql_server(tmp_path: Path) -> None:
    replica = _standby("postgres://portal@one,two:5433/portal?load_balance_hosts=random")
    assert (replica["HOST"], replica["PORT"]) == ("one,two", "5432,5433")
    assert replica["OPTIONS"] == {"target_session_attrs": "standby", "load_balance_hosts": "random"}

    refused = start(tmp_path, DATABASE_REPLICA_URL="postgres://portal@localhost/portal")
    assert events(refused.stderr) == [
        "portal cannot start: DATABASE_REPLICA_URL must be left out where DATABASE_URL names no PostgreSQL server."
    ]


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS"])
def test_a_missing_secret_is_told_with_the_way_to_make_it(tmp_path: Path, name: str) -> None:
    done = start(tmp_path, **{name: ""})

    assert done.returncode == 1
    [said] = events(done.stderr)
    assert said == (
        f"portal cannot start: {name} is not set, and {tmp_path / name.lower()} does not exist. "
        "If the portal runs with another DATA_DIR, put it into .env; `.venv/bin/python -m portal.keys` makes one."
    )


def test_a_refused_value_is_not_repeated(tmp_path: Path) -> None:
    done = start(tmp_path, DATABASE_URL="postgres://portal:hunter2@localhost:port/portal")

    assert done.returncode == 1
    assert "hunter2" not in done.stderr


def test_an_empty_secret_on_the_disk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()

    done = start(tmp_path, SECRET_KEY="")

    [said] = events(done.stderr)
    assert said == f"portal cannot start: SECRET_KEY is not set, and {tmp_path / 'secret_key'} is empty."


def test_a_dollar_in_the_file_stands_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text("BASE_URL=https://$host.example.com\nDEFAULT_FROM_EMAIL=gateway@example.com\n")

    assert start(tmp_path, ENV_FILE=str(file)).stdout == "False https://$host.example.com\n"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text("DEBUG=true\nBASE_URL=https://file.example.com\n")

    done = start(tmp_path, ENV_FILE=str(file), BASE_URL="https://process.example.com")

    assert done.stdout == "True https://process.example.com\n"


def variables_read() -> set[str]:
    """The names of all the variables that classes of the code name."""
    for app in ("common", "portal", "accounts", "pixels", "filters", "pipelines", "events", "alerts"):
        for file in (settings.ROOT / app).rglob("*.py"):
            if "Variables):" in file.read_text("utf-8"):
                import_module(".".join(file.relative_to(settings.ROOT).with_suffix("").parts))
    return {"ENV_FILE"}.union(*(kind.model_fields for kind in Variables.__subclasses__()))


def test_the_readme_tells_of_every_variable_and_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.ROOT)
    table = set(re.findall(r"^\| `([A-Z_]+)` \|", Path("docs/configuration.md").read_text("utf-8"), re.MULTILINE))

    assert table == variables_read()
    assert "DATABASE_URL" in table


def test_the_example_names_known_variables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.ROOT)
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", Path(".env.example").read_text("utf-8"), re.MULTILINE))

    assert named <= variables_read()
