"""One settings file, read from the environment. The defaults are `make run`: SQLite, no service, one process.

DATA_DIR       folder for everything that a run writes (default: var)
HIDAMARI_DEMO  1: demo cast, mails as files and a demo inbox, the clock always in opening hours
HUB_NOW        ISO 8601: shift the clock so that "now" is this at start (demo and tests only)
DATABASE_URL   postgres://... for production; default SQLite under DATA_DIR
REDIS_URL      redis://... for live updates over several processes; default in memory
SECRET_KEY     default: made at first start under DATA_DIR
FIELD_KEYS     key file of sealed columns; default DATA_DIR/keys/fields.json (back it up apart)
PASS_KEYS      key file that signs passes; default DATA_DIR/keys/passes.json
PUSH_KEYS      key file that signs pushed notices; default DATA_DIR/keys/push.json
ALLOWED_HOSTS  comma separated
HTTPS          1 in production: secure cookies, HSTS, only https origins
STAFF_MFA_REQUIRED  0: staff pages open without a passkey or an app; default 1, in the demo 0
PRODUCT_NAME, HELP_PHONE, MAIL_FROM, EMAIL_URL
"""

import os
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from hub.demo_clock import demo_now

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
DEBUG = env.bool("DEBUG", False)
HIDAMARI_DEMO = env.bool("HIDAMARI_DEMO", False)
HTTPS = env.bool("HTTPS", not HIDAMARI_DEMO)
ALLOW_HTTP = not HTTPS
PRODUCT_NAME = env.str("PRODUCT_NAME", "ひだまり")
HELP_PHONE = env.str("HELP_PHONE", "0000-00-0000")
DEMO_PASSWORD = "hidamari-demo"  # noqa: S105  documented in the README; only load_demo uses it


def _secret() -> str:
    given: str = env.str("SECRET_KEY", "")
    if given:
        return given
    path = DATA_DIR / "keys" / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(64))
    return path.read_text()


SECRET_KEY = _secret()
FIELD_KEYS = env.str("FIELD_KEYS", str(DATA_DIR / "keys" / "fields.json"))
PASS_KEYS = env.str("PASS_KEYS", str(DATA_DIR / "keys" / "passes.json"))
PUSH_KEYS = env.str("PUSH_KEYS", str(DATA_DIR / "keys" / "push.json"))
PUSH_TEST_ORIGINS: list[str] = []  # tests alone fill it; no variable of the environment does
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])


def _clock_offset() -> timedelta:
    real = datetime.now(UTC)
    given = env.str("HUB_NOW", "")
    if given:
        return datetime.fromisoformat(given).astimezone(UTC) - real
    return demo_now(real) - real if HIDAMARI_DEMO else timedelta(0)


CLOCK_OFFSET = _clock_offset()

# --- apps ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "hub.core",
    "hub.members",
    "hub.notices",
    "hub.spaces",
    "hub.childcare",
    "hub.booking",
    "hub.checkin",
    "hub.work",
    "hub.community",
    "hub.apps.HubConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",  # FORM_RENDERER finds the widgets here
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "ninja",
    "template_partials",
    "channels",
    "csp",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "hub.middleware.DatabaseAwayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "hub.middleware.SignInMiddleware",
    "hub.middleware.PageMiddleware",
    "hub.middleware.StaffFactorMiddleware",
]
ROOT_URLCONF = "hub.urls"
ASGI_APPLICATION = "hub.asgi.application"
WSGI_APPLICATION = "hub.asgi.http_application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hub.core.context.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "hub.core.templatetags.hidamari",
            ],
        },
    }
]
FORM_RENDERER = "hub.core.forms.HidamariForms"

# --- database -----------------------------------------------------------------------------------------------
WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3) or sqlite3.sqlite_version_info[:3] in (
    (3, 50, 7),
    (3, 44, 6),
)
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # WAL only where SQLite's WAL-reset bug is mended, else a rollback journal whose file stays: as safe as cutting it off
    # at each COMMIT, which then took 0.87 instead of 0.73 ms. Foreign keys are switched on by Django.
    "init_command": f"PRAGMA journal_mode={'WAL' if WAL_IS_SAFE else 'PERSIST'}; PRAGMA journal_size_limit=4000000;"
    "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-20000;",
}


def _database() -> dict[str, Any]:
    if not env.str("DATABASE_URL", ""):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "hidamari.sqlite3",
            "OPTIONS": SQLITE_OPTIONS,
            "TEST": {"NAME": DATA_DIR / "test.sqlite3"},  # a file: threads of a race test share it
        }
    config: dict[str, Any] = env.db("DATABASE_URL")
    if config["ENGINE"].endswith("postgresql"):
        options = config.setdefault("OPTIONS", {})
        # For `hub.core.db.prepared` alone: Django's own cursors never prepare.
        options["prepare_threshold"] = 1
        options["options"] = (
            "-c lock_timeout=8000 -c statement_timeout=20000 -c idle_in_transaction_session_timeout=30000"
        )
    else:
        config["OPTIONS"] = SQLITE_OPTIONS
    return config


# HTTP runs on a fixed pool of threads (asgi.py), so one persistent connection per thread is right.
DATABASES = {"default": {**_database(), "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- live, tasks, cache -------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", "")


def live_layer(url: str) -> dict[str, Any]:
    """The channel layer: Redis at ``url``, or memory, which serves one process.

    A subscriber waits for ever (redis-py 8 would cut it off after 5 s); a peer that is dead is found by pings.
    """
    if not url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    host = {"address": url, "socket_timeout": None, "socket_connect_timeout": 2, "health_check_interval": 30}
    return {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [host]}}


CHANNEL_LAYERS = {"default": live_layer(REDIS_URL)}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- people -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "after_sign_in"
LOGOUT_REDIRECT_URL = "/"
SIX_DIGITS = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_ADAPTER = "hub.members.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_FORMAT = SIX_DIGITS
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = SIX_DIGITS
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_CODE_FORMAT = (
    SIX_DIGITS  # allauth 65.21 reads this name, not the documented one
)
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 2
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 5  # then the code dies
ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_RATE_LIMITS = {  # security.md 2h; a whole hub may stand behind one address, so codes are limited per mail first
    "login": "60/h/ip",
    "login_failed": "60/h/ip,5/m/key,30/h/key",
    "request_login_code": "60/h/ip,3/10m/key,6/h/key",
    "reset_password": "20/h/ip,3/h/key",
    "signup": "20/h/ip",
    "confirm_email": "1/10s/key,6/h/key",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "reauthenticate": "5/m/user",
    "reset_password_from_key": "20/m/ip",
}
# Second factors (docs/sign-in.md). Wrong codes are counted in the database, by hub.members.factors.
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", not HIDAMARI_DEMO)
MFA_ADAPTER = "hub.members.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # face, finger or PIN: holding the phone is not enough
MFA_TOTP_ISSUER = PRODUCT_NAME
MFA_TOTP_TOLERANCE = (
    1  # RFC 6238 5.2: one step either side, for clocks and for slow fingers; each step works once
)
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}  # nothing to guess there, and a whole hub is one address
MFA_FORMS = {
    "authenticate": "hub.members.forms_mfa.AuthenticateForm",
    "reauthenticate": "hub.members.forms_mfa.ReauthenticateForm",
    "activate_totp": "hub.members.forms_mfa.ActivateAppForm",
    "authenticate_webauthn": "hub.members.forms_mfa.AuthenticatePasskeyForm",
    "reauthenticate_webauthn": "hub.members.forms_mfa.ReauthenticatePasskeyForm",
    "add_webauthn": "hub.members.forms_mfa.AddPasskeyForm",
    "login_webauthn": "hub.members.forms_mfa.PasskeySignInForm",
}
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.bool("BEHIND_PROXY", False))  # otherwise nginx would be the one address
ACCOUNT_FORMS = {
    "login": "hub.members.forms.LoginForm",
    "signup": "hub.members.forms.SignupForm",
    "request_login_code": "hub.members.forms.RequestLoginCodeForm",
    "confirm_login_code": "hub.members.forms.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "hub.members.forms.ConfirmEmailCodeForm",
    "confirm_password_reset_code": "hub.members.forms.ConfirmResetCodeForm",
    "add_email": "hub.members.forms.AddEmailForm",
    "change_password": "hub.members.forms.ChangePasswordForm",
    "set_password": "hub.members.forms.SetPasswordForm",
    "reset_password": "hub.members.forms.ResetPasswordForm",
    "reset_password_from_key": "hub.members.forms.ResetPasswordKeyForm",
    "reauthenticate": "hub.members.forms.ReauthenticateForm",
}
SESSION_COOKIE_AGE = 90 * 24 * 3600  # own phone of a worker; staff sessions are shortened at sign-in
STAFF_SESSION_SECONDS = 12 * 3600  # also on a device that many people use
SHARED_IDLE_SECONDS = 15 * 60  # there, after the last thing that a person asked for
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# --- mail ---------------------------------------------------------------------------------------------------
MAIL_FOLDER = DATA_DIR / "mail"
if env.str("EMAIL_URL", ""):
    vars().update(env.email("EMAIL_URL"))
else:  # no mail server: mails are files, the demo inbox shows them
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_FOLDER
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "hidamari@localhost")
SITE_URL = env.str("SITE_URL", "http://localhost:8000")

# --- language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", _("日本語")), ("en", _("英語"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- static files -------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(
    exist_ok=True
)  # WhiteNoise warns about a folder that is missing before the first collectstatic
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_MAX_AGE = 3600
# Pages name files by {% static %} only. One copy of each, and no maps compressed: set-up takes a third of the time.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (
    "br",
    "gif",
    "gz",
    "jpeg",
    "jpg",
    "map",
    "png",
    "webp",
    "woff",
    "woff2",
    "zip",
)

# --- security -----------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "style-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "worker-src": [SELF],
        "manifest-src": [SELF],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "hub.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- logs ---------------------------------------------------------------------------------------------------
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
    "filters": {"keys": {"()": "hub.core.logs.HideKeys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["keys"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},  # its news are the names of people's keys
        "django_tasks_db": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "channels_redis": {
            "level": "CRITICAL"
        },  # a traceback a second without Redis; hub.core.sockets says it once
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
