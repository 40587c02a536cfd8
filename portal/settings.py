"""All settings, from the environment; docs/configuration.md lists them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.templatetags.static import static
from whitenoise.compress import Compressor

from common import env
from portal import broker, keys, logs

ROOT = env.ROOT

# --- This instance ---------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
DATA_DIR = keys.DATA_DIR
PORT = env.number("PORT", 8000, minimum=1, maximum=65_535)
BIND_ADDRESS = env.address("BIND_ADDRESS", "127.0.0.1")
WEB_WORKERS = env.number("WEB_WORKERS", 1, minimum=1, maximum=256)
WEB_THREADS = env.number("WEB_THREADS", 8, minimum=1, maximum=256)
WORKER_THREADS = env.number("WORKER_THREADS", 8, minimum=1, maximum=256)
WORKER_PROCESSES = env.number("WORKER_PROCESSES", 1, minimum=1, maximum=64)
BASE_URL = env.base_url("BASE_URL", f"http://localhost:{PORT}")
HOST_NAME = env.text("HOST_NAME", "Gateway Portal")
SECRET_KEY = env.signing_key("SECRET_KEY", keys.SECRET_KEY_FILE)
# Newest first: the first encrypts, all of them decrypt.
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS", keys.FIELD_ENCRYPTION_KEYS_FILE)

_HTTPS = BASE_URL.startswith("https://")
_HOSTNAME = urlsplit(BASE_URL).hostname or ""
ALLOWED_HOSTS = [*env.hosts("ALLOWED_HOSTS", []), _HOSTNAME, "localhost", "127.0.0.1"]

# --- Wiring ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",
    "pixels",
    "filters",
    "events",
    "portal",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "csp",
    "graphene_django",
    "ninja",  # serves its API page's scripts from here, not from a CDN
]
MIDDLEWARE = [
    "portal.addresses.api_conventions",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.csp.PolicyMiddleware",
    "portal.middleware.no_store",
    "portal.middleware.limit_read_time",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "portal.middleware.rate_limit_addresses",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.render_method_not_allowed",
    "portal.middleware.require_second_factor",
    "accounts.see_as.read_only",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/hub/"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "accounts.web.page_context",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
FORMAT_MODULE_PATH = "portal.formats"
LOCALE_PATHS = [ROOT / "locale", ROOT / "locale" / "packages"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "static"]
ICONS_DIR = ROOT / "node_modules" / "@tabler" / "icons" / "icons"
CRISPY_ALLOWED_TEMPLATE_PACKS = ["bootstrap5"]
CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "django_tables2/bootstrap5.html"
# Source maps are large, and read by developers only: compressing them would take half of the time of a start.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Database --------------------------------------------------------------------------------------------------------
# What a page or a query may read for; 0 for as long as it takes (docs/decisions/0021-what-a-query-may-cost.md).
READ_TIMEOUT_SECONDS = env.number("READ_TIMEOUT_SECONDS", 15, maximum=3_600)
_database = env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")
if _database["ENGINE"].endswith("sqlite3"):
    # WAL lets readers go on while one writes. IMMEDIATE takes the write lock when a transaction starts, where SQLite
    # can wait for it; a lock asked for in the middle of one fails at once. FULL: what is committed, and so
    # answered with 202, is on the disk, and survives a power cut; requests of a moment share the wait for it.
    # secure_delete overwrites deleted rows, which SQLite would leave in free pages. The log holds them for a while:
    # journal_size_limit=0 cuts it to nothing each time SQLite starts it again from the beginning.
    _database["ENGINE"] = "common.sqlite"
    _database.setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=20,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        " PRAGMA secure_delete=ON; PRAGMA journal_size_limit=0;",
    )
else:
    # There are connections for all threads, and two for what a web process does in the background: who waits longer
    # than three seconds for one waits for a server that does not answer.
    _threads = max(WORKER_THREADS, WEB_THREADS + 2)
    _connections = env.number("DATABASE_POOL_SIZE", _threads, minimum=1)
    if _connections < _threads:
        env.refuse("DATABASE_POOL_SIZE", f"must be at least {_threads}: WORKER_THREADS, and WEB_THREADS and two more.")
    _database["ENGINE"] = "common.postgresql"
    _database.setdefault("OPTIONS", {}).update(
        pool={"min_size": 1, "max_size": _connections, "timeout": 3},
        # What is sent as it is, and not by Django's ORM, is prepared once a connection has seen it a few times.
        prepare_threshold=5,
        # A server that vanishes without a word is noticed in seconds, not in a quarter of an hour.
        connect_timeout=5,
        tcp_user_timeout=15_000,  # milliseconds
    )
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Publishing, and other work in the background --------------------------------------------------------------------
# One request to the Graph API may take this long.
PUBLISH_TIMEOUT_SECONDS = env.number("PUBLISH_TIMEOUT_SECONDS", 10, minimum=1, maximum=300)
# A killed worker's pixels are taken over after this long: longer than connecting, sending and reading together.
LANE_LEASE_SECONDS = env.number(
    "LANE_LEASE_SECONDS", max(60, 5 * PUBLISH_TIMEOUT_SECONDS), minimum=4 * PUBLISH_TIMEOUT_SECONDS
)
COUNTER_RETENTION = env.number("COUNTER_RETENTION", 396, minimum=2)  # days
FORMER_PEOPLE_RETENTION = env.number("FORMER_PEOPLE_RETENTION", 30)  # days
AUDIT_RETENTION = env.number("AUDIT_RETENTION", 0)  # days; 0 for ever

CELERY_BROKER_URL = env.pattern(
    "CELERY_BROKER_URL",
    "filesystem://",
    "filesystem://|rediss?://.+|amqps?://.+",
    "must be filesystem://, redis://host:6379/0 or amqp://user:password@host:5672//.",
)
CELERY_BROKER_TRANSPORT_OPTIONS = broker.transport_options(CELERY_BROKER_URL, DATA_DIR / "broker")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Messages are wake-ups: what they speak of is in the database, so they need not survive, nor be answered.
CELERY_TASK_QUEUES = [broker.QUEUE]
CELERY_TASK_DEFAULT_QUEUE = broker.QUEUE.name
CELERY_TASK_DEFAULT_DELIVERY_MODE = "transient"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
# Publishing waits for the network: threads do, and WORKER_THREADS of them work at a time (events/delivery/turns.py).
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 4 * WORKER_THREADS
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULER = "portal.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "events.tasks.sweep", "schedule": 5.0},
    "refresh usage": {"task": "events.tasks.refresh_usage", "schedule": crontab(minute="*/5")},
    "prune": {"task": "events.tasks.prune", "schedule": crontab(minute="17")},
    "forget people": {"task": "accounts.tasks.prune", "schedule": crontab(minute="47")},
    "forget imports": {"task": "pixels.tasks.forget_imports", "schedule": crontab(minute="*/5")},
}

# --- Mail ------------------------------------------------------------------------------------------------------------
# Printed where no server is named, so that a first start needs none.
_mail = env.mail("EMAIL_URL", "console:")
_CONSOLE = "django.core.mail.backends.console.EmailBackend"
EMAIL_BACKEND = "accounts.mail.ConsoleBackend" if _mail["EMAIL_BACKEND"] == _CONSOLE else _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"]
EMAIL_PORT = _mail["EMAIL_PORT"]
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _mail["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
MAIL_IN_BACKGROUND = True
# Of each kind of mail (invitations, links to a new password, notices), by recipient, whoever asks.
MAIL_RECIPIENT_RATE_LIMIT = env.rate("MAIL_RECIPIENT_RATE_LIMIT", "5/d")
# Those that one account's people, or the host's, have sent to others.
MAIL_ACCOUNT_RATE_LIMIT = env.rate("MAIL_ACCOUNT_RATE_LIMIT", "5000/d")
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", f"no-reply@{_HOSTNAME}")

# --- Security --------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", False)
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^hub/health/$"]
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", False)
# From these, X-Forwarded-For and X-Forwarded-Proto are believed (portal/wsgi.py).
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Nothing inline, nothing from elsewhere; data: is what Tabler's style sheet draws its check marks with.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
# Under /admin/ Alpine, which the theme is made with, compiles expressions of its templates, and sets style attributes.
ADMIN_CONTENT_SECURITY_POLICY = {"script-src": ["'self'", "'unsafe-eval'"], "style-src-attr": ["'unsafe-inline'"]}

# --- Staff -----------------------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": HOST_NAME,
    "SITE_HEADER": HOST_NAME,
    "SITE_URL": "/hub/",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/icon.svg")}],
    "SHOW_HISTORY": False,  # of Django's log of admin acts, which stays empty: the audit log is the record
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "portal.admin.dashboard",
    # The theme would write its colours into the page, as inline style.
    "COLORS": lambda request: {},
    "STYLES": [lambda request: static("css/admin.css")],
    "SIDEBAR": {"navigation": "portal.admin.navigation"},
}
# Who may see the portal as somebody else.
HIJACK_PERMISSION_CHECK = "accounts.see_as.may_see_as"

# --- Signing in ------------------------------------------------------------------------------------------------------
# People come by invitation, and are known by their address alone.
REQUIRE_MFA_FOR_HOST = env.flag("REQUIRE_MFA_FOR_HOST", False)
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "accounts.forms.sign_in.ResetPasswordForm"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.services.passwords.NewPasswordTokens"  # noqa: S105  # a class
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = None
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = HOST_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _HTTPS  # browsers know localhost alone as such

# --- API -------------------------------------------------------------------------------------------------------------
TOKEN_LIFETIME_SECONDS = 36_000  # the reference's 10 hours
TOKEN_RATE_LIMIT = env.rate("TOKEN_RATE_LIMIT", "30/m")
# Requests that one caller may send; none where a limit is off (docs/decisions/0012-limits-per-caller.md).
API_RATE_LIMIT = env.rate_or_none("API_RATE_LIMIT", "6000/m")
ADDRESS_RATE_LIMIT = env.rate_or_none("ADDRESS_RATE_LIMIT", "3000/m")
PIXEL_RATE_LIMIT = env.rate_or_none("PIXEL_RATE_LIMIT", "60000/m")
# Those of visitors' browsers are counted apart: they never make a shop's server wait.
BROWSER_ADDRESS_RATE_LIMIT = env.rate_or_none("BROWSER_ADDRESS_RATE_LIMIT", "3000/m")
BROWSER_PIXEL_RATE_LIMIT = env.rate_or_none("BROWSER_PIXEL_RATE_LIMIT", "60000/m")
RATE_LIMIT_STORAGE_URL = env.pattern(
    "RATE_LIMIT_STORAGE_URL", "memory://", "memory://|rediss?://.+", "must be memory:// or redis://host:6379/0."
)
# The default cache holds allauth's limits and nothing else: failed sign-ins, asked resets. Of Django's own 300 entries
# whoever asks for 300 resets pushes the counts out. An address makes at most 60 entries a minute, and no window lasts
# longer than five minutes: only hundreds of addresses at once could push out a count before it ends by itself.
_CACHE: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "OPTIONS": {"MAX_ENTRIES": 100_000},
}
if RATE_LIMIT_STORAGE_URL != "memory://":
    _CACHE |= {"BACKEND": "portal.cache.ForgivingRedisCache"}
CACHES = {
    name: {**_CACHE, "LOCATION": name if RATE_LIMIT_STORAGE_URL == "memory://" else RATE_LIMIT_STORAGE_URL}
    for name in ("default", "pages")
}
# What pages remember: it pushes out nothing but itself.
CACHES["pages"] |= {"OPTIONS": {"MAX_ENTRIES": 3_000}, "KEY_PREFIX": "pages"}
INVITATION_LIFETIME_HOURS = 24
GRAPH_API_URL = env.base_url("GRAPH_API_URL", "https://graph.facebook.com")
# Where `make run` serves the stand-in for the Graph API, unless GRAPH_API_URL is set.
SANDBOX_PORT = env.number("SANDBOX_PORT", 8010, minimum=1, maximum=65_535)
GRAPH_API_VERSION = env.pattern("GRAPH_API_VERSION", "v24.0", r"v\d{1,3}\.\d{1,2}", "must be a version such as v24.0.")

# What one request may bring to /capi/<pixel id>/events, and how long a process relies on what it knows of a pixel.
INTAKE_MAX_EVENTS = env.number("INTAKE_MAX_EVENTS", 1_000, minimum=1, maximum=1_000)
INTAKE_MAX_BODY_BYTES = env.number("INTAKE_MAX_BODY_BYTES", 4_194_304, minimum=1)
PIXEL_SETTINGS_TTL_SECONDS = env.number("PIXEL_SETTINGS_TTL_SECONDS", 2, maximum=60)

# What one GraphQL request may ask for; beyond it the answer is 400, before anything is executed.
GRAPHQL_MAX_BODY_BYTES = env.number("GRAPHQL_MAX_BODY_BYTES", 100_000, minimum=1)
GRAPHQL_MAX_DOCUMENT_LENGTH = env.number("GRAPHQL_MAX_DOCUMENT_LENGTH", 20_000, minimum=1)
GRAPHQL_MAX_TOKENS = env.number("GRAPHQL_MAX_TOKENS", 1_000, minimum=1)
GRAPHQL_MAX_DEPTH = env.number("GRAPHQL_MAX_DEPTH", 15, minimum=1)
GRAPHQL_MAX_ALIASES = env.number("GRAPHQL_MAX_ALIASES", 30)
GRAPHQL_MAX_FIELDS = env.number("GRAPHQL_MAX_FIELDS", 500, minimum=1)
GRAPHQL_MAX_DUPLICATES = env.number("GRAPHQL_MAX_DUPLICATES", 200)
GRAPHQL_MAX_DIRECTIVES = env.number("GRAPHQL_MAX_DIRECTIVES", 20)
# Of the answer: objects in lists, while it is put together.
GRAPHQL_MAX_OBJECTS = env.number("GRAPHQL_MAX_OBJECTS", 20_000, minimum=1)
GRAPHQL_MAX_LIST_LENGTH = env.number("GRAPHQL_MAX_LIST_LENGTH", 500, minimum=1)
GRAPHQL_DOCUMENT_CACHE_SIZE = env.number("GRAPHQL_DOCUMENT_CACHE_SIZE", 256, minimum=1)
# The intake reads forms, too.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(2_621_440, INTAKE_MAX_BODY_BYTES)

# --- Logs ------------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.pattern("LOG_LEVEL", "INFO", "DEBUG|INFO|WARNING|ERROR", "must be DEBUG, INFO, WARNING or ERROR.")
LOGGING = logs.configuration(LOG_LEVEL)
