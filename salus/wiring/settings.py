"""Django's settings; what differs between installations comes from the home folder or the environment."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from salus.platform.local_secrets import local_secret
from salus.platform.reach import LOOPBACK as _LOOPBACK
from salus.wiring import home as _home
from salus.wiring import installed as _installed

HOME = _home.from_environment()
SALUS_HOME = HOME.path
INSTALLED = _installed.read(SALUS_HOME)
"""What `salus setup` wrote; the environment wins."""
SALUS_HTTP = os.environ.get("SALUS_HTTP") or INSTALLED.http or "127.0.0.1:8480"
"""Where the console and the portal listen."""
SALUS_PUBLIC_URL = (
    os.environ.get("SALUS_PUBLIC_URL")
    or INSTALLED.public_url
    or f"http://localhost:{SALUS_HTTP.rpartition(':')[2]}"
)
"""How patients and staff reach us; https, except on loopback."""
_PUBLIC_HOST = urlsplit(SALUS_PUBLIC_URL).hostname or ""
SALUS_LOOPBACK = SALUS_HTTP.rpartition(":")[0].strip("[]") in _LOOPBACK and _PUBLIC_HOST in _LOOPBACK
"""Nobody but this machine reaches us: neither where we listen, nor by a proxy."""
SALUS_PROXIES = frozenset(filter(None, os.environ.get("SALUS_PROXIES", "").split(",")))
"""Addresses of TLS proxies on other machines."""
SALUS_NAMESERVER = os.environ.get("SALUS_NAMESERVER", "")
"""Whom to ask for the records of the sending domain ("1.1.1.1", "127.0.0.1:5353"), where this machine's own
resolver does not see what the world sees."""
SALUS_RESOLVER = os.environ.get("SALUS_RESOLVER", "")
"""A resolver of this machine that validates DNSSEC ("127.0.0.1:53"): with it mail is verified by DANE."""
SALUS_CLAMD = os.environ.get("SALUS_CLAMD", "")
"""The socket of a virus scanner of this machine ("/run/clamav/clamd.ctl"): with it no file is taken that it did not pass."""
SALUS_LABORATORY_ROUTES = os.environ.get("SALUS_LABORATORY_ROUTES", "")
"""A file of `salus catch` that maps domains to local ports; empty: real MX records."""
SALUS_PLACES = os.environ.get("SALUS_PLACES", "")
"""A table of ZIP codes with their middles (`salus/audiences/places.py`); without it nobody asks for distances."""
SALUS_AUDIENCE_SHARDS = int(os.environ.get("SALUS_AUDIENCE_SHARDS", "1"))
"""How many `salus engine --shard N` processes share the organizations."""

SECRET_KEY = local_secret(HOME.keys, "django-secret")
DEBUG = False
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *filter(None, os.environ.get("SALUS_HOSTS", "").split(",")),
    *filter(None, [_PUBLIC_HOST]),
]
if not SALUS_LOOPBACK:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # believed of our proxies only (Proxied)
CSRF_TRUSTED_ORIGINS = [SALUS_PUBLIC_URL]
ROOT_URLCONF = "salus.wiring.urls"
WSGI_APPLICATION = "salus.wiring.wsgi.application"
DATABASES = {
    "default": _home.django_database(
        HOME,
        os.environ.get("DATABASE_URL") or INSTALLED.database_url or None,
        os.environ.get("SALUS_DATABASE_ROLE", "app"),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_here = Path(__file__).parent.parent
PACKAGES = [
    "platform",
    "audit",
    "keys",
    "identity",
    "contacts",
    "vendors",
    "shaping",
    "timeline",
    "permissions",
    "sealedmail",
    "files",
    "safeguards",
    "retention",
    "intake",
    "content",
    "audiences",
    "gate",
    "delivery",
    "domains",
    "campaigns",
    "inbox",
    "patients",
    "journeys",
    "portal",
    "privacy",
    "duplicates",
    "reports",
    "recovery",
]
AUTH_USER_MODEL = "identity.User"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "salus.platform.web",
    *(f"salus.{name}" for name in PACKAGES),
]
MIDDLEWARE = [
    "salus.platform.web.proxy.Proxied",
    "salus.platform.web.headers.SecurityHeaders",
    "salus.domains.web.policy.PolicyFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "salus.identity.middleware.ApiKeys",
    "django.middleware.csrf.CsrfViewMiddleware",
    "salus.identity.middleware.StaffSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "salus.platform.web.errors.PlainErrors",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": False,
        "DIRS": sorted(_here.glob("**/web/templates")),
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "salus.platform.web.shell.shell",
            ],
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
SALUS_REFUSAL_PACE = 0.25
"""Seconds to which a refused sign-in is rounded up."""
MFA_ADAPTER = "salus.identity.second_factor.SealingAdapter"
SESSION_ENGINE = "salus.identity.sessions"
SESSION_COOKIE_NAME = "salus_session" if SALUS_LOOPBACK else "__Host-salus_session"
CSRF_COOKIE_NAME = "salus_csrf" if SALUS_LOOPBACK else "__Host-salus_csrf"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not SALUS_LOOPBACK
CSRF_COOKIE_HTTPONLY = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = sorted(_here.glob("**/web/static"))
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "salus.platform.web.statics.VersionedStorage"},
}
FILE_UPLOAD_HANDLERS: list[str] = []
"""Nowhere is a file taken but in intake, whose own handler seals what comes, and where a small list is read
in memory (journeys): Django's would put anything above 2.5 MB, from anybody, into the temporary folder in clear."""
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "salus.platform.web.errors.stale_form"
SALUS_ROOMS = "salus.wiring.navigation.ROOMS"
SALUS_PULSE = "salus.wiring.navigation.pulse"
SALUS_METRICS = "salus.wiring.metrics.COLLECTORS"
SALUS_METRICS_TOKEN_FILE = os.environ.get("SALUS_METRICS_TOKEN_FILE", "")
"""A file with the token for `/metrics`; without one, only this machine is answered."""

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
PROCRASTINATE_ON_APP_READY = None
LOGGING_CONFIG = "salus.platform.logs.configure"
LOGGING = {"level": os.environ.get("SALUS_LOG_LEVEL", "INFO")}
