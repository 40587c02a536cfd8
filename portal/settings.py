"""All settings, from the environment; docs/configuration.md lists them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.templatetags.static import static
from whitenoise.compress import Compressor

from common import env
from portal import broker, databases, keys, logs
from portal.variables import PortalVariables
from portal.watching import metrics_folder

ROOT = env.ROOT
given = PortalVariables()

# --- This instance ---------------------------------------------------------------------------------------------------
DEBUG = given.DEBUG
DATA_DIR = keys.DATA_DIR
PORT = given.PORT
BIND_ADDRESS = given.BIND_ADDRESS
WEB_WORKERS = given.WEB_WORKERS
WEB_THREADS = given.WEB_THREADS
# What requests that are on their way may take, in each process (common/incoming_bodies.py).
WEB_CONNECTIONS = given.WEB_CONNECTIONS
HEADER_TIMEOUT_SECONDS = given.HEADER_TIMEOUT_SECONDS
BODY_TIMEOUT_SECONDS = given.BODY_TIMEOUT_SECONDS
BODY_BYTES_PER_SECOND = given.BODY_BYTES_PER_SECOND
LATE_REQUESTS_PER_ADDRESS = given.LATE_REQUESTS_PER_ADDRESS
HELD_BODIES_MAX_BYTES = given.HELD_BODIES_MAX_BYTES
WORKER_THREADS = given.WORKER_THREADS
WORKER_PROCESSES = given.WORKER_PROCESSES
BASE_URL = given.BASE_URL
HOST_NAME = given.HOST_NAME
SECRET_KEY = given.SECRET_KEY
# Newest first: the first encrypts, all of them decrypt.
FIELD_ENCRYPTION_KEYS = given.FIELD_ENCRYPTION_KEYS

_HTTPS = BASE_URL.startswith("https://")
_HOSTNAME = urlsplit(BASE_URL).hostname or ""
ALLOWED_HOSTS = [*given.ALLOWED_HOSTS, _HOSTNAME, "localhost", "127.0.0.1"]

# --- Wiring ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",
    "pixels",
    "filters",
    "pipelines",
    "events",
    "alerts",
    "portal",
    "unfold.apps.BasicAppConfig",
    "portal.apps.AdminConfig",
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
    "accounts.own_language.speak_own_language",
    "common.replica_pages.remember_writes",
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
# SQLite leaves columns out that an index of PostgreSQL has besides its own: searches are as right, and slower.
SILENCED_SYSTEM_CHECKS = ["models.W040"]
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
# What the code comes with, and not data: an image has it beside the code.
STATIC_ROOT = given.STATIC_ROOT
STATICFILES_DIRS = [ROOT / "static"]
ICONS_DIR = ROOT / "node_modules" / "@tabler" / "icons" / "icons"
CRISPY_ALLOWED_TEMPLATE_PACKS = ["bootstrap5"]
CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "django_tables2/bootstrap5.html"
# Source maps are large, and read by developers only: compressing them would take half of the time of a start.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "portal.static_files.GzippedFiles"},
}

# --- Database --------------------------------------------------------------------------------------------------------
# What a page or a query may read for; 0 for as long as it takes (docs/decisions/0021-what-a-query-may-cost.md).
READ_TIMEOUT_SECONDS = given.READ_TIMEOUT_SECONDS
DATABASES = {"default": databases.database(given)}
# None of DATABASES: the page decides what is read from it, and no command may mistake it for a second database.
DATABASE_REPLICA = databases.replica(given)
REPLICA_MAX_LAG_SECONDS = given.REPLICA_MAX_LAG_SECONDS
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Publishing, and other work in the background --------------------------------------------------------------------
# One request to the Graph API may take this long.
PUBLISH_TIMEOUT_SECONDS = given.PUBLISH_TIMEOUT_SECONDS
# A killed worker's pixels are taken over after this long: longer than connecting, sending and reading together.
LANE_LEASE_SECONDS = given.LANE_LEASE_SECONDS
# Networks besides the internet that accounts' own destinations may be in.
DESTINATION_ALLOWED_NETWORKS = given.DESTINATION_ALLOWED_NETWORKS
COUNTER_RETENTION = given.COUNTER_RETENTION  # days
FORMER_PEOPLE_RETENTION = given.FORMER_PEOPLE_RETENTION  # days
AUDIT_RETENTION = given.AUDIT_RETENTION  # days; 0 for ever
DELIVERY_LOG_DAYS = given.DELIVERY_LOG_DAYS  # 0 for no log
DELIVERY_LOG_MAX_BYTES = given.DELIVERY_LOG_MAX_BYTES

CELERY_BROKER_URL = given.CELERY_BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = broker.transport_options(CELERY_BROKER_URL, DATA_DIR / "broker")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Messages are wake-ups: what they speak of is in the database, so they need not survive, nor be answered.
# Instances that share a broker each have a queue of their own.
CELERY_QUEUE_PREFIX = given.CELERY_QUEUE_PREFIX
CELERY_TASK_QUEUES = [broker.queue(CELERY_QUEUE_PREFIX)]
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_QUEUES[0].name
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
    "keep registered": {"task": "events.tasks.keep_registered", "schedule": 5.0},
    "refresh usage": {"task": "events.tasks.refresh_usage", "schedule": crontab(minute="*/5")},
    "prune": {"task": "events.tasks.prune", "schedule": crontab(minute="17")},
    "forget people": {"task": "accounts.tasks.prune", "schedule": crontab(minute="47")},
    "check domains": {"task": "accounts.tasks.check_domains", "schedule": crontab(minute="37")},
    "look for trouble": {"task": "alerts.tasks.look", "schedule": 60.0},
    "tell of trouble": {"task": "alerts.tasks.tell", "schedule": 15.0},
    "send digests": {"task": "alerts.tasks.digest", "schedule": 60.0},
    "forget incidents": {"task": "alerts.tasks.prune", "schedule": crontab(minute="27")},
    "forget imports": {"task": "pixels.tasks.forget_imports", "schedule": crontab(minute="*/5")},
}

# --- Mail ------------------------------------------------------------------------------------------------------------
# Printed where no server is named, so that a first start needs none.
_mail = given.EMAIL_URL
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
MAIL_RECIPIENT_RATE_LIMIT = given.MAIL_RECIPIENT_RATE_LIMIT
# Those that one account's people, or the host's, have sent to others.
MAIL_ACCOUNT_RATE_LIMIT = given.MAIL_ACCOUNT_RATE_LIMIT
DEFAULT_FROM_EMAIL = given.DEFAULT_FROM_EMAIL

# --- Security --------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_SSL_REDIRECT = given.SECURE_SSL_REDIRECT
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^livez$", "^hub/health/$"]
SECURE_HSTS_SECONDS = given.SECURE_HSTS_SECONDS
SECURE_HSTS_INCLUDE_SUBDOMAINS = given.SECURE_HSTS_INCLUDE_SUBDOMAINS
SECURE_HSTS_PRELOAD = given.SECURE_HSTS_PRELOAD
# From these, X-Forwarded-For and X-Forwarded-Proto are believed (portal/rsgi.py).
TRUSTED_PROXIES = given.TRUSTED_PROXIES
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Nothing inline, nothing from elsewhere; data: is what Tabler's style sheet draws its check marks with. Where scripts
# and styles come from, portal/csp.py adds.
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
ADMIN_SCRIPT_SOURCES = ["'unsafe-eval'"]
ADMIN_STYLE_SOURCES = ["'unsafe-inline'"]

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
REQUIRE_MFA_FOR_HOST = given.REQUIRE_MFA_FOR_HOST
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "accounts.forms.sign_in.ResetPasswordForm"}  # nosec B105
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.services.passwords.NewPasswordTokens"  # noqa: S105  # a class  # nosec B105
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
TOKEN_RATE_LIMIT = given.TOKEN_RATE_LIMIT
# Requests that one caller may send; none where a limit is off (docs/decisions/0012-limits-per-caller.md).
API_RATE_LIMIT = given.API_RATE_LIMIT
ADDRESS_RATE_LIMIT = given.ADDRESS_RATE_LIMIT
PIXEL_RATE_LIMIT = given.PIXEL_RATE_LIMIT
# Those of visitors' browsers are counted apart: they never make a shop's server wait.
BROWSER_ADDRESS_RATE_LIMIT = given.BROWSER_ADDRESS_RATE_LIMIT
BROWSER_PIXEL_RATE_LIMIT = given.BROWSER_PIXEL_RATE_LIMIT
RATE_LIMIT_STORAGE_URL = given.RATE_LIMIT_STORAGE_URL
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
GRAPH_API_URL = given.GRAPH_API_URL
# Where `make run` serves the stand-in for the Graph API, unless GRAPH_API_URL is set.
SANDBOX_PORT = given.SANDBOX_PORT
GRAPH_API_VERSION = given.GRAPH_API_VERSION

# What one request may bring to /capi/<pixel id>/events, and how long a process relies on what it knows of a pixel.
INTAKE_MAX_EVENTS = given.INTAKE_MAX_EVENTS
INTAKE_MAX_BODY_BYTES = given.INTAKE_MAX_BODY_BYTES
PIXEL_SETTINGS_TTL_SECONDS = given.PIXEL_SETTINGS_TTL_SECONDS

# What one GraphQL request may ask for; beyond it the answer is 400, before anything is executed.
GRAPHQL_MAX_BODY_BYTES = given.GRAPHQL_MAX_BODY_BYTES
GRAPHQL_MAX_DOCUMENT_LENGTH = given.GRAPHQL_MAX_DOCUMENT_LENGTH
GRAPHQL_MAX_TOKENS = given.GRAPHQL_MAX_TOKENS
GRAPHQL_MAX_DEPTH = given.GRAPHQL_MAX_DEPTH
GRAPHQL_MAX_ALIASES = given.GRAPHQL_MAX_ALIASES
GRAPHQL_MAX_FIELDS = given.GRAPHQL_MAX_FIELDS
GRAPHQL_MAX_DUPLICATES = given.GRAPHQL_MAX_DUPLICATES
GRAPHQL_MAX_DIRECTIVES = given.GRAPHQL_MAX_DIRECTIVES
# Of the answer: objects in lists, while it is put together.
GRAPHQL_MAX_OBJECTS = given.GRAPHQL_MAX_OBJECTS
GRAPHQL_MAX_LIST_LENGTH = given.GRAPHQL_MAX_LIST_LENGTH
GRAPHQL_DOCUMENT_CACHE_SIZE = given.GRAPHQL_DOCUMENT_CACHE_SIZE
# The intake reads forms, too.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(2_621_440, INTAKE_MAX_BODY_BYTES)

# --- Watching ---------------------------------------------------------------------------------------------------------
METRICS_TOKEN = given.METRICS_TOKEN
METRICS_ALLOWED_NETWORKS = given.METRICS_ALLOWED_NETWORKS
# Where one of a machine's workers answers for all; the web server answers at PORT.
METRICS_PORT = given.METRICS_PORT
# What processes have measured; none where nobody may ask for it.
METRICS_FOLDER = metrics_folder(DATA_DIR) if METRICS_TOKEN or METRICS_ALLOWED_NETWORKS else None
# Whom traces are sent to; none for no traces.
OTEL_EXPORTER_OTLP_ENDPOINT = given.OTEL_EXPORTER_OTLP_ENDPOINT

# --- Logs ------------------------------------------------------------------------------------------------------------
LOG_LEVEL = given.LOG_LEVEL
# Where errors are told besides the log; else its library is not even loaded.
SENTRY_DSN = given.SENTRY_DSN
SENTRY_ENVIRONMENT = given.SENTRY_ENVIRONMENT
SENTRY_RELEASE = given.SENTRY_RELEASE
LOGGING = logs.configuration(
    LOG_LEVEL,
    sentry={"dsn": SENTRY_DSN, "environment": SENTRY_ENVIRONMENT, "release": SENTRY_RELEASE} if SENTRY_DSN else None,
)
