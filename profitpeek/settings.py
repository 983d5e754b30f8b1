"""Configure Django for ProfitPeek; every value a person may set comes from the environment."""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from profitpeek import admin_looks, content_security, environment

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
env = environment.load()

PRODUCTION = not environment.is_local()
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY")
# Keys that seal archives and key customer hashes, newest first; apart from SECRET_KEY so that
# rotating one does not lose the other.
FIELD_KEYS = env.list("FIELD_KEYS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SITE_URL = env("SITE_URL", default="http://localhost:8000")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# The admin's looks: unfold, or Django's own where that does not work. Everything that differs is named here.
PLAIN_ADMIN = env.bool("PLAIN_ADMIN", default=False)
MODEL_ADMIN, TABULAR_INLINE = (f"{'django.contrib' if PLAIN_ADMIN else 'unfold'}{name}" for name in (".admin.ModelAdmin", ".admin.TabularInline"))
ADMIN_SITE = "django.contrib.admin.AdminSite" if PLAIN_ADMIN else "unfold.sites.UnfoldAdminSite"
ADMIN_FORMS = "django.contrib.auth.forms" if PLAIN_ADMIN else "unfold.forms"
SHEET_FORMS = "import_export.forms" if PLAIN_ADMIN else "unfold.contrib.import_export.forms"
UNFOLD = admin_looks.UNFOLD

INSTALLED_APPS = [
    "profitpeek",
    "profitpeek.jobs",
    "dashboards",
    "alerts",
    "connectors",
    "ledger",
    *([] if PLAIN_ADMIN else ["unfold.apps.BasicAppConfig", "unfold.contrib.import_export"]),
    "profitpeek.admin_app.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "import_export",
    "django_q",
]

MIDDLEWARE = [
    "profitpeek.health.Health",
    "profitpeek.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "profitpeek.content_security.loosen_admin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

ROOT_URLCONF = "profitpeek.urls"
WSGI_APPLICATION = "profitpeek.wsgi.application"

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
                "dashboards.context.frame",
            ]
        },
    }
]

# manage.py and wsgi.py put DATABASE_URL into the environment (embedded server) before this is read;
# the placeholder lets tools that never connect (type checker, help) import the settings.
DATABASES = {"default": env.db("DATABASE_URL", default="postgres:///profitpeek")}
DATABASES["default"].update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
# A server that is gone without a word must not hold a request or a job for ever.
DATABASES["default"]["OPTIONS"] = {"connect_timeout": 10, "tcp_user_timeout": 30_000, **DATABASES["default"].get("OPTIONS", {})}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "profitpeek.formats"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# A production has its files collected; a local installation serves them from where they lie, and has no such folder.
STATIC_ROOT = Path(env("STATIC_ROOT", default="") or environment.var_dir() / "static") if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
# Collected files are named by their content, so that browsers keep them for ever, and are compressed once.
COLLECTED = "profitpeek.static_files.CollectedFiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": COLLECTED if PRODUCTION else "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "dashboards.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# So many wrong passwords for one address, then none is taken for so many minutes; a visitor has twice as many a minute over all addresses.
SIGN_IN_ATTEMPTS, SIGN_IN_PAUSE = 5, 5
ACCOUNT_RATE_LIMITS = {"login_failed": f"{2 * SIGN_IN_ATTEMPTS}/m/ip,{SIGN_IN_ATTEMPTS}/{60 * SIGN_IN_PAUSE}s/key"}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# A stranger's address is never written to.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
MFA_ADAPTER = "dashboards.accounts.SealedAuthenticators"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers allow passkeys on http://localhost as well; in production every address is https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
# Without a mail server no address can be verified, and a second factor is wanted there too.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "ProfitPeek"
MFA_TOTP_TOLERANCE = 1
# Limits per address count the visitor's, which a proxy passes on.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("BEHIND_PROXY", default=False) else 0
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60

# Without a mail server, links are shown on pages to be passed on, and forgotten passwords are set on the server.
MAIL_CONFIGURED = bool(env("EMAIL_URL", default=""))
if MAIL_CONFIGURED:
    vars().update(env.email_url("EMAIL_URL"))
    EMAIL_TIMEOUT = 10
    ACCOUNT_CHANGE_EMAIL = True
    ACCOUNT_EMAIL_NOTIFICATIONS = True
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("MAIL_FROM", default="") or f"ProfitPeek <no-reply@{urlsplit(SITE_URL).hostname}>"
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
ACCOUNT_EMAIL_VERIFICATION = "optional" if MAIL_CONFIGURED else "none"

# Limits on attempts are kept here, for all processes together (dashboards.models.CacheEntry).
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "dashboards_cacheentry",
        # Far more than limits need: the default of 300 would let attempts at many addresses push out the count of one.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

CONTENT_SECURITY_POLICY = content_security.SITE

# Hosts, with or without a port, that a connection may be told to ask instead of its platform: a sandbox of platforms.
SANDBOX_HOSTS = env.list("SANDBOX_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost"])
# The address of a simulated shop to try connecting with; `serve` runs one on a machine of one's own and sets it.
SANDBOX_SHOP = env("SANDBOX_SHOP", default="")

# Plain http is for the local installation only; production refuses it.
SECURE_SSL_REDIRECT = PRODUCTION
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None

# Whoever bears it may read /metrics from elsewhere; without one only this machine may.
METRICS_TOKEN = env("METRICS_TOKEN", default="")

LOGGING_CONFIG = "profitpeek.logs.configure"
LOGGING = {"json": (env("LOG_FORMAT", default="") or ("json" if PRODUCTION else "text")) == "json", "level": env("LOG_LEVEL", default="") or "INFO"}

# django-q2 only rings: it carries a job's number and is told nothing else (docs/decisions/0012). Its own
# retries, results and catching up are off; a second delivery of a ring is harmless, so it may take many at once.
Q_CLUSTER = {
    "name": "profitpeek",
    "orm": "default",
    # Its statistics, twice a second, are nobody's but its own.
    "cache": "process",
    "workers": env.int("WORKERS", default=2),
    "bulk": 10,
    "queue_limit": 20,
    "timeout": 900,
    "retry": 3_000,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "recycle": 500,
    "max_rss": 400_000,
    "poll": 0.1,
    "guard_cycle": 0.5,
    "log_level": "WARNING",
}

# The module that lists every kind of background job, and where a supervisor notes which cluster it keeps.
JOB_TABLE = "profitpeek.schedule"
JOB_RECORDS = environment.var_dir() / "workers"
# Files that platforms make of a store's past, while they are read; deleted afterwards.
BULK_FOLDER = environment.var_dir() / "bulk"

# Where the newest euro reference rates come from (connectors/ecb.py).
ECB_RATES_URL = env("ECB_RATES_URL", default="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml")
