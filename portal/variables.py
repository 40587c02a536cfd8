"""The portal's variables of the environment; docs/configuration.md tells of each."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import model_validator

from common.env import (
    Address,
    BaseUrl,
    Database,
    FernetKeys,
    Flag,
    Folder,
    Hosts,
    Mail,
    Networks,
    Rate,
    RateOrNone,
    Sender,
    SigningKey,
    Standby,
    Text,
    Variables,
    default,
    derived,
    matching,
    refuse,
    stored,
    whole,
)
from portal import keys


def _threads(given: dict[str, Any]) -> int:
    """Those that may ask the database: all that work, and two for what a web process does in the background."""
    most: int = max(given["WORKER_THREADS"], given["WEB_THREADS"] + 2)
    return most


class PortalVariables(Variables):
    """One instance. A default that depends on other variables comes after them."""

    # This instance
    DEBUG: Flag = False
    PORT: Annotated[int, whole(1, 65_535)] = 8000
    BIND_ADDRESS: Address = "127.0.0.1"
    WEB_WORKERS: Annotated[int, whole(1, 256)] = 1
    WEB_THREADS: Annotated[int, whole(1, 256)] = 8
    WORKER_THREADS: Annotated[int, whole(1, 256)] = 8
    WORKER_PROCESSES: Annotated[int, whole(1, 64)] = 1
    WEB_CONNECTIONS: Annotated[int, whole(16, 65_536)] = 4_096
    HEADER_TIMEOUT_SECONDS: Annotated[int, whole(1, 300)] = 10
    BODY_TIMEOUT_SECONDS: Annotated[int, whole(1, 3_600)] = 30
    BODY_BYTES_PER_SECOND: Annotated[int, whole(1)] = 1_024
    LATE_REQUESTS_PER_ADDRESS: Annotated[int, whole()] = 200
    HELD_BODIES_MAX_BYTES: Annotated[int, whole(1)] = 67_108_864
    BASE_URL: BaseUrl = derived(lambda given: f"http://localhost:{given['PORT']}")
    HOST_NAME: Text = "Gateway Portal"
    SECRET_KEY: SigningKey = stored("SECRET_KEY", keys.SECRET_KEY_FILE)
    FIELD_ENCRYPTION_KEYS: FernetKeys = stored("FIELD_ENCRYPTION_KEYS", keys.FIELD_ENCRYPTION_KEYS_FILE)
    ALLOWED_HOSTS: Hosts = []
    STATIC_ROOT: Folder = default(str(keys.DATA_DIR / "static"))

    # Database
    READ_TIMEOUT_SECONDS: Annotated[int, whole(0, 3_600)] = 15
    DATABASE_URL: Database = default(f"sqlite:///{keys.DATA_DIR / 'portal.sqlite3'}")
    DATABASE_POOL_SIZE: Annotated[int, whole(1)] = derived(_threads)
    DATABASE_REPLICA_URL: Standby | None = None
    REPLICA_MAX_LAG_SECONDS: Annotated[int, whole(1, 300)] = 10

    # Publishing, and other work in the background
    PUBLISH_TIMEOUT_SECONDS: Annotated[int, whole(1, 300)] = 10
    LANE_LEASE_SECONDS: Annotated[int, whole()] = derived(lambda given: max(60, 5 * given["PUBLISH_TIMEOUT_SECONDS"]))
    DESTINATION_ALLOWED_NETWORKS: Networks = []
    COUNTER_RETENTION: Annotated[int, whole(2)] = 396
    FORMER_PEOPLE_RETENTION: Annotated[int, whole()] = 30
    AUDIT_RETENTION: Annotated[int, whole()] = 0
    DELIVERY_LOG_DAYS: Annotated[int, whole(0, 365)] = 7
    DELIVERY_LOG_MAX_BYTES: Annotated[int, whole(1_000_000)] = 10_000_000_000
    CELERY_BROKER_URL: Annotated[
        str,
        matching(
            "filesystem://|rediss?://.+|amqps?://.+",
            "must be filesystem://, redis://host:6379/0 or amqp://user:password@host:5672//.",
        ),
    ] = "filesystem://"
    CELERY_QUEUE_PREFIX: Annotated[
        str, matching("[A-Za-z0-9_-]{1,50}", "must be 1 to 50 letters, digits, hyphens and underscores.")
    ] = "portal"

    # Mail
    EMAIL_URL: Mail = default("console:")
    MAIL_RECIPIENT_RATE_LIMIT: Rate = default("5/d")
    MAIL_ACCOUNT_RATE_LIMIT: Rate = default("5000/d")
    DEFAULT_FROM_EMAIL: Sender = derived(lambda given: f"no-reply@{urlsplit(given['BASE_URL']).hostname}")

    # Security
    SECURE_SSL_REDIRECT: Flag = False
    SECURE_HSTS_SECONDS: Annotated[int, whole()] = 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS: Flag = False
    SECURE_HSTS_PRELOAD: Flag = False
    TRUSTED_PROXIES: Networks = []
    REQUIRE_MFA_FOR_HOST: Flag = False
    METRICS_TOKEN: Annotated[
        str | None,
        matching(r"[A-Za-z0-9._~+/=-]{20,}", "must be 20 or more of the signs that a bearer token has."),
    ] = None
    METRICS_ALLOWED_NETWORKS: Networks = []
    METRICS_PORT: Annotated[int | None, whole(1, 65_535)] = None
    # OpenTelemetry reads it by itself, as it does its other variables.
    OTEL_EXPORTER_OTLP_ENDPOINT: Annotated[
        str | None, matching(r"https?://[^\s/].*", "must be an address such as http://localhost:4318.")
    ] = None

    # API
    TOKEN_RATE_LIMIT: Rate = default("30/m")
    API_RATE_LIMIT: RateOrNone = default("6000/m")
    ADDRESS_RATE_LIMIT: RateOrNone = default("3000/m")
    PIXEL_RATE_LIMIT: RateOrNone = default("60000/m")
    BROWSER_ADDRESS_RATE_LIMIT: RateOrNone = default("3000/m")
    BROWSER_PIXEL_RATE_LIMIT: RateOrNone = default("60000/m")
    RATE_LIMIT_STORAGE_URL: Annotated[
        str, matching("memory://|rediss?://.+", "must be memory:// or redis://host:6379/0.")
    ] = "memory://"
    GRAPH_API_URL: BaseUrl = "https://graph.facebook.com"
    SANDBOX_PORT: Annotated[int, whole(1, 65_535)] = 8010
    GRAPH_API_VERSION: Annotated[str, matching(r"v\d{1,3}\.\d{1,2}", "must be a version such as v24.0.")] = "v24.0"
    INTAKE_MAX_EVENTS: Annotated[int, whole(1, 1_000)] = 1_000
    INTAKE_MAX_BODY_BYTES: Annotated[int, whole(1)] = 4_194_304
    PIXEL_SETTINGS_TTL_SECONDS: Annotated[int, whole(0, 60)] = 2
    GRAPHQL_MAX_BODY_BYTES: Annotated[int, whole(1)] = 100_000
    GRAPHQL_MAX_DOCUMENT_LENGTH: Annotated[int, whole(1)] = 20_000
    GRAPHQL_MAX_TOKENS: Annotated[int, whole(1)] = 1_000
    GRAPHQL_MAX_DEPTH: Annotated[int, whole(1)] = 15
    GRAPHQL_MAX_ALIASES: Annotated[int, whole()] = 30
    GRAPHQL_MAX_FIELDS: Annotated[int, whole(1)] = 500
    GRAPHQL_MAX_DUPLICATES: Annotated[int, whole()] = 200
    GRAPHQL_MAX_DIRECTIVES: Annotated[int, whole()] = 20
    GRAPHQL_MAX_OBJECTS: Annotated[int, whole(1)] = 20_000
    GRAPHQL_MAX_LIST_LENGTH: Annotated[int, whole(1)] = 500
    GRAPHQL_DOCUMENT_CACHE_SIZE: Annotated[int, whole(1)] = 256

    # Logs
    LOG_LEVEL: Annotated[str, matching("DEBUG|INFO|WARNING|ERROR", "must be DEBUG, INFO, WARNING or ERROR.")] = "INFO"
    SENTRY_DSN: Annotated[
        str | None,
        matching(
            r"https?://[^\s:/@]+@(\[[0-9A-Fa-f:.]+\]|[^\s:/@?#\[\]]+)(:\d{1,5})?(/[^\s?#]*)?/\d+",
            "must be the DSN of a project, such as https://key@sentry.example.com/1.",
        ),
    ] = None
    SENTRY_ENVIRONMENT: Text = "production"
    SENTRY_RELEASE: Text | None = None

    @model_validator(mode="after")
    def _fit_together(self) -> PortalVariables:
        """What one variable asks of another."""
        threads = _threads(self.__dict__)
        if self.DATABASE_URL["ENGINE"].endswith("postgresql") and threads > self.DATABASE_POOL_SIZE:
            refuse("DATABASE_POOL_SIZE", f"must be at least {threads}: WORKER_THREADS, and WEB_THREADS and two more.")
        if self.DATABASE_REPLICA_URL and not self.DATABASE_URL["ENGINE"].endswith("postgresql"):
            refuse("DATABASE_REPLICA_URL", "must be left out where DATABASE_URL names no PostgreSQL server.")
        if self.METRICS_PORT == self.PORT:
            refuse("METRICS_PORT", "must be another one than PORT, where the web server answers.")
        # A killed worker's pixels are not taken over while it may still wait for an answer.
        if (least := 4 * self.PUBLISH_TIMEOUT_SECONDS) > self.LANE_LEASE_SECONDS:
            refuse("LANE_LEASE_SECONDS", f"must be a whole number from {least} to {2**31 - 1}.")
        return self
