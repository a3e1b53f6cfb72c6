"""Django, DRF and the packages that hang on them."""

from thingsboard.kernel.secrets import refuse_published, secret_text

from . import env
from .platform import TB_DATA_DIR, TB_SESSION_SECONDS

BASE_DIR = env.BASE_DIR
DEBUG = env.flag("DEBUG", True)
SECRET_KEY = env.text("SECRET_KEY") or secret_text(TB_DATA_DIR, "django.key")
if not DEBUG:
    refuse_published("SECRET_KEY", SECRET_KEY)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "*" if DEBUG else "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "daphne",
    "unfold.apps.BasicAppConfig",  # the admin's look; before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "tenants.apps.ServedAdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "guardian",
    "thingsboard.kernel",
    "tenants",
    "telemetry",
    "devices",
    "alarms",
    "rules",
    "dashboards",
    "thingsboard.transports",
    "thingsboard",
]

MIDDLEWARE = [
    "thingsboard.health.middleware.health_first",  # before the checks of host and TLS: probes know neither
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.services.audit.remember_request",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "thingsboard.urls"
ASGI_APPLICATION = "thingsboard.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "tenants.User"
# Cookies of browsers: never readable by scripts, never sent by other sites' forms, in production over TLS only (browsers
# count the loopback as such). JavaScript reads the CSRF token from its cookie.
SESSION_COOKIE_AGE = TB_SESSION_SECONDS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
# Every way to sign in with a password, the admin's too, passes the same lock-out.
AUTHENTICATION_BACKENDS = ["tenants.auth.backend.GuardedBackend", "guardian.backends.ObjectPermissionBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
ANONYMOUS_USER_NAME = None

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
# Served by the web process itself, straight from the packages: nobody has to run collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
# Vite puts a hash of the contents into these names: browsers need not ask again.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dashboards/assets/"

# Forms, their files apart; the door (thingsboard/web) has bounded the whole body before. Django checks this one late.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.auth.jwt.JwtAuthentication",
        "tenants.auth.browser.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.permissions.SignedIn"],
    "EXCEPTION_HANDLER": "thingsboard.kernel.error_response.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "thingsboard.kernel.openapi.Schema",
}
# /swagger-ui and /redoc: served by ourselves, no outside host.
SPECTACULAR_SETTINGS = {
    "TITLE": "ThingsBoard on Django",
    "DESCRIPTION": "Our own resource API. ThingsBoard's paths under /api are answered as ThingsBoard does.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}
