"""Logging: one line an event on standard error; `TB_LOG_LEVEL` sets the platform's own level."""

from . import env

_OURS = ("thingsboard", "devices", "tenants", "telemetry", "rules", "alarms", "dashboards")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        # A device's token is part of its path, and servers like to log paths.
        "line": {
            "()": "thingsboard.transports.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Django's own console handler would repeat every line.
        "django": {"handlers": [], "level": "WARNING"},
        **{name: {"level": env.text("TB_LOG_LEVEL", "INFO").upper()} for name in _OURS},
    },
}
