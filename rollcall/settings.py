"""Settings, all from the environment; `.env.example` has a line for each.

The demo needs none: its stores come from wheels, and secrets are generated once. All files are
written under `DATA_DIR`. `rollcall/checks.py` says what production must set.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF
from environ import Env

from rollcall import database_settings, logs, orphans, redis_settings, schedule, sign_in_settings
from rollcall.generated_secrets import generated_secret
from rollcall.stores import postgres, under, valkey
from rollcall.variables import Variables, folder, networks, one_of, url

BASE_DIR = Path(__file__).resolve().parent.parent
env = Variables()
# Variables of the environment override the file.
Env.read_env(
    env.parsed(
        "ENV_FILE", BASE_DIR / ".env", lambda text: Path(text).resolve(True), "a file's path"
    )
)
# Malformed variables get their defaults here; `rollcall.checks` names them, and nothing starts.
MALFORMED_VARIABLES = env.malformed

# --- Files -------------------------------------------------------------------------------------
DATA_DIR = env.parsed("DATA_DIR", BASE_DIR / "var", folder, "the path of a writable folder")
DATA_DIR.mkdir(parents=True, exist_ok=True)
PROCESSES_FILE = DATA_DIR / orphans.FILE  # a supervisor records its processes in it
# For `applications.metrics`; prometheus_client reads it when it is loaded.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder(str(DATA_DIR / "metrics")))
AUDIT_SEALS_FILE = Path(env.text("AUDIT_SEALS_FILE", "") or DATA_DIR / "audit-seals.jsonl")

# --- Secrets -----------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", "") or generated_secret(DATA_DIR, "secret-key")
ENCRYPTION_KEYS = env.words("ENCRYPTION_KEYS", []) or [generated_secret(DATA_DIR, "encryption-key")]
# For the system checks: those of the two that are not set.
GENERATED_SECRETS = [name for name in ("SECRET_KEY", "ENCRYPTION_KEYS") if not env.words(name, [])]

# --- Hosts and proxies -------------------------------------------------------------------------
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
# Number of our proxies in front. With 0, X-Forwarded-* headers are ignored.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, least=0)
HTTPS = env.flag("HTTPS", False)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_ENGINE = "rollcall.sessions"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Without HTTPS, `console.W006` replaces these checks of Django's.
SILENCED_SYSTEM_CHECKS = (
    [] if HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- Applications and middleware ---------------------------------------------------------------
INSTALLED_APPS = [
    "rollcall",
    "console",
    "gateway",
    "api",
    "transfers",
    "moderation",
    "users",
    "applications",
    "rollcall.support_site.SupportConfig",  # Django admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "lucide",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "rollcall.health.ProbeMiddleware",  # before any check of the Host header
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rollcall.pages.PageMiddleware",
    "api.doors.DoorMiddleware",  # answers the Server API: no sessions, no CSRF
    "rollcall.languages.LanguageMiddleware",  # pages only: calls of the Server API end above
    "csp.middleware.CSPMiddleware",
    "console.uploads.UploadMiddleware",  # before anything reads the body
    "rollcall.sessions.SessionMiddleware",
    "rollcall.known_browsers.KnownBrowserMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "rollcall.urls"
WSGI_APPLICATION = "rollcall.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.access.context",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes; a request body above it is refused
LARGEST_UPLOAD = 65 * 1_048_576  # bytes of a request with a file; `transfers.files` is stricter

# --- Sign-in -----------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["rollcall.passwords.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview:index"
LOGOUT_REDIRECT_URL = "account_login"
# Wrong passwords for one name in an hour that slow nobody down.
SIGN_IN_ATTEMPTS = env.number("SIGN_IN_ATTEMPTS", 5)
OIDC = sign_in_settings.oidc(env)
globals().update(sign_in_settings.allauth(https=HTTPS, provider=OIDC))
if OIDC is not None:  # the form "Continue with ..." is redirected there
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += OIDC.origins

# --- Stores ------------------------------------------------------------------------------------
# The default of both is the store that `make demo` starts.
STORES = under(DATA_DIR)
EMBEDDED_STORES = [name for name in ("DATABASE_URL", "REDIS_URL") if not env.text(name, "")]
DB_PREPARED_STATEMENTS = env.flag("DB_PREPARED_STATEMENTS", True)  # of `applications.statements`
DATABASES = database_settings.databases(env, postgres.url(STORES), prepares=DB_PREPARED_STATEMENTS)
DATABASE_ROUTERS = ["applications.standby.Router"]
REDIS_URL = env.parsed(
    "REDIS_URL", valkey.url(STORES), redis_settings.parsed, redis_settings.EXPECTED
)
CACHES = {
    "default": {
        "BACKEND": "rollcall.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "rollcall",
    }
}

# --- Celery ------------------------------------------------------------------------------------
# Every task is an idempotent sweep over the database, so lost or repeated messages do no harm.
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = redis_settings.broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120  # seconds; well under the visibility timeout
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # unlimited
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat")
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 5)
CELERY_BEAT_SCHEDULE = schedule.entries(sweep_seconds=SWEEP_SECONDS)

# --- Web (`make demo`, `make serve`) --------------------------------------------------------------
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, most=65_535)
WEB_WORKERS = env.number("WEB_WORKERS", 2)
WEB_THREADS = env.number("WEB_THREADS", 8)

# --- Server API --------------------------------------------------------------------------------
# Import path of each vendor, in the order of the pages.
API_VENDORS = ["api.nexconn.VENDOR", "api.rongcloud.VENDOR", "api.agora.VENDOR"]
# Time zone of times that RongCloud and Nexconn print without an offset.
API_TIME_ZONE = env.parsed(
    "API_TIME_ZONE", "UTC", lambda text: ZoneInfo(text).key, "a time zone, as in Asia/Shanghai"
)
# Webhooks may call local addresses and plain http: for trying them out, never in production.
WEBHOOKS_MAY_BE_LOCAL = env.flag("WEBHOOKS_MAY_BE_LOCAL", False)
API_RATE_LIMITS = env.flag("API_RATE_LIMITS", True)  # False: no limits per second, for load tests

# --- Gateway -----------------------------------------------------------------------------------
GATEWAY_PATH = "/gateway"
# The wire protocols: the path at which clients open the WebSocket, and the class of their sessions.
GATEWAY_PROTOCOLS = {
    GATEWAY_PATH: "gateway.rollcall.session.RollcallSession",
    "/gateway/agora": "gateway.agora.session.AgoraSession",
    "/gateway/agora/*/*/websocket": "gateway.agora.sockjs.SockJSSession",
    "/websocket": "gateway.rongcloud.session.RongCloudSession",
}
# What clients ask for by HTTP before they open the WebSocket.
GATEWAY_PAGES = {
    "/gateway/agora/info": "gateway.agora.sockjs.info",
    "/v2/navi.json": "gateway.rongcloud.navigation.json_answer",
    "/navi.js": "gateway.rongcloud.navigation.script_answer",
    "/ping": "gateway.rongcloud.navigation.ping_answer",
}
# Address at which clients open their WebSocket, for pages; empty: the console's.
GATEWAY_URL = env.parsed("GATEWAY_URL", "", url("ws", "wss"), "as in wss://host/gateway")
if GATEWAY_URL:  # the "Try it" page is a client
    _gateway = urlsplit(GATEWAY_URL)._replace(path="").geturl()
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"].append(_gateway)
# Port of `make serve` for WebSockets, on HOST, and number of processes.
GATEWAY_PORT = env.number("GATEWAY_PORT", 8001, most=65_535)
GATEWAY_PROCESSES = env.number("GATEWAY_PROCESSES", 1)
GATEWAY_THREADS = env.number("GATEWAY_THREADS", 8)
# Connection attempts from one address: this many at once, then this many per second.
GATEWAY_CONNECT_BURST = env.number("GATEWAY_CONNECT_BURST", 100)
GATEWAY_CONNECT_RATE = env.number("GATEWAY_CONNECT_RATE", 20)
GATEWAY_DRAIN_SECONDS = env.number("GATEWAY_DRAIN_SECONDS", 4, least=0)  # to close all

# --- Metrics (`rollcall.metrics`) ---------------------------------------------------------------
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_ADDRESSES = env.parsed(
    "METRICS_ADDRESSES", networks(""), networks, "addresses or networks, as in 10.0.0.7,10.1.0.0/16"
)

# --- Language, time, static files, logs -----------------------------------------------------------
LANGUAGES = [(LANGUAGE_CODE := "en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS, USE_TZ, TIME_ZONE = [BASE_DIR / "locale"], True, "UTC"
FORMAT_MODULE_PATH, LANGUAGE_COOKIE_AGE = "rollcall.formats", 365 * 86_400
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns if it is missing
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = env.flag("SERVE_STATIC_FROM_SOURCE", True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
LOGGING = logs.configuration(
    format=env.parsed("LOG_FORMAT", "line", one_of(logs.FORMATS), " or ".join(logs.FORMATS)),
    level=env.parsed("LOG_LEVEL", "INFO", one_of(logs.LEVELS), " or ".join(logs.LEVELS)),
)
